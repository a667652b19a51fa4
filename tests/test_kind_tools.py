"""What developers and staff are told of kinds: checks, the command that lists them, and the admin."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.checks import CheckMessage, run_checks
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.translation import gettext_lazy

from notifications.kinds import Kind, kind, registry
from notifications.languages import site_languages
from notifications.services import notify
from tests.factories import make_user
from tests.kinds.notices import Joined, Odd

LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic"), ("tlh", "Klingon")]
several_languages = override_settings(LANGUAGES=LANGUAGES)


@pytest.fixture(autouse=True)
def own_kinds() -> Iterator[None]:
    """Let a test declare kinds beside ours, and remove them again."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)
    Odd.answers.clear()


def messages(**settings: Any) -> list[CheckMessage]:
    with override_settings(**settings):
        return run_checks(tags=["notifications"])


class TestChecks:
    def test_a_fact_that_cannot_be_stored(self) -> None:
        @kind("tests.abstract")
        class Abstract(Kind):
            session: AbstractBaseSession
            title = gettext_lazy("Notifications")

        @kind("tests.unknown")
        class Unknown(Kind):
            fact: NotThere  # type: ignore[name-defined]  # noqa: F821
            title = gettext_lazy("Notifications")

        found = messages()
        assert [message.id for message in found] == ["carillon.E040"] * 2
        assert "AbstractBaseSession is abstract" in found[0].msg
        assert "NotThere" in found[1].msg

    def test_a_channel_that_there_is_not(self) -> None:
        kind("tests.some", channels={"bell": True, "webhook:erp": "on", "pigeon": True})(Odd)
        with override_settings(NOTIFICATIONS_CHANNELS={"email": ""}):
            found = next(message for message in messages() if message.id == "carillon.E041")
        assert "pigeon" in found.msg
        assert found.hint is not None
        assert "bell, toast, email, push, or webhook:<name>" in found.hint

    def test_a_text_that_no_language_changes_where_the_site_has_several(self) -> None:
        @kind("tests.plain")
        class Plain(Kind):
            body: str = "a fact may be text"
            title = "Always English"

        locale = {"MIDDLEWARE": ["django.middleware.locale.LocaleMiddleware"]}
        assert messages() == []
        assert messages(**locale) == []
        assert [message.id for message in messages(LANGUAGES=LANGUAGES, **locale)] == ["carillon.W040"]

    @pytest.mark.django_db
    def test_a_stored_kind_that_no_code_has(self) -> None:
        notify(make_user(), Joined(key="7"))
        notify(make_user("bob"), "Hello", kind="never.declared")
        assert run_checks(databases=["default"], tags=["database"]) == []
        del registry["tests.joined"]
        [found] = run_checks(databases=["default"], tags=["database"])
        assert (found.id, "tests.joined" in found.msg) == ("carillon.W041", True)


class TestCommand:
    def listed(self, *arguments: str) -> str:
        output = StringIO()
        call_command("carillon_kinds", *arguments, stdout=output, no_color=True)
        return output.getvalue()

    @several_languages
    def test_each_kind_is_shown_in_each_language(self) -> None:
        Joined.sample = classmethod(lambda cls: cls(key="7"))  # type: ignore[assignment]
        try:
            found = self.listed("tests.joined", "tests.named")
        finally:
            del Joined.sample
        assert found.splitlines() == [
            "tests.joined  version 1, tests.kinds.notices.Joined",
            "  category people; level success",
            "  en   User 7",
            "  de   Benutzer 7",
            "  ar   المستخدم 7",
            "  tlh  User 7",
            "tests.named  version 1, tests.kinds.notices.Named",
            "  level info",
            "  no sample; give the class a classmethod sample()",
        ]

    def test_all_kinds_are_listed_by_key(self) -> None:
        found = self.listed("--language", "de")
        assert [line.split()[0] for line in found.splitlines() if not line.startswith(" ")] == sorted(registry)

    def test_a_sample_that_fails_says_how(self) -> None:
        Odd.answers["title"] = lambda: 1 / 0
        assert "en  fails: ZeroDivisionError" in self.listed("tests.odd", "--language", "en")
        Odd.answers["title"] = 7
        assert "must be text" in self.listed("tests.odd")

    def test_an_unknown_kind_is_said(self) -> None:
        with pytest.raises(CommandError, match="no kind 'nothing'"):
            self.listed("nothing")


@pytest.mark.django_db
class TestAdmin:
    def page(self, notice: Any) -> str:
        client = Client()
        client.force_login(make_user("admin", is_staff=True, is_superuser=True))
        return client.get(reverse("admin:carillon_notice_change", args=[notice.pk])).content.decode()

    @several_languages
    def test_a_notice_is_shown_as_people_read_it(self) -> None:
        body = self.page(notify(make_user(), Joined(key="<7>")))
        assert '<b>Deutsch</b>: <bdi lang="de">Benutzer &lt;7&gt;</bdi>' in body
        assert "المستخدم &lt;7&gt;" in body
        assert "field-facts" in body

    def test_one_that_cannot_be_told_says_so(self) -> None:
        notice = notify(make_user(), Odd())
        Odd.answers["title"] = lambda: 1 / 0
        assert "cannot be told any more" in self.page(notice)

    def test_a_plain_notice_has_nothing_of_it(self) -> None:
        body = self.page(notify(make_user(), "Hello"))
        for name in ("said", "facts", "about_model", "other_actor"):
            assert f"field-{name}" not in body

    def test_what_it_is_about_and_who_caused_it_are_named(self) -> None:
        alice, group = make_user(), Group.objects.create(name="Bells")
        body = self.page(notify(alice, "Hello", about=alice, actor=group))
        assert alice._meta.label_lower in body
        assert "Bells" in body


def test_a_site_that_never_chose_its_languages_has_one() -> None:
    assert list(site_languages()) == ["en-us"]
    with override_settings(LANGUAGES=LANGUAGES, LANGUAGE_CODE="de"):
        assert site_languages() == {"de": "Deutsch", "en": "English", "ar": "العربيّة", "tlh": "Klingon"}
    with override_settings(LANGUAGES=LANGUAGES, USE_I18N=False):
        assert list(site_languages()) == ["en-us"]
