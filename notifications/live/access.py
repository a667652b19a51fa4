"""Access of open connections: the one place that decides who may still read and act.

Django admits a connection when it is opened. Afterwards these must hold: the user exists and may sign in, the session
exists, and what the user's sessions depend on (above all the password) is unchanged. A stream that is not the user's
own also has a guard, which decides who of its subscribers may still read it. All of them read the database, for many
connections at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.contrib.auth import get_backends, get_user_model
from django.db import router

from ..exceptions import AccessEnded
from ..models import Inbox
from . import sessions
from .batch import Access
from .frames import ByeReason
from .identity import Identity
from .streams import Key

Guard = Callable[[Mapping[str, Collection[str]]], Mapping[str, Access]]

_guards: dict[str, Guard] = {}


class Verdict(NamedTuple):
    """The connections that end, with the reason, and the owners who may still read the streams that have a guard."""

    ended: dict[Identity, ByeReason]
    access: dict[Key, Access]


def guard(stream_type: str) -> Callable[[Guard], Guard]:
    """Register a function as the guard of a type of streams.

    It is called in a thread with the subscribed owners of this process, by each stream's primary key as text, and
    returns for each stream which of them may still read it. A stream that is left out stays as it is.
    """

    def register(function: Guard) -> Guard:
        _guards[stream_type] = function
        return function

    return register


def is_guarded(stream_type: str) -> bool:
    """Return whether a type's streams have a guard, so that signing in alone does not grant access."""
    return stream_type in _guards


def judge(identities: Collection[Identity], listeners: Mapping[Key, Collection[str]]) -> Verdict:
    """Decide about open connections, with a query each for users, revocations and sessions, and what the guards need.

    Args:
        identities: On whose behalf connections are held; at most some hundreds.
        listeners: The owners who are subscribed to each stream that has a guard.
    """
    identities = [identity for identity in identities if identity.owner]  # the anonymous hear what is public
    users = users_of({identity.owner for identity in identities})
    valid = {owner: sessions.stamp(user) for owner, user in users.items() if may_sign_in(user)}
    standing = [identity for identity in identities if valid.get(identity.owner) == identity.stamp]
    asked = {identity.session: identity.owner for identity in standing if identity.session}
    alive = sessions.alive(asked) if asked else set()
    fine = {identity for identity in standing if not identity.session or identity.session in alive}
    revoked_at = _revocations(users)
    ended: dict[Identity, ByeReason] = {}
    for identity in identities:
        if identity.at <= revoked_at.get(identity.owner, -1.0):
            ended[identity] = "revoked"
        elif identity not in fine:
            ended[identity] = "reauthenticate"
    found: dict[Key, Access] = {}
    for name, function in _guards.items():
        streams = {key.pk: owners for key, owners in listeners.items() if key.type == name}
        if streams:
            found |= {Key(name, pk): access for pk, access in function(streams).items()}
    return Verdict(ended, found)


def users_of(owners: Iterable[str]) -> dict[str, Any]:
    """Return the users of connections by their keys as text, as signing in would find them, with one query.

    Owners who are not signed in, whose key is empty, are passed over.
    """
    model = get_user_model()
    to_python = model._meta.pk.to_python
    rows = model._default_manager.using(router.db_for_write(model))
    return {str(user.pk): user for user in rows.filter(pk__in=[to_python(owner) for owner in owners if owner])}


def _revocations(users: Mapping[str, Any]) -> dict[str, float]:
    """Return when the access of users was revoked last, in seconds since 1970, for those of whom it was."""
    rows = Inbox.objects.using(router.db_for_write(Inbox)).filter(user__in=[user.pk for user in users.values()])
    found = rows.exclude(revoked_at=None).values_list("user_id", "revoked_at")
    return {str(pk): at.timestamp() for pk, at in found if at is not None}


def may_sign_in(user: Any) -> bool:
    """Return whether the site's authentication still lets a user in, as ``ModelBackend.get_user`` does."""
    asked = [backend.user_can_authenticate for backend in get_backends() if hasattr(backend, "user_can_authenticate")]
    if not asked:
        return bool(getattr(user, "is_active", True))
    return any(may(user) for may in asked)


def check_actor(user: Any) -> None:
    """Refuse the command of a user whose account may no longer act, with the row that the command has read anyway.

    Raises:
        AccessEnded: It may not.
    """
    if not may_sign_in(user):
        raise AccessEnded
