"""Who has the permissions that actions ask for, for many users at once."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.contrib.auth import get_backends, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import PermissionsMixin

from ..audiences import has_field
from ..live.chunks import chunks

logger = logging.getLogger("notifications")

_ASKED: Final = ("has_perm", "get_all_permissions", "get_user_permissions", "get_group_permissions", "with_perm")
_OWN: Final = ("_get_permissions", "_get_user_permissions", "_get_group_permissions")
_CHUNK: Final = 500  # users of one query

_said: set[type[Exception]] = set()  # of what a site's own rule raised, which the log has already


def has_permission(user: Any, permission: str) -> bool:
    """Return whether a user has a permission, as Django says; nobody has any where the site's users know of none."""
    asked = getattr(user, "has_perm", None)
    return asked is not None and bool(asked(permission))


def holders(wanted: Mapping[str, Collection[Any]], using: str) -> set[tuple[Any, str]]:
    """Return which users have which permissions, as pairs of a user's primary key and a permission.

    Where permissions are Django's own it is one query for each permission. A site's own backends or users are asked
    user by user, as Django does, after one query for all users; what raises means no.

    Args:
        wanted: The primary keys of users, by the permission.
        using: The database that has the users.
    """
    found: set[tuple[Any, str]] = set()
    own: dict[str, Collection[Any]] = {}
    for permission, pks in wanted.items():
        if _is_plain() and permission.count(".") == 1:
            having = ModelBackend().with_perm(permission).using(using)
            for part in chunks(pks, _CHUNK):
                found |= {(pk, permission) for pk in having.filter(pk__in=part).values_list("pk", flat=True)}
        else:
            own[permission] = pks
    return found | _one_by_one(own, using) if own else found


def _is_plain() -> bool:
    """Return whether Django's own tables alone say who has a permission."""
    user: Any = get_user_model()
    if not (issubclass(user, PermissionsMixin) and has_field("is_active")):
        return False
    if user.has_perm is not PermissionsMixin.has_perm:
        return False
    return all(_is_own(backend, name) for backend in get_backends() for name in (*_ASKED, *_OWN))


def _is_own(backend: object, name: str) -> bool:
    return getattr(type(backend), name, None) is getattr(ModelBackend, name)


def _one_by_one(wanted: Mapping[str, Collection[Any]], using: str) -> set[tuple[Any, str]]:
    pks = {pk for some in wanted.values() for pk in some}
    users: dict[Any, Any] = {}
    for part in chunks(pks, _CHUNK):
        users |= get_user_model()._base_manager.using(using).in_bulk(part)
    return {
        (pk, permission)
        for permission, some in wanted.items()
        for pk in some
        if pk in users and _has(users[pk], permission)
    }


def _has(user: Any, permission: str) -> bool:
    try:
        return has_permission(user, permission)
    except Exception as error:  # whatever the site's code raises
        if type(error) not in _said:
            _said.add(type(error))
            logger.error("Asking for a permission failed: its actions are not offered. Said once.", exc_info=error)
        return False


def wanted_by(asked: Iterable[tuple[Any, str]]) -> dict[str, set[Any]]:
    """Return the users, by the permission, of pairs of a user's primary key and a permission."""
    wanted: dict[str, set[Any]] = {}
    for pk, permission in asked:
        if permission:
            wanted.setdefault(permission, set()).add(pk)
    return wanted
