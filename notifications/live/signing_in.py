"""Who is signed in, read as Django reads it, by two compiled statements.

Every request for a stream begins with the session and its user, and Django takes ten times as long to build these two
statements as a database to answer them: a third of all that a connect costs. Where nothing of the site's own has a say
in the matter they are read here, and left where Django's own code looks first. Whatever is in any way unusual (another
engine of sessions, a backend or a manager of the site's own, a session that is not valid) is left to Django as it is.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.core.exceptions import ValidationError
from django.db import models, router
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from .django_internals import has_loaded, has_user, is_djangos_user, set_loaded, set_user
from .statements import NOW, CompiledObjects, CompiledSelect

PLAIN_BACKEND = "django.contrib.auth.backends.ModelBackend"


def read_user(request: HttpRequest) -> None:
    """Read the session of a request and its user, so that ``request.user`` need not; do nothing where Django must."""
    session: Any = getattr(request, "session", None)
    if type(session) is not db.SessionStore or has_user(request) or not is_djangos_user(request):
        return
    if not has_loaded(session) and not _load(session):
        return
    user = _signed_in(session)
    if user is not None:
        set_user(request, user)


def _load(session: Any) -> bool:
    """Read what a session holds; return whether there is one."""
    if not session.session_key:
        return False
    model = session.model
    rows = _sessions(model).run([session.session_key], router.db_for_read(model))
    if len(rows) != 1:
        return False
    set_loaded(session, session.decode(rows[0][1]))
    return True


def _signed_in(session: Any) -> Any:
    """Return the user of a session, as ``django.contrib.auth.get_user`` does; None where that has to decide."""
    key, known = session.get(SESSION_KEY), session.get(HASH_SESSION_KEY)
    if key is None or not known or session.get(BACKEND_SESSION_KEY) != PLAIN_BACKEND:
        return None
    if PLAIN_BACKEND not in settings.AUTHENTICATION_BACKENDS:
        return None
    model = get_user_model()
    if not _is_plain(model) or not hasattr(model, "get_session_auth_hash"):
        return None
    with suppress(ValidationError):
        pk = model._meta.pk.to_python(key)
        user = _users(model).objects([pk], router.db_for_read(model)).get(pk)
        backend = load_backend(PLAIN_BACKEND)
        if user is not None and isinstance(backend, ModelBackend) and backend.user_can_authenticate(user):
            # The hash by an older secret, and one that does not fit at all, are Django's to decide.
            return user if constant_time_compare(known, user.get_session_auth_hash()) else None
    return None


def _is_plain(model: Any) -> bool:
    """Return whether backends find users by a manager of Django's own, which finds the same ones at all times."""
    manager = model._default_manager
    rows = manager.all()
    own = (type(manager).get_queryset, type(manager).get, type(rows).get, type(rows).filter)
    plain: Any = models.Manager
    return own == (plain.get_queryset, plain.get, models.QuerySet.get, models.QuerySet.filter)


@cache
def _sessions(model: Any) -> CompiledSelect:
    return CompiledSelect(lambda: model.objects.filter(expire_date__gt=NOW), "pk", "session_data")


@cache
def _users(model: Any) -> CompiledObjects:
    return CompiledObjects(model._default_manager.all)
