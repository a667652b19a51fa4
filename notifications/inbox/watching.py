"""Watching objects: who wants to hear of what happens to one, how much, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Literal, get_args

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import connections, router
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User
from ..kinds.references import identify
from ..live.chunks import chunks
from ..live.transactions import atomic, retried
from ..models import Watch
from ..models.watch import holds, is_over
from ..twins import twin
from ..validators import validate_time
from .recipients import recipient_key
from .stream import INBOX

WatchLevel = Literal["all", "participating", "mentions", "none"]
WatchEvent = Literal["all", "participating", "mentions"]

# Whom an event reaches: one that is for all who take part, those too who watch everything.
REACHED: Final[dict[str, Sequence[str]]] = {
    "all": ["all"],
    "participating": ["all", "participating"],
    "mentions": ["all", "participating", "mentions"],
}


@retried(lambda *args, **kwargs: INBOX.alias)
def watch(user: User, about: Model, level: WatchLevel = "all", *, until: datetime | None = None) -> None:
    """Let a user hear of what happens to an object. It takes the place of how they watched it before.

    Args:
        user: Who watches.
        about: A saved instance of a model.
        level: ``"all"``, ``"participating"`` (events in which they take part), ``"mentions"`` or ``"none"``.
        until: An aware time at which it ends; None for good.

    Raises:
        ValidationError: The level is unknown, or `until` is not in the future; it is named.
        TypeError: `about` is no instance of a model.
        ValueError: `about` or the user has not been saved yet.
    """
    if level not in get_args(WatchLevel):
        message = _("Level must be one of %(levels)s.") % {"levels": ", ".join(get_args(WatchLevel))}
        raise ValidationError({"level": message})
    _validate_end(until)
    _store(user, identify(about, "about"), level=level, until=until, muted_until=None)


@retried(lambda *args, **kwargs: INBOX.alias)
def unwatch(user: User, about: Model) -> bool:
    """Forget how a user watched an object; return whether they did."""
    return forget(user, identify(about, "about"))


@retried(lambda *args, **kwargs: INBOX.alias)
def mute(user: User, about: Model, *, until: datetime | None = None) -> None:
    """Let a user hear nothing of an object: for good, or until an aware time, when they watch it as before.

    It keeps back also what `notify` sends them by name about it, but for kinds that are required or mention them. It
    takes the place of an earlier mute, and of the level ``"none"``.

    Raises:
        ValidationError: `until` is not in the future.
        TypeError: `about` is no instance of a model.
        ValueError: `about` or the user has not been saved yet.
    """
    _validate_end(until)
    hush(user, identify(about, "about"), until)


def watchers(about: Model, level: WatchEvent = "all") -> QuerySet[Any]:
    """Return the users who want to hear of an event of an object: for ``notify(watchers(order), …)``.

    Args:
        about: A saved instance of a model.
        level: What the event is: ``"all"`` for those who watch everything; ``"participating"`` for those too who want
            what they take part in; ``"mentions"`` for all who watch it at all. Who takes part or is mentioned is for
            you to say: ``watchers(order, "mentions").filter(pk__in=mentioned)``.

    Raises:
        ValidationError: The level is unknown.
        TypeError: `about` is no instance of a model.
        ValueError: `about` has not been saved yet.
    """
    if level not in REACHED:
        raise ValidationError({"level": _("Level must be one of %(levels)s.") % {"levels": ", ".join(REACHED)}})
    model, key = identify(about, "about")
    watches = Watch.objects.filter(holds(), about_model=model, about_key=key, level__in=REACHED[level])
    users = get_user_model()._default_manager.using(INBOX.alias)
    return users.filter(pk__in=watches.values("user_id"))


def watching(user: User, about: Model) -> WatchLevel | None:
    """Return how much a user wants to hear of an object now; None if they do not watch it.

    Raises:
        TypeError: `about` is no instance of a model.
        ValueError: `about` has not been saved yet.
    """
    row = find(user, identify(about, "about"))
    if row is None:
        return None
    level: Any = "none" if row.muted_until else row.level
    return level  # type: ignore[no-any-return]


awatch = twin(watch)
aunwatch = twin(unwatch)
amute = twin(mute)
awatchers = twin(watchers)
awatching = twin(watching)


def find(user: User, about: tuple[str, str]) -> Watch | None:
    """Return how a user watches an object, if they do; what is over is left out of it."""
    now = timezone.now()
    row = _rows(user, about).first()
    if row is None:
        return None
    if row.muted_until and row.muted_until <= now:
        row.muted_until = None
    return None if row.until and row.until <= now and row.muted_until is None else row


def forget(user: User, about: tuple[str, str]) -> bool:
    """Do what `unwatch` does, for an object that is named."""
    deleted, _by_model = _rows(user, about).delete()
    return bool(deleted)


def hush(user: User, about: tuple[str, str], until: datetime | None) -> None:
    """Do what `mute` does, for an object that is named."""
    row = None if until is None else find(user, about)
    with atomic(INBOX.alias):
        # What is none already, by an earlier mute too, gets the new end: a second one would let the earlier one win.
        heard = row is not None and row.level != Watch.Level.NONE
        if not (heard and _rows(user, about).update(muted_until=until)):
            _store(user, about, level="none", until=until, muted_until=None)


def store_level(user: User, about: tuple[str, str], level: str) -> None:
    """Do what `watch` does, for an object that is named."""
    _store(user, about, level=level, until=None, muted_until=None)


def exists(about: tuple[str, str]) -> bool:
    """Return whether an object that is named is there."""
    label, key = about
    return key in there(label, [key])


def there(label: str, keys: Sequence[str]) -> set[str]:
    """Return which of some objects of a model are there, by their keys, with one query."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return set()
    pk = model._meta.pk
    wanted: dict[Any, str] = {}
    for key in keys:
        with suppress(ValidationError):  # the key's type has changed since
            wanted[pk.to_python(key)] = key
    rows = model._base_manager.using(router.db_for_write(model))
    return {wanted[found] for found in rows.filter(pk__in=list(wanted)).values_list("pk", flat=True)}


def prune_watches() -> int:
    """Delete the watches that are over, and those of objects that are gone; return how many."""
    rows = Watch.objects.using(INBOX.alias)
    over, _by_model = rows.filter(is_over()).delete()
    deleted = over
    for label in list(rows.order_by().values_list("about_model", flat=True).distinct()):
        if label not in _labels():
            continue  # its app may come back
        keys = rows.filter(about_model=label).order_by("about_key").values_list("about_key", flat=True).distinct()
        for part in chunks(keys.iterator()):
            gone = set(part) - there(label, part)
            deleted += rows.filter(about_model=label, about_key__in=gone).delete()[0] if gone else 0
    return deleted


def _labels() -> set[str]:
    return {model._meta.label_lower for model in apps.get_models()}


def _rows(user: User, about: tuple[str, str]) -> QuerySet[Watch]:
    model, key = about
    return Watch.objects.using(INBOX.alias).filter(user_id=recipient_key(user), about_model=model, about_key=key)


def _store(user: User | AbstractBaseUser, about: tuple[str, str], **fields: Any) -> None:
    model, key = about
    target = connections[INBOX.alias].features.supports_update_conflicts_with_target
    unique: dict[str, Any] = {"unique_fields": ["user", "about_model", "about_key"]} if target else {}
    row = Watch(user_id=recipient_key(user), about_model=model, about_key=key, **fields)
    with atomic(INBOX.alias):
        Watch.objects.using(INBOX.alias).bulk_create([row], update_conflicts=True, update_fields=list(fields), **unique)


def _validate_end(until: datetime | None) -> None:
    if until is None:
        return
    try:
        validate_time(until)
    except ValidationError as error:
        raise ValidationError({"until": error}) from error
    if until <= timezone.now():
        raise ValidationError({"until": _("Choose a time in the future.")})
