"""Devices of users: browsers that take pushes come, are confirmed, move to another user, and go."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, router
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..inbox.choosing import tell_preferences_changed
from ..live.sessions import stamp
from ..live.transactions import atomic, retried
from ..models import PushDevice
from ..models.device import DEVICE_NAME_LENGTH
from .vapid import Keys

DEVICES_LIMIT: Final = 20  # of a user; a further one takes the place of the oldest
USE_PAUSE: Final = timedelta(hours=1)  # until it is noted again that a device was used
REGISTER_TRIES: Final = 3  # where two users register the same browser at the same moment


class Browser(NamedTuple):
    """What is known of a browser that wants pushes."""

    endpoint: str
    keys: Keys
    name: str
    language: str


def devices_of(user: Any) -> list[PushDevice]:
    """Return the devices of a user, the latest first."""
    return list(_rows().filter(user_id=user.pk).order_by("-created_at", "-pk")[:DEVICES_LIMIT])


def device_of_token(user: Any, token: str) -> int | None:
    """Return the key of the user's device in whose browser a cookie with `token` was found; None if it is none."""
    found = _rows().filter(user_id=user.pk, token=_digest(token)).values_list("pk", flat=True) if token else ()
    return next(iter(found), None)


def register(user: Any, browser: Browser, token: str = "") -> str:
    """Push to a browser what is for a user from now on, and to nobody else who has used it before.

    Args:
        user: Who is signed in there.
        browser: The subscription, and what the browser is called.
        token: That of its cookie: what was known of the browser before is forgotten.

    Returns:
        The token for its cookie.
    """
    for _ in range(REGISTER_TRIES - 1):
        with suppress(IntegrityError):
            return _register(user, browser, token)
    return _register(user, browser, token)


@retried(lambda user, browser, token: _alias())
def _register(user: Any, browser: Browser, token: str) -> str:
    fresh, now = secrets.token_urlsafe(32), timezone.now()
    digest = _digest(browser.endpoint)
    with atomic(_alias()):
        _lock(user)  # tabs of one browser are often opened all at once
        moved = _rows().filter(Q(digest=digest) | Q(token=_digest(token)))
        moved.delete()
        _rows().create(
            user=user,
            endpoint=browser.endpoint,
            digest=digest,
            p256dh=browser.keys.p256dh,
            auth=browser.keys.auth,
            token=_digest(fresh),
            stamp=stamp(user).hex(),
            name=browser.name[:DEVICE_NAME_LENGTH],
            language=browser.language,
            created_at=now,
        )
        mine = _rows().filter(user_id=user.pk).order_by("-created_at", "-pk")
        surplus = list(mine.values_list("pk", flat=True)[DEVICES_LIMIT:])
        if surplus:
            _rows().filter(pk__in=surplus).delete()
        tell_preferences_changed(user)
    return fresh


def confirm(user: Any, endpoint: str, language: str, token: str) -> str | None:
    """Note that a user is signed in in a browser that takes pushes.

    If they are for somebody else, they end: whoever shows the endpoint has the browser now.

    Returns:
        The token for its cookie: the one that it has, else a new one; None if nothing is pushed there.
    """
    rows = _rows().filter(digest=_digest(endpoint))
    device = rows.filter(user_id=user.pk).first()
    if device is None:
        rows.exclude(user_id=user.pk).delete()
        return None
    # Two tabs that ask at once would each get another token, of which the browser keeps one and the database one.
    kept = token if _digest(token) == device.token else secrets.token_urlsafe(32)
    known = {"token": _digest(kept), "stamp": stamp(user).hex(), "language": language}
    if any(getattr(device, name) != value for name, value in known.items()):
        _rows().filter(pk=device.pk, user_id=user.pk).update(**known)
    return kept


def renew(user: Any, browser: Browser, token: str) -> str | None:
    """Take the subscription that a browser made in place of its last one, as push services may want it.

    Returns:
        A new token for its cookie; None if nothing of this user's was pushed there.
    """
    if device_of_token(user, token) is None:
        return None
    return register(user, browser, token)


def remove(user: Any, pk: int) -> bool:
    """Push nothing to a device of a user any more; return whether there was one."""
    removed, _by_model = _rows().filter(user_id=user.pk, pk=pk).delete()
    tell_preferences_changed(user)
    return bool(removed)


def forget_browser(token: str, *, but_of: Any = None) -> None:
    """Push nothing any more to the browser with a token in its cookie, unless it is for this user."""
    rows = _rows().filter(token=_digest(token))
    if but_of is not None:
        rows = rows.exclude(user_id=but_of.pk)
    rows.delete()


def names_of(pks: Sequence[Any], using: str) -> dict[Any, list[str]]:
    """Return the devices of users, by primary key, as deliveries name them."""
    found: dict[Any, list[str]] = {}
    rows = PushDevice.objects.using(using).filter(user_id__in=pks).order_by("pk").values_list("user_id", "pk")
    for user, pk in rows:
        found.setdefault(user, []).append(str(pk))
    return found


def find(user: Any, name: str) -> PushDevice | None:
    """Return the device of a user that a delivery names, if it is still there."""
    return _rows().filter(user_id=user.pk, pk=int(name)).first() if name.isdecimal() else None


def is_confirmed(device: PushDevice, user: Any) -> bool:
    """Return whether a user's sessions are still what they were: a new password has ended those of all browsers."""
    return device.stamp == stamp(user).hex()


def note_use(device: PushDevice) -> None:
    """Note that something was pushed to a device, now and then."""
    now = timezone.now()
    if device.used_at is None or device.used_at < now - USE_PAUSE:
        _rows().filter(pk=device.pk).update(used_at=now)


def retire(device: PushDevice) -> None:
    """Forget a device of which its push service knows nothing any more."""
    if _rows().filter(pk=device.pk, digest=device.digest).delete()[0]:
        tell_preferences_changed(device.user)


def _lock(user: Any) -> None:
    """Have others who register devices of a user wait; who refers to the user does not, where the database can tell."""
    features = connections[_alias()].features
    if features.has_select_for_update:
        users = get_user_model()._base_manager.using(_alias()).filter(pk=user.pk).order_by().values_list("pk")
        list(users.select_for_update(no_key=features.has_select_for_no_key_update))


def _alias() -> str:
    return router.db_for_write(PushDevice)


def _rows() -> QuerySet[PushDevice]:
    return PushDevice.objects.using(_alias())


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
