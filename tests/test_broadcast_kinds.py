"""Broadcasts of kinds: one row of facts for everybody, which each reads in their language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models.signals import post_delete
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from notifications.audiences import Audience
from notifications.inbox import subjects
from notifications.inbox.reading import page
from notifications.kinds import Kind, Ref, kind, registry
from notifications.models import Broadcast, Notice, Notification
from notifications.services import (
    abroadcast,
    broadcast,
    edit_broadcast,
    perform_action,
    publish_due,
    recall_broadcast,
    set_preference,
)
from notifications.testing import captured
from tests.factories import make_user
from tests.kinds.notices import Joined, Named

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(hours=1)


@kind("tests.many.closed", about="group", when_gone="withdraw")
class Closed(Kind):
    group: Ref[Group]
    title = gettext_lazy("Notifications")


@kind("tests.many.filed", about="group", when_gone="archive")
class Filed(Kind):
    group: Ref[Group]
    title = gettext_lazy("Notifications")


@kind("tests.many.grows", grow=True)
class Grows(Kind):
    title = gettext_lazy("Notifications")


@kind("tests.many.asks")
class Asks(Kind):
    title = gettext_lazy("Notifications")


@Asks.action("approve", label=gettext_lazy("Approve"))
def approve(made: Any, user: Any) -> None:
    """Leave the outcome alone."""


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    before = dict(registry)
    subjects.connect()
    yield
    registry.clear()
    registry.update(before)
    post_delete.disconnect(sender=Group, dispatch_uid="carillon.apply_after_commit")


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="Bells")


def said(user: Any, language: str = "en", state: Any = "all") -> list[str]:
    with translation.override(language):
        return [item.title for item in page(user, state).items]


class TestSending:
    def test_each_reads_it_in_the_language_of_their_page(self, alice: Any) -> None:
        sent = broadcast(Joined(key="7"), to="everyone")
        assert (sent.title, sent.kind, sent.level, sent.category) == ("User 7", "tests.joined", "success", "people")
        assert [said(alice, code) for code in ("en", "de", "ar")] == [["User 7"], ["Benutzer 7"], ["المستخدم 7"]]
        [item] = page(alice).items
        assert (item.kind, item.category, item.level, item.url) == ("tests.joined", "people", "success", "/users/7/")

    def test_the_twin_sends_the_same(self, alice: Any) -> None:
        async_to_sync(abroadcast)(Joined(key="7"), to=alice)
        assert said(alice, "de") == ["Benutzer 7"]

    def test_an_instance_is_shown_as_it_is_called_now(self, alice: Any, group: Group) -> None:
        broadcast(Named(group=group), to="everyone")
        assert said(alice) == ["User Bells"]
        Group.objects.update(name="Ropes")
        assert said(alice) == ["User Ropes"]

    def test_one_for_later_keeps_its_facts_until_then(self, alice: Any) -> None:
        broadcast(Joined(key="7"), to="everyone", publish_at=timezone.now() + LATER)
        assert said(alice) == []
        Broadcast.objects.update(publish_at=timezone.now())
        assert publish_due() == 1
        assert said(alice, "de") == ["Benutzer 7"]

    def test_who_has_switched_the_kind_off_gets_none(self, alice: Any) -> None:
        set_preference(alice, "bell", "off", kind=Joined)
        broadcast(Joined(key="7"), to="everyone")
        assert said(alice) == []

    def test_its_actions_are_offered_and_done_once_for_all(self, alice: Any) -> None:
        bob = make_user("bob")
        broadcast(Asks(), to="everyone")
        [first], [second] = (page(user).items for user in (alice, bob))
        assert perform_action(alice, first.id, "approve")
        assert not perform_action(bob, second.id, "approve")

    def test_the_test_kit_knows_it_by_its_facts(self, alice: Any) -> None:
        with captured() as sent:
            broadcast(Joined(key="7"), to="everyone")
        sent.assert_notified(alice, Joined, key="7")

    def test_what_the_kind_says_itself_is_given_nowhere_else(self) -> None:
        given: list[dict[str, Any]] = [
            {"body": "More"},
            {"url": "/"},
            {"level": "error"},
            {"category": "news"},
            {"texts": {"de": {"title": "Hallo"}}},
        ]
        for beside in given:
            with pytest.raises(TypeError, match=f"Joined says its {next(iter(beside))} itself"):
                broadcast(Joined(key="7"), to="everyone", **beside)
        assert not Broadcast.objects.exists()

    def test_a_kind_that_grows_is_refused_with_what_to_do_instead(self) -> None:
        with pytest.raises(TypeError, match=r"Grows grows.*notify\(\)"):
            broadcast(Grows(), to="everyone")

    def test_a_fact_of_another_type_is_named_and_nothing_is_written(self) -> None:
        wrong: Any = 7
        with pytest.raises(ValidationError) as refusal:
            broadcast(Joined(key=wrong), to="everyone")
        assert list(refusal.value.message_dict) == ["key"]
        assert not Broadcast.objects.exists()


class TestChanging:
    def test_new_facts_change_it_for_all(self, alice: Any) -> None:
        bob = make_user("bob")
        sent = broadcast(Joined(key="7"), to="everyone")
        assert said(alice, "de") == ["Benutzer 7"]
        edit_broadcast(sent, Joined(key="8"), by=alice)
        assert said(alice, "de") == said(bob, "de") == ["Benutzer 8"]
        assert "facts" in LogEntry.objects.latest("pk").get_change_message()

    def test_its_end_and_before_it_is_sent_its_audience_change_without_facts(self, alice: Any) -> None:
        soon = timezone.now() + LATER
        planned = broadcast(Joined(key="7"), to=[make_user("bob")], publish_at=soon)
        edit_broadcast(planned, audience=Audience.of("everyone").dump())
        edit_broadcast(planned, expires_at=soon + LATER)
        stored = Broadcast.objects.get()
        assert (stored.expires_at, stored.audience_of()) == (soon + LATER, Audience.of("everyone"))
        assert stored.facts == planned.facts

    def test_what_does_not_belong_to_it_is_refused(self) -> None:
        sent, plain = broadcast(Joined(key="7"), to="everyone"), broadcast("Hello", to="everyone")
        with pytest.raises(TypeError, match="makes its title of its facts"):
            edit_broadcast(sent, title="Hello")
        with pytest.raises(TypeError, match="says its body itself"):
            edit_broadcast(sent, Joined(key="8"), body="More")
        with pytest.raises(ValueError, match="of the kind"):
            edit_broadcast(sent, Asks())
        with pytest.raises(TypeError, match="of no kind"):
            edit_broadcast(plain, Asks())
        text: Any = "Hello"
        with pytest.raises(TypeError, match="title="):
            edit_broadcast(plain, text)
        assert set(Notice.objects.values_list("title", flat=True)) == {"User 7", "Hello"}

    def test_it_is_recalled_like_any_other(self, alice: Any) -> None:
        sent = broadcast(Joined(key="7"), to="everyone")
        assert said(alice) == ["User 7"]
        recall_broadcast(sent)
        assert said(alice) == []


class TestDeletion:
    """What a broadcast is about is deleted."""

    def test_it_is_recalled_where_its_kind_says_so(self, alice: Any, group: Group) -> None:
        sent, other = broadcast(Closed(group=group), to="everyone"), broadcast("Hello", to="everyone")
        assert len(said(alice)) == 2
        group.delete()
        sent.refresh_from_db()
        other.refresh_from_db()
        assert (sent.state, other.state) == ("recalled", "sent")
        assert said(alice) == ["Hello"]

    def test_where_it_is_archived_who_comes_later_gets_none(self, alice: Any, group: Group) -> None:
        bob = make_user("bob")
        broadcast(Filed(group=group), to="everyone")
        broadcast(Filed(group=Group.objects.create(name="Ropes")), to="everyone")
        assert len(said(alice)) == 2
        group.delete()
        assert (len(said(alice)), len(said(alice, state="archived"))) == (1, 1)
        assert (len(said(bob)), len(said(bob, state="archived"))) == (1, 0)

    def test_one_that_was_scheduled_becomes_a_draft_that_says_why(self, alice: Any, group: Group) -> None:
        for made in (Closed(group=group), Filed(group=group)):
            broadcast(made, to="everyone", publish_at=timezone.now() + LATER)
        group.delete()
        Broadcast.objects.update(publish_at=timezone.now())
        publish_due()
        told = set(Broadcast.objects.values_list("state", "problem"))
        assert told == {("draft", "What it is about has been deleted.")}
        assert not Notification.objects.exists()


class TestStaff:
    @pytest.fixture(autouse=True)
    def several_languages(self) -> Iterator[None]:
        with override_settings(LANGUAGES=[("en", "English"), ("de", "German")], LANGUAGE_CODE="en"):
            yield

    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(make_user("admin", is_staff=True, is_superuser=True))
        return client

    def change(self, sent: Broadcast) -> str:
        return reverse("admin:carillon_broadcast_change", args=[sent.pk])

    def test_the_form_shows_what_it_says_in_each_language_and_leaves_that_to_code(self, staff: Client) -> None:
        planned = broadcast(Joined(key="7"), to="everyone", publish_at=timezone.now() + LATER)
        shown = staff.get(self.change(planned)).content.decode()
        assert "User 7" in shown
        assert "Benutzer 7" in shown
        assert 'name="title"' not in shown
        audience = {"include_names": ["staff"], "timezone": "UTC", "publish_at": "", "expires_at": "", "_continue": ""}
        recall_broadcast(planned)
        answer = staff.post(self.change(planned), {**audience, "loaded_revision": planned.revision, "title": "Mine"})
        assert answer.status_code == 302
        stored = Broadcast.objects.get()
        assert (stored.title, stored.audience_of().describe()) == ("User 7", "Staff")
        assert stored.facts == planned.facts

    def test_a_duplicate_has_its_words_as_text(self, staff: Client) -> None:
        sent = broadcast(Joined(key="7"), to="everyone")
        shown = staff.get(reverse("admin:carillon_broadcast_add"), {"copy": sent.pk}).content.decode()
        assert 'value="User 7"' in shown
        assert 'value="Benutzer 7"' in shown
        assert staff.get(self.change(sent)).status_code == 200

    def test_a_test_is_read_in_the_language_of_whoever_sends_it(self, staff: Client) -> None:
        planned = broadcast(Joined(key="7"), to=[make_user("bob")], publish_at=timezone.now() + LATER)
        recall_broadcast(planned)
        sent = {"include_names": ["staff"], "timezone": "UTC", "publish_at": "", "expires_at": "", "_test": ""}
        staff.post(self.change(planned), {**sent, "loaded_revision": planned.revision})
        admin = type(make_user("carol"))._default_manager.get(username="admin")
        assert [said(admin, code) for code in ("en", "de")] == [["User 7"], ["Benutzer 7"]]
