"""What notifications are about, who caused them, and how those are shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.sessions.models import Session
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.signals import post_delete
from django.test import override_settings
from django.utils import timezone
from django.utils.translation import gettext_lazy

from notifications.inbox import actors, subjects
from notifications.inbox.frames import Actor, Item
from notifications.inbox.reading import page
from notifications.kinds import Kind, Ref, kind, registry
from notifications.live.frames import json_key
from notifications.models import Notice, Notification
from notifications.services import mark_object_read, notify, set_preference, watch, watching, withdraw
from tests.factories import make_user, stamp, written
from tests.kinds.notices import Named

pytestmark = pytest.mark.django_db


@kind("tests.closed", about="group", when_gone="withdraw")
class Closed(Kind):
    group: Ref[Group] | None
    title = gettext_lazy("Notifications")


@kind("tests.filed", about="group", when_gone="archive")
class Filed(Kind):
    group: Group
    title = gettext_lazy("Notifications")


@kind("tests.kept", about="group")
class Kept(Kind):
    group: Group
    title = gettext_lazy("Notifications")


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    """Listen as an app's ready() does, and stop afterwards."""
    before = dict(registry)
    subjects.connect()
    yield
    registry.clear()
    registry.update(before)
    post_delete.disconnect(sender=Group, dispatch_uid="carillon.apply_after_commit")
    actors._said.clear()


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="Bells")


def items(user: Any, state: Any = "all") -> list[Item]:
    return page(user, state).items


class TestAbout:
    def test_any_saved_instance_may_be_what_it_is_about(self, alice: Any, group: Group) -> None:
        session = Session.objects.create(session_key="a key of text", expire_date=timezone.now())
        for about, stored in [
            (group, ("auth.group", str(group.pk))),
            (session, ("sessions.session", "a key of text")),
            (alice, (alice._meta.label_lower, str(alice.pk))),
        ]:
            notice = notify(alice, "Hello", about=about)
            assert (notice.about_model, notice.about_key) == stored

    def test_a_kind_says_it_itself_unless_it_leaves_that_to_the_sender(self, alice: Any, group: Group) -> None:
        from tests.kinds.notices import Joined

        assert notify(alice, Kept(group=group)).about_key == str(group.pk)
        assert notify(alice, Joined(key="7"), about=group).about_key == str(group.pk)
        with pytest.raises(TypeError, match="says its about itself"):
            notify(alice, Kept(group=group), about=group)

    def test_a_fact_that_is_left_out_is_about_nothing(self, alice: Any) -> None:
        assert notify(alice, Closed(group=None)).about_model == ""

    @pytest.mark.parametrize(("about", "error"), [("order:7", TypeError), (7, TypeError), (Group(), ValueError)])
    def test_anything_else_is_refused(self, alice: Any, about: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match="`about`"):
            notify(alice, "Hello", about=about)
        assert written() == (0, 0)


@pytest.mark.django_db(transaction=True)
class TestDeletion:
    """The instance that notifications are about is deleted."""

    def test_each_kind_has_its_rule(self, alice: Any, group: Group) -> None:
        closed, filed, kept = (notify(alice, made(group=group)) for made in (Closed, Filed, Kept))
        plain = notify(alice, "Hello", about=group)
        other = notify(alice, Closed(group=Group.objects.create(name="Ropes")))
        group.delete()
        closed.refresh_from_db()
        assert closed.recalled_at is not None
        assert {row.notice_id for row in Notification.objects.not_archived()} == {
            closed.pk,  # a tombstone
            kept.pk,
            plain.pk,
            other.pk,
        }
        assert [item.kind for item in items(alice)] == ["tests.closed", "", "tests.kept"]
        assert [item.kind for item in items(alice, "archived")] == ["tests.filed"]
        assert filed.pk not in {row.notice_id for row in Notification.objects.unread()}

    def test_open_bells_hear_of_it_at_once(self, alice: Any, group: Group) -> None:
        notify(alice, Closed(group=group))
        notify(alice, Filed(group=group))
        before = [row.modseq or 0 for row in Notification.objects.all()]
        Group.objects.filter(pk=group.pk).delete()
        after = [row.modseq or 0 for row in Notification.objects.all()]
        assert min(after) > max(before)

    def test_nothing_happens_before_the_commit_nor_without_one(self, alice: Any, group: Group) -> None:
        notice = notify(alice, Closed(group=group))
        with transaction.atomic():
            group.delete()
            transaction.set_rollback(True)
        with transaction.atomic():
            Group.objects.all()[0].delete()
            notice.refresh_from_db()
            assert notice.recalled_at is None
        notice.refresh_from_db()
        assert notice.recalled_at is not None

    def test_what_somebody_has_withdrawn_already_stays_so(self, alice: Any, group: Group) -> None:
        notice = notify(alice, Closed(group=group))
        withdraw(notice, by=alice)
        group.delete()
        notice.refresh_from_db()
        assert notice.recalled_by == alice

    def test_many_notices_are_done_in_steps(self, alice: Any, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(subjects, "STEP", 2)
        for _number in range(5):
            notify(alice, Closed(group=group))
        group.delete()
        assert not Notice.objects.filter(recalled_at=None).exists()

    def test_other_models_cost_nothing(self) -> None:
        assert post_delete.has_listeners(Group)
        assert not post_delete.has_listeners(Permission)  # Django still deletes them without reading them


class TestRules:
    @pytest.mark.parametrize(
        ("rules", "problem"),
        [
            ({"about": "order"}, "none of its facts"),
            ({"when_gone": "withdraw"}, "needs about"),
            ({"about": "fact", "when_gone": "explode"}, "when_gone"),
        ],
    )
    def test_have_the_values_that_they_may_have(self, rules: dict[str, Any], problem: str) -> None:
        class Some(Kind):
            fact: int
            title = gettext_lazy("Notifications")

        with pytest.raises(ImproperlyConfigured, match=problem):
            kind("tests.some", **rules)(Some)

    def test_a_number_is_nothing_to_be_about(self) -> None:
        @kind("tests.number", about="fact", when_gone="withdraw")
        class Number(Kind):
            fact: int
            title = gettext_lazy("Notifications")

        subjects.connect()
        assert "carillon.E042" in [message.id for message in run_checks(tags=["notifications"])]


def picture(of: Any) -> str | None:
    """Return the address of a picture."""
    return f"/pictures/{of.pk}.png" if of.pk else None


class TestActors:
    """Who caused a notification."""

    def test_an_instance_that_is_no_user_is_named_as_it_was_then(self, alice: Any, group: Group) -> None:
        notify(alice, "Hello", actor=group)
        pk = group.pk
        group.delete()
        assert items(alice)[0].actor == Actor(f"auth.group:{pk}", "Bells")

    def test_a_user_is_named_as_now(self, alice: Any) -> None:
        notify(alice, "Hello", actor=alice)
        assert items(alice)[0].actor == Actor(json_key(alice.pk), actors.display_name(alice))

    def test_one_that_was_not_saved_is_refused(self, alice: Any) -> None:
        with pytest.raises(ValueError, match="`actor`"):
            notify(alice, "Hello", actor=Group())
        with pytest.raises(TypeError, match="`actor`"):
            notify(alice, "Hello", actor=AnonymousUser())  # type: ignore[arg-type]

    def test_an_item_that_grows_counts_those_who_are_users(self, alice: Any, group: Group) -> None:
        notify(alice, "Hello", actor=group, group="bells")
        notify(alice, "Hello", actor=alice, group="bells")
        assert Notification.objects.filter(actor_key=str(alice.pk)).count() == 1

    @pytest.mark.parametrize("hook", [picture, "tests.test_kind_subjects.picture"])
    def test_a_site_gives_people_and_others_pictures(self, alice: Any, group: Group, hook: Any) -> None:
        with override_settings(NOTIFICATIONS_AVATAR=hook):
            notify(alice, "Hello", actor=alice)
            notify(alice, "Hello", actor=group)
            assert [item.actor.avatar for item in items(alice) if item.actor] == [
                f"/pictures/{group.pk}.png",
                f"/pictures/{alice.pk}.png",
            ]

    @pytest.mark.parametrize(
        "hook", [lambda of: of.nothing, lambda _of: "javascript:alert(1)", lambda _of: "", lambda _of: None]
    )
    def test_a_hook_that_fails_or_has_none_leaves_it_without(
        self, alice: Any, hook: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        notify(alice, "Hello", actor=alice)
        notify(alice, "Hello", actor=alice)
        with override_settings(NOTIFICATIONS_AVATAR=hook), caplog.at_level(logging.ERROR, "notifications"):
            assert [item.actor.avatar for item in items(alice) if item.actor] == [None, None]
        assert len(caplog.records) <= 1

    @pytest.mark.parametrize("hook", [7, "nowhere.to.be.found"])
    def test_a_hook_that_is_no_function_is_an_error_of_the_settings(self, hook: Any) -> None:
        with override_settings(NOTIFICATIONS_AVATAR=hook):
            assert "carillon.E001" in [message.id for message in run_checks(tags=["notifications"])]


class TestKeys:
    """An instance that was made with a key has it as it was given: as text, a UUID also in capitals."""

    @staticmethod
    def typed(user: Any) -> Any:
        user.pk = str(user.pk).replace("-", "").upper()
        return user

    def test_a_fact_is_found_by_it(self, alice: Any, group: Group) -> None:
        bob = make_user("bob")
        notify(alice, Named(group=group, user=self.typed(make_user("carol"))))
        notify(alice, "Hello", about=self.typed(bob))
        assert items(alice)[1].body == "carol"
        bob.refresh_from_db()
        assert mark_object_read(alice, bob) == 1

    def test_a_recipient_and_a_watcher_is_who_they_are(self, alice: Any, group: Group) -> None:
        again = self.typed(type(alice)._base_manager.get())
        set_preference(alice, "bell", "off", kind="tests.kept")
        notify(again, Kept(group=group))
        notify([again, alice], "Hello")
        watch(again, group, "none")
        notify(again, "Muted", about=group)
        assert [item.title for item in items(alice)] == ["Hello"]
        assert watching(alice, group) == "none"

    def test_an_actor_is_counted_once(self, alice: Any) -> None:
        bob = make_user("bob")
        again = self.typed(type(alice)._base_manager.get(pk=bob.pk))
        for actor in (again, bob, again):
            notify(alice, "Said", group="room", actor=actor)
        stamp(alice)
        [item] = items(alice)
        assert item.group is not None
        assert (item.group.events, item.group.actors, [one.name for one in item.group.latest]) == (
            3,
            1,
            [actors.display_name(bob)],
        )
