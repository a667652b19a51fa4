"""References: model instances among the facts of a kind, stored by key and fetched for a whole page at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import models, router
from django.urls import NoReverseMatch

from ..exceptions import CarillonError
from ..validators import URL_LENGTH, storable, validate_link

NAME_LENGTH = 200  # characters of an instance's name that are kept
FETCHED_AT_ONCE = 500  # instances by one query

logger = logging.getLogger("notifications")

M = TypeVar("M", bound=models.Model)

Ref: TypeAlias = Annotated[M, "a reference"]
"""A fact that is a model instance: ``Ref[Order]``, which says in the class what ``Order`` alone means too.

Give it a saved instance. Its key, its name (what ``str()`` of it says) and its link (``get_absolute_url()``) are
stored. Methods see the instance as it is when the notification is read or, if it was deleted, a `Gone`.
"""


class Gone:
    """What stands for an instance that was deleted: it says what the instance was called and where it was.

    ``str()`` of it and ``get_absolute_url()`` do what those of the instance did, so that most texts need not ask.
    """

    gone = True

    def __init__(self, model: type[models.Model], pk: Any, name: str, url: str) -> None:
        """Keep what was stored of the instance: its model, key, name and link."""
        self.model = model
        self.pk = pk
        self.name = name
        self.url = url

    def __str__(self) -> str:
        """Return the name of the instance."""
        return self.name

    def __repr__(self) -> str:
        """Name the model and the key."""
        return f"<Gone: {self.model.__name__} {self.pk}>"

    def get_absolute_url(self) -> str:
        """Return the link of the instance; empty if it had none."""
        return self.url


class Reference(msgspec.Struct, frozen=True, tag_field="model"):
    """An instance as it is stored; each model has a subclass, whose tag is the model's label."""

    pk: int | str
    name: str = ""
    url: str = ""


Wanted = tuple[type[models.Model], str]  # a model, and a primary key as text
Found = Mapping[Wanted, models.Model]


class Unavailable(CarillonError):
    """The instances of a model could not be read."""


def model_of(annotation: object) -> type[models.Model] | None:
    """Return the model that an annotation names; None if it names none.

    Raises:
        ImproperlyConfigured: The model is abstract, or its key has several columns.
    """
    if not (isinstance(annotation, type) and issubclass(annotation, models.Model)):
        return None
    if annotation is models.Model or annotation._meta.abstract:
        user = get_user_model()
        if annotation is models.Model or not issubclass(user, annotation):
            raise ImproperlyConfigured(f"{annotation.__name__} is abstract; name a model that has a table.")
        return user  # AbstractUser, say
    if getattr(annotation._meta.pk, "column", None) is None:
        raise ImproperlyConfigured(f"{annotation.__name__} has no primary key of one column.")
    return annotation


@cache
def reference_type(model: type[models.Model]) -> type[Reference]:
    """Return the type of stored references to a model."""
    made: Any = msgspec.defstruct(
        model.__name__, [], bases=(Reference,), namespace={"target": model}, tag=_label(model), frozen=True
    )
    return made  # type: ignore[no-any-return]


def _label(model: type[models.Model] | models.Model) -> str:
    concrete = model._meta.concrete_model
    assert concrete is not None  # only abstract models have none
    return concrete._meta.label_lower


def stored_reference(instance: models.Model, allowed: Sequence[type[models.Model]]) -> dict[str, Any]:
    """Return an instance as it is stored.

    Raises:
        ValidationError: It is not of an allowed model, or was not saved yet.
    """
    model = next((model for model in allowed if isinstance(instance, model)), None)
    if model is None:
        names = " or ".join(model.__name__ for model in allowed) or "none"
        raise ValidationError(f"Expected {names}, got an instance of {type(instance).__name__}.", code="wrong_model")
    pk = key_of(instance, model)
    if pk is None:
        raise ValidationError(f"This {model.__name__} has not been saved yet: call save() first.", code="unsaved")
    plain = pk if type(pk) is int else str(pk)
    return {"model": _label(model), "pk": plain, "name": name_of(instance), "url": _url(instance)}


def identify(instance: object, name: str) -> tuple[str, str]:
    """Return the label of the model and the primary key, as text, of `instance`, the argument `name` of a verb.

    Raises:
        TypeError: It is no instance of a model whose key has one column.
        ValueError: It has not been saved yet.
    """
    if not isinstance(instance, models.Model) or getattr(instance._meta.pk, "column", None) is None:
        raise TypeError(f"`{name}` must be an instance of a model, not {type(instance).__name__}.")
    pk = key_of(instance, type(instance))
    if pk is None:
        raise ValueError(f"`{name}` has not been saved yet: call save() on it first.")
    return _label(instance), str(pk)


def name_of(instance: models.Model) -> str:
    """Return what an instance is called, in one line."""
    return storable(" ".join(str(instance).split()))[:NAME_LENGTH]


def key_of(instance: models.Model, model: type[models.Model]) -> Any:
    """Return the primary key of an instance of a model as the database gives it back; None before it is saved.

    One that was made with a key keeps it as it was given: a UUID may be text in capitals, or without hyphens.
    """
    key = _key(model)
    pk = instance.serializable_value(key.attname)
    try:
        return key.to_python(pk)
    except ValidationError:
        return pk


def _key(model: type[models.Model] | models.Model) -> models.Field[Any, Any]:
    assert model._meta.pk is not None  # `model_of` has looked
    return model._meta.pk


def _url(instance: models.Model) -> str:
    try:
        url = str(getattr(instance, "get_absolute_url", str)())
        validate_link(url)
    except (ValidationError, NoReverseMatch, AttributeError):
        return ""
    return url if len(url) <= URL_LENGTH else ""


def references_in(value: object) -> Iterator[Reference]:
    """Yield the references in a fact, also in lists and dictionaries."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from references_in(inner)


def fetch(wanted: Iterable[Reference]) -> tuple[dict[Wanted, models.Model], set[type[models.Model]]]:
    """Fetch instances with one query for each model (for each 500 of its instances).

    They come from where they are written, for a replica may not have them yet, and through the base manager, as those
    of foreign keys do.

    Returns:
        The instances that are there; and the models whose instances could not be read.
    """
    keys: dict[type[models.Model], dict[Any, None]] = {}
    for one in wanted:
        model = target(one)
        try:
            pk = _key(model).to_python(one.pk)
        except ValidationError:
            continue  # the key's type has changed since: no instance has it
        keys.setdefault(model, {})[pk] = None
    found: dict[Wanted, models.Model] = {}
    failed: set[type[models.Model]] = set()
    for model, pks in keys.items():
        try:
            found |= _fetched(model, list(pks))
        except Exception:  # a database that is down, or a manager of the site's
            logger.exception("Could not read %s; notifications about it show what was stored.", model._meta.label)
            failed.add(model)
    return found, failed


def _fetched(model: type[models.Model], pks: list[Any]) -> dict[Wanted, models.Model]:
    rows = model._base_manager.using(router.db_for_write(model))
    found: dict[Wanted, models.Model] = {}
    for start in range(0, len(pks), FETCHED_AT_ONCE):
        for instance in rows.filter(pk__in=pks[start : start + FETCHED_AT_ONCE]):
            found[model, str(instance.serializable_value(_key(model).attname))] = instance
    return found


def target(reference: Reference) -> type[models.Model]:
    """Return the model that a reference leads to."""
    model: type[models.Model] = type(reference).target  # type: ignore[attr-defined]  # of each model's own type
    return model


def resolved(value: Any, found: Found, failed: Iterable[type[models.Model]]) -> Any:
    """Return a fact with instances, or those that stand for them, in the place of references.

    Raises:
        Unavailable: An instance could not be read.
    """
    if isinstance(value, Reference):
        model = target(value)
        if model in failed:
            raise Unavailable(model._meta.label)
        instance = found.get((model, str(value.pk)))
        return Gone(model, value.pk, value.name, value.url) if instance is None else instance
    if isinstance(value, dict):
        return {name: resolved(inner, found, failed) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(resolved(inner, found, failed) for inner in value)
    return value
