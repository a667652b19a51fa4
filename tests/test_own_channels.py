"""Channels of applications, and what the checks say of those that cannot be made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from notifications.deliveries import DeliveryChannel
from notifications.deliveries.checks import check_delivery_channels
from notifications.deliveries.endpoints import webhooks_named
from notifications.deliveries.push import offered_push
from notifications.models import Delivery, Notice
from notifications.services import deliver_due, explain, notify

from .factories import make_user
from .receiving import Receiver, answer, receiving
from .sending import PATH, Carrier, Post

pytestmark = pytest.mark.django_db


class Fussy(DeliveryChannel):
    """A channel with an option that it needs, and something that it lacks."""

    def __init__(self, name: str, *, sender: str, **options: Any) -> None:
        super().__init__(name, **options)

    def problems(self) -> Sequence[str]:
        return ["Set SMS_KEY."]


class Plain:
    """No channel at all."""

    def __init__(self, name: str) -> None:
        """Take a name as a channel does."""


def problems(**channel: Any) -> list[str]:
    with override_settings(NOTIFICATIONS_CHANNELS={"sms": channel}):
        found = check_delivery_channels(None)
    assert {error.id for error in found} <= {"carillon.E060"}
    return [error.msg for error in found]


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ({"BACKEND": "nowhere.Sms"}, "No module named 'nowhere'"),
        ({"BACKEND": f"{__name__}.Missing"}, "does not define a"),
        ({"BACKEND": f"{__name__}.Plain"}, "must be derived from notifications.deliveries.DeliveryChannel"),
        ({"BACKEND": f"{__name__}.Fussy"}, "missing 1 required keyword-only argument: 'sender'"),
        ({"BACKEND": f"{__name__}.Fussy", "OPTIONS": {"sender": "x", "colour": "red"}}, "has no options colour"),
        ({"BACKEND": f"{__name__}.Fussy", "OPTIONS": {"sender": "x"}}, "Set SMS_KEY."),
    ],
)
def test_what_is_wrong_with_a_channel_is_said(channel: dict[str, Any], said: str) -> None:
    [problem] = problems(**channel)
    assert said in problem
    assert "NOTIFICATIONS_CHANNELS['sms']" in problem


# It imports a module that Python 3.13 has no more, and minds its absence.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
class TestApprise:
    BACKEND = "notifications.deliveries.apprise.Apprise"

    def send(self, address: str) -> Delivery:
        channel = {"BACKEND": self.BACKEND, "DEFAULT": "on", "OPTIONS": {"address": lambda user: address}}
        with override_settings(NOTIFICATIONS_CHANNELS={"telegram": channel}):
            notify(make_user("alice"), "Hello", body="World", url="https://example.com/7/")
            deliver_due()
        return Delivery.objects.get()

    def url(self, receiver: Receiver) -> str:
        return f"json://127.0.0.1:{receiver.port}/"

    def test_sends_to_the_url_of_a_user(self) -> None:
        with receiving() as receiver:
            receiver.behaviour = answer(200)
            assert self.send(self.url(receiver)).state == "sent"
        said = json.loads(receiver.received[0].body)
        assert (said["title"], said["message"]) == (
            "Hello",
            f"World\n/notifications/open/{Notice.objects.get().pk}/?by=telegram",
        )

    def test_notes_no_part_of_the_url_that_may_be_secret(self, client: Client) -> None:
        with receiving() as receiver:
            receiver.behaviour = answer(200)
            delivery = self.send(f"json://user:s3cret@127.0.0.1:{receiver.port}/s3cret?token=s3cret")
        assert (delivery.state, delivery.address) == ("sent", "json://…")
        client.force_login(make_user("admin", is_staff=True, is_superuser=True))
        shown = client.get(reverse("admin:carillon_delivery_change", args=[delivery.pk])).content.decode()
        assert ("json://…" in shown, "s3cret" in shown) == (True, False)

    def test_tries_again_what_was_not_taken(self) -> None:
        with receiving() as receiver:
            receiver.behaviour = answer(500)
            assert self.send(self.url(receiver)).state == "waiting"

    def test_gives_up_an_address_of_no_service(self) -> None:
        delivery = self.send("nothing://at/all")
        assert (delivery.state, delivery.reason) == ("skipped", "bounced")

    def test_skips_who_has_none(self) -> None:
        delivery = self.send("")
        assert (delivery.state, delivery.reason) == ("skipped", "no-address")

    def test_must_be_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("notifications.deliveries.apprise.find_spec", lambda name: None)
        [problem] = problems(BACKEND=self.BACKEND, OPTIONS={"address": str})
        assert "django-carillon[apprise]" in problem


class Broken(DeliveryChannel):
    """A channel that cannot be made, for a reason that nobody could foresee."""

    def __init__(self, name: str, **options: Any) -> None:
        raise KeyError("SMS_KEY")


@pytest.mark.parametrize("backend", ["nowhere.Sms", f"{__name__}.Broken", f"{__name__}.Plain"])
class TestAChannelThatCannotBeMade:
    def test_fails_nobody_else_and_says_why(self, backend: str) -> None:
        alice = make_user()
        channels = {"sms": {"BACKEND": backend, "DEFAULT": "on"}, "carrier": {"BACKEND": PATH, "DEFAULT": "on"}}
        Carrier.post = Post()
        with override_settings(NOTIFICATIONS_CHANNELS=channels):
            notice = notify(alice, "Hello")
            deliver_due()
            explained = {one.name: one.outcome for one in explain(alice, notice).channels}
        sms = Delivery.objects.get(channel="sms")
        assert Carrier.post.titles() == ["Hello"]
        assert (sms.state, sms.attempts, explained["sms"]) == ("waiting", 1, "waiting")
        assert any(said in sms.error for said in ("nowhere", "SMS_KEY", "must be derived"))

    def test_fails_no_page_where_it_would_push(self, backend: str) -> None:
        with override_settings(NOTIFICATIONS_CHANNELS={"push": {"BACKEND": backend, "DEFAULT": "on"}}):
            assert offered_push() is None
            assert webhooks_named("push") is None
