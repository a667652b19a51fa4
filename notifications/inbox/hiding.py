"""Hiding: what is there of a kind whose bell its recipient has switched off goes to the archive, and comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..annotations import User
from ..kinds import registry
from ..live.commit import sequence_after_commit
from ..models import Notification
from ..models.inbox import UNPLACED
from ..preferences.resolving import Decision
from ..preferences.topics import ALWAYS, Topic
from .copies import ALONE
from .rows import archiving, restoring
from .stream import INBOX


def apply_bell(user: User, decided: Mapping[Topic, Decision]) -> None:
    """Move what is switched off from the list to the archive, and back what was moved and is on again.

    It looks only at what holds, not at what held before: so it does the same however often it is done.

    Args:
        user: Whose inbox.
        decided: What holds for the bell, by topic; what is not in it stays where it is.
    """
    rows = Notification.objects.using(INBOX.alias).of(user)
    off = _about(topic for topic, decision in decided.items() if decision.value == "off")
    on = _about(topic for topic, decision in decided.items() if decision.value != "off")
    if off:
        # An event that no item has taken yet would begin one in sight: it goes to the archive alone, as a silent copy.
        alone: dict[str, Any] = dict.fromkeys(ALONE)
        rows.filter(off, folded_into=UNPLACED).touch(**alone, muted=True, toast=False)
        rows.kept().filter(off).touch(**archiving(timezone.now()), muted=True)
    if on:
        rows.archived().filter(on, muted=True).touch(**restoring(timezone.now()), muted=False)
    if decided:
        sequence_after_commit(INBOX, [user.pk])


def _about(topics: Iterable[Topic]) -> Q:
    """Return the condition that a notification is about one of `topics`; false if there is none."""
    kinds: list[str] = []
    categories: list[str] = []
    for topic in topics:
        (kinds if topic.kind else categories).append(topic.kind or topic.category)
    found = Q(notice__kind__in=kinds) if kinds else Q()
    if categories:
        declared = [*registry, *ALWAYS]
        found |= Q(notice__category__in=categories) & ~Q(notice__kind__in=declared)
    return found
