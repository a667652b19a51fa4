"""Web push: what a push service of our own gets, and what becomes of devices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.deliveries import push as module
from notifications.deliveries import vapid
from notifications.deliveries.push_messages import PAYLOAD_BYTES, URGENCY
from notifications.deliveries.push_views import COOKIE
from notifications.kinds import Kind, kind, registry
from notifications.live.sessions import user_key
from notifications.models import Delivery, Notification, PushDevice
from notifications.services import deliver_due, mark_read, notify

from .factories import make_user, make_users, stamp
from .push_service import PushService, Subscription

pytestmark = pytest.mark.django_db

PRIVATE = vapid.make_private_key()
PUBLIC = vapid.public_key(PRIVATE)
API = "/notifications/api/push/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def pushing(default: str = "on", **options: Any) -> Any:
    """Let the channel "push" be on for everything."""
    known = {"private_key": PRIVATE, "subject": "mailto:admin@example.com", "allow_loopback": True, **options}
    return override_settings(NOTIFICATIONS_CHANNELS={"push": {"DEFAULT": default, "OPTIONS": known}})


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService().running() as running, pushing():
        yield running
    assert running.faults == []


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


@pytest.fixture
def alice(service: PushService) -> Visitor:
    found = Visitor(make_user("alice"))
    found.turn_on(service)
    return found


def states() -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list("state", "reason"))


def push_again(*, after: timedelta = timedelta(days=2)) -> None:
    """Let some time pass for what waits, and send it."""
    Delivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - after)
    deliver_due()


class TestWhatIsPushed:
    def test_a_browser_reads_what_it_shows(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello", body="How are you?", url="/where/", level="info")
        assert deliver_due() == 1
        (message,) = service.messages
        (row,) = Notification.objects.of(alice.user)
        assert message["title"] == "Hello"
        assert message["body"] == "How are you?"
        assert message["url"] == "/where/"
        assert message["item"] == row.pk
        assert message["user"] == user_key(alice.user.pk)
        assert message["unread"] == 1
        assert states() == [("sent", "")]

    def test_every_device_gets_it_and_notes_that_it_was_used(self, service: PushService, alice: Visitor) -> None:
        Visitor(alice.user).turn_on(service, "two")
        notify(alice.user, "Hello")
        deliver_due()
        assert len(service.messages) == 2
        assert PushDevice.objects.filter(used_at=None).count() == 0

    def test_the_devices_of_a_thousand_cost_one_query(self, service: PushService) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as found:
                notify(users, "Hello")
                return len(found)

        users = make_users(1_000)
        with override_settings(NOTIFICATIONS_CHANNELS={}):
            without = statements()
        nobody = statements()
        Visitor(users[5]).turn_on(service)
        assert (nobody, statements()) == (without + 1, without + 2)

    @pytest.mark.parametrize(("level", "urgency"), [("info", "normal"), ("success", "normal"), *URGENCY.items()])
    def test_its_level_says_how_urgent_it_is(
        self, service: PushService, alice: Visitor, level: Any, urgency: str
    ) -> None:
        notify(alice.user, "Hello", level=level)
        deliver_due()
        assert service.requests[0]["Urgency"] == urgency

    def test_it_is_kept_for_no_longer_than_it_holds(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "For ever")
        notify(alice.user, "Soon over", expires_at=timezone.now() + timedelta(minutes=10))
        deliver_due()
        assert service.requests[0]["TTL"] == str(7 * 24 * 60 * 60)
        assert 590 < int(service.requests[1]["TTL"]) <= 600

    def test_events_of_one_item_take_each_others_place(self, service: PushService, alice: Visitor) -> None:
        for title, group in (("One", "a"), ("Two", "a"), ("Other", "b"), ("Alone", None)):
            notify(alice.user, title, group=group)
            stamp(alice.user)
            deliver_due()
        topics = [request["Topic"] for request in service.requests]
        assert topics[0] == topics[1]
        assert len(set(topics)) == 3
        assert [message["tag"] for message in service.messages] == topics

    def test_it_is_in_the_language_of_the_page_in_which_it_was_turned_on(self, service: PushService) -> None:
        @kind("test.pushed")
        class Pushed(Kind):
            def title(self) -> str:
                from django.utils.translation import gettext

                return gettext("Notifications")

        anna = Visitor(make_user("anna"))
        try:
            with override_settings(LANGUAGES=[("en", "English"), ("de", "German")]):
                made = service.subscribe("one", PUBLIC)
                assert anna.post(made.shown(), **{"Carillon-Language": "de"}).status_code == 200
                notify(anna.user, Pushed())
                deliver_due()
        finally:
            del registry["test.pushed"]
        assert service.messages[0]["title"] == "Benachrichtigungen"
        assert service.messages[0]["lang"] == "de"

    @pytest.mark.parametrize("letter", ["a", "ü", "🎉", "\x01"])
    def test_what_is_too_long_is_cut(self, service: PushService, alice: Visitor, letter: str) -> None:
        from notifications.deliveries.messages import Message, Part
        from notifications.deliveries.push_messages import payload_of

        part = Part(
            1,
            "",
            "",
            "info",
            letter * 500,
            letter * 5_000,
            f"/{'x' * 1_900}",
            "",
            1,
            timezone.now(),
            "",
            {},
            1,
            "",
            None,
        )
        message = Message("1", alice.user, "push", "1", "1", "en", "UTC", [part], is_digest=False, attempt=1)
        assert len(payload_of(message, 1)) <= PAYLOAD_BYTES
        vapid.encrypt(payload_of(message, 1), service.subscribe("x", PUBLIC).shown()["keys"])

    def test_a_digest_tells_how_many_there_are(self, service: PushService, alice: Visitor) -> None:
        with pushing(default="digest"):
            notify(alice.user, "One")
            notify(alice.user, "Two")
            push_again()
        (message,) = service.messages
        assert message["title"] == "2 notifications"
        assert set(message["body"].split("\n")) == {"One", "Two"}
        assert service.requests[0]["Urgency"] == "low"


class TestAnswers:
    @pytest.mark.parametrize("status", [404, 410, 403])
    def test_a_device_that_is_gone_is_removed_in_the_same_attempt(
        self, service: PushService, alice: Visitor, status: int
    ) -> None:
        service.will_answer(status)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("skipped", "no-device")]
        assert not PushDevice.objects.exists()
        notify(alice.user, "Again")
        assert deliver_due() == 0

    def test_what_is_too_large_is_sent_without_its_text(self, service: PushService, alice: Visitor) -> None:
        service.will_answer(413)
        notify(alice.user, "Hello", body="A secret", url="/where/")
        deliver_due()
        (message,) = service.messages
        assert (message["title"], message["body"], message["url"]) == ("New notification", "", "/where/")
        assert states() == [("sent", "")]

    def test_what_is_too_large_anyway_has_failed(self, service: PushService, alice: Visitor) -> None:
        service.will_answer(413, 413)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("failed", "")]

    def test_who_wants_to_be_left_alone_is(self, service: PushService, alice: Visitor) -> None:
        service.will_answer(429, Retry_After="3600")
        notify(alice.user, "Hello")
        deliver_due()
        (row,) = Delivery.objects.all()
        assert row.state == "waiting"
        assert row.due_at is not None
        assert timedelta(minutes=59) < row.due_at - timezone.now() < timedelta(minutes=61)
        push_again()
        assert states() == [("sent", "")]

    def test_a_date_is_understood_too(self, service: PushService, alice: Visitor) -> None:
        service.will_answer(503, Retry_After="Thu, 01 Jan 2099 00:00:00 GMT")
        notify(alice.user, "Hello")
        deliver_due()
        (row,) = Delivery.objects.all()
        assert row.due_at is not None
        assert timedelta(hours=23) < row.due_at - timezone.now() <= timedelta(days=1)

    @pytest.mark.parametrize("status", [500, 503, 401, 408])
    def test_what_failed_for_now_is_tried_again(self, service: PushService, alice: Visitor, status: int) -> None:
        service.will_answer(status, Retry_After="soon")
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("waiting", "")]
        push_again()
        assert states() == [("sent", "")]
        assert PushDevice.objects.count() == 1

    @pytest.mark.parametrize("status", [400, 301, 307])
    def test_what_will_never_be_taken_has_failed(self, service: PushService, alice: Visitor, status: int) -> None:
        service.will_answer(status)
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("failed", "")]

    def test_a_service_that_hangs_is_left(
        self, service: PushService, alice: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "TIME", 0.2)
        service.freed.clear()
        notify(alice.user, "Hello")
        deliver_due()
        assert service.hanging.is_set()
        assert states() == [("waiting", "")]

    def test_what_is_sent_again_is_the_same(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        deliver_due()
        Delivery.objects.update(state="waiting", due_at=timezone.now(), attempts=1)  # nobody noted that it was sent
        deliver_due()
        first, second = service.messages
        assert (first["id"], first["tag"]) == (second["id"], second["tag"])
        assert service.requests[0]["Topic"] == service.requests[1]["Topic"]

    def test_what_was_read_meanwhile_is_not_pushed(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        mark_read(alice.user, [Notification.objects.of(alice.user).get().pk])
        deliver_due()
        assert states() == [("skipped", "seen")]
        assert service.messages == []


class TestDevices:
    def test_a_device_has_the_name_of_its_browser(self, alice: Visitor) -> None:
        found = alice.client.get(API).json()
        assert [device["name"] for device in found["devices"]] == ["Firefox, Linux"]
        assert found["devices"][0]["here"] is True
        assert found["here"] == found["devices"][0]["id"]

    def test_another_browser_of_the_same_user_is_another_device(self, service: PushService, alice: Visitor) -> None:
        second = Visitor(alice.user)
        second.turn_on(service, "two")
        found = second.client.get(API).json()
        assert [device["here"] for device in found["devices"]] == [True, False]

    def test_a_browser_that_subscribes_anew_stays_one_device(self, service: PushService, alice: Visitor) -> None:
        alice.turn_on(service, "two")
        assert PushDevice.objects.count() == 1

    def test_who_signs_out_gets_nothing_there_any_more(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Stored before")
        alice.sign_out()
        assert not PushDevice.objects.exists()
        deliver_due()
        assert states() == [("skipped", "no-device")]

    def test_who_signs_out_elsewhere_keeps_it(self, alice: Visitor) -> None:
        Visitor(alice.user).sign_out()
        assert PushDevice.objects.count() == 1

    def test_who_signs_in_ends_what_was_somebody_elses(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "For Alice alone")
        Visitor(make_user("bob"), alice.client)
        deliver_due()
        assert service.messages == []
        assert not PushDevice.objects.exists()

    def test_who_signs_in_again_keeps_it(self, alice: Visitor) -> None:
        alice.sign_in(alice.user)
        assert PushDevice.objects.count() == 1

    def test_an_endpoint_moves_to_who_shows_it(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "For Alice alone")
        bob = Visitor(make_user("bob"))  # with the same browser, which has lost its cookies
        bob.turn_on(service)
        deliver_due()
        assert service.messages == []
        assert states() == [("skipped", "no-device")]
        assert [device.user_id for device in PushDevice.objects.all()] == [bob.user.pk]

    def test_a_browser_that_asks_ends_what_was_somebody_elses(self, service: PushService, alice: Visitor) -> None:
        bob = Visitor(make_user("bob"))
        endpoint = f"{service.url}/one"
        assert bob.post({"endpoint": endpoint}).json() == {"devices": [], "here": None}
        assert not PushDevice.objects.exists()

    def test_a_browser_that_has_lost_its_cookie_gets_another(self, service: PushService, alice: Visitor) -> None:
        del alice.client.cookies[COOKIE]
        assert alice.client.get(API).json()["here"] is None
        assert alice.post({"endpoint": f"{service.url}/one"}).json()["here"] is not None
        assert alice.client.get(API).json()["here"] is not None

    def test_the_cookie_is_out_of_reach_of_scripts(self, alice: Visitor) -> None:
        cookie = alice.client.cookies[COOKIE]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie.value not in str(list(PushDevice.objects.values()))

    def test_another_password_ends_the_pushes_of_all_browsers(self, service: PushService, alice: Visitor) -> None:
        alice.user.set_password("another")
        alice.user.save()
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("skipped", "no-device")]
        alice.client.force_login(alice.user)
        assert alice.post({"endpoint": f"{service.url}/one"}).json()["here"] is not None
        notify(alice.user, "Here again")
        deliver_due()
        assert [message["title"] for message in service.messages] == ["Here again"]

    def test_who_may_not_sign_in_any_more_gets_nothing(self, service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        alice.user.is_active = False
        alice.user.save()
        deliver_due()
        assert states() == [("skipped", "gone")]

    def test_they_go_with_their_user(self, alice: Visitor) -> None:
        alice.user.delete()
        assert not PushDevice.objects.exists()

    def test_the_oldest_of_too_many_gives_way(self, service: PushService, alice: Visitor) -> None:
        first = PushDevice.objects.get().pk
        for number in range(20):
            Visitor(alice.user).turn_on(service, f"more{number}")
        assert PushDevice.objects.count() == 20
        assert not PushDevice.objects.filter(pk=first).exists()

    def test_a_subscription_that_its_browser_replaces_is_replaced(self, service: PushService, alice: Visitor) -> None:
        new = service.subscribe("new", PUBLIC)
        assert alice.post({**new.shown(), "renew": True}).json()["here"] is not None
        assert [device.endpoint for device in PushDevice.objects.all()] == [new.endpoint]

    def test_one_that_nobody_wanted_is_not(self, service: PushService, alice: Visitor) -> None:
        bob = Visitor(make_user("bob"), alice.client)
        new = service.subscribe("new", PUBLIC)
        assert bob.post({**new.shown(), "renew": True}).json()["here"] is None
        assert not PushDevice.objects.exists()

    def test_one_that_is_removed_is_removed(self, alice: Visitor) -> None:
        (device,) = PushDevice.objects.all()
        answer = alice.post({"device": device.pk}, f"{API}remove/")
        assert answer.json() == {"devices": [], "here": None}

    def test_those_of_others_cannot_be_removed(self, service: PushService, alice: Visitor) -> None:
        bob = Visitor(make_user("bob"))
        (device,) = PushDevice.objects.all()
        for pk in (device.pk, "", "x", 10**30, -1, None):
            assert bob.post({"device": pk}, f"{API}remove/").status_code == 404
        assert PushDevice.objects.count() == 1

    def test_a_form_removes_one_without_a_script(self, alice: Visitor) -> None:
        page = alice.client.get("/notifications/preferences/")
        (device,) = PushDevice.objects.all()
        assert f'name="device" value="{device.pk}"' in page.content.decode()
        values = {"device": device.pk, "next": "/notifications/preferences/"}
        assert alice.client.post(f"{API}remove/", values).headers["Location"] == "/notifications/preferences/"
        assert not PushDevice.objects.exists()

    def test_changes_need_a_token(self, service: PushService, alice: Visitor) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(alice.user)
        for url in (API, f"{API}remove/"):
            assert strict.post(url, {"device": 1}, content_type="application/json").status_code == 403
            assert Client().post(url, {}, content_type="application/json").status_code == 401

    @pytest.mark.parametrize(
        "endpoint",
        [
            "",
            "x" * 1_001,
            7,
            "http://push.example.com/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::ffff:10.0.0.1]/x",
            "https://user@push.example.com/x",
            "https://push.example.com/x\r\nHost: other",
            "https:///x",
            "javascript:alert(1)",
        ],
    )
    def test_an_endpoint_that_leads_astray_is_refused(self, service: PushService, endpoint: Any) -> None:
        made = service.subscribe("one", PUBLIC).shown()
        assert Visitor(make_user()).post({**made, "endpoint": endpoint}).status_code == 400

    def test_this_machine_is_none_unless_the_settings_say_so(self, service: PushService, alice: Visitor) -> None:
        with pushing(allow_loopback=False):
            made = service.subscribe("two", PUBLIC).shown()
            assert alice.post(made).status_code == 400
            notify(alice.user, "Hello")
            deliver_due()
        assert states() == [("failed", "")]
        assert service.requests == []

    @pytest.mark.parametrize(
        "keys", [None, [], {}, {"p256dh": "x", "auth": "y"}, {"p256dh": "A" * 87, "auth": "A" * 22}, {"p256dh": 1}]
    )
    def test_keys_that_are_none_are_refused(self, service: PushService, keys: Any) -> None:
        made = service.subscribe("one", PUBLIC).shown()
        assert Visitor(make_user()).post({**made, "keys": keys}).status_code == 400

    def test_the_same_browser_from_two_tabs_at_once_is_one_device(self, service: PushService, alice: Visitor) -> None:
        assert alice.post(service.subscribe("one", PUBLIC).shown()).status_code == 200
        assert alice.post(service.subscribe("one", PUBLIC).shown()).status_code == 200
        assert PushDevice.objects.count() == 1
