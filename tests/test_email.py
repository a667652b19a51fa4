"""E-mails: what a real mail server gets, and what becomes of a delivery whatever the server answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import pytest
import requests
from anymail.exceptions import AnymailRecipientsRefused, AnymailRequestsAPIError
from anymail.signals import AnymailTrackingEvent, tracking
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail as outbox
from django.core.checks import run_checks
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

import notifications
from notifications.deliveries import email_connections
from notifications.deliveries.channels import channel
from notifications.deliveries.email_content import FOLDER, OWN
from notifications.deliveries.pace import Pace
from notifications.deliveries.sending import send_some
from notifications.kinds import Kind, kind, registry
from notifications.models import Bounce, Delivery
from notifications.services import amark_bounced, deliver_due, mark_bounced, notify, set_preference

from .factories import make_user
from .servers.process import free_port
from .smtp import MailServer, Silence, mail_server, mailing
from .threads import together

pytestmark = pytest.mark.django_db

Alice = Any


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running, mailing(running.port):
        yield running
        sender: Any = channel("email")
        sender.connections.close()


@pytest.fixture
def alice() -> Alice:
    return make_user("alice", email="alice@example.org")


def let_pass(time: timedelta) -> None:
    Delivery.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - time)


def answer(status: int, retry_after: str) -> Any:
    """Return what a provider has answered over HTTP."""
    found = requests.Response()
    found.status_code = status
    found.headers["Retry-After"] = retry_after
    return found


def outcome(*names: str) -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list(*(names or ("state", "reason", "attempts"))))


class TestMessage:
    def test_arrives_in_plain_text_and_html(self, server: MailServer, alice: Alice) -> None:
        notify(alice, "The bell is cast", body="It weighs 900 kg.\nCome & see", url="/bells/7/", actor=make_user("bob"))
        assert deliver_due() == 1
        [mail] = server.mails
        assert (mail["Subject"], mail["From"], mail["To"]) == (
            "The bell is cast",
            "Bells <bells@example.com>",
            "alice@example.org",
        )
        assert server.recipients == [["alice@example.org"]]
        assert mail.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert "Come & see" in server.text()
        assert "Come &amp; see" in server.html()
        assert mail["Date"] is not None
        assert mail["Auto-Submitted"] == "auto-generated"
        assert outcome("state", "address") == [("sent", "alice@example.org")]

    def test_keeps_umlauts_other_scripts_and_very_long_lines(self, server: MailServer, alice: Alice) -> None:
        title = f"Größe der Glocke: ٣ أجراس 🔔 {'ö' * 150}"
        body = "ä" * 3_000
        notify(alice, title, body=body)
        deliver_due()
        assert server.mails[-1]["Subject"] == title
        words = re.findall(rb"=\?utf-8\?[bq]\?[^?]*\?=", server.raw[-1])
        assert max(len(word) for word in words) <= 76  # as long as Python's are
        assert body in server.text()
        assert body in server.html()
        assert max(len(line) for line in server.raw[-1].split(b"\r\n")) <= 998

    def test_shows_what_people_have_written_as_text(self, server: MailServer, alice: Alice) -> None:
        notify(alice, "<b>Bold</b>", body="<script>alert(1)</script> & more")
        deliver_due()
        assert server.mails[-1]["Subject"] == "<b>Bold</b>"
        assert "<script>alert(1)</script> & more" in server.text()
        assert "<script>" not in server.html()
        assert "&lt;script&gt;" in server.html()
        assert "<b>" not in server.html()

    def test_is_told_in_the_language_of_its_recipient(self, server: MailServer, alice: Alice) -> None:
        type(alice).language = "ar"
        try:
            notify(alice, "مرحبا", url="/")
            with override_settings(LANGUAGES=[("en", "English"), ("ar", "Arabic")]):
                deliver_due()
        finally:
            del type(alice).language
        assert '<html lang="ar" dir="rtl"' in server.html()
        assert "إعدادات الإشعارات" in server.html()
        assert "إعدادات الإشعارات" in server.text()

    def test_tells_times_in_the_zone_of_its_recipient(self, server: MailServer, alice: Alice) -> None:
        type(alice).time_zone = "Asia/Tokyo"
        try:
            notice = notify(alice, "Hello")
            deliver_due()
        finally:
            del type(alice).time_zone
        hour = (notice.created_at + timedelta(hours=9)).strftime("%-I")
        assert re.search(rf"\b{hour}(?::\d\d)? (?:a\.m\.|p\.m\.)|noon|midnight", server.text())

    def test_has_one_subject_line_whatever_the_title(self, server: MailServer, alice: Alice) -> None:
        class Odd(Kind):
            def title(self) -> str:
                return "One\r\nBcc: eve@example.org\u2028Two"

        kind("test.odd")(Odd)
        try:
            notify(alice, Odd())
            deliver_due()
        finally:
            del registry["test.odd"]
        assert server.mails[-1]["Subject"] == "One Bcc: eve@example.org Two"
        assert server.recipients == [["alice@example.org"]]
        assert server.mails[-1]["Bcc"] is None


class TestHeaders:
    def test_a_second_try_has_the_same_id(self, server: MailServer, alice: Alice) -> None:
        notify(alice, "Hello")
        server.answers["DATA"] = "451 4.3.0 Later"
        deliver_due()
        del server.answers["DATA"]
        [(pk, created)] = outcome("pk", "created_at")
        let_pass(timedelta(hours=1))
        deliver_due()
        assert server.mails[-1]["Message-ID"] == f"<carillon.{pk}.{created:%Y%m%d%H%M%S%f}@bells.example.com>"
        assert outcome("state", "attempts") == [("sent", 2)]

    def test_what_is_about_one_object_is_one_conversation(self, server: MailServer, alice: Alice) -> None:
        bob = make_user("bob")
        for title, about in (("One", bob), ("Two", bob), ("Three", alice), ("Four", None)):
            notify(alice, title, about=about)
        deliver_due()
        first, second, third, fourth = (mail["References"] for mail in server.mails)
        assert first == second != third
        assert first == server.mails[0]["In-Reply-To"]
        assert re.fullmatch(r"<carillon\.[0-9a-f]{24}@bells\.example\.com>", first)
        assert fourth is None
        assert len({mail["Message-ID"] for mail in server.mails}) == 4

    def test_long_addresses_to_unsubscribe_stay_whole_in_one_line(self, server: MailServer, alice: Alice) -> None:
        category = "Läuten und Gießen von Glocken im ganzen Land und darüber hinaus, mit allem, was dazugehört"
        with override_settings(NOTIFICATIONS_CATEGORIES={category: "Glocken"}):
            notify(alice, "Hello", category=category)
            deliver_due()
        [line] = [line for line in server.raw[-1].split(b"\r\n") if line.startswith(b"List-Unsubscribe: ")]
        assert re.fullmatch(
            rb"List-Unsubscribe: <https://bells\.example\.com/notifications/unsubscribe/[A-Za-z0-9_.-]+/>", line
        )
        assert server.mails[-1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_what_nobody_can_switch_off_offers_no_way_to(self, server: MailServer, alice: Alice) -> None:
        @kind("test.bill", required=True)
        class Bill(Kind):
            title: str = "A bill"

        try:
            notify(alice, Bill())
            deliver_due()
        finally:
            del registry["test.bill"]
        mail = server.mails[-1]
        assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (None, None)
        assert "unsubscribe" not in server.html()


class TestAnswers:
    @pytest.mark.parametrize(
        ("command", "answer", "state", "reason", "bounced"),
        [
            ("RCPT", "550 5.1.1 No such user", "skipped", "bounced", True),
            ("RCPT", "550 5.2.1 Mailbox disabled", "skipped", "bounced", True),
            ("RCPT", "550 No such user", "skipped", "bounced", False),
            ("RCPT", "552 5.2.2 Mailbox full", "skipped", "bounced", False),
            ("RCPT", "554 5.7.1 Relay access denied", "failed", "", False),
            ("RCPT", "530 5.7.0 Authentication required", "waiting", "", False),
            ("RCPT", "450 4.2.1 Greylisted", "waiting", "", False),
            ("RCPT", "421 4.3.2 Shutting down", "waiting", "", False),
            ("DATA", "550 5.1.1 No such user", "skipped", "bounced", True),
            ("DATA", "554 5.7.1 Looks like spam", "failed", "", False),
            ("DATA", "452 4.3.1 No space left", "waiting", "", False),
        ],
    )
    def test_decide_what_becomes_of_a_message(
        self, server: MailServer, alice: Alice, command: str, answer: str, state: str, reason: str, bounced: bool
    ) -> None:
        server.answers[command] = answer
        notify(alice, "Hello")
        deliver_due()
        assert outcome() == [(state, reason, 1)]
        assert answer in outcome("error")[0][0]
        assert Bounce.objects.filter(user=alice, address="alice@example.org").exists() is bounced

    @pytest.mark.parametrize(
        ("error", "state", "reason", "wait"),
        [
            (lambda: AnymailRecipientsRefused("All refused."), "skipped", "bounced", 0),
            (lambda: AnymailRequestsAPIError("Busy.", response=answer(429, "3600")), "waiting", "", 3_600),
            (lambda: AnymailRequestsAPIError("Busy.", response=answer(429, "")), "waiting", "", 10),
            (lambda: AnymailRequestsAPIError("Busy.", response=answer(429, "-3600")), "waiting", "", 10),
            (lambda: AnymailRequestsAPIError("Busy.", response=answer(429, "9" * 30)), "waiting", "", 10),
            (lambda: AnymailRequestsAPIError("Down.", response=answer(503, "3600")), "waiting", "", 10),
        ],
    )
    def test_a_provider_s_errors_are_understood(
        self, alice: Alice, monkeypatch: pytest.MonkeyPatch, error: Any, state: str, reason: str, wait: int
    ) -> None:
        def refuse(self: Any, messages: Any) -> int:
            raise error()

        monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        with mailing(25, backend="django.core.mail.backends.locmem.EmailBackend"):
            notify(alice, "Hello")
            deliver_due()
        [(found, why, due)] = outcome("state", "reason", "due_at")
        assert (found, why) == (state, reason)
        assert str(error()) in outcome("error")[0][0]
        if wait:
            assert wait - 10 <= (due - timezone.now()).total_seconds() <= wait + 10

    def test_a_server_that_is_not_there_is_tried_again(self, alice: Alice) -> None:
        with mailing(free_port()):
            notify(alice, "Hello")
            deliver_due()
        assert outcome() == [("waiting", "", 1)]

    def test_a_server_that_hangs_up_is_tried_again(self, alice: Alice) -> None:
        server = Silence("220 Hello", "250 OK", hang_up=True)
        try:
            with mailing(server.port):
                notify(alice, "Hello")
                deliver_due()
        finally:
            server.close()
        assert outcome() == [("waiting", "", 1)]

    @pytest.mark.parametrize("lines", [(), ("220 Hello",), ("220 Hello", "250 OK", "250 OK")])
    def test_a_server_that_says_nothing_more_holds_nobody_up(
        self, alice: Alice, lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(email_connections, "ANSWER_TIMEOUT", 0.2)
        server = Silence(*lines)
        try:
            with mailing(server.port):
                notify(alice, "Hello")
                deliver_due()
        finally:
            server.close()
        assert outcome() == [("waiting", "", 1)]

    def test_a_message_that_takes_too_long_as_a_whole_is_given_up(
        self, alice: Alice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(email_connections, "SEND_TIMEOUT", 0.3)
        server = Silence("220 Hello", "250 OK", "250 OK")
        try:
            with mailing(server.port):
                notify(alice, "Hello")
                deliver_due()
        finally:
            server.close()
        assert outcome() == [("waiting", "", 1)]
        assert "Disconnected" in outcome("error")[0][0]


class TestConnections:
    def test_one_carries_several_messages(self, server: MailServer, alice: Alice) -> None:
        for number in range(5):
            notify(alice, f"Hello {number}")
        deliver_due()
        assert (len(server.mails), server.sessions) == (5, 1)

    def test_one_that_the_server_has_ended_is_replaced(self, server: MailServer, alice: Alice) -> None:
        notify(alice, "One")
        deliver_due()
        sender: Any = channel("email")
        [(_since, _carried, kept)] = sender.connections._kept
        kept.connection.sock.shutdown(2)
        notify(alice, "Two")
        deliver_due()
        assert (len(server.mails), server.sessions) == (2, 2)
        assert outcome() == [("sent", "", 1)] * 2

    def test_one_that_nobody_needs_is_closed(self, server: MailServer) -> None:
        connections = email_connections.Connections("", idle=0.01)
        with connections.use() as connection:
            assert connection.connection is not None
        while connections._kept:
            pass
        while connection.connection is not None:
            pass

    @pytest.mark.parametrize(("given", "kept"), [(None, 8.0), (3, 3), (60, 8.0), (0, 8.0)])
    def test_a_timeout_of_the_site_is_kept_if_it_is_shorter(self, given: float | None, kept: float) -> None:
        backend = "django.core.mail.backends.smtp.EmailBackend"
        mailer = {"BACKEND": backend, "OPTIONS": {"host": "127.0.0.1", "timeout": given}}
        old: Any = {"EMAIL_BACKEND": backend, "EMAIL_TIMEOUT": given}
        with override_settings(**({"MAILERS": {"default": mailer}} if django.VERSION >= (6, 1) else old)):
            assert email_connections.make_connection("").timeout == kept

    @pytest.mark.django_db(transaction=True)
    def test_threads_that_send_at_the_same_time_have_one_each(self, server: MailServer, alice: Alice) -> None:
        for number in range(30):
            notify(alice, f"Hello {number}")

        def work() -> int:
            number = 0
            while some := send_some("email"):
                number += some
            return number

        assert sum(together(work, work)) == 30
        assert len({mail["Message-ID"] for mail in server.mails}) == 30
        assert server.sessions <= 2

    def test_what_leads_to_no_mail_server_is_neither_paced_nor_kept(self, alice: Alice) -> None:
        outbox.outbox = []
        with mailing(25, backend="django.core.mail.backends.locmem.EmailBackend", per_domain=0.1):
            for number in range(5):
                notify(alice, f"Hello {number}")
            deliver_due()
            sender: Any = channel("email")
            assert sender.connections._kept == []
        assert len(outbox.outbox) == 5


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "alice",
            "alice@",
            "@example.org",
            "a@example.org, b@example.org",
            "Alice <alice@example.org>",
            "a@example.org\r\nBcc: eve@example.org",
            "a\u200b@example.org",
            "älice@example.org",
            "a b@example.org",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@\u2028.example.org",
            "a@" + "b" * 64 + ".example.org",
            "a@" + "ä" * 60 + ".example.org",  # which Django's own validator takes
        ],
    )
    def test_what_is_no_address_gets_nothing_and_says_so(self, server: MailServer, address: str) -> None:
        notify(make_user("odd", email=address), "Hello")
        deliver_due()
        assert outcome() == [("skipped", "no-address", 0)]
        assert "is no e-mail address" in outcome("error")[0][0]
        assert server.mails == []

    def test_a_domain_with_umlauts_is_written_to(self, server: MailServer) -> None:
        notify(make_user("bob", email="bob@glöckner.example"), "Hello")
        deliver_due()
        assert server.recipients == [["bob@xn--glckner-b1a.example"]]

    def test_the_user_model_says_in_which_field_it_stands(
        self, server: MailServer, alice: Alice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(alice), "EMAIL_FIELD", "first_name")
        notify(make_user("bob", first_name="bob@example.org"), "Hello")
        notify(alice, "Hello")
        deliver_due()
        assert server.recipients == [["bob@example.org"]]
        assert sorted(outcome("state", "reason")) == [("sent", ""), ("skipped", "no-address")]

    def test_a_user_model_without_such_a_field_has_no_addresses(
        self, server: MailServer, alice: Alice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(alice), "EMAIL_FIELD", "no_such_field")
        notify(alice, "Hello")
        deliver_due()
        assert (outcome(), mark_bounced("alice@example.org")) == ([("skipped", "no-address", 0)], 0)

    def test_who_has_none_is_skipped(self, server: MailServer) -> None:
        notify(make_user("bob"), "Hello")
        deliver_due()
        assert outcome() == [("skipped", "no-address", 0)]


class TestBounces:
    def test_an_address_that_bounced_is_not_tried_until_the_user_has_another(
        self, server: MailServer, alice: Alice
    ) -> None:
        assert mark_bounced("Alice@Example.org", detail="550 5.1.1 Unknown") == 1
        notify(alice, "Hello")
        deliver_due()
        assert (outcome(), server.mails) == ([("skipped", "bounced", 0)], [])
        assert "550 5.1.1 Unknown" in outcome("error")[0][0]
        type(alice)._default_manager.filter(pk=alice.pk).update(email="alice@new.example.org")
        notify(alice, "Hello again")
        deliver_due()
        assert server.recipients == [["alice@new.example.org"]]

    def test_the_server_s_own_word_counts_as_well(self, server: MailServer, alice: Alice) -> None:
        server.answers["RCPT"] = "550 5.1.1 No such user"
        for number in range(2):
            notify(alice, f"Hello {number}")
        deliver_due()
        assert outcome() == [("skipped", "bounced", 1), ("skipped", "bounced", 0)]

    def test_the_delivery_that_bounced_counts_as_not_sent(self, server: MailServer, alice: Alice) -> None:
        for number in range(2):
            notify(alice, f"Hello {number}")
        deliver_due()
        mark_bounced("alice@example.org", message_id=server.mails[0]["Message-ID"])
        assert outcome() == [("skipped", "bounced", 1), ("sent", "", 1)]

    def test_nobody_has_the_address(self) -> None:
        assert mark_bounced("nobody@example.org") == 0
        assert mark_bounced(" ") == 0
        assert not Bounce.objects.exists()

    def test_a_second_bounce_replaces_the_first(self, alice: Alice) -> None:
        mark_bounced("alice@example.org", detail="One")
        mark_bounced("alice@example.org", detail="Two")
        assert list(Bounce.objects.values_list("detail")) == [("Two",)]

    @pytest.mark.parametrize(
        ("fields", "bounced"),
        [
            ({"event_type": "bounced", "reject_reason": "bounced"}, True),
            ({"event_type": "rejected", "reject_reason": "invalid"}, True),
            ({"event_type": "deferred", "reject_reason": None}, False),
            ({"event_type": "bounced", "reject_reason": "blocked"}, False),
            ({"event_type": "delivered", "reject_reason": None}, False),
            ({"event_type": "bounced", "reject_reason": "bounced", "description": "Transient: MailboxFull"}, False),
        ],
    )
    def test_anymail_tells_of_hard_bounces(
        self, server: MailServer, alice: Alice, fields: dict[str, Any], bounced: bool
    ) -> None:
        notify(alice, "Hello")
        deliver_due()
        sent = server.mails[-1]["Message-ID"].removeprefix("<carillon.").partition("@")[0]
        event = AnymailTrackingEvent(
            timestamp=None, recipient="alice@example.org", metadata={"carillon": sent}, **fields
        )
        tracking.send(sender=object(), event=event, esp_name="Test")
        assert Bounce.objects.exists() is bounced
        assert outcome() == [("skipped", "bounced", 1) if bounced else ("sent", "", 1)]

    @pytest.mark.parametrize("event_type", ["complained", "unsubscribed"])
    def test_who_complains_to_the_provider_gets_no_more(
        self, server: MailServer, alice: Alice, event_type: str
    ) -> None:
        event = AnymailTrackingEvent(event_type=event_type, timestamp=None, recipient="Alice@example.org")
        tracking.send(sender=object(), event=event, esp_name="Test")
        notify(alice, "Hello")
        assert (deliver_due(), Bounce.objects.count()) == (0, 0)

    @pytest.mark.django_db(transaction=True)
    def test_the_twin_does_the_same(self, alice: Alice) -> None:
        assert async_to_sync(amark_bounced)("alice@example.org") == 1


class TestPace:
    def test_gives_each_receiver_turns_of_its_own(self) -> None:
        now = 100.0
        pace = Pace(2, clock=lambda: now)
        assert [pace.turn("a", 1) for _ in range(4)] == [(0, True), (0.5, True), (1, True), (1.5, False)]
        assert pace.turn("b", 1) == (0, True)
        now = 101.0
        assert pace.turn("a", 1) == (0.5, True)

    def test_forgets_receivers_whose_turn_is_over(self) -> None:
        now = 100.0
        pace = Pace(1, clock=lambda: now)
        for number in range(1_001):
            pace.turn(f"{number}", 1)
        now = 200.0
        pace.turn("one more", 1)
        assert list(pace._free) == ["one more"]

    def test_what_has_to_wait_for_long_is_sent_later_and_that_is_no_try(self, alice: Alice) -> None:
        with mail_server() as server, mailing(server.port, per_domain=0.1):
            for number in range(2):
                notify(alice, f"Hello {number}")
            deliver_due()
            sender: Any = channel("email")
            sender.connections.close()
        assert outcome("state", "attempts", "error") == [("sent", 1, ""), ("waiting", 0, "")]

    def test_has_a_limit(self) -> None:
        with mailing(25, per_domain=0), pytest.raises(ValueError, match="per_domain"):
            channel("email")


class TestTemplates:
    """A site says each kind, and each category, in its own words."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Iterator[Path]:
        folder = tmp_path / "notifications" / "email"
        folder.mkdir(parents=True)
        own = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
        with override_settings(TEMPLATES=own):
            yield folder

    @pytest.mark.parametrize("name", ["order.shipped", "orders"])
    def test_of_the_kind_or_the_category(self, server: MailServer, alice: Alice, folder: Path, name: str) -> None:
        (folder / f"{name}.subject.txt").write_text("Order:\n{{ part.title }}")
        (folder / f"{name}.txt").write_text("Plain {{ part.title }} for {{ message.user.username }}")
        (folder / f"{name}.html").write_text("<p>HTML {{ part.title }}</p>")
        notify(alice, "A & B", kind="order.shipped", category="orders")
        deliver_due()
        assert server.mails[-1]["Subject"] == "Order: A & B"
        assert server.text().strip() == "Plain A & B for alice"
        assert "<p>HTML A &amp; B</p>" in server.html()

    def test_one_of_the_three_may_be_missing(self, server: MailServer, alice: Alice, folder: Path) -> None:
        (folder / "orders.subject.txt").write_text("Order")
        notify(alice, "Hello", category="orders")
        deliver_due()
        assert server.mails[-1]["Subject"] == "Order"
        assert "Hello" in server.text()

    @pytest.mark.parametrize("name", ["../secret", "..", *sorted(OWN), "/etc/passwd", "a/b"])
    def test_no_name_leads_out_of_the_folder_or_to_carillon_s_own(
        self, server: MailServer, alice: Alice, folder: Path, name: str
    ) -> None:
        (folder.parent / "secret.txt").write_text("Secret")
        notify(alice, "Hello", category=name, body="How are you?")
        deliver_due()
        assert server.text().split()[:4] == ["Hello", "How", "are", "you?"]
        assert "How are you?" in server.html()

    def test_carillon_knows_its_own(self) -> None:
        shipped = {path.name for path in (Path(notifications.__file__).parent / "templates" / FOLDER).iterdir()}
        assert {name.rpartition(".")[0] for name in shipped} == OWN

    def test_styles_stand_at_the_elements_where_the_extra_is_installed(
        self, server: MailServer, alice: Alice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notify(alice, "One", url="/")
        deliver_due()
        assert re.search(r'<a class="button" [^>]*style="[^"]*background-color', server.html())
        assert "prefers-color-scheme: dark" in server.html()
        monkeypatch.setattr("notifications.deliveries.email_content._inliner", lambda: None)
        notify(alice, "Two", url="/")
        deliver_due()
        assert not re.search(r'<a class="button" [^>]*style=', server.html())


class TestDigest:
    def test_tells_of_several_together(self, server: MailServer, alice: Alice) -> None:
        set_preference(alice, "email", "digest")
        for title in ("One", "Two & a half", "Three"):
            notify(alice, title, url=f"/{title[:1]}/")
        let_pass(timedelta(days=1))
        deliver_due()
        [mail] = server.mails
        assert mail["Subject"] == "Three, and 2 more"
        for title in ("One", "Two & a half", "Three"):
            assert title in server.text()
        assert "Two &amp; a half" in server.html()
        assert server.html().count("/notifications/open/") == 3
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["References"] is None


class TestChecks:
    def test_say_what_is_missing(self) -> None:
        def said() -> list[str]:
            return [found.msg for found in run_checks(tags=["notifications"]) if found.id == "carillon.E060"]

        with mailing(25):
            assert said() == []
            with override_settings(NOTIFICATIONS_BASE_URL=""):
                assert "Set NOTIFICATIONS_BASE_URL" in said()[0]
            with override_settings(ROOT_URLCONF="django.contrib.auth.urls"):
                assert 'include("notifications.urls")' in said()[0]
        with mailing(25, mailer="fast"):
            assert "has no 'fast'" in said()[0]
        with mailing(25, colour="red"):
            assert "has no options colour" in said()[0]

    def test_say_that_nobody_has_an_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(get_user_model(), "EMAIL_FIELD", "mail")
        with mailing(25):
            [found] = [found.msg for found in run_checks(tags=["notifications"]) if found.id == "carillon.E060"]
        assert "EMAIL_FIELD: it has no 'mail'" in found

    def test_without_the_site_s_address_nothing_is_sent(self, server: MailServer, alice: Alice) -> None:
        with override_settings(NOTIFICATIONS_BASE_URL=""):
            notify(alice, "Hello")
            deliver_due()
        assert server.mails == []
        assert "NOTIFICATIONS_BASE_URL" in outcome("error")[0][0]

    @pytest.mark.skipif(django.VERSION < (6, 1), reason="Django has mailers since 6.1")
    def test_an_option_names_the_mailer(self, alice: Alice) -> None:
        smtp = "django.core.mail.backends.smtp.EmailBackend"
        with mail_server() as fast, mailing(free_port(), mailer="fast"):
            mailers: Any = {**getattr(settings, "MAILERS")}  # noqa: B009  # not every Django has it
            mailers["fast"] = {"BACKEND": smtp, "OPTIONS": {"host": "127.0.0.1", "port": fast.port}}
            with override_settings(MAILERS=mailers):
                notify(alice, "Hello")
                deliver_due()
                sender: Any = channel("email")
                sender.connections.close()
            assert len(fast.mails) == 1
