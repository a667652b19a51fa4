"""Locks on rows for those who must neither wait for an application's transaction nor hold anybody up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import OperationalError, connections, models, transaction


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
