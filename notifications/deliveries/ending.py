"""Ending: what a delivery that is over looks like, whatever became of it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ..models import Delivery


def end(rows: QuerySet[Delivery], state: str, **fields: Any) -> int:
    """End deliveries: nobody claims them any more, and they are never due again; return how many there were."""
    return rows.update(state=state, claim="", due_at=None, ended_at=timezone.now(), **{"error": "", **fields})
