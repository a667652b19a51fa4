"""Devices: browsers that take pushes come, move to another user, and go."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.deliveries import devices, vapid
from notifications.deliveries.push_views import COOKIE
from notifications.models import Delivery, Notification, PushDevice
from notifications.services import deliver_due, notify

from .factories import make_user
from .push_service import PushService
from .pushing import API, PUBLIC, Visitor, pushing, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(push_service: PushService) -> Visitor:
    found = Visitor(make_user("alice"))
    found.turn_on(push_service)
    return found


class TestDevices:
    def test_a_device_has_the_name_of_its_browser(self, alice: Visitor) -> None:
        found = alice.client.get(API).json()
        assert [device["name"] for device in found["devices"]] == ["Firefox, Linux"]
        assert found["devices"][0]["here"] is True
        assert found["here"] == found["devices"][0]["id"]

    def test_another_browser_of_a_user_is_another_device(self, push_service: PushService, alice: Visitor) -> None:
        second = Visitor(alice.user)
        second.turn_on(push_service, "two")
        found = second.client.get(API).json()
        assert [device["here"] for device in found["devices"]] == [True, False]

    def test_a_browser_that_subscribes_anew_stays_one_device(self, push_service: PushService, alice: Visitor) -> None:
        alice.turn_on(push_service, "two")
        assert PushDevice.objects.count() == 1

    def test_who_signs_out_gets_nothing_there_any_more(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Stored before")
        alice.sign_out()
        assert not PushDevice.objects.exists()
        deliver_due()
        assert states() == [("skipped", "no-device")]

    def test_who_signs_out_elsewhere_keeps_it(self, alice: Visitor) -> None:
        Visitor(alice.user).sign_out()
        assert PushDevice.objects.count() == 1

    def test_who_signs_in_ends_what_was_somebody_elses(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "For Alice alone")
        Visitor(make_user("bob"), alice.client)
        deliver_due()
        assert push_service.messages == []
        assert not PushDevice.objects.exists()

    def test_who_signs_in_again_keeps_it(self, alice: Visitor) -> None:
        alice.sign_in(alice.user)
        assert PushDevice.objects.count() == 1

    def test_an_endpoint_moves_to_who_shows_it(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "For Alice alone")
        bob = Visitor(make_user("bob"))  # with the same browser, which has lost its cookies
        bob.turn_on(push_service)
        deliver_due()
        assert push_service.messages == []
        assert states() == [("skipped", "no-device")]
        assert [device.user_id for device in PushDevice.objects.all()] == [bob.user.pk]

    def test_a_browser_that_asks_ends_what_was_somebody_elses(self, push_service: PushService, alice: Visitor) -> None:
        bob = Visitor(make_user("bob"))
        endpoint = f"{push_service.url}/one"
        assert bob.post({"endpoint": endpoint}).json() == {"devices": [], "here": None}
        assert not PushDevice.objects.exists()

    def test_a_browser_that_has_lost_its_cookie_gets_another(self, push_service: PushService, alice: Visitor) -> None:
        del alice.client.cookies[COOKIE]
        assert alice.client.get(API).json()["here"] is None
        assert alice.post({"endpoint": f"{push_service.url}/one"}).json()["here"] is not None
        assert alice.client.get(API).json()["here"] is not None

    def test_the_cookie_is_out_of_reach_of_scripts(self, alice: Visitor) -> None:
        cookie = alice.client.cookies[COOKIE]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie.value not in str(list(PushDevice.objects.values()))

    def test_another_password_ends_the_pushes_of_all_browsers(self, push_service: PushService, alice: Visitor) -> None:
        alice.user.set_password("another")
        alice.user.save()
        notify(alice.user, "Hello")
        deliver_due()
        assert states() == [("skipped", "no-device")]
        alice.client.force_login(alice.user)
        assert alice.post({"endpoint": f"{push_service.url}/one"}).json()["here"] is not None
        notify(alice.user, "Here again")
        deliver_due()
        assert [message["title"] for message in push_service.messages] == ["Here again"]

    def test_who_may_not_sign_in_any_more_gets_nothing(self, push_service: PushService, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        alice.user.is_active = False
        alice.user.save()
        deliver_due()
        assert states() == [("skipped", "gone")]

    def test_they_go_with_their_user(self, alice: Visitor) -> None:
        alice.user.delete()
        assert not PushDevice.objects.exists()

    def test_the_oldest_of_too_many_gives_way(self, push_service: PushService, alice: Visitor) -> None:
        first = PushDevice.objects.get().pk
        for number in range(20):
            Visitor(alice.user).turn_on(push_service, f"more{number}")
        assert PushDevice.objects.count() == 20
        assert not PushDevice.objects.filter(pk=first).exists()

    def test_a_subscription_that_is_renewed_is_replaced(self, push_service: PushService, alice: Visitor) -> None:
        new = push_service.subscribe("new", PUBLIC)
        assert alice.post({**new.shown(), "renew": True}).json()["here"] is not None
        assert [device.endpoint for device in PushDevice.objects.all()] == [new.endpoint]

    def test_one_that_nobody_wanted_is_not(self, push_service: PushService, alice: Visitor) -> None:
        bob = Visitor(make_user("bob"), alice.client)
        new = push_service.subscribe("new", PUBLIC)
        assert bob.post({**new.shown(), "renew": True}).json()["here"] is None
        assert not PushDevice.objects.exists()

    def test_one_that_is_removed_is_removed(self, alice: Visitor) -> None:
        (device,) = PushDevice.objects.all()
        answer = alice.post({"device": device.pk}, f"{API}remove/")
        assert answer.json() == {"devices": [], "here": None}

    def test_those_of_others_cannot_be_removed(self, push_service: PushService, alice: Visitor) -> None:
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

    def test_changes_need_a_token(self, push_service: PushService, alice: Visitor) -> None:
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
    def test_an_endpoint_that_leads_astray_is_refused(self, push_service: PushService, endpoint: Any) -> None:
        made = push_service.subscribe("one", PUBLIC).shown()
        assert Visitor(make_user()).post({**made, "endpoint": endpoint}).status_code == 400

    @pytest.mark.parametrize(
        "endpoint",
        ["https://a.example/\ud800", "https://a.example/\x00", 7, "", None],
        ids=["half a surrogate pair", "null character", "number", "empty", "none"],  # as a terminal can show them
    )
    def test_so_is_one_that_only_asks(self, push_service: PushService, endpoint: Any) -> None:
        assert Visitor(make_user()).post({"endpoint": endpoint}).status_code == 400

    def test_this_machine_is_none_unless_the_settings_say_so(self, push_service: PushService, alice: Visitor) -> None:
        with pushing(allow_loopback=False):
            made = push_service.subscribe("two", PUBLIC).shown()
            assert alice.post(made).status_code == 400
            notify(alice.user, "Hello")
            deliver_due()
        assert states() == [("failed", "")]
        assert push_service.requests == []

    @pytest.mark.parametrize(
        "keys", [None, [], {}, {"p256dh": "x", "auth": "y"}, {"p256dh": "A" * 87, "auth": "A" * 22}, {"p256dh": 1}]
    )
    def test_keys_that_are_none_are_refused(self, push_service: PushService, keys: Any) -> None:
        made = push_service.subscribe("one", PUBLIC).shown()
        assert Visitor(make_user()).post({**made, "keys": keys}).status_code == 400

    def test_a_browser_that_asks_keeps_its_cookie(self, push_service: PushService, alice: Visitor) -> None:
        before = alice.client.cookies[COOKIE].value
        with CaptureQueriesContext(connection) as found:
            assert alice.post({"endpoint": f"{push_service.url}/one"}).json()["here"] is not None
            assert not [query for query in found.captured_queries if query["sql"].startswith("UPDATE")]
        assert alice.client.cookies[COOKIE].value == before

    @pytest.mark.django_db(transaction=True)
    def test_a_browser_that_registers_from_several_tabs_at_once_is_one_device(self, push_service: PushService) -> None:
        user, keys = make_user(), vapid.read_keys(**push_service.subscribe("one", PUBLIC).shown()["keys"])
        browser = devices.Browser(f"{push_service.url}/one", keys, "", "")
        together = threading.Barrier(8)

        def register(_number: int) -> str:
            together.wait()
            try:
                return devices.register(user, browser)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as tabs:
            tokens = set(tabs.map(register, range(8)))
        assert len(tokens) == 8
        (device,) = PushDevice.objects.all()
        assert sum(devices.device_of_token(user, token) == device.pk for token in tokens) == 1


class TestClicks:
    def test_a_click_marks_it_as_read_and_counts_for_the_channel(
        self, push_service: PushService, alice: Visitor
    ) -> None:
        notify(alice.user, "Hello", url="/where/")
        deliver_due()
        item = push_service.messages[0]["item"]
        for changed in (1, 0):
            assert alice.post({"item": item}, f"{API}clicked/").json() == {"changed": changed}
        row = Notification.objects.of(alice.user).get()
        assert row.read_at is not None
        assert row.clicked_at is not None
        assert Delivery.objects.get().clicked_at is not None

    @pytest.mark.parametrize("item", [None, "", "1", 0, -1, 2**64, True, [1]])
    def test_what_is_none_is_not_found(self, alice: Visitor, item: Any) -> None:
        assert alice.post({"item": item}, f"{API}clicked/").status_code == 404

    def test_those_of_others_are_not_found(self, alice: Visitor) -> None:
        notify(alice.user, "Hello")
        item = Notification.objects.of(alice.user).get().pk
        assert Visitor(make_user("bob")).post({"item": item}, f"{API}clicked/").status_code == 404
        assert Notification.objects.of(alice.user).get().read_at is None
