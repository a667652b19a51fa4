"""Instances of kinds, of which a test gives the facts that matter to it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from ..kinds import Kind
from ..kinds.declaring import fact_names

K = TypeVar("K", bound=Kind)

EXAMPLES: Final[Mapping[type, Callable[[], Any]]] = {
    bool: bool,
    int: lambda: 1,
    float: lambda: 1.0,
    Decimal: lambda: Decimal("1.00"),
    datetime: lambda: datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
    date: lambda: date(2030, 1, 2),
    time: lambda: time(3, 4, 5),
    timedelta: lambda: timedelta(minutes=5),
    UUID: lambda: UUID(int=1),
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    dict: dict,
}


def make(kind: type[K], **facts: Any) -> K:
    """Return an instance of a kind with the facts that you give, and examples of the others.

    Examples are those of the kind's own `sample`. Where it has none, a fact with a default keeps it; of the others, a
    text is the fact's own name, a number 1, a list empty.

    Args:
        kind: The class of the kind.
        facts: The facts that matter to your test.

    Raises:
        TypeError: The kind has no such fact, or one has no example, as a model instance has none: give it.
    """
    names = fact_names(kind)
    if unknown := [name for name in facts if name not in names]:
        raise TypeError(f"{kind.__name__} has no fact {unknown[0]!r}; it has {', '.join(names) or 'none'}.")
    sample = kind.sample()
    if sample is not None:
        return replace(sample, **facts)  # type: ignore[type-var]  # a dataclass by __init_subclass__
    return kind(**dict(_examples(kind, facts)), **facts)


def _examples(cls: type[Any], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(cls, include_extras=True)
    for one in fields(cls):
        missing = one.default is one.default_factory  # both are MISSING where there is no default
        if one.init and missing and one.name not in given:
            try:
                yield one.name, _example(hints[one.name], one.name)
            except LookupError:
                message = f"{cls.__name__}.{one.name} has no example of its own: make({cls.__name__}, {one.name}=…)."
                raise TypeError(message) from None


def _example(annotation: Any, name: str) -> Any:
    """Return a value of a type; `name` where that is text.

    Raises:
        LookupError: Nobody knows one.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _example(inner[0], name)
    if origin is Literal:
        return inner[0]
    if origin in (Union, UnionType):
        return None if NoneType in inner else _example(inner[0], name)
    found = origin or annotation
    if found is str:
        return name
    if found in EXAMPLES:
        return EXAMPLES[found]()
    if isinstance(found, type) and issubclass(found, enum.Enum):
        return next(iter(found))
    if isinstance(found, type) and is_dataclass(found):
        return found(**dict(_examples(found, {})))
    raise LookupError
