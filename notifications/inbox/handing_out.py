"""Handing out: the copies of many broadcasts for many users, with a statement for all who get the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import timezone

from ..live.chunks import chunks
from ..live.django_internals import insert_like
from ..live.locks import lock_free, may_refer_to
from ..live.streams import StreamType
from ..models import Broadcast, Inbox, Notification
from ..models.ranks import current_rank
from .copies import Wanted

Chosen = tuple[Broadcast, Sequence[Any]]  # and who is to have it, by primary key


def hand_out(inbox: StreamType, chosen: Sequence[Chosen], want: Mapping[Any, Wanted], *, hold: bool) -> None:
    """Store copies of broadcasts, in the order in which those arrived; who has one already gets no second one.

    Args:
        inbox: The type of the users' streams.
        chosen: The broadcasts.
        want: What users want of their notices.
        hold: Whether to hold the inboxes, until this transaction ends, and store the copies with their positions. All
            are left to the sequencer where somebody else holds one of them, or where it may last.
    """
    first = current_rank() - max(broadcast.arrival or 0 for broadcast, _pks in chosen)
    shared: dict[str, Any] = {"delivered_at": timezone.now()}
    groups: dict[Hashable, tuple[Notification, tuple[Any, ...], list[Broadcast]]] = {}
    others: list[Notification | None] = []
    for broadcast, pks in chosen:
        wanted = want[broadcast.notice_id]
        alike = tuple(pk for pk in pks if pk not in wanted.decided and pk not in wanted.muted)
        ranked = shared | {"rank": first + (broadcast.arrival or 0)}
        others += [wanted.copy(pk, ranked) for pk in pks if pk in wanted.decided or pk in wanted.muted]
        copy = wanted.copy(alike[0], shared | {"rank": first}) if alike else None
        if copy is not None:
            same = alike, copy.toast, copy.muted, copy.archived_at is None
            groups.setdefault(same, (copy, alike, []))[2].append(broadcast)
    pks = sorted({pk for _copy, alike, _broadcasts in groups.values() for pk in alike})
    held = _hold(inbox, pks) if hold and pks else frozenset()
    for copy, alike, broadcasts in groups.values():
        _store(inbox, copy, broadcasts, [pk for pk in alike if pk in held], stamped=True)
        _store(inbox, copy, broadcasts, [pk for pk in alike if pk not in held], stamped=False)
    Notification.objects.using(inbox.alias).bulk_create(
        [copy for copy in others if copy is not None], ignore_conflicts=True
    )


def _hold(inbox: StreamType, pks: Sequence[Any]) -> frozenset[Any]:
    """Lock the inboxes of users, if all are free, and move each one position forward; return whose they are.

    All or none: of two that hold a part each, either would wait for copies that the other one has stored. And none
    where an application holds one of the users, for whom the copies' foreign key would wait.
    """
    held = lock_free(inbox.streams(), pks, inbox.alias) if may_refer_to(pks, inbox.alias) else []
    if len(held) < len(pks):
        return frozenset()
    inbox.advance.run(held, inbox.alias)
    return frozenset(held)


def _store(
    inbox: StreamType, copy: Notification, broadcasts: Iterable[Broadcast], pks: Sequence[Any], *, stamped: bool
) -> None:
    quote = connections[inbox.alias].ops.quote_name
    user: Any = get_user_model()._meta
    tables = {"person": user.db_table, "broadcast": Broadcast._meta.db_table, "inbox": Inbox._meta.db_table}
    people, sent, streams = (f"{quote(table)} {name}" for name, table in tables.items())
    key = f"person.{quote(user.pk.column)}"
    owner = f"inbox.{quote(str(Inbox._meta.pk.column))}"
    for some in chunks(broadcasts) if pks else ():
        given: dict[str, tuple[str, Sequence[Any]]] = {
            "recipient_id": (key, ()),
            "notice_id": ("broadcast.notice_id", ()),
            "rank": ("%s + broadcast.arrival", [copy.rank]),
        }
        if stamped:
            given |= dict.fromkeys(("modseq", "arrival"), ("inbox.head", ()))
        joined = f" JOIN {streams} ON {owner} = {key}" if stamped else ""
        who, what = (", ".join(["%s"] * len(values)) for values in (pks, some))
        source = (
            f"FROM {people}{joined} CROSS JOIN {sent} WHERE {key} IN ({who}) AND broadcast.id IN ({what}) "
            f"ORDER BY {key}, broadcast.arrival, broadcast.id"
        )
        keys = [user.pk.get_db_prep_value(pk, connections[inbox.alias]) for pk in pks]
        insert_like(copy, given, source, [*keys, *(broadcast.pk for broadcast in some)], inbox.alias)
