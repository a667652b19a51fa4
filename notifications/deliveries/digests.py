"""Digests: what is told together, at a time of the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

DIGEST_HOUR = 8  # o'clock


def windows(pks: Sequence[Any], now: datetime, alias: str) -> Mapping[Any, datetime]:
    """Return when the digests of users end to which something is added now, by primary key."""
    local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    end = local.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    if end <= local:
        end += timedelta(days=1)
    return dict.fromkeys(pks, end)
