"""Who is signed in, read by two compiled statements: always the same one as Django finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser, UserManager
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from notifications.live.django_internals import has_user, set_user
from notifications.live.signing_in import PLAIN_BACKEND, read_user
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class OwnBackend(ModelBackend):
    """A backend of the site's own."""


class NobodyManager(UserManager[Any]):
    """A manager by which nobody is found, as one may that looks at the tenant of the thread."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().none()


class ChoosyManager(UserManager[Any]):
    """A manager by which those are found alone who have not left."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs, is_superuser=True)


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def key(alice: Any) -> str:
    """Sign alice in, and return the key of her session."""
    client = Client()
    client.force_login(alice, PLAIN_BACKEND)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def request_of(key: str) -> HttpRequest:
    """Return a request as a view gets it."""
    request = RequestFactory().get("/")
    request.COOKIES = {settings.SESSION_COOKIE_NAME: key} if key else {}

    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    SessionMiddleware(answer).process_request(request)
    AuthenticationMiddleware(answer).process_request(request)
    return request


def found(request: HttpRequest) -> tuple[Any, ...]:
    """Return who is signed in, and what has become of the session."""
    user, session = request.user, request.session
    return user.pk, session.session_key, dict(session.items()), session.modified, session.accessed


def both(key: str) -> tuple[tuple[Any, ...], tuple[Any, ...], bool]:
    """Return what Django finds with and without us, and whether we have."""
    with_us = request_of(key)
    read_user(with_us)
    ours = has_user(with_us)
    return found(with_us), found(request_of(key)), ours


def test_it_takes_two_statements_and_django_asks_nothing_more(
    alice: Any, key: str, django_assert_num_queries: Any
) -> None:
    request = request_of(key)
    read_user(request)  # compiles
    request = request_of(key)
    with django_assert_num_queries(2):
        read_user(request)
    with django_assert_num_queries(0):
        assert request.user == alice
        assert request.user.get_username() == "alice"
    assert request.session.accessed  # so that the answer varies by the cookie
    assert request.user._state.db == "default"  # type: ignore[union-attr]


def test_who_is_signed_in_is_whom_django_finds(key: str) -> None:
    ours, djangos, read = both(key)
    assert read
    assert ours == djangos


def change(**values: Any) -> Callable[[str, Any], None]:
    """Return what changes values in a session."""

    def changed(key: str, user: Any) -> None:
        session = SessionStore(key)
        for name, value in values.items():
            session[name] = value
        session.save()

    return changed


def expire(key: str, user: Any) -> None:
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))


def spoil(key: str, user: Any) -> None:
    Session.objects.filter(pk=key).update(session_data="nothing that was signed")


def deactivate(key: str, user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


def delete(key: str, user: Any) -> None:
    user.delete()


def change_password(key: str, user: Any) -> None:
    user.set_password("another one")
    user.save()


def forget_hash(key: str, user: Any) -> None:
    session = SessionStore(key)
    del session[HASH_SESSION_KEY]
    session.save()


UNUSUAL: dict[str, Callable[[str, Any], None]] = {
    "expired": expire,
    "spoilt": spoil,
    "of an inactive user": deactivate,
    "of a deleted user": delete,
    "from before another password": change_password,
    "without a hash": forget_hash,
    "of no user": change(**{SESSION_KEY: "9999999"}),
    "of a backend that is gone": change(**{BACKEND_SESSION_KEY: "nowhere.Backend"}),
    "with another hash": change(**{HASH_SESSION_KEY: "0" * 64}),
}


@pytest.mark.parametrize("happens", UNUSUAL.values(), ids=UNUSUAL)
def test_a_session_that_is_not_valid_is_left_to_django(
    alice: Any, key: str, happens: Callable[[str, Any], None]
) -> None:
    happens(key, alice)
    request = request_of(key)
    read_user(request)
    assert not has_user(request)
    assert request.user.is_anonymous


@pytest.mark.parametrize("key", ["", "x", "a" * 32], ids=["none", "short", "unknown"])
def test_a_cookie_that_names_no_session_signs_nobody_in(key: str) -> None:
    request = request_of(key)
    read_user(request)
    assert not has_user(request)
    assert request.user.is_anonymous


def test_a_session_by_an_older_secret_goes_on_and_is_renewed_by_django(alice: Any, key: str, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new secret"
    request = request_of(key)
    read_user(request)
    assert not has_user(request)
    assert request.user == alice
    assert request.session.session_key != key


def test_a_backend_of_the_sites_own_is_asked(alice: Any, key: str, settings: Any) -> None:
    own = f"{__name__}.OwnBackend"
    settings.AUTHENTICATION_BACKENDS = [own]
    ours, djangos, read = both(key)
    assert (read, ours[0], djangos[0]) == (False, None, None)  # signed in by one that is listed no more
    change(**{BACKEND_SESSION_KEY: own})(key, alice)
    ours, djangos, read = both(key)
    assert (read, ours) == (False, djangos)
    assert ours[0] == alice.pk


def test_a_manager_of_the_sites_own_is_asked_each_time(alice: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert both(key)[2]
    manager: Any = NobodyManager()
    manager.model = get_user_model()
    monkeypatch.setattr(type(alice)._meta, "default_manager", manager)
    ours, djangos, read = both(key)
    assert (read, ours[0], djangos[0]) == (False, None, None)


def test_a_manager_whose_own_get_says_who_may_is_asked(alice: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manager: Any = ChoosyManager()
    manager.model = get_user_model()
    monkeypatch.setattr(type(alice)._meta, "default_manager", manager)
    ours, djangos, read = both(key)
    assert (read, ours[0], djangos[0]) == (False, None, None)


def test_a_check_of_the_sites_own_is_made_where_its_middleware_says_who_is_signed_in(alice: Any, key: str) -> None:
    def choosy(request: HttpRequest) -> Any:
        if not has_user(request):
            set_user(request, AnonymousUser())
        return request._cached_user  # type: ignore[attr-defined]

    request = request_of(key)
    request.user = SimpleLazyObject(lambda: choosy(request))  # type: ignore[assignment]
    read_user(request)
    assert request.user.is_anonymous


@pytest.mark.parametrize("engine", ["cached_db", "cache", "signed_cookies", "file"])
def test_other_engines_of_sessions_are_left_to_django(
    alice: Any, settings: Any, engine: str, tmp_path: Any, django_assert_num_queries: Any
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    client = Client()
    client.force_login(alice, PLAIN_BACKEND)
    request = request_of(client.cookies[settings.SESSION_COOKIE_NAME].value)
    with django_assert_num_queries(0):
        read_user(request)
    assert not has_user(request)
    assert request.user == alice


def test_a_request_without_sessions_is_left_as_it_is() -> None:
    request = RequestFactory().get("/")
    read_user(request)
    assert not has_user(request)


def test_a_user_whom_the_site_has_set_already_stays(key: str, django_assert_num_queries: Any) -> None:
    request = request_of(key)
    request.user = bob = make_user("bob")
    read_user(request)
    assert request.user == bob
