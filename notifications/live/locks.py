"""Locks on rows for those who must neither wait for an application's transaction nor hold anybody up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import OperationalError, connections, models, transaction

from .statements import CompiledSelect, CompiledStatement, Parameter


def lock_free(rows: models.QuerySet[Any], pks: Sequence[Any], alias: str, limit: int | None = None) -> list[Any]:
    """Lock those of some rows that no other transaction holds, and wait for none; it belongs into a transaction.

    Args:
        rows: Rows of one table. What is asked of them is judged once they are locked.
        pks: The primary keys of those that are wanted.
        alias: The database. One without locks on rows gives all: it lets one transaction write at a time.
        limit: How many are enough.

    Returns:
        The primary keys of the locked rows, in order.
    """
    features = connections[alias].features
    if not features.has_select_for_update:
        return sorted(pks)[:limit]
    keys = rows.using(alias).filter(pk__in=pks).order_by("pk").values_list("pk", flat=True)
    if features.has_select_for_update_skip_locked:
        return list(keys.select_for_update(skip_locked=True)[:limit])
    try:
        with transaction.atomic(using=alias):
            return list(keys.select_for_update(nowait=True)[:limit])
    except OperationalError:  # one of them is held
        return []


class _Referred(CompiledSelect):
    """Lock users, in the order of their primary keys, as PostgreSQL itself does for a foreign key to them."""

    def __init__(self, *, skip_locked: bool) -> None:
        super().__init__(lambda: models.QuerySet(get_user_model()).order_by("pk"), "pk")
        self._lock = "FOR KEY SHARE SKIP LOCKED" if skip_locked else "FOR KEY SHARE"  # Django has no word for it

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        statement = super()._compile(alias, keys)
        return statement._replace(sql=f"{statement.sql} {self._lock}")


_REFERRED = _Referred(skip_locked=False)
_FREE = _Referred(skip_locked=True)


def lock_referred(users: Iterable[Any], alias: str) -> None:
    """Let rows that refer to some users be stored without waiting until the commit; it waits for who has locked one.

    The commit of such rows would wait too, on PostgreSQL, which looks at foreign keys only then. SQLite has no locks
    on rows.

    Args:
        users: Their primary keys.
        alias: The database.
    """
    if connections[alias].vendor == "postgresql":
        _REFERRED.run(sorted(users), alias)  # nobody who keeps to this order waits in a circle


def may_refer_to(users: Sequence[Any], alias: str) -> bool:
    """Return whether rows that refer to some users can be stored without waiting; if so, that holds until the commit.

    Args:
        users: Their primary keys, each once.
        alias: The database.
    """
    return connections[alias].vendor != "postgresql" or len(_FREE.run(users, alias)) == len(users)
