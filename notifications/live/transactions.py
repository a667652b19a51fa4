"""Transactions of our own: they are short, need no more isolation than READ COMMITTED, and are tried again.

A site may run its transactions at REPEATABLE READ or SERIALIZABLE. There whoever waits for a row that another changes
fails when that one commits, which in a busy room would be everybody but one. What we write locks the row that matters
first and reads after it, so READ COMMITTED is enough for it; and what still fails because two transactions met (a
deadlock, for example, or a recipient whom another transaction has deleted since we read them) is rolled back whole and
done once more.

Inside the caller's transaction none of this applies: the failure is the caller's, as Django's own `OperationalError`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, transaction

from .. import tenants
from .django_internals import in_transaction, read_committed

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("notifications")

TRIES = 6
RETRY_PAUSE = 0.01  # seconds at most before the second try; twice as long before each further one

# Of the SQL standard and PostgreSQL: serialisation failure, deadlock, and a foreign key whose row has gone since.
SQLSTATES = frozenset({"40001", "40P01", "23503"})
# Deadlock; MariaDB: the row changed since the transaction's snapshot; a foreign key whose row has gone since.
MYSQL_ERRORS = frozenset({1213, 1020, 1452})
SQLITE_BUSY_SNAPSHOT = 517  # a transaction that has read wants to write, and another has written meanwhile


class _Attempt(threading.local):
    """What a thread's `retried` verb is at; a nested one joins the transaction of the outer one."""

    number = 1
    committed = False


_attempt = _Attempt()


@contextmanager
def atomic(using: str, *, durable: bool = False) -> Iterator[None]:
    """Open a transaction of our own, at READ COMMITTED, or join the caller's, as Django's `atomic` does."""
    if in_transaction(using):
        with transaction.atomic(using=using, durable=durable):
            yield
        return
    with read_committed(using, surely=_attempt.number > 1), transaction.atomic(using=using, durable=durable):
        transaction.on_commit(_remember_commit, using=using, robust=True)  # before what others register
        yield


def after_commit(function: Callable[[], object], using: str) -> None:
    """Call a function after the caller's commit, for the tenant that is active now; what it raises is logged."""
    later = tenants.bound(function)
    transaction.on_commit(lambda: later(), using=using, robust=True)  # Django logs a function's name


def retried(using: Callable[..., str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Do a verb again that failed because its transaction met another one, unless it is in the caller's transaction.

    The verb uses `atomic`, and keeps nothing of a try that was rolled back.

    Args:
        using: Returns the alias of the database; it gets the verb's own arguments.
    """

    def decorate(verb: Callable[P, R]) -> Callable[P, R]:
        @wraps(verb)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return retry(lambda: verb(*args, **kwargs), using(*args, **kwargs))

        return call

    return decorate


def retry(work: Callable[[], R], using: str) -> R:
    """Do `work`, as a `retried` verb is done."""
    if in_transaction(using):
        return work()
    before = _attempt.number, _attempt.committed
    try:
        for number in range(1, TRIES + 1):
            _attempt.number, _attempt.committed = number, False
            try:
                return work()
            except DatabaseError as error:
                if number == TRIES or _attempt.committed or not is_conflict(error):
                    raise
                logger.debug("Two transactions met; this one is tried again: %s", error)
            time.sleep(random.uniform(0, RETRY_PAUSE * 2**number))
        raise AssertionError("The last try returns or raises.")
    finally:
        _attempt.number, _attempt.committed = before


def _remember_commit() -> None:
    _attempt.committed = True


def is_conflict(error: BaseException) -> bool:
    """Return whether a transaction failed only because it collided with another, so that repeating it may succeed."""
    cause: Any = error.__cause__
    if (getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)) in SQLSTATES:
        return True
    if getattr(cause, "sqlite_errorcode", None) == SQLITE_BUSY_SNAPSHOT:
        return True
    return isinstance(error, DatabaseError) and bool(error.args) and error.args[0] in MYSQL_ERRORS
