"""Ranks: the order of lists. A rank is a time in microseconds since 1970, and higher for what is pinned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone

PIN: Final = 2**52  # what a pin adds; the sum is exact in JavaScript until 2112
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def current_rank() -> int:
    """Return the rank of what comes to the top of a list now."""
    return rank_at(timezone.now())


def rank_at(time: datetime) -> int:
    """Return the rank of what came to the top of a list at `time`."""
    return (time - EPOCH) // timedelta(microseconds=1)


def rank_like(other: int, rank: int) -> int:
    """Return `rank`, pinned if `other` is."""
    return rank % PIN + (PIN if other >= PIN else 0)
