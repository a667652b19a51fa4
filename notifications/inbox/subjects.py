"""What notifications are about, and what becomes of them when that is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.signals import post_delete
from django.utils import timezone

from ..kinds import registry
from ..kinds.declaring import Rules
from ..kinds.facts import shape
from ..kinds.references import identify
from ..live.commit import sequence_after_commit
from ..live.transactions import after_commit, atomic, retried
from ..models import Broadcast, Notice, Notification
from ..models.inbox import SCHEDULED
from .stream import INBOX
from .withdrawal import withdraw

STEP = 100  # notices that are looked up at once

Applier: TypeAlias = Callable[[str, str], None]

_appliers: list[Applier] = []


def connect() -> None:
    """Listen for the deletion of what kinds with a rule for that are about, and of nothing else.

    Of a model with a receiver Django reads the rows that it deletes.
    """
    for rules in registry.values():
        for model in _models(rules):
            post_delete.connect(apply_after_commit, sender=model, dispatch_uid="carillon.apply_after_commit")


def _models(rules: Rules) -> Iterator[type[models.Model]]:
    """Yield the models whose deletion matters to a kind, with their proxies, for which Django sends signals too.

    An instance of a model that is derived from one of them is one of them, and named by its own model.
    """
    if rules.when_gone == "keep":
        return
    try:
        named = shape(rules.cls).models[rules.about]
    except ImproperlyConfigured:  # a check says so
        return
    meant: Any = tuple(model._meta.concrete_model for model in named)
    yield from (model for model in apps.get_models() if issubclass(model, meant))


def apply_after_commit(instance: models.Model, using: str, **kwargs: Any) -> None:
    """Have the rules applied to what is about an instance, once its deletion is committed."""
    about = identify(instance, "instance")
    for apply in _appliers:
        after_commit(partial(apply, *about), using)


def applier(function: Applier) -> Applier:
    """Have a function called with what is gone, by the label of its model and its key, after each such deletion."""
    _appliers.append(function)
    return function


@applier
def apply_rules(model: str, key: str) -> None:
    """Archive or withdraw the notifications about an instance that is gone, as their kinds say, notice by notice.

    Broadcasts are archived, and recalled where they are known (see `broadcasts.subjects`).
    """
    ruled = [rules.key for rules in registry.values() if rules.when_gone != "keep"]
    about = Notice.objects.using(INBOX.alias).filter(about_model=model, about_key=key)
    rows = about.filter(kind__in=ruled, version__isnull=False, recalled_at=None).order_by("pk")
    sent = Broadcast.objects.using(INBOX.alias).filter(about_model=model, about_key=key, notice__isnull=False)
    broadcasts = set(sent.values_list("notice_id", flat=True))
    last = 0
    while step := list(rows.filter(pk__gt=last)[:STEP]):
        for notice in step:
            if registry[notice.kind].when_gone == "archive":
                _archive(notice)
            elif notice.pk not in broadcasts:
                withdraw(notice)
        last = step[-1].pk


@retried(lambda notice: INBOX.alias)
def _archive(notice: Notice) -> None:
    with atomic(INBOX.alias):
        copies = Notification.objects.using(INBOX.alias).filter(notice=notice)
        copies.filter(folded_into=SCHEDULED).update(snoozed_until=None)
        here = copies.kept()
        recipients = list(here.values_list("recipient_id", flat=True))
        here.touch(archived_at=timezone.now(), snoozed_until=None)
        sequence_after_commit(INBOX, recipients)
