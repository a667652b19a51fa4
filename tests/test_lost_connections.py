"""Databases that go away while something is sent: what the other side has taken is noted once they are back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from notifications.deliveries import Message, noting
from notifications.services import deliver_due, notify

from .factories import make_users
from .sending import Carrier, Post, carrying
from .test_deliveries import states

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="It has no server that could go away."),
]


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


def end_connection() -> None:
    """End this thread's connection as a server does that is restarted: nobody has noticed yet."""
    other = connection.copy()
    try:
        with connection.cursor() as mine, other.cursor() as cursor:
            if connection.vendor == "postgresql":
                mine.execute("SELECT pg_backend_pid()")
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", mine.fetchone())
            else:
                mine.execute("SELECT CONNECTION_ID()")
                cursor.execute("KILL CONNECTION %s", mine.fetchone())
    finally:
        other.close()


def test_what_was_sent_meanwhile_is_sent_once(post: Post) -> None:
    notify(make_users(2), "Hello")

    def obstacle(message: Message) -> None:
        if len(post.handed_over) == 1:
            end_connection()

    post.obstacle = obstacle
    deliver_due()
    assert len(post.arrived) == 2
    assert states("state", "attempts") == [("sent", 1), ("sent", 1)]


def test_what_failed_meanwhile_is_tried_again(post: Post) -> None:
    notify(make_users(2), "Hello")

    def obstacle(message: Message) -> None:
        if len(post.handed_over) == 1:
            end_connection()
            raise ValueError("No.")

    post.obstacle = obstacle
    deliver_due()
    assert states("state", "attempts", "error") == [("waiting", 1, "ValueError: No."), ("sent", 1, "")]


def test_a_database_that_is_away_for_a_moment_is_waited_for(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    notify(make_users(1), "Hello")
    monkeypatch.setattr(noting, "NOTE_PAUSES", (0, 0, 0))
    refused = iter([OperationalError("It is being restarted.")] * 2)
    wrapper = connections["default"]
    connect = wrapper.get_new_connection

    def refuse(params: Any) -> Any:
        for error in refused:
            raise error
        return connect(params)

    def obstacle(message: Message) -> None:
        end_connection()
        monkeypatch.setattr(wrapper, "get_new_connection", refuse)

    post.obstacle = obstacle
    deliver_due()
    assert states("state", "attempts") == [("sent", 1)]
    assert next(refused, None) is None
