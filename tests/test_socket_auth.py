"""Who opens a WebSocket: whom a page would find, and the session stays as it is."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import Client, TransactionTestCase, override_settings

from notifications.consumers import SUBPROTOCOL
from notifications.routing import websocket_application
from tests.factories import make_user

ORIGIN = [(b"host", b"testserver"), (b"origin", b"http://testserver")]


class HandshakeTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.client.force_login(self.alice)

    def opened(self, client: Client) -> dict[str, Any]:
        """Open a socket with the cookies of a client, and return the first frame."""
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())

        async def open_one() -> dict[str, Any]:
            headers = [*ORIGIN, (b"cookie", cookie.encode())]
            socket = WebsocketCommunicator(websocket_application(), "/notifications/ws/", headers, [SUBPROTOCOL])
            connected, _subprotocol = await socket.connect(10)
            assert connected
            frame: dict[str, Any] = await socket.receive_json_from(10)
            await socket.disconnect()
            return frame

        return async_to_sync(open_one)()

    def is_signed_in(self) -> bool:
        return bool(self.client.get("/notifications/api/counts/").status_code == 200)

    def test_whoever_is_signed_in_on_the_page_is_so_on_the_socket(self) -> None:
        self.assertEqual(self.opened(self.client)["type"], "hello")
        self.assertEqual(self.opened(Client())["type"], "error")

    def test_a_session_by_an_older_secret_is_left_to_the_pages(self) -> None:
        fallbacks = [django_settings.SECRET_KEY]
        with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=fallbacks):
            self.assertEqual(self.opened(self.client)["type"], "hello")
            self.assertTrue(self.is_signed_in())

    def test_a_session_that_is_not_valid_any_more_signs_nobody_in(self) -> None:
        get_user_model().objects.filter(pk=self.alice.pk).update(password="another")
        self.assertEqual(self.opened(self.client)["type"], "error")
