"""What the models use of Django that Django does not document, as `notifications.live.django_internals` for the rest.

A test for each, in ``tests/test_django_internals.py``, says whether a new version of Django breaks it.
"""

from __future__ import annotations

from typing import Any

from django.db import router
from django.db.models import CASCADE, QuerySet
from django.db.models.deletion import Collector


def cascade_in_bulk(collector: Any, field: Any, rows: Any, using: str) -> None:
    """Delete what refers to a row by one statement wherever that is possible, also where the admin collects it.

    As ``CASCADE``, which has this shortcut too, and which the admin switches off to list every row that goes along:
    for a user with 20,000 notifications that is a page of two megabytes. ``lazy_sub_objs``, ``Collector.fast_deletes``
    and ``Collector.can_fast_delete``.
    """
    if Collector.can_fast_delete(collector, rows):
        collector.fast_deletes.append(rows)
    elif rows:
        CASCADE(collector, field, rows, using)


cascade_in_bulk.lazy_sub_objs = True  # type: ignore[attr-defined]


def write_database(rows: QuerySet[Any]) -> str:
    """Return the database in which `rows` would be changed, which `rows.db` is for reading: ``QuerySet._db``."""
    return rows._db or router.db_for_write(rows.model)  # type: ignore[attr-defined]  # missing from the stubs
