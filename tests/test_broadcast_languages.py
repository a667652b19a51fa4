"""Broadcasts in several languages: each recipient reads theirs, and staff write each in a tab of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import translation

from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.models import Broadcast, Inbox
from notifications.services import broadcast, edit_broadcast

LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
TEXTS = {"de": {"title": "Wartung", "body": "Ab zehn."}, "ar": {"title": "صيانة"}}

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def several_languages() -> Any:
    with override_settings(LANGUAGES=LANGUAGES, LANGUAGE_CODE="en"):
        yield


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def read(user: User, language: str) -> tuple[str, str]:
    with translation.override(language):
        item = page(user).items[0]
    return item.title, item.body


def form(**changes: Any) -> dict[str, Any]:
    typed = {"title": "Maintenance", "body": "From ten.", "level": "info", "include_names": ["everyone"]}
    return {**typed, "url": "", "category": "", "timezone": "UTC", "publish_at": "", "expires_at": "", **changes}


class TestReading:
    def test_each_reads_it_in_their_language_and_what_is_missing_in_that_of_the_site(self, alice: User) -> None:
        broadcast("Maintenance", to="everyone", body="From ten.", texts=TEXTS)
        assert read(alice, "en") == ("Maintenance", "From ten.")
        assert read(alice, "de") == read(alice, "de-at") == ("Wartung", "Ab zehn.")
        assert read(alice, "ar") == ("صيانة", "From ten.")

    def test_each_finds_it_by_their_words_and_by_those_of_the_site(self, alice: User) -> None:
        broadcast("Maintenance", to="everyone", texts=TEXTS)
        for language, text, found in [("de", "wart", 1), ("de", "MAIN", 1), ("ar", "صيانة", 1), ("en", "wart", 0)]:
            with translation.override(language):
                assert len(page(alice, search=text).items) == found

    def test_open_bells_hear_it_in_theirs(self, alice: User) -> None:
        broadcast("Maintenance", to="everyone", texts=TEXTS)
        page(alice)  # collects it
        start = {alice.pk: Position(Inbox.objects.get(user=alice).epoch, 0)}
        [batch] = changes_since(INBOX, start, {alice.pk: ("de", "en")}).values()
        assert batch.translated is not None
        told = {code: json.loads(frames[-1].data)["items"][0]["title"] for code, frames in batch.translated.items()}
        assert told == {"de": "Wartung", "en": "Maintenance"}

    def test_an_edit_changes_them(self, alice: User) -> None:
        sent = broadcast("Maintenance", to="everyone", texts=TEXTS)
        assert read(alice, "de") == ("Wartung", "Ab zehn.")
        edit_broadcast(sent, texts={"de": {"title": "Verschoben", "body": ""}})
        assert read(alice, "de")[0] == "Verschoben"
        edit_broadcast(sent, texts=None)
        assert read(alice, "de")[0] == "Maintenance"

    @pytest.mark.parametrize(
        "texts",
        [
            {"xx": {"title": "?"}},
            {"de": {}},
            {"de": {"title": ""}},
            {"de": {"title": 7}},
            {"de": {"title": "two\nlines"}},
            {"de": {"title": "x" * 201}},
            {"de": {"title": "x", "body": "x" * 4_001}},
            {"de": {"title": "x", "url": "/"}},
        ],
        ids=str,
    )
    def test_what_is_no_text_of_a_language_is_refused(self, alice: User, texts: Any) -> None:
        with pytest.raises(ValidationError) as refusal:
            broadcast("Maintenance", to="everyone", texts=texts)
        assert list(refusal.value.message_dict) == ["texts"]
        assert not Broadcast.objects.exists()


class TestComposing:
    add = staticmethod(lambda: reverse("admin:carillon_broadcast_add"))

    def test_there_is_a_place_for_each_language_of_the_site(self, staff: Client) -> None:
        body = staff.get(self.add()).content.decode()
        assert [f'data-language="{code}"' in body for code, _name in LANGUAGES] == [True] * 3
        assert 'name="title_de"' in body
        assert 'name="title_en"' not in body  # the title itself is in the site's own
        assert "Deutsch" in body

    def test_a_site_of_one_language_sees_nothing_of_it(self, staff: Client) -> None:
        with override_settings(LANGUAGES=[("en", "English")]):
            assert "carillon-language" not in staff.get(self.add()).content.decode()

    def test_what_is_written_is_stored_shown_again_and_duplicated(self, staff: Client) -> None:
        staff.post(self.add(), form(title_de="Wartung", body_de="Ab zehn.", _continue=""))
        stored = Broadcast.objects.get()
        assert stored.texts == {"de": {"title": "Wartung", "body": "Ab zehn."}}
        change = reverse("admin:carillon_broadcast_change", args=[stored.pk])
        assert 'value="Wartung"' in staff.get(change).content.decode()
        assert 'value="Wartung"' in staff.get(self.add(), {"copy": stored.pk}).content.decode()
        staff.post(change, form(loaded_revision=stored.revision, title_ar="صيانة", _continue=""))
        stored.refresh_from_db()
        assert stored.texts == {"ar": {"title": "صيانة", "body": ""}}

    def test_a_body_needs_a_title_and_a_title_is_one_line(self, staff: Client) -> None:
        answer = staff.post(self.add(), form(body_de="Ab zehn.", title_ar="x" * 201, _continue=""))
        errors = answer.context["adminform"].form.errors
        assert set(errors) == {"title_de", "title_ar"}
        assert not Broadcast.objects.exists()

    def test_a_test_shows_it_in_the_language_of_whoever_sends_it(self, staff: Client) -> None:
        staff.post(self.add(), form(title_de="Wartung", _test=""))
        admin = User.objects.get(username="admin")
        assert [read(admin, code)[0] for code in ("en", "de")] == ["Maintenance", "Wartung"]
