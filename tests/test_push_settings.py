"""Web push: the key, the settings, and the service worker that a site serves."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import clear_script_prefix, set_script_prefix

from notifications.deliveries import vapid
from notifications.deliveries.checks import check_delivery_channels
from notifications.deliveries.push import offered_push
from notifications.deliveries.user_agents import name_of
from notifications.services import notify

from .factories import make_user
from .push_service import PushService
from .pushing import API, FIREFOX, PRIVATE, PUBLIC, Visitor, pushing

pytestmark = pytest.mark.django_db


class TestWorker:
    URL = "/notifications/push/worker.js"

    def test_it_is_served_to_everybody_for_a_folder_without_pages(self, push_service: PushService) -> None:
        answer = Client().get(self.URL)
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Service-Worker-Allowed"] == "/notifications/push/"
        assert answer.headers["Cache-Control"] == "no-cache"
        code = answer.content.decode()
        assert PUBLIC in code
        assert PRIVATE not in code
        assert "sourceMappingURL" not in code
        assert '"clicked":"/notifications/api/push/clicked/"' in code
        assert Client().post(self.URL).status_code == 405

    def test_its_addresses_have_the_prefix_of_the_site(self, push_service: PushService) -> None:
        set_script_prefix("/below/")
        try:
            answer = Client().get(self.URL)
        finally:
            clear_script_prefix()
        assert answer.headers["Service-Worker-Allowed"] == "/below/notifications/push/"
        assert '"push":"/below/notifications/api/push/"' in answer.content.decode()

    def test_a_site_that_does_not_push_has_none(self) -> None:
        visitor = Visitor(make_user())
        assert visitor.client.get(self.URL).status_code == 404
        assert visitor.client.get(API).status_code == 404
        assert visitor.post({"endpoint": "https://push.example.com/"}).status_code == 404
        assert "notification-push" not in visitor.client.get("/notifications/preferences/").content.decode()


class TestSettings:
    def problems(self) -> list[str]:
        return [message.msg for message in check_delivery_channels(None)]

    def test_a_key_is_made_and_printed_with_the_settings(self) -> None:
        printed = StringIO()
        call_command("carillon_vapid", subject="https://example.com", stdout=printed)
        found: dict[str, Any] = {}
        exec(printed.getvalue(), found)
        with override_settings(NOTIFICATIONS_CHANNELS=found["NOTIFICATIONS_CHANNELS"]):
            assert self.problems() == []
            assert offered_push() is not None

    def test_the_key_alone_is_for_scripts(self) -> None:
        printed = StringIO()
        call_command("carillon_vapid", "--key-only", stdout=printed)
        assert len(vapid.public_key(printed.getvalue().strip())) == 87

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"private_key": ""}, "manage.py carillon_vapid"),
            ({"subject": ""}, "manage.py carillon_vapid"),
            ({"private_key": "x"}, "This is no private key"),
            ({"private_key": "A" * 43}, "This is no private key"),
            ({"private_key": b"x"}, "This is no private key"),
            ({"subject": "admin@example.com"}, "subject must be"),
            ({"subject": "mailto: <admin@example.com>"}, "subject must be"),
            ({"subject": "mailto:admin@localhost"}, "subject must be"),
            ({"subject": "https://example.com/contact"}, "subject must be"),
            ({"unknown": 1}, "has no options unknown"),
        ],
    )
    def test_a_check_says_what_is_wrong(self, options: dict[str, Any], told: str) -> None:
        with pushing(**options):
            (problem,) = self.problems()
            assert told in problem
            assert offered_push() is None

    def test_without_the_extra_everything_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vapid, "is_installed", lambda: False)
        with pushing():
            (problem,) = self.problems()
            assert "pip install django-carillon[push]" in problem
            assert offered_push() is None
            notify(make_user(), "The site goes on")
        with pytest.raises(CommandError, match=r"django-carillon\[push\]"):
            call_command("carillon_vapid")

    @pytest.mark.parametrize(
        "subject", ["mailto:admin@example.com", "mailto:a.b+c@mail.example.co.uk", "https://a.example"]
    )
    def test_what_a_check_takes_can_be_signed(self, subject: str) -> None:
        with pushing(subject=subject):
            assert self.problems() == []
        assert vapid.authorization(PRIVATE, subject, "https://push.example.com:8443").startswith("vapid t=")


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome, Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140.0", "Edge, Windows"),
        (
            "(Linux; Android 15) SamsungBrowser/28 Chrome/130 Safari/537.36",
            "Samsung Internet, Android",
        ),
        (
            "(iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605.1", "Safari, macOS"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_browsers_have_names(user_agent: str, name: str) -> None:
    assert name_of(user_agent) == name
