"""Where e-mails lead: through the site to what they are about, and to the page that switches them off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as site
from django.conf.urls.i18n import i18n_patterns
from django.core import mail as outbox
from django.db.models import F
from django.test import Client, override_settings
from django.urls import include, path

from notifications.deliveries.email import EmailChannel
from notifications.deliveries.unsubscribing import token_of
from notifications.kinds import Kind, kind, registry
from notifications.models import Delivery, Notification, Preference
from notifications.services import broadcast, deliver_due, mark_bounced, notify, set_preference, withdraw

from .factories import make_user, stamp
from .smtp import mailing

pytestmark = pytest.mark.django_db

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
Alice = Any


class WorkEmail(EmailChannel):
    """Writes to where people work."""

    def address(self, user: Any) -> str:
        return str(user.last_name)


@pytest.fixture(autouse=True)
def sending() -> Iterator[None]:
    with mailing(25, backend=LOCMEM):
        outbox.outbox = []
        yield


@pytest.fixture
def alice() -> Alice:
    return make_user("alice", email="alice@example.org")


@pytest.fixture
def stranger() -> Client:
    """Return a browser, or a mailbox's server, that nobody has signed in with; CSRF is checked."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def order() -> Iterator[type[Kind]]:
    @kind("test.order", category="orders", label="An order")
    class Order(Kind):
        title: str = "Order 7"

    yield Order
    del registry["test.order"]


def sent() -> Any:
    deliver_due()
    return outbox.outbox[-1]


def path_in(header: str) -> str:
    found = re.fullmatch(r"<https://bells\.example\.com(/[^>]+)>", header)
    assert found is not None
    return found[1]


class TestUnsubscribing:
    def test_one_click_needs_no_session_and_no_form(self, alice: Alice, order: type[Kind], stranger: Client) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        body = "List-Unsubscribe=One-Click"
        for _ in range(2):  # a mailbox may ask twice
            answer = stranger.post(path, body, content_type="application/x-www-form-urlencoded")
            assert answer.status_code == 200
        assert not answer.cookies
        assert list(Preference.objects.values_list("user", "channel", "scope", "value")) == [
            (alice.pk, "email", "kind:test.order", "off")
        ]
        notify(alice, order())
        assert deliver_due() == 0

    def test_without_https_no_mailbox_is_invited_to_post(self, alice: Alice, order: type[Kind]) -> None:
        notify(alice, order())
        with override_settings(NOTIFICATIONS_BASE_URL="http://bells.example.com"):
            headers = sent().extra_headers
        assert headers["List-Unsubscribe"].startswith("<http://bells.example.com/")
        assert "List-Unsubscribe-Post" not in headers

    def test_a_link_that_is_only_followed_changes_nothing(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        page = stranger.get(path)
        assert page.status_code == stranger.head(path).status_code == 200
        assert "An order" in page.content.decode()
        assert 'method="post"' in page.content.decode()
        assert page["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page["Cache-Control"]
        assert not Preference.objects.exists()

    def test_the_page_s_button_does_what_one_click_does(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        page = stranger.post(path_in(sent().extra_headers["List-Unsubscribe"]))
        assert "You get no more of “An order”" in page.content.decode()
        assert Preference.objects.count() == 1

    @pytest.mark.parametrize("user", [None, "bob"])
    def test_it_is_about_the_recipient_whoever_is_signed_in(
        self, alice: Alice, order: type[Kind], stranger: Client, user: str | None
    ) -> None:
        notify(alice, order())
        if user:
            stranger.force_login(make_user(user))
        stranger.post(path_in(sent().extra_headers["List-Unsubscribe"]))
        assert [choice.user_id for choice in Preference.objects.all()] == [alice.pk]

    @pytest.mark.parametrize("change", ["forged", "cut", "of another signer"])
    def test_nobody_else_can_make_a_token(self, alice: Alice, order: type[Kind], stranger: Client, change: str) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        if change == "of another signer":
            with override_settings(SECRET_KEY="another"):
                token = token_of(alice, "email", "", alice.email)
        else:
            token = path.split("/")[-2]
            token = f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}" if change == "forged" else token[:-4]
        answer = stranger.post(f"/notifications/unsubscribe/{token}/")
        assert answer.status_code == 404
        assert not Preference.objects.exists()

    def test_a_token_outlives_a_change_of_the_secret_key(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[site.SECRET_KEY]):
            assert stranger.post(path).status_code == 200
        assert Preference.objects.count() == 1

    def test_a_token_ends_with_the_address(self, alice: Alice, order: type[Kind], stranger: Client) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        type(alice)._default_manager.filter(pk=alice.pk).update(email="alice@new.example.org")
        assert stranger.post(path).status_code == 404
        assert not Preference.objects.exists()

    def test_a_channel_that_knows_other_addresses_has_tokens_of_those(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        said = {"BACKEND": f"{__name__}.WorkEmail", "DEFAULT": "on", "OPTIONS": {"from_email": "bells@example.com"}}
        alice.last_name = "alice@work.example.com"
        alice.save()
        with override_settings(NOTIFICATIONS_CHANNELS={"work": said}):
            notify(alice, order())
            deliver_due()
            mail = sent()
            assert mail.to == ["alice@work.example.com"]
            link = path_in(mail.extra_headers["List-Unsubscribe"])
            alice.last_name = "somebody@else.example.com"
            alice.save()
            assert stranger.post(link).status_code == 404
            alice.last_name = "alice@work.example.com"
            alice.save()
            assert stranger.post(link).status_code == 200
        assert Preference.objects.get().channel == "work"

    def test_a_token_is_good_for_an_address_that_has_bounced(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        deliver_due()
        mark_bounced(alice.email)
        assert stranger.post(path_in(sent().extra_headers["List-Unsubscribe"])).status_code == 200

    def test_no_token_begins_with_a_dot_which_servers_hide(self, alice: Alice) -> None:
        assert all(token_of(alice, "email", f"category:{'orders ' * number}", "")[0] == "u" for number in (0, 1, 9))

    def test_a_token_of_one_address_and_scope_is_always_the_same(self, alice: Alice, order: type[Kind]) -> None:
        notify(alice, order())
        first = sent().extra_headers["List-Unsubscribe"]
        notify(alice, order())
        assert sent().extra_headers["List-Unsubscribe"] == first

    def test_what_became_required_meanwhile_stays_and_says_why(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        kind("test.order", required="So that nothing is lost.")(order)
        answer = stranger.post(path)
        assert answer.status_code == 409
        assert "So that nothing is lost." in answer.content.decode()

    def test_a_kind_that_no_code_has_any_more_is_off_already(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        del registry["test.order"]
        try:
            assert stranger.get(path).status_code == 200
            assert stranger.post(path).status_code == 200
        finally:
            registry["test.order"] = order.rules

    def test_a_plain_notification_means_everything_by_this_channel(self, alice: Alice, stranger: Client) -> None:
        notify(alice, "Hello")
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        assert "Get no more notifications by this channel: E-mail?" in stranger.get(path).content.decode()
        stranger.post(path)
        assert list(Preference.objects.values_list("scope", "value")) == [("", "off")]

    def test_a_site_that_asks_everybody_to_sign_in_leaves_this_open(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        notify(alice, order())
        path = path_in(sent().extra_headers["List-Unsubscribe"])
        strict = [*site.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
        with override_settings(MIDDLEWARE=strict):
            assert stranger.post(path).status_code == 200


class TestScope:
    @pytest.mark.parametrize(
        ("kinds", "scope"),
        [
            (["test.a", "test.a"], "kind:test.a"),
            (["test.a", "test.b"], "category:tests"),
            (["test.a", "test.c"], ""),
            (["test.a", "test.bill"], "kind:test.a"),
            (["test.bill"], None),
        ],
    )
    def test_of_a_digest_is_what_all_of_it_is_about(self, alice: Alice, kinds: list[str], scope: str | None) -> None:
        made: dict[str, Any] = {}
        for key, category, required in (
            ("test.a", "tests", False),
            ("test.b", "tests", False),
            ("test.c", "others", False),
            ("test.bill", "tests", True),
        ):

            @kind(key, category=category, required=required, channels={"email": "digest"})
            class Made(Kind):
                title: str = "Hello"

                __qualname__ = f"Made{key}"

            made[key] = Made
        try:
            for key in kinds:
                notify(alice, made[key]())
            Delivery.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - timedelta(days=2))
            header = sent().extra_headers.get("List-Unsubscribe")
        finally:
            for key in made:
                del registry[key]
        expected = (
            None if scope is None else f"/notifications/unsubscribe/{token_of(alice, 'email', scope, alice.email)}/"
        )
        assert (None if header is None else path_in(header)) == expected


class TestOpening:
    def open(self, alice: Alice, **fields: Any) -> str:
        notify(alice, "Hello", **{"url": "/orders/7/", **fields})
        stamp(alice)
        [link] = re.findall(r"https://bells\.example\.com(/notifications/open/\S+)", sent().body)
        return str(link)

    def test_marks_the_recipient_s_copy_and_leads_to_its_link(self, alice: Alice, client: Client) -> None:
        path = self.open(alice)
        client.force_login(alice)
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/orders/7/")
        row = Notification.objects.get()
        assert row.read_at is not None
        assert row.clicked_at is not None
        assert Delivery.objects.get().clicked_at is not None

    @pytest.mark.parametrize("query", ["?by=push", "?by=%00", "?by=", ""])
    def test_who_came_another_way_counts_for_no_e_mail(self, alice: Alice, client: Client, query: str) -> None:
        path = self.open(alice).partition("?")[0]
        client.force_login(alice)
        assert client.get(path + query).status_code == 302
        assert Delivery.objects.get().clicked_at is None

    @pytest.mark.django_db(transaction=True)
    def test_a_broadcast_that_was_not_collected_yet_is(self, alice: Alice, client: Client) -> None:
        broadcast("Hello", to="everyone", url="/status/", channels=["email"])
        [link] = re.findall(r"https://bells\.example\.com(/notifications/open/\S+)", sent().body)
        assert not Notification.objects.exists()
        client.force_login(alice)
        assert client.get(link)["Location"] == "/status/"
        assert Notification.objects.get().clicked_at is not None
        assert Delivery.objects.get().clicked_at is not None

    def test_who_is_not_signed_in_signs_in_first_and_comes_back(self, alice: Alice, client: Client) -> None:
        path = self.open(alice)
        answer = client.get(path)
        parts = urlsplit(answer["Location"])
        assert (parts.path, parse_qs(parts.query)) == ("/admin/login/", {"next": [path]})
        assert Notification.objects.get().read_at is None

    def test_somebody_else_gets_to_the_own_inbox_and_learns_nothing(self, alice: Alice, client: Client) -> None:
        path = self.open(alice)
        client.force_login(make_user("bob"))
        known, unknown = client.get(path), client.get("/notifications/open/999999/")
        assert known["Location"] == unknown["Location"] == "/notifications/"
        assert Notification.objects.get().read_at is None

    @pytest.mark.parametrize("query", ["?next=https://evil.example", "?url=//evil.example", "?to=javascript:alert(1)"])
    def test_it_never_leads_where_the_request_says(self, alice: Alice, client: Client, query: str) -> None:
        path = self.open(alice)
        client.force_login(alice)
        assert client.get(path.partition("?")[0] + query)["Location"] == "/orders/7/"

    def test_it_holds_no_secret(self, alice: Alice) -> None:
        path = self.open(alice)
        assert re.fullmatch(r"/notifications/open/[0-9]+/\?by=email", path)

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Dest": "image"},
            {"Sec-Fetch-Dest": "iframe"},
            {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Dest": "document"},
            {"Purpose": "prefetch"},
        ],
    )
    def test_a_picture_or_a_browser_that_looks_ahead_marks_nothing(
        self, alice: Alice, client: Client, headers: dict[str, str]
    ) -> None:
        path = self.open(alice)
        client.force_login(alice)
        client.get(path, headers=headers)
        client.head(path)
        assert Notification.objects.get().read_at is None

    def test_it_does_not_take_a_post(self, alice: Alice, client: Client) -> None:
        path = self.open(alice)
        client.force_login(alice)
        assert client.post(path).status_code == 405

    def test_what_was_withdrawn_leads_to_the_inbox(self, alice: Alice, client: Client) -> None:
        notice = notify(alice, "Hello", url="/orders/7/")
        stamp(alice)
        withdraw(notice)
        client.force_login(alice)
        assert client.get(f"/notifications/open/{notice.pk}/")["Location"] == "/notifications/"

    def test_an_event_of_an_item_that_has_grown_leads_to_the_item(self, alice: Alice, client: Client) -> None:
        first = notify(alice, "One", url="/1/", group="post:7")
        notify(alice, "Two", url="/2/", group="post:7")
        stamp(alice)
        client.force_login(alice)
        assert client.get(f"/notifications/open/{first.pk}/")["Location"] == "/2/"
        assert Notification.objects.of(alice).items().get().read_at is not None

    def test_it_says_why_its_recipient_gets_it(self, alice: Alice) -> None:
        set_preference(alice, "email", "off")
        set_preference(alice, "email", "on")
        notify(alice, "Hello")
        told = sent()
        said = "You get this by “E-mail”, because"
        assert said in told.body
        assert said in told.alternatives[0][0]

    def test_what_has_no_link_has_none(self, alice: Alice) -> None:
        notify(alice, "Hello")
        assert "/open/" not in sent().body

    @pytest.mark.parametrize(
        ("settings", "prefix"),
        [
            ({"FORCE_SCRIPT_NAME": "/app"}, "https://bells.example.com/app/"),
            ({"NOTIFICATIONS_BASE_URL": "https://bells.example.com/app/"}, "https://bells.example.com/app/"),
            ({"NOTIFICATIONS_BASE_URL": "http://[::1]:8000"}, "http://[::1]:8000/"),
        ],
    )
    def test_a_site_below_a_path_has_its_links_there(
        self, alice: Alice, settings: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notify(alice, "Hello", url="/orders/7/")
        given: Any = settings
        with override_settings(**given):
            assert f"{prefix}notifications/open/" in sent().body

    def test_a_site_with_languages_in_its_paths_has_its_links_in_the_reader_s(
        self, alice: Alice, order: type[Kind], stranger: Client
    ) -> None:
        class Paths:
            urlpatterns = i18n_patterns(path("bells/", include("notifications.urls")))

        given: Any = {"ROOT_URLCONF": Paths, "LANGUAGES": [("en", "English"), ("de", "Deutsch")]}
        type(alice).language = "de"
        try:
            with override_settings(**given):
                notify(alice, order())
                header = sent().extra_headers["List-Unsubscribe"]
        finally:
            del type(alice).language
        assert path_in(header).startswith("/de/bells/unsubscribe/")

    def test_a_site_that_has_not_included_the_urls_has_plain_links(self, alice: Alice) -> None:
        notify(alice, "Hello", url="/orders/7/")
        with override_settings(ROOT_URLCONF="django.contrib.auth.urls"):
            assert "https://bells.example.com/orders/7/" in sent().body

    def test_choices_of_the_recipient_hold_at_sending(self, alice: Alice, order: type[Kind]) -> None:
        notify(alice, order())
        set_preference(alice, "email", "off", kind=order)
        deliver_due()
        assert outbox.outbox == []
