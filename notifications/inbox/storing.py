"""Storing the copies of a notice, and telling whoever carries them beyond the site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import router

from ..live.statements import CompiledInsert
from ..live.streams import Hint
from ..models import Notice, Notification
from .copies import Wanted, wanted

Alike = tuple[Notification, list[Any]]  # a copy, and who gets the same
Plan = Callable[[Wanted, Sequence[Any]], None]
Witness = Callable[[Notice, Sequence[Any]], None]

# Of single rows: Django takes twice as long to build such a statement as the database to answer it.
_NOTICE = CompiledInsert()
_COPY = CompiledInsert(ignore_conflicts=True)

_plans: list[Plan] = []
_witnesses: list[Witness] = []


def plans(function: Plan) -> Plan:
    """Register a function that is called in the transaction in which users get their copies of a notice.

    It gets what they want of it, and the primary keys of at most a thousand who get a copy.
    """
    if function not in _plans:
        _plans.append(function)
    return function


def plan(want: Wanted, pks: Sequence[Any]) -> None:
    """Plan what else is done with the copies of a notice that some users get."""
    for function in _plans:
        function(want, pks)


def store_notice(notice: Notice) -> None:
    """Store a notice, which has no row yet."""
    _NOTICE.run(notice, router.db_for_write(Notice))


def witnesses(function: Witness) -> Witness:
    """Register a function that is called once for each notice that is sent, in the transaction that stores it.

    It gets the primary keys of all who have a copy, or will have one when the notice is due; none for a broadcast.
    """
    if function not in _witnesses:
        _witnesses.append(function)
    return function


def tell_witnesses(notice: Notice, pks: Sequence[Any]) -> None:
    """Tell those who hear of each notice once that one is stored."""
    for function in _witnesses:
        function(notice, pks)


def planned(notice: Notice, pks: Sequence[Any], shared: Mapping[str, Any]) -> list[Alike]:
    """Return the copies for those of some users who want one, who are yet to get them, and plan what else is done."""
    want = wanted([notice], pks)[notice.pk]
    copies = want.copies(pks, shared)
    if copies:
        plan(want, recipients_of(copies))
    return copies


def recipients_of(copies: Iterable[Alike]) -> list[Any]:
    """Return the primary keys of all who get one of some copies."""
    return [pk for _copy, pks in copies for pk in pks]


def store_copies(notice: Notice, pks: Sequence[Any], shared: Mapping[str, Any]) -> list[Any]:
    """Store a copy for each user who wants one, and return them; one who has a copy already gets no second one."""
    copies = planned(notice, pks, shared)
    for alike in copies:
        store_alike(*alike, router.db_for_write(Notification))
    return recipients_of(copies)


def store_alike(copy: Notification, pks: Sequence[Any], alias: str) -> None:
    """Store a copy for each of some users, who get the same; one who has a copy already gets no second one."""
    if len(pks) == 1:
        copy.recipient_id = pks[0]
        _COPY.run(copy, alias)
    else:
        _COPY.run_for(copy, {"recipient": pks}, alias)


def store_placed(copy: Notification, pks: Sequence[Any], hints: Mapping[Any, Hint], alias: str) -> None:
    """Do the same with the positions that inboxes have moved to; in the others the copies wait for theirs."""
    heads = [hints[pk].to if pk in hints else None for pk in pks]
    if len(pks) == 1:
        copy.modseq = copy.arrival = heads[0]
        store_alike(copy, pks, alias)
    else:
        _COPY.run_for(copy, {"recipient": pks, "modseq": heads, "arrival": heads}, alias)
