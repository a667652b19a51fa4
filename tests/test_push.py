"""Web push: what a push service of our own gets, and what its answers lead to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.deliveries import push as module
from notifications.deliveries import vapid
from notifications.deliveries.push_messages import PAYLOAD_BYTES, URGENCY
from notifications.kinds import Kind, kind, registry
from notifications.live.sessions import user_key
from notifications.models import Delivery, Notification, PushDevice, Schedule
from notifications.services import broadcast, deliver_due, mark_read, notify

from .factories import make_user, make_users, stamp
from .push_service import PushService
from .pushing import PUBLIC, Visitor, pushing, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(push_service: PushService) -> Visitor:
    found = Visitor(make_user("alice"))
    found.turn_on(push_service)
    return found


def push_again(*, after: timedelta = timedelta(days=2)) -> None:
    """Let some time pass for what waits, and send it."""
    Delivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - after)
    deliver_due()


class TestWhatIsPushed:
    def test_a_browser_reads_what_it_shows(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello", body="How are you?", url="/where/", level="info")
        assert deliver_due() == 1
        (message,) = push_service.messages
        (row,) = Notification.objects.of(alice.user)
        assert message["title"] == "Hello"
        assert message["body"] == "How are you?"
        assert message["url"] == "/where/"
        assert message["item"] == row.pk
        assert message["user"] == user_key(alice.user.pk)
        assert message["unread"] == 1
        assert states() == [("sent", "")]

    def test_a_broadcast_that_nobody_has_collected_leads_through_the_site(
        self, push_service: PushService, alice: Visitor
    ) -> None:
        made = broadcast("Hello", to="everyone", url="/where/", channels=["push"])
        deliver_due()
        (message,) = push_service.messages
        assert (message["item"], message["url"]) == (0, f"/notifications/open/{made.notice_id}/?by=push")

    def test_every_device_gets_it_and_notes_that_it_was_used(self, push_service: PushService, alice: Visitor) -> None:
        Visitor(alice.user).turn_on(push_service, "two")
        notify(alice.user, "Hello")
        deliver_due()
        assert len(push_service.messages) == 2
        assert PushDevice.objects.filter(used_at=None).count() == 0

    def test_the_devices_of_a_thousand_cost_one_query(self, push_service: PushService) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as found:
                notify(users, "Hello")
                return len(found)

        users = make_users(1_000)
        with override_settings(NOTIFICATIONS_CHANNELS={}):
            without = statements()
        nobody = statements()
        Visitor(users[5]).turn_on(push_service)
        assert (nobody, statements()) == (without + 1, without + 2)

    @pytest.mark.parametrize(("level", "urgency"), [("info", "normal"), ("success", "normal"), *URGENCY.items()])
    def test_its_level_says_how_urgent_it_is(
        self, push_service: PushService, alice: Visitor, level: Any, urgency: str
    ) -> None:
        notify(alice.user, "Hello", level=level)
        deliver_due()
        assert push_service.requests[0]["Urgency"] == urgency

    def test_it_is_kept_for_no_longer_than_it_holds(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "For ever")
        notify(alice.user, "Soon over", expires_at=timezone.now() + timedelta(minutes=10))
        deliver_due()
        assert push_service.requests[0]["TTL"] == str(7 * 24 * 60 * 60)
        assert 590 < int(push_service.requests[1]["TTL"]) <= 600

    def test_events_of_one_item_take_each_others_place(self, push_service: PushService, alice: Visitor) -> None:
        for title, group in (("One", "a"), ("Two", "a"), ("Other", "b"), ("Alone", None)):
            notify(alice.user, title, group=group)
            stamp(alice.user)
            deliver_due()
        topics = [request["Topic"] for request in push_service.requests]
        assert topics[0] == topics[1]
        assert len(set(topics)) == 3
        assert [message["tag"] for message in push_service.messages] == topics

    def test_it_is_in_the_language_of_the_page_in_which_it_was_turned_on(self, push_service: PushService) -> None:
        @kind("test.pushed")
        class Pushed(Kind):
            def title(self) -> str:
                from django.utils.translation import gettext

                return gettext("Notifications")

        anna = Visitor(make_user("anna"))
        try:
            with override_settings(LANGUAGES=[("en", "English"), ("de", "German")]):
                made = push_service.subscribe("one", PUBLIC)
                assert anna.post(made.shown(), **{"Carillon-Language": "de"}).status_code == 200
                notify(anna.user, Pushed())
                deliver_due()
        finally:
            del registry["test.pushed"]
        assert push_service.messages[0]["title"] == "Benachrichtigungen"
        assert push_service.messages[0]["lang"] == "de"

    def test_a_language_that_its_reader_has_chosen_is_that_of_every_device(self, push_service: PushService) -> None:
        anna = Visitor(make_user("anna"))
        with override_settings(LANGUAGES=[("en", "English"), ("de", "German"), ("ar", "Arabic")]):
            anna.post(push_service.subscribe("one", PUBLIC).shown(), **{"Carillon-Language": "de"})
            Schedule.objects.create(user=anna.user, language="ar")
            notify(anna.user, "Hello")
            deliver_due()
        assert push_service.messages[0]["lang"] == "ar"

    @pytest.mark.parametrize("letter", ["a", "ü", "🎉", "\x01"])
    def test_what_is_too_long_is_cut(self, push_service: PushService, alice: Visitor, letter: str) -> None:
        from notifications.deliveries.messages import Message, Part
        from notifications.deliveries.push_messages import payload_of

        part = Part(
            1,
            "",
            "",
            "info",
            letter * 500,
            letter * 5_000,
            "",
            "",
            1,
            timezone.now(),
            "",
            {},
            1,
            "",
            None,
            target=f"/{'x' * 1_900}",
        )
        message = Message("1", alice.user, "push", "1", "1", "en", "UTC", [part], is_digest=False, attempt=1)
        assert len(payload_of(message, 1)) <= PAYLOAD_BYTES
        vapid.encrypt(payload_of(message, 1), push_service.subscribe("x", PUBLIC).shown()["keys"])

    def test_a_digest_tells_how_many_there_are(self, push_service: PushService, alice: Visitor) -> None:
        with pushing(default="digest"):
            notify(alice.user, "One")
            notify(alice.user, "Two")
            push_again()
        (message,) = push_service.messages
        assert message["title"] == "2 notifications"
        assert set(message["body"].split("\n")) == {"One", "Two"}
        assert push_service.requests[0]["Urgency"] == "low"


class TestAnswers:
    @pytest.mark.parametrize("status", [404, 410, 403])
    def test_a_device_that_is_gone_is_removed_in_the_same_attempt(
        self, push_service: PushService, alice: Visitor, status: int
    ) -> None:
        push_service.will_answer(status)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("skipped", "no-device")]
        assert not PushDevice.objects.exists()
        notify(alice.user, "Again")
        assert deliver_due() == 0

    def test_what_is_too_large_is_sent_without_its_text(self, push_service: PushService, alice: Visitor) -> None:
        push_service.will_answer(413)
        notify(alice.user, "Hello", body="A secret", url="/where/")
        deliver_due()
        (message,) = push_service.messages
        assert (message["title"], message["body"], message["url"]) == ("New notification", "", "/where/")
        assert states() == [("sent", "")]

    def test_what_is_too_large_anyway_has_failed(self, push_service: PushService, alice: Visitor) -> None:
        push_service.will_answer(413, 413)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("failed", "")]

    def test_who_wants_to_be_left_alone_is(self, push_service: PushService, alice: Visitor) -> None:
        push_service.will_answer(429, Retry_After="3600")
        notify(alice.user, "Hello")
        deliver_due()
        (row,) = Delivery.objects.all()
        assert row.state == "waiting"
        assert row.due_at is not None
        assert timedelta(minutes=59) < row.due_at - timezone.now() < timedelta(minutes=61)
        push_again()
        assert states() == [("sent", "")]

    def test_a_date_is_understood_too(self, push_service: PushService, alice: Visitor) -> None:
        push_service.will_answer(503, Retry_After="Thu, 01 Jan 2099 00:00:00 GMT")
        notify(alice.user, "Hello")
        deliver_due()
        (row,) = Delivery.objects.all()
        assert row.due_at is not None
        assert timedelta(hours=23) < row.due_at - timezone.now() <= timedelta(days=1)

    @pytest.mark.parametrize("status", [500, 503, 401, 408])
    @pytest.mark.parametrize("said", ["soon", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"])
    def test_what_failed_for_now_is_tried_again(
        self, push_service: PushService, alice: Visitor, status: int, said: str
    ) -> None:
        push_service.will_answer(status, Retry_After=said)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("waiting", "")]
        assert Delivery.objects.get().error == f"TryLater: The push service answered {status}."
        push_again()
        assert states() == [("sent", "")]
        assert PushDevice.objects.count() == 1

    @pytest.mark.parametrize("status", [400, 301, 307])
    def test_what_will_never_be_taken_has_failed(self, push_service: PushService, alice: Visitor, status: int) -> None:
        push_service.will_answer(status)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("failed", "")]

    def test_a_service_that_hangs_is_left(
        self, push_service: PushService, alice: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "TIME", 0.2)
        push_service.freed.clear()
        notify(alice.user, "Hello")
        deliver_due()
        assert push_service.hanging.is_set()
        assert states() == [("waiting", "")]

    def test_what_is_sent_again_is_the_same(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        deliver_due()
        Delivery.objects.update(state="waiting", due_at=timezone.now(), attempts=1)  # nobody noted that it was sent
        deliver_due()
        first, second = push_service.messages
        assert (first["id"], first["tag"]) == (second["id"], second["tag"])
        assert push_service.requests[0]["Topic"] == push_service.requests[1]["Topic"]

    def test_what_was_read_meanwhile_is_not_pushed(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        mark_read(alice.user, [Notification.objects.of(alice.user).get().pk])
        deliver_due()
        assert states() == [("skipped", "seen")]
        assert push_service.messages == []
