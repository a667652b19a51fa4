"""A site that pushes to a push service of the tests' own, and people whose browsers are subscribed there."""

from __future__ import annotations

from typing import Any

from django.test import Client, override_settings

from notifications.deliveries import vapid
from notifications.models import Delivery

from .push_service import PushService, Subscription

PRIVATE = vapid.make_private_key()
PUBLIC = vapid.public_key(PRIVATE)
API = "/notifications/api/push/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def pushing(default: str = "on", **options: Any) -> Any:
    """Let the channel "push" be on for everything."""
    known = {"private_key": PRIVATE, "subject": "mailto:admin@example.com", "allow_loopback": True, **options}
    return override_settings(NOTIFICATIONS_CHANNELS={"push": {"DEFAULT": default, "OPTIONS": known}})


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, user: Any, client: Client | None = None) -> None:
        self.user = user
        self.client = client or Client(headers={"User-Agent": FIREFOX})
        self.sign_in(user)

    def sign_in(self, user: Any) -> None:
        """As a browser does, with the cookies that it has."""
        if not user.check_password("secret"):
            user.is_staff = True
            user.set_password("secret")
            user.save()
        answer = self.client.post("/admin/login/", {"username": user.get_username(), "password": "secret"})
        assert answer.status_code == 302, answer.content

    def sign_out(self) -> None:
        assert self.client.post("/admin/logout/").status_code == 200

    def post(self, values: Any, url: str = API, **headers: str) -> Any:
        return self.client.post(url, values, content_type="application/json", headers=headers)

    def turn_on(self, service: PushService, name: str = "one") -> Subscription:
        made = service.subscribe(name, PUBLIC)
        answer = self.post(made.shown())
        assert answer.status_code == 200, answer.content
        return made


def states() -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list("state", "reason"))
