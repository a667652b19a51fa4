"""Endpoints of groups and of the site: they get a notice once, however many users it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.utils import timezone

from ..inbox.recipients import RECIPIENT_CHUNK
from ..inbox.storing import witnesses
from ..live.chunks import chunks
from ..live.statements import CompiledSelect
from ..live.transactions import after_commit
from ..models import Delivery, Endpoint, Notice, Notification
from ..preferences.channels import channels, sent
from ..preferences.resolving import decide
from ..preferences.topics import Topic, topic_of
from .channels import made_channel
from .deciding import SEND, Reason, Verdict, verdict_on
from .waking import wake

# Compiled, because each notification asks: most sites have none.
_OF_MANY = CompiledSelect(
    lambda: Endpoint.objects.filter(user=None, stopped="").order_by("pk"), "channel", "pk", "group_id", "events"
)


@witnesses
def store_for_endpoints(notice: Notice, pks: Sequence[Any]) -> None:
    """Store what is to be sent of a notice to the endpoints of the site, and of the groups of its recipients.

    It costs a query where there are webhooks, one more for each thousand recipients until every group is found that has
    an endpoint, and a statement.
    """
    names = _wanted(topic_of(notice.kind, notice.category))
    if not names:
        return
    alias = router.db_for_write(Delivery)
    found = list(_endpoints(notice, names, pks, alias))
    if not found:
        return
    now = timezone.now()
    rows = [delivery_to(endpoint, notice, now, names[endpoint.channel]) for endpoint in found]
    Delivery.objects.using(alias).bulk_create(rows)
    after_commit(wake, alias)


def delivery_to(endpoint: Endpoint, notice: Notice, now: datetime, rule: str = "") -> Delivery:
    """Return what is to be sent of a notice to an endpoint, when the notice is due."""
    return Delivery(
        notice=notice,
        channel=endpoint.channel,
        device=str(endpoint.pk),
        key=str(notice.pk),
        rule=rule,
        created_at=now,
        due_at=max(now, notice.created_at),
    )


def shared_row(delivery: Delivery, alias: str) -> Notification | None:
    """Return what a copy of a notice would be, if those who share the endpoint had one; None if the notice is gone."""
    notice = Notice.objects.using(alias).select_related("actor").filter(pk=delivery.notice_id or 0).first()
    return None if notice is None else Notification(notice=notice)


def shared_verdict(row: Notification | None) -> Verdict:
    """Decide whether what goes to an endpoint of many is still to be sent."""
    if row is None:
        return Verdict(Reason.GONE)
    return verdict_on(row.notice, timezone.now()) or SEND


def _wanted(topic: Topic) -> dict[str, str]:
    """Return by which channels for programs the site's code sends a topic, and the rule that says so."""
    names = sent()
    every = channels() if names else {}
    found = {}
    for name in names:
        decision = decide(topic, every[name], {}, {})
        sender = made_channel(name)
        if decision.value != "off" and sender is not None and not sender.for_people:
            found[name] = str(decision.rule)
    return found


def _endpoints(notice: Notice, names: Iterable[str], pks: Sequence[Any], alias: str) -> Iterator[Endpoint]:
    scopes = topic_of(notice.kind, notice.category).scopes
    rows = [
        Endpoint(pk=pk, channel=channel, group_id=group, events=events)
        for channel, pk, group, events in _OF_MANY.run(list(names), alias)
    ]
    groups: dict[Any, list[Endpoint]] = {}
    for endpoint in rows:
        if not endpoint.takes(scopes):
            continue
        if endpoint.group_id is None:
            yield endpoint
        else:
            groups.setdefault(endpoint.group_id, []).append(endpoint)
    for some in chunks(pks, RECIPIENT_CHUNK):
        if not groups:
            return
        for group in _groups_of(some, list(groups), alias):
            yield from groups.pop(group)


def _groups_of(pks: Sequence[Any], groups: Sequence[Any], alias: str) -> list[Any]:
    """Return those of some groups to which any of some users belongs."""
    users = get_user_model()._base_manager.using(alias).filter(pk__in=pks, groups__in=groups)
    return list(users.order_by().values_list("groups", flat=True).distinct())
