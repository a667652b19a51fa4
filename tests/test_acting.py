"""Actions: what a notification offers is done once, by whoever may, and every recipient is shown the outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import connection
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy, override

from notifications.inbox.reading import page
from notifications.kinds import Kind, kind, registry
from notifications.models import Notice, Notification
from notifications.services import notify, perform_action, withdraw

from .factories import make_user, make_users, stamp
from .threads import together


class Requests:
    """A kind with actions, and what their handlers were asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int, Any]] = []

        @kind("tests.requested")
        class Requested(Kind):
            number: int
            title = "Requested"

        @Requested.action("approve", label=gettext_lazy("Save"), done=gettext_lazy("Saved."), style="primary")
        def approve(made: Any, user: Any) -> None:
            self.done.append(("approve", made.number, user.pk))

        @Requested.action("reject", label="Reject", permission="auth.delete_user")
        def reject(made: Any, user: Any) -> None:
            self.done.append(("reject", made.number, user.pk))

        @Requested.action("fail", label="Fail")
        def fail(made: Any, user: Any) -> None:
            Notice.objects.create(title="Half of it")
            raise ZeroDivisionError

        self.kind = Requested


@pytest.fixture
def requests() -> Iterator[Requests]:
    before = dict(registry)
    yield Requests()
    registry.clear()
    registry.update(before)


def mine(user: Any) -> Any:
    [item] = page(user).items
    return item


@pytest.mark.django_db
class TestActing:
    @pytest.fixture(autouse=True)
    def people(self, db: None, requests: Requests) -> None:
        self.requests = requests
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.notice = notify([self.alice, self.bob], requests.kind(number=7))
        stamp(self.alice, self.bob)

    def test_it_is_done_once_and_all_are_shown_the_outcome_in_their_language(self) -> None:
        offered = mine(self.alice).actions
        assert [(one.name, one.label, one.style) for one in offered] == [
            ("approve", "Save", "primary"), ("fail", "Fail", ""),
        ]  # fmt: skip
        assert perform_action(self.alice, mine(self.alice).id, "approve")
        assert not perform_action(self.bob, mine(self.bob).id, "approve")
        assert self.requests.done == [("approve", 7, self.alice.pk)]
        with override("de"):
            shown = mine(self.bob)
        assert (shown.actions, shown.outcome.action, shown.outcome.text) == ([], "approve", "Gespeichert.")

    def test_a_label_that_cannot_be_said_costs_its_own_words_alone(self) -> None:
        self.requests.kind.action("count", label=lazy(lambda: 1 / 0, str)())(print)  # type: ignore[arg-type]
        assert [one.label for one in mine(self.bob).actions] == ["Save", "Fail", "count"]

    def test_who_did_it_is_named_as_they_are_called_now_and_by_no_name_once_their_account_is_gone(self) -> None:
        carol = make_user("carol")
        notify(carol, self.requests.kind(number=8))
        stamp(carol)
        perform_action(carol, mine(carol).id, "approve")
        perform_action(self.alice, mine(self.alice).id, "approve")
        with CaptureQueriesContext(connection) as with_outcome:
            assert mine(self.bob).outcome.by == "alice"
        self.alice.first_name = "Alicia"
        self.alice.save()
        assert mine(self.bob).outcome.by == "Alicia"
        browser = Client()
        browser.force_login(self.bob)
        assert "Saved. · <bdi>Alicia</bdi>" in browser.get("/notifications/").content.decode()
        self.alice.delete()
        assert (mine(self.bob).outcome.action, mine(self.bob).outcome.by) == ("approve", "")
        assert "alic" not in str(list(Notice.objects.values())).lower()
        assert "Saved.</span>" in browser.get("/notifications/").content.decode()
        assert mine(carol).outcome.by == "carol"
        with CaptureQueriesContext(connection) as without:
            page(self.bob)
        assert len(with_outcome) <= len(without) + 1

    def test_what_raises_has_done_nothing(self) -> None:
        with pytest.raises(ZeroDivisionError):
            perform_action(self.alice, mine(self.alice).id, "fail")
        assert mine(self.alice).outcome is None
        assert not Notice.objects.filter(title="Half of it").exists()

    def test_who_lacks_the_permission_is_refused(self) -> None:
        with pytest.raises(PermissionDenied):
            perform_action(self.alice, mine(self.alice).id, "reject")
        assert mine(self.alice).outcome is None

    def test_what_is_not_offered_is_refused(self) -> None:
        other = notify(self.alice, "Plain")
        plain = Notification.objects.get(notice=other).pk
        theirs = mine(self.bob).id
        for pk, name in ((mine_of(self.alice, self.notice), "delete"), (plain, "approve"), (theirs, "approve")):
            with pytest.raises(ValidationError):
                perform_action(self.alice, pk, name)
        withdraw(self.notice)
        with pytest.raises(ValidationError):
            perform_action(self.bob, theirs, "approve")
        assert self.requests.done == []

    def test_it_is_done_by_the_api_with_a_token_and_by_post_alone(self) -> None:
        url = reverse("notifications:perform-action", args=[mine(self.alice).id])
        browser, strict = Client(), Client(enforce_csrf_checks=True)
        for client in (browser, strict):
            client.force_login(self.alice)
        assert browser.get(url).status_code == 405
        assert strict.post(url, {"action": "approve"}).status_code == 403
        for name, status in (("reject", 403), ("nothing", 400)):
            answer = browser.post(url, json.dumps({"action": name}), content_type="application/json")
            assert answer.status_code == status
        assert browser.post(url, json.dumps({"action": 7}), content_type="application/json").status_code == 400
        answer = browser.post(url, {"action": "approve"}).json()
        assert (answer["done"], answer["item"]["outcome"]["action"], answer["item"]["actions"]) == (True, "approve", [])
        assert browser.post(url, {"action": "approve"}).json()["done"] is False

    def test_it_is_done_on_the_page_without_javascript(self) -> None:
        browser = Client()
        browser.force_login(self.alice)
        assert 'name="name" value="approve"' in browser.get("/notifications/").content.decode()
        browser.post("/notifications/", {"action": "do", "id": mine(self.alice).id, "name": "approve"})
        shown = browser.get("/notifications/").content.decode()
        assert 'name="name" value="approve"' not in shown
        assert "Saved. ·" in shown

    @pytest.mark.parametrize(
        ("name", "status", "reason"),
        [
            ("reject", 403, "You may not do this."),
            ("too_late", 400, "&lt;Too late&gt;"),
            ("forbidden", 403, "Not on Sundays"),
            ("nothing", 400, "There is no such action."),
        ],
    )
    def test_why_it_is_refused_is_said_there_too(self, name: str, status: int, reason: str) -> None:
        def refuse(problem: Exception) -> Any:
            def handler(made: Any, user: Any) -> None:
                raise problem

            handler.__qualname__ = str(problem)
            return handler

        del self.requests.kind.rules.actions["fail"]
        self.requests.kind.action("too_late", label="Late")(refuse(ValidationError("<Too late>")))
        self.requests.kind.action("forbidden", label="Sunday")(refuse(PermissionDenied("Not on Sundays")))
        browser = Client()
        browser.force_login(self.alice)
        answer = browser.post("/notifications/", {"action": "do", "id": mine(self.alice).id, "name": name})
        assert (answer.status_code, reason in answer.content.decode()) == (status, True)
        assert 'value="approve"' in answer.content.decode()
        assert (mine(self.alice).outcome, self.requests.done) == (None, [])


def mine_of(user: Any, notice: Notice) -> int:
    return Notification.objects.of(user).get(notice=notice).pk


def test_actions_are_declared_once_with_names_and_on_kinds(requests: Requests) -> None:
    def handler(made: Any, user: AbstractUser) -> None: ...

    declared: Any = requests.kind
    for fields in ({"name": "Approve"}, {"name": "new", "style": "loud"}, {"name": "approve"}):
        with pytest.raises(ImproperlyConfigured):
            declared.action(**{"label": "Label", **fields})(handler)
    requests.kind.action("fourth", label="Fourth")(handler)
    with pytest.raises(ImproperlyConfigured):
        requests.kind.action("fifth", label="Fifth")(handler)

    class Bare(Kind):
        title = "Bare"

    with pytest.raises(ImproperlyConfigured):
        Bare.action("approve", label="Approve")


def test_what_was_read_is_what_is_decided_on_so_it_never_grows(requests: Requests, db: None) -> None:
    with pytest.raises(TypeError, match="offers actions"):
        notify(make_user(), requests.kind(number=7), group="leave")

    @kind("tests.growing_request", grow=True)
    class Growing(Kind):
        title = "Requested"

    with pytest.raises(ImproperlyConfigured, match="grows"):
        Growing.action("approve", label="Approve")


class AtOnceTests(TransactionTestCase):
    def test_of_several_who_press_at_once_one_decides(self) -> None:
        before = dict(registry)
        requests = Requests()
        try:
            users = make_users(6)
            notice = notify(users, requests.kind(number=7))
            ids = {user.pk: mine_of(user, notice) for user in users}
            done = together(*[lambda user=user: perform_action(user, ids[user.pk], "approve") for user in users])
        finally:
            registry.clear()
            registry.update(before)
        assert sorted(done) == [False] * 5 + [True]
        outcome = Notice.objects.get(pk=notice.pk).outcome
        assert outcome
        assert outcome["action"] == "approve"
