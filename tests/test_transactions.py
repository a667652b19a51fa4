"""A verb whose transaction met another is done again, if it is its own transaction and was rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, transaction
from django.utils import timezone

from notifications.feeds import feed, texts
from notifications.feeds.registry import find
from notifications.inbox import progress
from notifications.live.transactions import TRIES, atomic, retry
from notifications.models import FeedEvent, FeedText, Notice, Progress
from notifications.services import publish
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


class Deadlock(Exception):
    """What a driver raises."""

    sqlstate = "40P01"


class Refusal(Exception):
    """What a driver raises when a retry helps nothing."""

    sqlstate = "53300"


def failing(times: int, cause: Exception, done: list[int]) -> Callable[[], str]:
    """Return work that fails so often."""

    def work() -> str:
        with atomic(DEFAULT_DB_ALIAS):
            done.append(len(done))
            if len(done) <= times:
                raise OperationalError("met another") from cause
        return "done"

    return work


def test_work_that_met_another_is_done_again() -> None:
    done: list[int] = []
    assert retry(failing(2, Deadlock(), done), DEFAULT_DB_ALIAS) == "done"
    assert len(done) == 3


def test_work_is_tried_only_so_often() -> None:
    done: list[int] = []
    with pytest.raises(OperationalError, match="met another"):
        retry(failing(1_000, Deadlock(), done), DEFAULT_DB_ALIAS)
    assert len(done) == TRIES


def test_another_failure_is_raised_at_once() -> None:
    done: list[int] = []
    with pytest.raises(OperationalError):
        retry(failing(1, Refusal(), done), DEFAULT_DB_ALIAS)
    assert len(done) == 1


def test_inside_the_callers_transaction_the_failure_is_the_callers() -> None:
    done: list[int] = []
    with pytest.raises(OperationalError), transaction.atomic():
        retry(failing(1, Deadlock(), done), DEFAULT_DB_ALIAS)
    assert len(done) == 1


def test_what_fails_after_the_commit_is_not_done_again() -> None:
    done: list[int] = []

    def work() -> None:
        with atomic(DEFAULT_DB_ALIAS):
            done.append(1)
            transaction.on_commit(fail)

    def fail() -> None:
        raise OperationalError("met another") from Deadlock()

    with pytest.raises(OperationalError):
        retry(work, DEFAULT_DB_ALIAS)
    assert done == [1]


@contextmanager
def meeting_another(model: Any) -> Iterator[None]:
    """Fail the first statement that writes to a table, as a deadlock does."""
    table, left = connection.ops.quote_name(model._meta.db_table), [1]

    def fail(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if table in sql and sql.startswith(("INSERT", "UPDATE")) and left:
            left.clear()
            raise OperationalError("met another") from Deadlock()
        return execute(sql, *more)

    with connection.execute_wrapper(fail):
        yield
    assert not left


@pytest.mark.usefixtures("own_feeds")
def test_what_feeds_and_progress_store_is_done_again_too() -> None:
    feed("texts")(lambda user: True)
    with meeting_another(FeedEvent):
        publish("texts", {"n": 1})
    with meeting_another(FeedText):
        handle = texts.begin(find("texts"), "text", {}, "")
    with meeting_another(FeedText):
        texts.grow(handle, "once", 0)
    assert FeedText.objects.get().text == "once"
    assert FeedEvent.objects.count() == 2
    FeedText.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    with meeting_another(FeedEvent):
        texts.end_abandoned()
    assert FeedText.objects.get().state == "failed"
    with meeting_another(Progress), progress.progress(make_user("alice"), "Import"):
        assert Notice.objects.count() == 1
