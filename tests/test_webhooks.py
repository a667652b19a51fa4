"""Webhooks: signed, sent to those who own an endpoint, and told apart from what fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from standardwebhooks import Webhook, WebhookVerificationError

from notifications.deliveries.channels import channel
from notifications.deliveries.checks import check_delivery_channels
from notifications.deliveries.failures import KEY
from notifications.deliveries.webhook import Webhooks
from notifications.kinds import After, Kind, kind, registry
from notifications.models import Broadcast, Delivery, Endpoint, Notice, Notification
from notifications.services import (
    aadd_endpoint,
    add_endpoint,
    broadcast,
    deliver_due,
    disable_endpoint,
    edit_endpoint,
    enable_endpoint,
    mark_read,
    notify,
    release_due,
    replay_endpoint,
    rotate_endpoint_secret,
    send_test_event,
    set_preference,
    withdraw,
)

from .factories import make_user, make_users, stamp
from .receiving import HOST, Received, Receiver, answer, certificate, close, flood, receiving

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class LocalWebhooks(Webhooks):
    """Webhooks to a host that lies on this machine."""

    def look_up(self, host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == HOST else ["10.0.0.1"]


def configured(receiver: Receiver, **options: Any) -> Any:
    given = {"ports": [receiver.port], "allow": ["127.0.0.1/32"], "timeout": 2, "ca_file": certificate()[0]}
    said = {"BACKEND": f"{__name__}.LocalWebhooks", "DEFAULT": "on", "OPTIONS": {**given, **options}}
    return override_settings(NOTIFICATIONS_CHANNELS={"webhook": said})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving("https") as made, configured(made):
        yield made
    registry.pop(KEY, None)


@pytest.fixture
def shipped() -> Iterator[Any]:
    @kind("order.shipped", version=3, category="orders", level="success")
    class Shipped(Kind):
        order: int = 0

        def title(self) -> str:
            return translation.gettext("Close") if self.order == 0 else f"Order {self.order}"

        def url(self) -> str:
            return f"/orders/{self.order}/"

    yield Shipped
    del registry["order.shipped"]


def let_pass(time: timedelta) -> None:
    Delivery.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - time)


def states(*names: str) -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list(*(names or ("state", "reason"))))


def verified(received: Received, secret: str) -> Any:
    """Return what a receiver reads which verifies with the standard's own library."""
    return Webhook(secret).verify(received.body, dict(received.headers.items()))


class TestSending:
    def test_what_arrives_is_signed_and_says_what_has_happened(self, receiver: Receiver, shipped: Any) -> None:
        alice = make_user("alice")
        endpoint = add_endpoint(alice, receiver.url)
        notice = notify(alice, shipped(order=7), actor=make_user("bob"))
        deliver_due()
        [received] = receiver.received
        said = verified(received, endpoint.secret)
        assert said == {
            "type": "order.shipped.v3",
            "timestamp": said["timestamp"],
            "data": {
                "id": notice.pk,
                "user": str(alice.pk),
                "kind": "order.shipped",
                "category": "orders",
                "level": "success",
                "language": "en-us",
                "title": "Order 7",
                "body": "",
                "url": "/orders/7/",
                "actor": "bob",
                "events": 1,
                "about": "",
                "facts": {"order": 7},
                "data": {},
            },
        }
        assert received.headers["Content-Type"] == "application/json"
        assert "." not in received.headers["webhook-id"]
        assert states("state", "device", "attempts") == [("sent", str(endpoint.pk), 1)]
        with pytest.raises(WebhookVerificationError):
            verified(received, add_endpoint(alice, receiver.url).secret)

    def test_what_has_no_kind_is_a_notification(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url)
        notify(alice, "Grüße", body="\u2028", data={"n": 1}, kind="comment.created")
        deliver_due()
        said = verified(receiver.received[0], endpoint.secret)
        assert (said["type"], said["data"]["kind"]) == ("notification.v1", "comment.created")
        assert (said["data"]["title"], said["data"]["data"], said["data"]["facts"]) == ("Grüße", {"n": 1}, None)

    def test_the_id_is_the_same_for_every_try(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = answer(500)
        notify(alice, "Hello")
        for _ in range(3):
            deliver_due()
            let_pass(HOUR)
        assert len(receiver.received) == 3
        assert len({received.headers["webhook-id"] for received in receiver.received}) == 1

    def test_both_secrets_sign_until_the_old_one_ends(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url)
        old = endpoint.secret
        new = rotate_endpoint_secret(endpoint)
        notify(alice, "Hello")
        deliver_due()
        assert verified(receiver.received[0], old) == verified(receiver.received[0], new)
        Endpoint.objects.update(previous_until=timezone.now())
        notify(alice, "Hello")
        deliver_due()
        assert verified(receiver.received[1], new)
        with pytest.raises(WebhookVerificationError):
            verified(receiver.received[1], old)

    def test_a_digest_tells_of_many(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url)
        set_preference(alice, "webhook", "digest")
        for title in ("One", "Two"):
            notify(alice, title)
        let_pass(timedelta(days=2))
        deliver_due()
        said = verified(receiver.received[0], endpoint.secret)
        assert (said["type"], said["data"]["more"]) == ("digest.v1", 0)
        assert [one["data"]["title"] for one in said["data"]["notifications"]] == ["Two", "One"]

    def test_programs_are_told_whatever_a_person_has_seen(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        for number in range(3):
            notify(alice, f"Comment {number}", group="post:7")
        stamp(alice)
        mark_read(alice, Notification.objects.items().values_list("pk", flat=True))
        deliver_due()
        titles = [json.loads(received.body)["data"]["title"] for received in receiver.received]
        assert sorted(titles) == ["Comment 0", "Comment 1", "Comment 2"]

    def test_unless_the_kind_says_that_they_wait_for_that(self, receiver: Receiver) -> None:
        @kind("test.patient", channels={"webhook": After(minutes=15)})
        class Patient(Kind):
            title: str = "Patient"

        try:
            alice = make_user()
            add_endpoint(alice, receiver.url)
            notify(alice, Patient())
            stamp(alice)
            mark_read(alice, Notification.objects.values_list("pk", flat=True))
            let_pass(HOUR)
            deliver_due()
        finally:
            del registry["test.patient"]
        assert states() == [("skipped", "seen")]


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_every_2xx_takes_it(self, receiver: Receiver, status: int) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = answer(status, body=b"" if status == 204 else b"ok")
        notify(alice, "Hello")
        deliver_due()
        assert states() == [("sent", "")]

    @pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 500, 502])
    def test_everything_else_is_tried_again(self, receiver: Receiver, status: int) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = answer(status, "Location: http://169.254.169.254/")
        notify(alice, "Hello")
        deliver_due()
        assert states("state", "error") == [("waiting", f"TryLater: HTTP {status}")]
        assert len(receiver.received) == 1
        assert Endpoint.objects.get().failing_since is not None

    @pytest.mark.parametrize("behaviour", ["hang", "trickle", "close"])
    def test_what_says_nothing_is_tried_again(self, receiver: Receiver, behaviour: str) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = {"hang": receiver.hang, "trickle": receiver.trickle, "close": close}[behaviour]
        with configured(receiver, timeout=0.3):
            notify(alice, "Hello")
            deliver_due()
        assert states("state", "attempts") == [("waiting", 1)]

    def test_an_answer_without_end_counts_by_its_status(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = flood
        notify(alice, "Hello")
        deliver_due()
        assert states() == [("sent", "")]

    @pytest.mark.parametrize("status", [429, 503])
    def test_the_other_side_says_how_long_to_wait(self, receiver: Receiver, status: int) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = answer(status, "Retry-After: 7200")
        notify(alice, "Hello")
        deliver_due()
        due = Delivery.objects.get().due_at
        assert due is not None
        assert timedelta(minutes=119) < due - timezone.now() < timedelta(minutes=121)

    def test_a_receiver_that_is_gone_switches_its_endpoint_off(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url, description="Billing")
        receiver.behaviour = answer(410)
        notify(alice, "Hello")
        deliver_due()
        endpoint.refresh_from_db()
        assert (endpoint.stopped, endpoint.stopped_at is not None) == ("gone", True)
        assert states() == [("skipped", "bounced")]
        assert Notification.objects.of(alice).filter(notice__kind=KEY).count() == 1
        notify(alice, "Again")
        assert Delivery.objects.count() == 1

    def test_a_name_that_has_turned_private_gets_nothing(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url.replace(HOST, "evil.example.com"))
        notify(alice, "Hello")
        deliver_due()
        [(state, error)] = states("state", "error")
        assert state == "failed"
        assert "does not belong to the internet" in error
        assert receiver.received == []


class TestFailing:
    def fail(self, alice: Any, since: timedelta) -> None:
        Endpoint.objects.filter(failing_since__isnull=False).update(failing_since=timezone.now() - since)
        notify(alice, "Hello")
        deliver_due()

    def test_after_days_it_is_switched_off_and_its_owner_is_told_once(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = answer(500)
        self.fail(alice, timedelta(0))
        self.fail(alice, timedelta(days=4))
        assert Endpoint.objects.get().stopped == ""
        self.fail(alice, timedelta(days=5))
        assert Endpoint.objects.get().stopped == "failing"
        let_pass(HOUR)
        deliver_due()
        [told] = Notification.objects.of(alice).filter(notice__kind=KEY).select_related("notice")
        assert HOST in told.notice.body
        assert set(states()) == {("skipped", "no-device"), ("waiting", "")} - {("waiting", "")}

    def test_one_that_arrives_ends_it(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        receiver.behaviour = answer(500)
        self.fail(alice, timedelta(0))
        receiver.behaviour = answer(204)
        self.fail(alice, timedelta(days=9))
        assert Endpoint.objects.get().failing_since is None

    def test_staff_are_told_of_what_belongs_to_no_user(self, receiver: Receiver) -> None:
        boss = make_user("boss", is_staff=True, is_superuser=True)
        make_user("clerk", is_staff=True)
        make_user("alice")
        add_endpoint(None, receiver.url)
        receiver.behaviour = answer(410)
        notify(make_user("bob"), "Hello")
        deliver_due()
        told = Notification.objects.filter(notice__kind=KEY)
        assert list(told.values_list("recipient", flat=True)) == [boss.pk]
        assert told.select_related("notice").get().notice.url.endswith(f"/endpoint/{Endpoint.objects.get().pk}/change/")

    def test_what_was_not_taken_is_sent_again_when_it_is_on_again(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url)
        notify(alice, "One")
        notify(alice, "Two")
        disable_endpoint(endpoint)
        deliver_due()
        assert states() == [("skipped", "no-device")] * 2
        with pytest.raises(ValidationError):
            replay_endpoint(endpoint)
        enable_endpoint(endpoint)
        Delivery.objects.filter(notice__title="One").update(created_at=timezone.now() - HOUR)
        assert replay_endpoint(endpoint, since=timezone.now() - HOUR / 2) == 1
        deliver_due()
        assert replay_endpoint(endpoint) == 1
        deliver_due()
        assert states() == [("sent", "")] * 2
        assert replay_endpoint(endpoint) == 0

    def test_what_was_withdrawn_is_not_sent_again(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url)
        withdraw(notify(alice, "Hello"))
        deliver_due()
        assert replay_endpoint(endpoint) == 0


class TestOwners:
    def test_an_endpoint_of_the_site_gets_every_notice_once(self, receiver: Receiver) -> None:
        endpoint = add_endpoint(None, receiver.url)
        notify(make_users(3), "Hello")
        deliver_due()
        [received] = receiver.received
        assert verified(received, endpoint.secret)["data"]["user"] is None
        assert states("recipient", "state") == [(None, "sent")]

    def test_one_of_a_group_gets_what_any_member_gets_once(self, receiver: Receiver) -> None:
        group, other = Group.objects.create(name="Sales"), Group.objects.create(name="Other")
        alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
        alice.groups.add(group)
        bob.groups.add(group)
        endpoint = add_endpoint(group, receiver.url)
        add_endpoint(other, receiver.url)
        notify([alice, bob, carol], "Hello")
        notify(carol, "Only Carol")
        deliver_due()
        assert states("device") == [(str(endpoint.pk),)]
        assert len(receiver.received) == 1

    def test_members_are_looked_for_a_thousand_at_a_time(self, receiver: Receiver) -> None:
        group = Group.objects.create(name="Sales")
        add_endpoint(group, receiver.url)
        users = make_users(2_000)
        users[-1].groups.add(group)
        with CaptureQueriesContext(connection) as many:
            notify(users, "Hello")
        with CaptureQueriesContext(connection) as few:
            notify(users[:1_000], "Hello")
        asked = [len([q for q in found if "auth_user_groups" in q["sql"]]) for found in (many, few)]
        assert asked == [2, 1]
        assert states("recipient") == [(None,)]

    def test_what_is_sent_later_goes_out_when_it_is_due(self, receiver: Receiver) -> None:
        add_endpoint(None, receiver.url)
        alice = make_user()
        notify(alice, "Hello", send_at=timezone.now() + HOUR)
        assert deliver_due() == 0
        let_pass(HOUR)
        Notification.objects.update(snoozed_until=timezone.now() - HOUR)
        release_due()
        deliver_due()
        assert len(receiver.received) == 1

    def test_what_is_withdrawn_or_expired_is_not_sent(self, receiver: Receiver) -> None:
        add_endpoint(None, receiver.url)
        alice = make_user()
        withdraw(notify(alice, "Hello"))
        expired = notify(alice, "Hello", expires_at=timezone.now() + HOUR)
        Notice.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - HOUR)
        deliver_due()
        assert states() == [("skipped", "withdrawn"), ("skipped", "expired")]

    def test_a_broadcast_is_told_to_the_site_once(self, receiver: Receiver) -> None:
        add_endpoint(None, receiver.url)
        make_users(3)
        broadcast("Hello, all", to="everyone")
        deliver_due()
        assert Broadcast.objects.count() == 1
        assert [json.loads(one.body)["data"]["title"] for one in receiver.received] == ["Hello, all"]

    def test_a_second_send_of_a_dedupe_key_tells_nobody(self, receiver: Receiver) -> None:
        add_endpoint(None, receiver.url)
        alice = make_user()
        for _ in range(2):
            notify(alice, "Hello", dedupe_key="once")
        deliver_due()
        assert len(receiver.received) == 1

    def test_what_the_code_switches_off_is_told_to_no_group(self, receiver: Receiver) -> None:
        @kind("test.secret", channels={"webhook": False})
        class Secret(Kind):
            title: str = "Secret"

        try:
            add_endpoint(None, receiver.url)
            notify(make_user(), Secret())
        finally:
            del registry["test.secret"]
        assert states() == []

    def test_what_is_rolled_back_is_sent_to_nobody(self, receiver: Receiver) -> None:
        add_endpoint(None, receiver.url)
        with transaction.atomic():
            notify(make_user(), "Hello")
            transaction.set_rollback(True)
        assert deliver_due() == 0

    def test_a_user_has_only_what_they_want(self, receiver: Receiver) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        add_endpoint(alice, receiver.url)
        set_preference(alice, "webhook", "off")
        notify([alice, bob], "Hello")
        assert states() == []

    def test_a_user_who_is_deleted_takes_everything_along(self, receiver: Receiver) -> None:
        alice = make_user()
        add_endpoint(alice, receiver.url)
        notify(alice, "Hello")
        alice.delete()
        assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)

    def test_an_endpoint_that_was_deleted_gets_nothing(self, receiver: Receiver) -> None:
        alice = make_user()
        endpoint = add_endpoint(alice, receiver.url)
        notify(alice, "Hello")
        endpoint.delete()
        deliver_due()
        assert states() == [("skipped", "no-device")]

    def test_a_channel_of_a_name_has_endpoints_of_its_own(self, receiver: Receiver) -> None:
        said = {"BACKEND": f"{__name__}.LocalWebhooks", "OPTIONS": {"ports": [receiver.port], "allow": ["127.0.0.1"]}}
        channels = {"webhook": {**said, "DEFAULT": "on"}, "webhook:billing": said}
        with override_settings(NOTIFICATIONS_CHANNELS=channels):
            alice = make_user()
            add_endpoint(alice, receiver.url)
            billing = add_endpoint(alice, receiver.url, channel="webhook:billing")
            notify(alice, "Hello")
            assert states("channel") == [("webhook",)]
            set_preference(alice, "webhook:billing", True)
            notify(alice, "Hello")
            assert states("channel", "device")[-1] == ("webhook:billing", str(billing.pk))


class TestEndpoints:
    def test_events_say_of_which_kinds_and_categories_it_is_told(self, receiver: Receiver, shipped: Any) -> None:
        alice = make_user()
        of_kind = add_endpoint(alice, receiver.url, events=["kind:order.shipped"])
        of_category = add_endpoint(alice, receiver.url, events=["category:orders", "category:news"])
        notify(alice, shipped(order=1))
        notify(alice, "News", category="news")
        notify(alice, "Other")
        devices = [device for (device,) in states("device")]
        assert sorted(devices) == sorted([str(of_kind.pk), str(of_category.pk), str(of_category.pk)])

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("url", "http://hooks.example.com/"),
            ("url", "https://10.0.0.1/"),
            ("events", ["order.shipped"]),
            ("events", ["kind:"]),
            ("events", "kind:order.shipped"),
            ("events", [f"kind:k{number}" for number in range(51)]),
            ("description", "two\nlines"),
            ("description", "x" * 201),
            ("shape", "round"),
            ("channel", "email"),
            ("channel", "nowhere"),
        ],
    )
    def test_what_is_wrong_is_named(self, receiver: Receiver, name: str, value: Any) -> None:
        given: dict[str, Any] = {"url": receiver.url, name: value}
        with pytest.raises(ValidationError) as raised:
            add_endpoint(make_user(), **given)
        assert list(raised.value.message_dict) == [name]
        assert Endpoint.objects.count() == 0

    def test_nobody_has_more_than_some(self, receiver: Receiver) -> None:
        with configured(receiver, limit=2):
            alice, bob = make_user("alice"), make_user("bob")
            for owner in (alice, alice, bob, None, None):
                add_endpoint(owner, receiver.url)
            for owner in (alice, None):
                with pytest.raises(ValidationError, match="2 webhooks"):
                    add_endpoint(owner, receiver.url)
        assert Endpoint.objects.count() == 5

    def test_an_endpoint_may_be_changed(self, receiver: Receiver) -> None:
        endpoint = add_endpoint(None, receiver.url)
        edit_endpoint(endpoint, events=("kind:a",), description="Billing")
        assert Endpoint.objects.get().events == ["kind:a"]
        with pytest.raises(ValidationError):
            edit_endpoint(endpoint, url="ftp://example.com/")

    def test_a_test_goes_to_one_endpoint_whatever_it_wants(self, receiver: Receiver) -> None:
        endpoint = add_endpoint(make_user(), receiver.url, events=["kind:nothing"])
        add_endpoint(None, receiver.url)
        delivery = send_test_event(endpoint)
        deliver_due()
        delivery.refresh_from_db()
        assert delivery.state == "sent"
        assert verified(receiver.received[0], endpoint.secret)["data"]["kind"] == "webhook.test"
        assert len(receiver.received) == 1

    @pytest.mark.django_db(transaction=True)
    def test_the_twin_does_the_same(self, receiver: Receiver) -> None:
        assert async_to_sync(aadd_endpoint)(None, receiver.url).secret.startswith("whsec_")

    def test_its_name_tells_no_secret(self, receiver: Receiver) -> None:
        endpoint = add_endpoint(None, f"{receiver.url}/T0/B0/secret")
        assert "secret" not in str(endpoint)


class TestSettings:
    @pytest.mark.parametrize(
        "options",
        [
            {"allow": "10.0.0.0/8"},
            {"allow": ["10.0.0.0/99"]},
            {"timeout": 60},
            {"limit": 0},
            {"disable_after": 5},
            {"ca_file": "/nowhere"},
            {"redirects": True},
        ],
    )
    def test_a_wrong_option_is_found_by_the_checks(self, options: dict[str, Any]) -> None:
        with override_settings(NOTIFICATIONS_CHANNELS={"webhook": {"OPTIONS": options}}):
            [error] = check_delivery_channels(None)
        assert error.id == "carillon.E060"
        assert "webhook" in error.msg

    def test_the_package_that_signs_must_be_installed(self) -> None:
        with override_settings(NOTIFICATIONS_CHANNELS={"webhook": "Webhooks"}), pytest.MonkeyPatch.context() as patch:
            assert check_delivery_channels(None) == []
            patch.setattr("notifications.deliveries.webhook.find_spec", lambda name: None)
            [error] = check_delivery_channels(None)
        assert "django-carillon[webhooks]" in error.msg

    def test_private_networks_are_closed_unless_the_site_opens_them(self) -> None:
        with override_settings(NOTIFICATIONS_CHANNELS={"webhook": "Webhooks"}):
            made = channel("webhook")
        assert isinstance(made, Webhooks)
        assert set(made.destinations.schemes) == {"https"}
        assert list(made.destinations.networks) == []
