"""Following a notification's link: marked as read and clicked, without a redirect through us."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from notifications.models import Notification
from notifications.services import mark_clicked, mark_read

from .factories import make_user, tell

pytestmark = pytest.mark.django_db

PAGE = "/notifications/"


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def client(alice: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def click(client: Client, pk: int) -> Any:
    return client.post(f"/notifications/api/inbox/{pk}/click/", b"{}", content_type="application/json")


def test_a_click_reads_and_is_remembered(client: Client, alice: Any) -> None:
    (pk,) = tell(alice, "Look", url="/news/")
    answer = json.loads(click(client, pk).content)
    assert answer["unread"] == 0
    assert answer["item"]["read_at"] == answer["item"]["seen_at"] is not None
    assert Notification.objects.get(pk=pk).clicked_at is not None


def test_the_first_click_counts(client: Client, alice: Any) -> None:
    (pk,) = tell(alice, "Look", url="/news/")
    click(client, pk)
    first = Notification.objects.get(pk=pk)
    click(client, pk)
    again = Notification.objects.get(pk=pk)
    assert (again.clicked_at, again.modseq) == (first.clicked_at, first.modseq)


def test_what_was_read_before_keeps_that_time(alice: Any) -> None:
    (pk,) = tell(alice, "Look", url="/news/")
    mark_read(alice, [pk])
    read_at = Notification.objects.get(pk=pk).read_at
    assert mark_clicked(alice, [pk]) == 1
    assert Notification.objects.get(pk=pk).read_at == read_at


def test_nobody_clicks_for_somebody_else(client: Client) -> None:
    (pk,) = tell(make_user("bob"), "Look", url="/news/")
    assert click(client, pk).status_code == 404
    assert Notification.objects.get(pk=pk).clicked_at is None


def test_without_a_token_nothing_is_clicked(alice: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    (pk,) = tell(alice, "Look", url="/news/")
    assert click(strict, pk).status_code == 403


def test_without_javascript_a_form_follows_the_link(client: Client, alice: Any) -> None:
    (pk,) = tell(alice, "Look", url="/news/?page=2")
    assert b'value="click"' in client.get(PAGE).content
    answer = client.post(PAGE, {"action": "click", "id": pk})
    assert (answer.status_code, answer["Location"]) == (302, "/news/?page=2")
    assert Notification.objects.get(pk=pk).clicked_at is not None


def test_a_form_follows_nothing_that_is_not_there(client: Client, alice: Any) -> None:
    (plain,) = tell(alice, "No link")
    (foreign,) = tell(make_user("bob"), "Look", url="/news/")
    for pk in (plain, foreign, 99):
        assert client.post(PAGE, {"action": "click", "id": pk}).status_code == 404


def test_a_link_to_another_site_has_no_form(client: Client, alice: Any) -> None:
    tell(alice, "Elsewhere", url="https://example.org/")
    assert b'value="click"' not in client.get(PAGE).content
