"""Sign-ins: what a connection remembers of the one that opened it, and whether its session still exists."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import cache, cached_db, db, signed_cookies
from django.core.cache import caches
from django.db import router
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from .. import tenants
from ..exceptions import OtherUser
from .identity import Identity


def identity(user: Any, session: Any) -> Identity:
    """Return what a connection keeps of the sign-in by which it is opened.

    Args:
        user: Who is signed in.
        session: The session of the request or of the WebSocket's scope; None where there is none. It counts only if
            it is by the session that the user is signed in, not by a token beside it.
    """
    key = ""
    if session is not None and has_keys() and session.get(SESSION_KEY) is not None:
        key = session.session_key or ""
    return Identity(str(user.pk), key, stamp(user), timezone.now().timestamp())


def stamp(user: Any) -> bytes:
    """Return a fingerprint of what a user's sessions depend on: Django ends them all when their hash changes."""
    if not hasattr(user, "get_session_auth_hash"):
        return b""
    return blake2b(str(user.get_session_auth_hash()).encode(), digest_size=8).digest()


def has_keys() -> bool:
    """Return whether sessions have a key that the server can look up; signed cookies have none."""
    return not issubclass(_store(), signed_cookies.SessionStore)


def alive(owners: Mapping[str, str]) -> set[str]:
    """Return those of some sessions that still exist and belong to the same user, in as few queries as possible.

    Of the engines ``db`` and ``cached_db``, and of what is derived from them, all sessions are one query; of ``cache``
    they are one question to the cache. Any other engine is asked for each session.

    Args:
        owners: The user's primary key, as text, by the key of the session; at most some hundreds.
    """
    store = _store()
    if issubclass(store, cached_db.SessionStore):
        found = _cached(store, owners)
        return found | _stored(store, [key for key in owners if key not in found])
    if issubclass(store, db.SessionStore):
        return _stored(store, owners)
    if issubclass(store, cache.SessionStore):
        return _cached(store, owners)
    return {key for key, owner in owners.items() if _is_of(store(key).load(), owner)}


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _stored(store: Any, keys: Any) -> set[str]:
    model = store.get_model_class()
    # The primary database: a replica that lags would end the connections of those who have just signed in.
    rows = model.objects.using(router.db_for_write(model))
    rows = rows.filter(session_key__in=list(keys), expire_date__gt=timezone.now())
    return set(rows.values_list("session_key", flat=True))


def _cached(store: Any, owners: Mapping[str, str]) -> set[str]:
    """Ask the cache itself: the session's own `load` takes a cache that is down for one without sessions."""
    names = {store(key).cache_key: key for key in owners}
    found = caches[settings.SESSION_CACHE_ALIAS].get_many(names)
    return {names[name] for name, data in found.items() if _is_of(data, owners[names[name]])}


def _is_of(data: Any, owner: str) -> bool:
    return isinstance(data, dict) and str(data.get(SESSION_KEY)) == owner


def user_key(pk: Any) -> str:
    """Return a name for the user with the primary key `pk`: what a page calls the user for whom it was made."""
    return salted_hmac("notifications.user", tenants.salted(str(pk)), algorithm="sha256").hexdigest()[:20]


def check_user(claimed: str | None, pk: Any) -> None:
    """Refuse a page that was rendered for another user than the one who is signed in.

    Args:
        claimed: The page's name for its user; empty for a page that was made for nobody, and None for a program, which
            need not send it.
        pk: The primary key of the user who is signed in.

    Raises:
        OtherUser: They differ.
    """
    if claimed and claimed != user_key(pk):
        raise OtherUser(_("Someone else has signed in since this page was loaded. Reload the page."))
