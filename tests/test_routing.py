"""The chat's socket is routed where the project has mounted the app, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, re_path, reverse, set_script_prefix
from django.utils import translation

from notifications.consumers import SUBPROTOCOL
from notifications.routing import websocket_urlpatterns


class Root:
    urlpatterns = [path("", include("notifications.urls"))]


class Deep:
    urlpatterns = [path("account/bell/", include("notifications.urls"))]


class Named:
    urlpatterns = [path("team-<int:team>/bell/", include("notifications.urls"))]


class Twice:
    urlpatterns = [
        path("one/", include("notifications.urls")),
        path("two/", include("notifications.urls", namespace="second")),
    ]


class Translated:
    urlpatterns = i18n_patterns(path("bell/", include("notifications.urls")))


class CatchAll:
    urlpatterns = [path("bell/", include("notifications.urls")), re_path("^.*$", lambda request: HttpResponse())]


def reaches_the_consumer(address: str, root_path: str = "") -> bool:
    """Open a socket without a user: the consumer accepts it and says why it closes."""

    async def connect() -> bool:
        socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), address, subprotocols=[SUBPROTOCOL])
        socket.scope["root_path"] = root_path
        try:
            connected, _subprotocol = await socket.connect()
        except ValueError:  # as Channels says that no route was found
            return False
        assert connected
        assert "signed-out" in await socket.receive_from()
        await socket.disconnect()
        return True

    return async_to_sync(connect)()


@contextmanager
def mounted(root: Any, **settings: Any) -> Iterator[None]:
    with override_settings(ROOT_URLCONF=root, **settings):
        yield


@pytest.mark.parametrize(
    ("root", "addresses"),
    [
        ("tests.urls", ["/notifications/ws/"]),
        (Root, ["/ws/"]),
        (Deep, ["/account/bell/ws/"]),
        (Named, ["/team-4/bell/ws/"]),
        (Twice, ["/one/ws/", "/two/ws/"]),
        (Translated, ["/en/bell/ws/", "/de/bell/ws/", "/ar/bell/ws/"]),
        (CatchAll, ["/bell/ws/"]),
    ],
)
def test_the_socket_answers_where_the_app_is_mounted(root: Any, addresses: list[str]) -> None:
    with mounted(root, LANGUAGES=[("en", "English"), ("de", "Deutsch"), ("ar", "العربية")]):
        assert all(reaches_the_consumer(address) for address in addresses)


@pytest.mark.parametrize("address", ["/", "/ws/", "/notifications/ws", "/notifications/", "/x/notifications/ws/"])
def test_it_answers_nowhere_else(address: str) -> None:
    assert not reaches_the_consumer(address)


def test_the_old_address_is_none_where_the_app_is_mounted_elsewhere() -> None:
    with mounted(Deep):
        assert not reaches_the_consumer("/notifications/ws/")


@pytest.mark.parametrize("language", ["en", "de"])
def test_pages_name_the_address_that_answers(language: str) -> None:
    with mounted(Translated, LANGUAGES=[("en", "English"), ("de", "Deutsch")]), translation.override(language):
        address = reverse("notifications:socket")
        assert address == f"/{language}/bell/ws/"
        assert reaches_the_consumer(address)


def test_it_answers_under_a_script_name_of_the_server() -> None:
    assert reaches_the_consumer("/site/notifications/ws/", root_path="/site")


@pytest.mark.parametrize("address", ["/site/notifications/ws/", "/notifications/ws/"])
def test_it_answers_under_a_forced_script_name_whether_or_not_the_proxy_takes_it_off(address: str) -> None:
    with override_settings(FORCE_SCRIPT_NAME="/site/"):
        assert reaches_the_consumer(address)


def test_beside_sockets_of_the_project_it_takes_only_its_own() -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    async def connect() -> bool:
        mine: Any = other
        routes = URLRouter([*websocket_urlpatterns, path("other/", mine)])
        connected, _subprotocol = await WebsocketCommunicator(routes, "/other/").connect()
        return bool(connected)

    assert async_to_sync(connect)()


def test_plain_http_is_told_to_connect_with_a_websocket(client: Client) -> None:
    set_script_prefix("/")
    response = client.get("/notifications/ws/")
    assert (response.status_code, response["Upgrade"], response.json()["code"]) == (426, "websocket", "upgrade")
