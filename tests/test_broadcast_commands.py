"""``manage.py broadcast`` and ``manage.py publish_due``."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from notifications.audiences import Audience
from notifications.inbox import reading
from notifications.models import Broadcast
from notifications.services import publish_broadcast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> User:
    user = User.objects.create_user("alice")
    user.groups.add(Group.objects.create(name="Editors"))
    return user


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", is_staff=True)


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue().strip()


def test_a_broadcast_in_one_line(alice: User, bob: User) -> None:
    said = run("broadcast", "Maintenance", "--audience", "everyone", "--level", "warning", "--url", "/status/")
    assert said == "Sent to 2 people (Everyone)."
    (item,) = reading.page(alice).items
    assert (item.title, item.level, item.url) == ("Maintenance", "warning", "/status/")


def test_a_dry_run_says_how_many_and_sends_nothing(alice: User, bob: User) -> None:
    said = run("broadcast", "Hello", "--group", "Editors", "--audience", "staff", "--except-user", "bob", "--dry-run")
    assert said == "Staff, Editors, except 1 selected user: 1 person. Nothing was sent."
    assert not Broadcast.objects.exists()


def test_a_broadcast_for_later(alice: User) -> None:
    said = run("broadcast", "Hello", "--user", "alice", "--at", "2990-01-31T18:00")
    assert said == "Scheduled for 1 person (1 selected user)."
    assert Broadcast.objects.get().state == "scheduled"


class TestLanguages:
    @pytest.fixture(autouse=True)
    def several_languages(self, settings: Any) -> None:
        settings.LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
        settings.LANGUAGE_CODE = "en"

    def test_each_is_told_in_their_language(self, alice: User) -> None:
        texts = ["--text", "de", "Wartung", "Ab zehn.", "--text", "ar", "صيانة"]
        run("broadcast", "Maintenance", "--body", "From ten.", *texts, "--audience", "everyone")
        told = {}
        for code in ("en", "de", "ar"):
            with translation.override(code):
                [item] = reading.page(alice).items
            told[code] = (item.title, item.body)
        assert told == {
            "en": ("Maintenance", "From ten."),
            "de": ("Wartung", "Ab zehn."),
            "ar": ("صيانة", "From ten."),
        }

    @pytest.mark.parametrize(
        ("texts", "words"),
        [
            (["--text", "fr", "Entretien"], "--text fr: this is no other language of the site; choose from de, ar."),
            (["--text", "en", "Hello"], "--text en: this is the site's own language"),
            (["--text", "de"], '--text de: write --text de "Title" or --text de "Title" "Body", and quote each.'),
            (["--text", "de", "Wartung", "ab", "zehn"], "and quote each."),
            (["--text", "de", "Wartung", "--text", "de", "Pause"], "--text de: given twice."),
            (["--text", "de", "x" * 201], "--text de: Ensure this value has at most 200 characters"),
            (["--text", "de", " "], "--text de: "),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_is_wrong_is_said_by_language(self, alice: User, texts: list[str], words: str) -> None:
        with pytest.raises(CommandError) as caught:
            run("broadcast", "Maintenance", "--audience", "everyone", *texts)
        assert words in str(caught.value)
        assert not Broadcast.objects.exists()

    def test_a_site_of_one_language_says_so(self, alice: User, settings: Any) -> None:
        settings.LANGUAGES = [("en", "English")]
        with pytest.raises(CommandError, match="LANGUAGES names no other one"):
            run("broadcast", "Maintenance", "--audience", "everyone", "--text", "de", "Wartung")


WRONG = {
    "an unknown audience": (["--audience", "premium"], "Unknown audience premium; choose from everyone, staff."),
    "an unknown group": (["--group", "Readers"], "No group named 'Readers'."),
    "an unknown user": (["--user", "carol"], "No user named 'carol'."),
    "nobody": ([], "--audience: Choose at least one audience, group or user."),
    "a past time": (["--audience", "staff", "--at", "2020-01-01T10:00"], "--at: This time is in the past."),
    "no time": (["--audience", "staff", "--at", "soon"], "--at must look like 2030-01-31T18:00."),
    "an impossible time": (["--audience", "staff", "--expires", "2030-02-31T10:00"], "--expires must look like"),
    "a link that runs a script": (["--audience", "staff", "--url", "javascript:x"], "--url: Enter a URL"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_explained(alice: User, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words.replace("?", r"\?").split(":", maxsplit=1)[0]) as caught:
        run("broadcast", "Hello", *arguments)
    assert words in str(caught.value)
    assert not Broadcast.objects.exists()


def test_publish_due_sends_what_is_due(alice: User) -> None:
    audience = Audience.of("everyone").dump()
    publish_broadcast(Broadcast(title="Due", audience=audience, publish_at=timezone.now() + timedelta(hours=1)))
    assert run("publish_due") == "Sent 0 broadcasts."
    Broadcast.objects.update(publish_at=timezone.now())
    assert run("publish_due") == "Sent 1 broadcast."
    assert [item.title for item in reading.page(alice).items] == ["Due"]
