"""Audience sizes: counted or, with very many users, estimated."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Max, Min
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Users = models.QuerySet[Any]

EXACT = 10_000  # people; a larger audience is estimated
SAMPLE = 5_000  # random keys sampled for an estimate
SAMPLE_HITS = 100  # with fewer of them in the audience an estimate would be worth little


class Size(NamedTuple):
    """How many people an audience has; `exact` is False for an estimate."""

    number: int
    exact: bool

    def __str__(self) -> str:
        """Return it as text: “3 people”, “about 1,000,000 people”."""
        number = number_format(self.number, force_grouping=True)
        text = ngettext("%(number)s person", "%(number)s people", self.number) % {"number": number}
        return text if self.exact else _("about %(people)s") % {"people": text}


def measure(select: Callable[[Users], Users], whole: Users) -> Size:
    """Count those of `whole` whom `select` keeps: exactly up to `EXACT`, above that by a random sample of users."""
    chosen = select(whole)
    number = chosen[: EXACT + 1].count()
    if number <= EXACT:
        return Size(number, exact=True)
    estimate = _estimate(select, whole)
    return Size(chosen.count(), exact=True) if estimate is None else Size(max(estimate, EXACT), exact=False)


def _estimate(select: Callable[[Users], Users], whole: Users) -> int | None:
    """Sample random keys of the whole range; return None if keys are not numbers or few of them hit."""
    users = whole.model
    if not isinstance(users._meta.pk, models.IntegerField):
        return None
    low, high = users._base_manager.aggregate(low=Min("pk"), high=Max("pk")).values()
    if high - low < SAMPLE:
        return None
    keys = random.sample(range(low, high + 1), SAMPLE)
    hits = select(whole.filter(pk__in=keys)).count()
    return _rounded((high - low + 1) * hits // SAMPLE) if hits >= SAMPLE_HITS else None


def _rounded(number: int) -> int:
    """Keep two significant digits: an estimate should not look like a count."""
    unit: int = 10 ** max(0, len(str(number)) - 2)
    return round(number / unit) * unit
