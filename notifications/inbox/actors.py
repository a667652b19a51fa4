"""How people are named in what others read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from ..conf import conf
from ..kinds.references import identify, key_of, name_of
from ..live.frames import json_key
from ..models import Notice
from ..validators import URL_LENGTH, storable, validate_link
from .frames import Actor

logger = logging.getLogger("notifications")

_said: set[tuple[str, type[Exception]]] = set()  # of what a site's own function raised, which the log has already

KEY_LENGTH = 8  # characters of a long primary key that stand for it


def actor(user: Any) -> Actor:
    """Name a user."""
    return Actor(json_key(user.pk), display_name(user), avatar(user))


def other_actor(instance: Model) -> dict[str, Any]:
    """Return what is stored of somebody who causes something and is no user.

    Raises:
        ValueError: The instance has not been saved yet.
    """
    model, key = identify(instance, "actor")
    return {"id": f"{model}:{key}", "name": name_of(instance), "avatar": avatar(instance)}


def actor_of(notice: Notice) -> Actor | None:
    """Name who caused what a notice says, if it is known."""
    if notice.actor is not None:
        return actor(notice.actor)
    return stored_actor(notice.other_actor)


def stored_actor(stored: object) -> Actor | None:
    """Return whom `other_actor` has stored; None for nobody, and where something else was written there since."""
    try:
        return msgspec.convert(stored, Actor | None)
    except msgspec.ValidationError:
        return None


def avatar(of: Any) -> str | None:
    """Return the address of the picture of a user or an instance, as ``NOTIFICATIONS_AVATAR`` says; None for none.

    A function that fails, or returns what is no link, leaves a notification without a picture; the log says so once.
    """
    function = conf.AVATAR
    if function is None:
        return None
    try:
        address = str.__str__(str(function(of) or ""))
        if not address:
            return None
        validate_link(address)
    except Exception as error:  # noqa: BLE001  # whatever the site's code raises
        _say_once("AVATAR fails: people are shown by their initials", error)
        return None
    return address if len(address) <= URL_LENGTH else None


def _say_once(fault: str, error: Exception) -> None:
    if (fault, type(error)) not in _said:
        _said.add((fault, type(error)))
        logger.error("NOTIFICATIONS_%s. Said once.", fault, exc_info=error)


def actor_key(notice: Notice) -> str | None:
    """Return what tells actors of a growing item apart: a user's key, or what `other_actor` made of another."""
    if notice.other_actor is not None:
        return str(notice.other_actor["id"])
    return None if notice.actor is None else str(key_of(notice.actor, get_user_model()))


def is_other(key: str) -> bool:
    """Return whether a key may be of somebody who is no user; those of users may have a colon too."""
    return ":" in key


def actors_of(keys: Iterable[str], alias: str) -> dict[str, Actor]:
    """Name the users with some keys, but for those that are gone: one query, and none if there are no keys."""
    model = get_user_model()
    pks = []
    for key in keys:
        with suppress(ValidationError):  # of no user, or the keys' type has changed since
            pks.append(model._meta.pk.to_python(key))
    users = model._base_manager.using(alias).filter(pk__in=pks) if pks else ()
    return {str(user.pk): actor(user) for user in users}


def display_name(user: Any) -> str:
    """Return how others are told of a user: as ``NOTIFICATIONS_DISPLAY_NAME`` says, else by a name that is private.

    Private are, in this order, the full name, the short one, and the name to sign in with. None of them where it looks
    like an address, and not the last where signing in is by address. Who has none is called after their key, and so is
    whom the site's function fails for; the log says so once.
    """
    name = conf.DISPLAY_NAME
    found = next(_private(user), "") if name is None else _chosen(name, user)
    return found or _("User %(key)s") % {"key": str(user.pk)[:KEY_LENGTH]}


def _chosen(name: Callable[[Any], str], user: Any) -> str:
    try:
        return storable(str.__str__(str(name(user) or "")))  # also a SafeString, which frames do not encode
    except Exception as error:  # noqa: BLE001  # whatever the site's code raises
        _say_once("DISPLAY_NAME fails: people are called after their keys", error)
        return ""


def handle(user: Any) -> str | None:
    """Return the name by which a user is mentioned; None where ``NOTIFICATIONS_HANDLE`` names no field."""
    return str(getattr(user, conf.HANDLE)) if conf.HANDLE else None


def normalize_username(name: str) -> str:
    """Return a name as Django stores user names: the same letters typed on another keyboard are the same name."""
    model = get_user_model()
    return str(model.normalize_username(name)) if hasattr(model, "normalize_username") else name


def signs_in_by_address() -> bool:
    """Return whether the name to sign in with is the e-mail address."""
    model = get_user_model()
    return model.USERNAME_FIELD in (getattr(model, "EMAIL_FIELD", ""), "email")


def _private(user: Any) -> Iterator[str]:
    names = [getattr(user, name)() for name in ("get_full_name", "get_short_name") if hasattr(user, name)]
    if not signs_in_by_address():
        names.append(user.get_username())
    for name in names:
        text = str(name or "").strip()
        if text and "@" not in text:
            yield text
