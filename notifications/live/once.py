"""Insert what may be there already, without a failure that would end the caller's transaction."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

M = TypeVar("M", bound=models.Model)


def get_or_insert(row: M, alias: str, **key: Any) -> tuple[M, bool]:
    """Return the stored row with the unique values `key`, having stored `row` where there is none.

    Whoever does the same at the same moment gets the same row, also inside a caller's transaction.

    Args:
        row: What is stored; not saved yet.
        alias: The database.
        key: The values, by field, that a unique constraint allows once.

    Returns:
        The row, and whether it was stored by this call.

    Raises:
        IntegrityError: Another constraint refuses it.
    """
    same = type(row)._default_manager.using(alias).filter(**key)
    if (found := same.first()) is not None:
        return found, False
    try:
        with transaction.atomic(using=alias):
            row.save(using=alias, force_insert=True)
    except IntegrityError:
        if (found := same.first() or _read_latest(same, alias)) is None:
            raise
        return found, False
    return row, True


def _read_latest(rows: models.QuerySet[M], alias: str) -> M | None:
    """Read beyond the snapshot that MySQL's REPEATABLE READ shows to plain queries."""
    with transaction.atomic(using=alias):
        return rows.select_for_update().first()
