"""The JSON API: its answers, its errors, and who may call it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.test import AsyncClient, Client, TransactionTestCase
from django.urls import reverse
from django.utils import timezone

from notifications.inbox import actions
from notifications.inbox.reading import summary
from notifications.live.http import BODY_BYTES, USER_HEADER
from notifications.live.sessions import user_key
from notifications.models import Inbox, Notice, Notification
from notifications.services import mark_all_read, mark_read, notify
from tests.factories import make_user, stamp, tell

pytestmark = pytest.mark.django_db

LIST, COUNTS, CHANGES, STREAM, READ_ALL, SEEN = (
    reverse(f"notifications:{name}") for name in ("inbox-list", "counts", "changes", "stream", "read-all", "seen")
)
CONFIGS = [reverse("notifications:config"), reverse("notifications:chat-config")]
GETS = [LIST, COUNTS, CHANGES, STREAM, *CONFIGS]
BULK = reverse("notifications:bulk")
POSTS = [READ_ALL, SEEN, BULK, "/notifications/api/inbox/1/read/"]


def action(pk: int, name: str) -> str:
    return reverse("notifications:item-action", args=[pk, name])


def contents() -> list[Any]:
    """Return every row of every table of ours."""
    return [list(model._default_manager.order_by("pk").values()) for model in (Inbox, Notice, Notification)]


def is_error(response: Any, status: int, code: str, **more: str) -> bool:
    """Return whether an answer is the error that it should be, in the shape that all errors have."""
    body = response.json()
    assert response["Content-Type"] == "application/json"
    assert isinstance(body.pop("message"), str)
    assert "no-store" in response["Cache-Control"]
    assert (response.status_code, body) == (status, {"code": code, **more})
    return True


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def client(alice: Any) -> Client:
    """Return a browser in which alice is signed in."""
    client = Client()
    client.force_login(alice)
    return client


class TestReading:
    """GET answers and changes nothing."""

    def test_a_page_of_the_inbox(self, client: Client, alice: Any) -> None:
        tell(alice, *map(str, range(5)))
        body = client.get(LIST, {"limit": 2}).json()
        assert list(body) == ["items", "next", "cursor", "unread", "unseen"]
        assert [item["title"] for item in body["items"]] == ["4", "3"]
        assert (body["cursor"], body["unread"], body["unseen"]) == (summary(alice).cursor, 5, 5)
        body = client.get(LIST, {"limit": 3, "before": body["next"]}).json()
        assert [item["title"] for item in body["items"]] == ["2", "1", "0"]
        assert body["next"] is None

    def test_pages_are_in_the_order_of_ranks_and_follow_each_other_without_a_gap(
        self, client: Client, alice: Any
    ) -> None:
        pks = tell(alice, *map(str, range(7)))
        for pk, rank in zip(pks, (5, 9, 9, 9, 1, 7, 2), strict=True):
            Notification.objects.filter(pk=pk).update(rank=rank)
        found: list[tuple[str, int]] = []
        before: str | None = ""
        while before is not None:
            body = client.get(LIST, {"limit": "2", "before": before}).json()
            found += [(item["title"], item["rank"]) for item in body["items"]]
            before = body["next"]
        assert found == [("3", 9), ("2", 9), ("1", 9), ("5", 7), ("0", 5), ("6", 2), ("4", 1)]

    def test_a_place_may_be_the_id_of_an_item(self, client: Client, alice: Any) -> None:
        one, two = tell(alice, "1", "2")
        assert [item["id"] for item in client.get(LIST, {"before": two}).json()["items"]] == [one]

    @pytest.mark.parametrize(("state", "number"), [("all", 2), ("unread", 1), ("archived", 1), ("", 2)])
    def test_a_page_of_one_state_and_category(self, client: Client, alice: Any, state: str, number: int) -> None:
        _new, read, archived = tell(alice, "New", "Read", "Archived", category="a")
        tell(alice, "Other", category="b")
        client.post(action(read, "read"))
        client.post(action(archived, "archive"))
        query = {"category": "a", **({"state": state} if state else {})}
        assert len(client.get(LIST, query).json()["items"]) == number

    def test_the_counts(self, client: Client, alice: Any) -> None:
        tell(alice, "One", "Two")
        assert client.get(COUNTS).json() == {
            "cursor": summary(alice).cursor,
            "unread": 2,
            "unseen": 2,
            "until": None,
        }

    def test_a_poll_without_a_position_starts_with_a_snapshot(self, client: Client, alice: Any) -> None:
        notify(alice, "Pending")
        [frame] = client.get(CHANGES).json()["frames"]
        assert (frame["type"], frame["reason"]) == ("reset", "start")
        assert [(item["title"], item["version"]) for item in frame["items"]] == [("Pending", 1)]

    def test_a_poll_continues_from_its_position(self, client: Client, alice: Any) -> None:
        tell(alice, "One")
        since = summary(alice).cursor
        tell(alice, "Two")
        [frame] = client.get(CHANGES, {"since": since}).json()["frames"]
        assert (frame["type"], frame["from"], frame["to"]) == ("changes", since, summary(alice).cursor)
        assert [item["title"] for item in frame["items"]] == ["Two"]

    def test_a_poll_that_finds_nothing_answers_with_a_heartbeat_and_under_wsgi_at_once(
        self, client: Client, alice: Any
    ) -> None:
        tell(alice, "One")
        head = summary(alice).cursor
        response = client.get(CHANGES, {"since": head, "wait": "25"})
        assert response.json() == {"frames": [{"type": "heartbeat", "head": head}]}

    def test_a_stream_cannot_be_held_under_wsgi(self, client: Client) -> None:
        assert is_error(client.get(STREAM), 501, "no-streaming")

    def test_a_page_shows_nothing_of_others(self, client: Client) -> None:
        tell(make_user("bob"), "His")
        assert client.get(LIST).json()["items"] == []
        assert client.get(COUNTS).json()["unread"] == 0

    def test_reading_changes_nothing(self, client: Client, alice: Any) -> None:
        tell(alice, "One", "Two")
        before = contents()
        for url in (LIST, COUNTS, CHANGES, f"{CHANGES}?since={summary(alice).cursor}", STREAM):
            client.get(url)
        assert contents() == before

    def test_pages_and_counts_do_not_even_stamp(self, client: Client, alice: Any) -> None:
        notify(alice, "Pending")
        before = contents()
        client.get(LIST)
        client.get(COUNTS)
        assert contents() == before

    @pytest.mark.parametrize("url", [LIST, COUNTS, CHANGES])
    def test_nobody_may_keep_an_answer(self, client: Client, url: str) -> None:
        response = client.get(url)
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
        assert response["Cache-Control"] == "private, no-store"
        assert "Cookie" in response["Vary"]


class TestChanging:
    """POST does what it says and answers with the new counts."""

    def test_an_item_is_read_unread_archived_and_brought_back(self, client: Client, alice: Any) -> None:
        one, _two = tell(alice, "One", "Two")
        table = [
            ("read", {"seen_at", "read_at"}, 1, 1),
            ("unread", {"seen_at"}, 2, 1),
            ("archive", {"seen_at", "archived_at"}, 1, 1),
            ("unarchive", {"seen_at"}, 2, 1),
        ]
        for name, given, unread, unseen in table:
            body = client.post(action(one, name)).json()
            assert (body["item"]["id"], body["item"]["title"]) == (one, "One")
            assert {at for at in ("seen_at", "read_at", "archived_at") if body["item"][at]} == given, name
            assert (body["unread"], body["unseen"]) == (unread, unseen), name

    def test_repeating_an_action_answers_the_same(self, client: Client, alice: Any) -> None:
        [one] = tell(alice, "One")
        stamp(alice)
        first = client.post(action(one, "read")).json()
        assert first.pop("undo")  # of what the first one has changed
        assert client.post(action(one, "read")).json() == first

    @pytest.mark.parametrize(("url", "unread"), [(READ_ALL, 1), (SEEN, 3)])
    @pytest.mark.parametrize("form", ["json", "form"])
    def test_a_bulk_action_stops_at_the_cursor(
        self, client: Client, alice: Any, url: str, unread: int, form: str
    ) -> None:
        tell(alice, "One", "Two")
        body: Any = {"up_to": summary(alice).cursor}
        tell(alice, "Meanwhile")
        response = client.post(url, body, content_type="application/json") if form == "json" else client.post(url, body)
        answer = response.json()
        assert (answer.pop("undo", None) is not None) == (url == READ_ALL)
        assert answer == {"changed": 2, "unread": unread, "unseen": 1}

    @pytest.mark.parametrize("body", ["", "{}", '{"up_to": null}'])
    def test_a_bulk_action_without_a_cursor_means_everything(self, client: Client, alice: Any, body: str) -> None:
        tell(alice, "One", "Two")
        response = client.post(READ_ALL, body, content_type="application/json")
        answer = response.json()
        assert answer.pop("undo").startswith("read.")
        assert answer == {"changed": 2, "unread": 0, "unseen": 0}

    @pytest.mark.parametrize("name", ["read", "unread", "archive", "unarchive"])
    def test_an_item_of_another_user_is_not_found(self, client: Client, name: str) -> None:
        bob = make_user("bob")
        [his] = tell(bob, "His")
        before = contents()
        assert is_error(client.post(action(his, name)), 404, "not-found")
        assert is_error(client.post(action(his + 1_000, name)), 404, "not-found")
        assert contents() == before

    def test_an_item_that_is_deleted_meanwhile_is_not_found(self, client: Client, alice: Any) -> None:
        [pk] = tell(alice, "Gone in a moment")

        def read(user: Any, pks: Any) -> None:
            mark_read(user, pks)
            Notification.objects.filter(pk__in=pks).delete()

        with patch.dict(actions.ACTIONS, read=read):
            assert is_error(client.post(action(pk, "read")), 404, "not-found")


class TestBulk:
    """One request changes many items."""

    def post(self, client: Client, **values: Any) -> Any:
        return client.post(BULK, json.dumps(values), content_type="application/json")

    @pytest.mark.parametrize(
        ("name", "column"), [("read", "read_at"), ("archive", "archived_at"), ("click", "clicked_at")]
    )
    def test_an_action_on_four_hundred(self, client: Client, alice: Any, name: str, column: str) -> None:
        for number in range(400):
            notify(alice, f"Number {number}")
        ids = list(Notification.objects.of(alice).values_list("pk", flat=True))
        response = self.post(client, action=name, ids=ids)
        answer = response.json()
        answer.pop("undo", None)
        assert answer == {"changed": 400, "unread": 0, "unseen": 0}
        assert not Notification.objects.filter(**{column: None}).exists()

    def test_a_thousand_long_ids_fit_and_no_more_are_taken(self, client: Client) -> None:
        ids = [2**63 - 1 - number for number in range(1_000)]
        assert self.post(client, action="read", ids=ids).json()["changed"] == 0
        assert is_error(self.post(client, action="read", ids=list(range(1, 1_002))), 400, "invalid", field="ids")

    def test_other_users_items_are_left_alone(self, client: Client, alice: Any) -> None:
        notify(make_user("bob"), "His")
        his = Notification.objects.get().pk
        assert self.post(client, action="archive", ids=[his]).json()["changed"] == 0
        assert Notification.objects.get().archived_at is None

    @pytest.mark.parametrize(
        ("values", "code", "field"),
        [
            ({"action": "delete", "ids": [1]}, "bad-request", None),
            ({"action": ["read"], "ids": [1]}, "bad-request", None),
            ({"ids": [1]}, "bad-request", None),
            ({"action": "read"}, "bad-request", None),
            ({"action": "read", "ids": "12"}, "bad-request", None),
            ({"action": "read", "ids": {"1": 1}}, "bad-request", None),
            ({"action": "read", "ids": ["1"]}, "invalid", "ids"),
            ({"action": "read", "ids": [[1]]}, "invalid", "ids"),
            ({"action": "read", "ids": [0]}, "invalid", "ids"),
            ({"action": "read", "ids": [2**63]}, "invalid", "ids"),
        ],
    )
    def test_what_makes_no_sense(self, client: Client, values: dict[str, Any], code: str, field: str | None) -> None:
        assert is_error(self.post(client, **values), 400, code, **({"field": field} if field else {}))


def test_the_counts_say_when_they_change_by_themselves(client: Client, alice: Any) -> None:
    assert client.get(COUNTS).json()["until"] is None
    now = timezone.now()
    for hours in (3, 1, 2):
        notify(alice, "Soon gone", expires_at=now + timedelta(hours=hours))
    notify(alice, "Here to stay")
    until = datetime.fromisoformat(client.get(COUNTS).json()["until"])
    assert until == now + timedelta(hours=1)
    mark_all_read(alice)
    assert client.get(COUNTS).json()["until"] is None


class TestRefusals:
    """Errors are JSON with a code for programs and a message for people."""

    @pytest.mark.parametrize("url", [*GETS, *POSTS])
    def test_a_page_that_was_made_for_somebody_else(self, client: Client, alice: Any, url: str) -> None:
        tell(alice, "One")
        before = contents()
        ask = client.get if url in GETS else client.post
        assert is_error(ask(url, headers={USER_HEADER: user_key(make_user("bob").pk)}), 401, "other-user")
        assert contents() == before
        assert ask(url, headers={USER_HEADER: user_key(alice.pk)}).status_code != 401

    @pytest.mark.parametrize(
        ("url", "code", "field"),
        [
            (f"{LIST}?state=read", "invalid", "state"),
            (f"{LIST}?limit=0", "invalid", "limit"),
            (f"{LIST}?limit=101", "invalid", "limit"),
            (f"{LIST}?limit=ten", "bad-request", None),
            (f"{LIST}?limit={'1' * 5_000}", "bad-request", None),
            (f"{LIST}?before=0", "invalid", "before"),
            (f"{LIST}?before={2**63}", "invalid", "before"),
            (f"{LIST}?before=x", "invalid", "before"),
            (f"{LIST}?before=1.", "invalid", "before"),
            (f"{LIST}?before={'1' * 19}.1", "invalid", "before"),
            (f"{LIST}?before={'1' * 5_000}", "invalid", "before"),
            (f"{LIST}?category=%00", "invalid", "category"),
            (f"{CHANGES}?since=inbox", "bad-request", None),
            (f"{CHANGES}?since=%00", "bad-request", None),
            (f"{CHANGES}?since={'x' * 257}", "bad-request", None),
            (f"{CHANGES}?wait=soon", "bad-request", None),
            (f"{CHANGES}?wait=-1", "bad-request", None),
            (f"{CHANGES}?wait=nan", "bad-request", None),
            (f"{CHANGES}?wait=inf", "bad-request", None),
        ],
    )
    def test_a_query_that_makes_no_sense(self, client: Client, url: str, code: str, field: str | None) -> None:
        assert is_error(client.get(url), 400, code, **({"field": field} if field else {}))

    @pytest.mark.parametrize("url", [READ_ALL, SEEN])
    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ("{", "bad-request", None),
            ("[]", "bad-request", None),
            ("7", "bad-request", None),
            ("\x00", "bad-request", None),
            (b"\xff", "bad-request", None),
            ("[" * 10_000, "bad-request", None),
            ('{"up_to": 7}', "bad-request", None),
            ('{"up_to": ["inbox=00000000.1"]}', "bad-request", None),
            (json.dumps({"up_to": "x" * BODY_BYTES}), "bad-request", None),
            ('{"up_to": "now"}', "invalid", "up_to"),
            ('{"up_to": "\\ud800"}', "invalid", "up_to"),
            ('{"up_to": "inbox=00000000.1"}', "invalid", "up_to"),
        ],
    )
    def test_a_body_that_makes_no_sense(
        self, client: Client, alice: Any, url: str, body: str | bytes, code: str, field: str | None
    ) -> None:
        tell(alice, "One")
        before = contents()
        response = client.post(url, body, content_type="application/json")
        assert is_error(response, 400, code, **({"field": field} if field else {}))
        assert contents() == before

    @pytest.mark.parametrize("url", [READ_ALL, SEEN, f"{LIST}1/read/"])
    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ("up_to=x", "application/x-www-form-urlencoded; charset=latin-1"),
            ("up_to=x", "multipart/form-data"),
            ("&".join(f"field{number}=" for number in range(1_001)), "application/x-www-form-urlencoded"),
            ("x" * 2_621_441, "application/x-www-form-urlencoded"),
        ],
        ids=["another charset", "no boundary", "too many fields", "too many bytes"],
    )
    def test_a_form_that_django_refuses_to_read(
        self, alice: Any, settings: Any, url: str, body: str, content_type: str
    ) -> None:
        settings.DEBUG = False  # then Django's page of a bad request checks CSRF too, and reads the form again
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        assert is_error(client.post(url, body, content_type=content_type), 400, "bad-request")

    def test_more_json_than_django_reads(self, client: Client) -> None:
        assert is_error(client.post(READ_ALL, "x" * 2_621_441, content_type="application/json"), 400, "bad-request")

    @pytest.mark.parametrize(("method", "urls", "allow"), [("post", GETS, "GET"), ("get", POSTS, "POST")])
    @pytest.mark.parametrize("signed_in", [True, False])
    def test_another_method(self, client: Client, method: str, urls: list[str], allow: str, signed_in: bool) -> None:
        for url in urls:
            response = getattr(client if signed_in else Client(), method)(url)
            assert is_error(response, 405, "method")
            assert response["Allow"] == allow
            assert is_error(client.put(url), 405, "method")
            assert is_error(client.delete(url), 405, "method")

    @pytest.mark.parametrize("middleware", [None, "django.contrib.auth.middleware.LoginRequiredMiddleware"])
    def test_who_is_not_signed_in_gets_401_and_never_a_redirect(self, settings: Any, middleware: str | None) -> None:
        if middleware:
            settings.MIDDLEWARE = [*settings.MIDDLEWARE, middleware]
        for url in GETS:
            assert is_error(Client().get(url), 401, "signed-out")
        for url in POSTS:
            assert is_error(Client().post(url), 401, "signed-out")

    def test_a_user_who_was_deactivated_is_signed_out(self, client: Client, alice: Any) -> None:
        alice.is_active = False
        alice.save()
        assert is_error(client.get(COUNTS), 401, "signed-out")

    @pytest.mark.parametrize("path", ["1/delete", "-1/read", "x/read", f"{'9' * 19}/read"])
    def test_what_is_no_address_of_ours_is_not_found(self, client: Client, path: str) -> None:
        assert client.post(f"{LIST}{path}/").status_code == 404


class TestCsrf:
    """CSRF holds on every POST, and a script can read the refusal."""

    @pytest.fixture
    def strict(self, alice: Any) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        return client

    @pytest.mark.parametrize("middleware", [True, False], ids=["with Django's middleware", "without it"])
    def test_a_post_without_a_token_is_refused_and_changes_nothing(
        self, strict: Client, alice: Any, settings: Any, middleware: bool
    ) -> None:
        if not middleware:
            settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
        [one] = tell(alice, "One")
        before = contents()
        for url in (READ_ALL, SEEN, action(one, "read"), action(one, "archive")):
            assert is_error(strict.post(url), 403, "csrf")
            assert is_error(strict.post(url, "{}", content_type="application/json"), 403, "csrf")
        assert contents() == before

    def test_a_post_with_the_token_is_taken(self, strict: Client, alice: Any) -> None:
        [one] = tell(alice, "One")
        page = HttpRequest()
        token = get_token(page)
        strict.cookies["csrftoken"] = page.META["CSRF_COOKIE"]
        assert strict.post(action(one, "read"), headers={"X-CSRFToken": token}).json()["unread"] == 0
        assert strict.post(READ_ALL, {"csrfmiddlewaretoken": token}).json()["changed"] == 0

    @pytest.mark.parametrize(
        ("site", "status"), [(None, 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403)]
    )
    def test_only_pages_of_this_site_get_a_fresh_token(self, strict: Client, site: str | None, status: int) -> None:
        headers = {} if site is None else {"Sec-Fetch-Site": site}
        answer = strict.get(reverse("notifications:csrf"), headers=headers)
        assert answer.status_code == status
        assert ("token" in answer.json()) == (status == 200)
        assert "no-store" in answer["Cache-Control"]

    def test_reading_needs_no_token(self, strict: Client) -> None:
        assert strict.get(COUNTS).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_atomic_requests_change_no_answer(monkeypatch: pytest.MonkeyPatch, client: Client, alice: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    [one] = tell(alice, "One")
    notify(alice, "Two")
    assert client.get(CHANGES).json()["frames"][0]["unread"] == 2
    assert client.get(LIST).json()["unread"] == 2
    body = client.post(action(one, "read")).json()
    assert (body["item"]["version"], body["unread"]) == (3, 1)  # the change does not wait for the end of the request
    assert client.get(LIST, {"state": "all"}).json()["items"][1]["version"] == 3
    assert client.post(SEEN).json() == {"changed": 1, "unread": 1, "unseen": 0}


class StreamTests(TransactionTestCase):
    async def test_under_asgi_a_stream_begins_at_once_with_hello_and_a_snapshot(self) -> None:
        alice = await sync_to_async(make_user)()
        await sync_to_async(tell)(alice, "One")
        client = AsyncClient()
        await client.aforce_login(alice)
        response: Any = await client.get(STREAM)
        first = await anext(aiter(response.streaming_content))
        assert response["Content-Type"] == "text/event-stream; charset=utf-8"
        retry, hello, reset, end = first.split(b"\n\n")
        assert retry.startswith(b"retry: ")
        assert hello.startswith(b"event: hello\ndata: {")
        assert reset.startswith(b"event: reset\nid: inbox=")
        assert json.loads(reset.partition(b"\ndata: ")[2])["items"][0]["title"] == "One"
        assert end == b""
