"""System checks speak up where a site would fail silently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings

from notifications.asgi import Handoff

GOOD_HOST = {"address": "redis://127.0.0.1/0", "socket_timeout": None}


def found(*, deploy: bool = False, **settings: Any) -> list[str]:
    with override_settings(**settings):
        messages = run_checks(tags=["notifications"], include_deployment_checks=deploy)
    return [message.id or "" for message in messages]


def layer(**config: Any) -> dict[str, Any]:
    return {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}


def test_a_sound_configuration_is_silent() -> None:
    assert found() == []
    assert found(CHANNEL_LAYERS=layer(hosts=[GOOD_HOST], capacity=10_000)) == []
    assert found(CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}) == []
    assert (
        found(
            NOTIFICATIONS_HEARTBEAT=20, NOTIFICATIONS_RETENTION=timedelta(days=1), NOTIFICATIONS_MESSAGE_RETENTION=None
        )
        == []
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"NOTIFICATIONS_HARTBEAT": 20}, "carillon.W001"),
        ({"NOTIFICATIONS_HEARTBEAT": "often"}, "carillon.E001"),
        ({"NOTIFICATIONS_RETENTION": 90}, "carillon.E001"),
        ({"NOTIFICATIONS_CHAT_URL": "/chat/"}, "carillon.E001"),
        ({"NOTIFICATIONS_CHAT_URL": "chat/{room}/"}, "carillon.E001"),
        ({"NOTIFICATIONS_MESSAGE_RETENTION": 90}, "carillon.E001"),
        ({"NOTIFICATIONS_MESSAGE_RETENTION": timedelta(0)}, "carillon.E002"),
        ({"NOTIFICATIONS_HEARTBEAT": 0}, "carillon.E002"),
        ({"NOTIFICATIONS_RECONCILE": -1}, "carillon.E002"),
        ({"NOTIFICATIONS_CHANNEL_LAYER": "other", "CHANNEL_LAYERS": {}}, "carillon.E004"),
        ({"CHANNEL_LAYERS": layer(hosts=["redis://127.0.0.1/0"], capacity=10_000)}, "carillon.W002"),
        ({"CHANNEL_LAYERS": layer(hosts=[GOOD_HOST])}, "carillon.W003"),
        ({"USE_TZ": False}, "carillon.E006"),
    ],
)
def test_a_mistake_is_named(settings: dict[str, Any], message: str) -> None:
    assert found(**settings) == [message]


POSTGRESQL = {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PORT": "", "NAME": "site"}
POOLED = {"DISABLE_SERVER_SIDE_CURSORS": True}
REDIS = layer(hosts=[GOOD_HOST], capacity=10_000)


@pytest.mark.parametrize(
    ("database", "settings", "ids"),
    [
        ({}, {}, []),
        ({"PORT": "6432"}, {}, ["carillon.W008"]),
        ({"PORT": 6543}, {}, ["carillon.W008"]),
        (POOLED, {}, ["carillon.W008"]),
        (POOLED, {"CHANNEL_LAYERS": REDIS}, []),
        (POOLED, {"NOTIFICATIONS_LISTEN_URL": "postgresql://db:5432"}, []),
        (POOLED, {"NOTIFICATIONS_LISTEN_URL": None}, []),
        ({}, {"NOTIFICATIONS_LISTEN_URL": "db:5432"}, ["carillon.E007"]),
    ],
)
def test_a_pooler_before_the_server_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, database: dict[str, Any], settings: dict[str, Any], ids: list[str]
) -> None:
    with on_postgresql(monkeypatch, **database):
        assert found(**{"NOTIFICATIONS_LISTEN_URL": "", **settings}) == ids


def test_a_driver_that_cannot_listen_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.live.postgresql.find_spec", lambda _name: None)
    with on_postgresql(monkeypatch):
        assert found(NOTIFICATIONS_LISTEN_URL="") == ["carillon.W007"]
        assert found(NOTIFICATIONS_LISTEN_URL=None) == []
        assert found(NOTIFICATIONS_LISTEN_URL="", CHANNEL_LAYERS=REDIS) == []


@contextmanager
def on_postgresql(monkeypatch: pytest.MonkeyPatch, **database: Any) -> Iterator[None]:
    """Let the inboxes be in a PostgreSQL, which is not asked for anything."""
    usual = {**connection.settings_dict, **POSTGRESQL, "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "primary", usual | database)
    monkeypatch.setattr("notifications.live.postgresql.alias", lambda: "primary")
    assert connections["primary"].vendor == "postgresql"
    yield
    del connections["primary"]


@pytest.mark.parametrize(
    ("pool", "ids"),
    [
        (True, ["carillon.W005"]),
        ({"min_size": 4}, ["carillon.W005"]),
        ({"max_size": 4}, ["carillon.W005"]),
        ({"max_size": 18}, ["carillon.W005"]),
        ({"max_size": 19}, []),
        ({"min_size": 19}, []),
        (False, []),
    ],
)
def test_a_pool_must_leave_connections_for_the_site(pool: Any, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"pool": pool})
    assert found() == ids


def test_tenants_of_one_process_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.INSTALLED_APPS", ["django_tenants", "notifications"])
    assert found() == ["carillon.E020"]


def test_every_message_says_the_fix() -> None:
    with override_settings(NOTIFICATIONS_HARTBEAT=1, NOTIFICATIONS_HEARTBEAT=0, CHANNEL_LAYERS=layer(hosts=["x"])):
        for message in run_checks(tags=["notifications"]):
            assert message.hint, message


def test_a_site_without_the_lane_hears_what_it_would_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handoff, "installed", False)
    assert found(deploy=True, ASGI_APPLICATION="tests.plain_asgi.application") == ["carillon.W004"]
    Handoff(get_asgi_application())
    assert found(deploy=True, ASGI_APPLICATION="tests.plain_asgi.application") == []


def test_scripts_that_no_finder_finds_are_told_of() -> None:
    files = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    assert found(STATICFILES_FINDERS=files) == ["carillon.W006"]
    others = [name for name in settings.INSTALLED_APPS if name != "django.contrib.staticfiles"]
    assert found(STATICFILES_FINDERS=files, INSTALLED_APPS=others) == []


@pytest.mark.parametrize("module", ["nothing", "surroundings.broken_asgi"])
def test_an_application_that_cannot_be_imported_is_reported(module: str) -> None:
    with override_settings(ASGI_APPLICATION=f"tests.{module}.application"):
        (message,) = run_checks(tags=["notifications"], include_deployment_checks=True)
    assert message.id == "carillon.E005"
    assert message.hint


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["makemigrations --dry-run", "migrate --plan", "check"])
def test_a_command_does_not_run_the_asgi_application(command: str) -> None:
    options: dict[str, Any] = {} if command == "check" else {"skip_checks": False}
    with override_settings(ASGI_APPLICATION="tests.surroundings.broken_asgi.application"):
        call_command(*command.split(), verbosity=0, **options)


def test_another_package_of_the_same_import_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    owners = {"notifications": ["django-carillon", "django-notifications-hq"]}
    monkeypatch.setattr(metadata, "packages_distributions", lambda: owners)
    assert found() == ["carillon.E003"]


class Elsewhere:
    """A router that gives Carillon a database of its own."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "other" if model._meta.label == "carillon.Inbox" else None


def test_tables_in_another_database_than_the_users_are_an_error() -> None:
    assert found(DATABASE_ROUTERS=["tests.test_checks.Elsewhere"]) == ["carillon.E030"]
