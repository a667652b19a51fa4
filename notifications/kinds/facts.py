"""The facts of a kind: from its instance to plain JSON, validated, and back."""

from __future__ import annotations

import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ..validators import plain_data
from .declaring import Kind, fact_names, optional_fact_names
from .references import model_of, reference_type, stored_reference


class Shape(NamedTuple):
    """The types of a kind's facts as they are stored.

    Attributes:
        facts: The type of all of them together.
        types: The type of each by its name.
        models: The models to which each may refer, by its name.
    """

    facts: type[msgspec.Struct]
    types: dict[str, Any]
    models: dict[str, tuple[type[models.Model], ...]]


def shape(cls: type[Kind]) -> Shape:
    """Return the types of a kind's facts.

    Raises:
        ImproperlyConfigured: An annotation cannot be read, or means nothing that can be stored.
    """
    hashable: Any = cls  # to mypy a dataclass is not
    return _shape(hashable)


@cache
def _shape(cls: Any) -> Shape:
    try:
        hints = get_type_hints(cls, include_extras=True)
        found = {name: _stored_type(hints[name]) for name in fact_names(cls)}
        optional = {name: found[name] | msgspec.UnsetType for name in optional_fact_names(cls)}
        given = [
            (name, optional[name], msgspec.UNSET) if name in optional else (name, kind) for name, kind in found.items()
        ]
        made = msgspec.defstruct(cls.__name__, given, kw_only=True, frozen=True)
        msgspec.convert(dict.fromkeys(found), made)  # reads all types; what it says of the values is no news
    except msgspec.ValidationError:
        pass
    except (NameError, TypeError) as error:
        raise ImproperlyConfigured(
            f"{cls.__module__}.{cls.__qualname__}: its facts cannot be stored: {error}"
        ) from error
    return Shape(made, found, {name: tuple(dict.fromkeys(_models(hints[name]))) for name in found})


def _stored_type(annotation: Any) -> Any:
    """Return an annotation with references in the place of models."""
    model = model_of(annotation)
    if model is not None:
        return reference_type(model)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        model = model_of(inner[0])
        return annotation if model is None else reference_type(model)
    if origin in (Union, types.UnionType):
        return Union.__getitem__(tuple(map(_stored_type, inner)))
    if origin in (list, tuple, set, frozenset, dict):
        return origin[tuple(one if one is ... else _stored_type(one) for one in inner)]
    return annotation


def _models(annotation: Any) -> Iterator[type[models.Model]]:
    model = model_of(annotation)
    if model is not None:
        yield model
    for inner in get_args(annotation):
        yield from _models(inner)


def stored_facts(made: Kind) -> dict[str, Any]:
    """Return the facts of an instance as plain JSON.

    Raises:
        ValidationError: One has another type than the kind says, or cannot be stored; it is named.
    """
    form = shape(type(made))
    errors: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for name, kind in form.types.items():
        try:
            facts[name] = _stored(getattr(made, name), form.models[name])
            msgspec.convert(facts[name], kind, str_keys=True)
        except ValidationError as invalid:
            errors[name] = invalid
        except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as invalid:
            errors[name] = ValidationError(str(invalid), code="invalid")
    if errors:
        raise ValidationError(errors)
    try:
        plain: dict[str, Any] = plain_data(facts)
    except ValidationError as invalid:
        raise ValidationError({"facts": invalid}) from invalid
    return plain


def _stored(value: Any, allowed: tuple[type[models.Model], ...]) -> Any:
    def plain(inner: Any) -> Any:
        if isinstance(inner, models.Model):
            return stored_reference(inner, allowed)
        if isinstance(inner, Promise):
            message = _("Lazy text would be stored in one language; write it in a method of the kind instead.")
            raise ValidationError(message, code="lazy")
        if isinstance(inner, str):
            return str.__str__(inner)
        raise TypeError(f"{type(inner).__name__} cannot be stored")

    return msgspec.to_builtins(value, str_keys=True, enc_hook=plain)


def loaded_facts(cls: type[Kind], facts: dict[str, Any], version: int) -> dict[str, Any]:
    """Return stored facts by name, as the class takes them but for references.

    Raises:
        Exception: What is stored does not fit the class, or its upgrade failed.
    """
    if version < cls.rules.version:
        facts = cls.upgrade(version, facts)
    loaded = msgspec.convert(facts, shape(cls).facts, str_keys=True)
    values = {name: getattr(loaded, name) for name in loaded.__struct_fields__}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}
