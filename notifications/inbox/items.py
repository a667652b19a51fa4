"""Items: notifications as frames, the API and the pages show them, each in a language."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import router
from django.utils import translation

from ..kinds.rendering import Rendered, actions_of, done_of, kinds_of, render, spoken
from ..languages import reader_language
from ..live.frames import Encoded, encode
from ..models import Notice, Notification
from ..models.content import Level
from ..models.ranks import PIN
from ..preferences.topics import choosable
from .abandoned import abandoned, failed
from .actors import actor_of
from .entries import Row
from .frames import Actor, Item, ItemAction, Outcome, Tombstone
from .groups import People, group_of, latest_actors, told_of
from .permissions import holders, wanted_by

Offer = tuple[list[tuple[str, ItemAction]], Outcome | None]  # the actions, each with the permission it asks for


class Items:
    """Notifications, read `with_content()`, that can be shown in any language.

    Those of declared kinds cost one query for each model to which they refer, however many there are, and items that
    have grown, or whose action was done, one together. So does work that is going on, and each permission that an open
    action asks for; others cost none. An action is offered to those alone who have its permission now.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        """Take the rows, of one user or of many, and fetch what they refer to."""
        alias = router.db_for_write(Notification)
        notices = {row.notice_id: row.notice for row in rows}.values()  # of many users who are told the same: few
        self._made = kinds_of(notice for notice in notices if notice.recalled_at is None)
        self._translated = self._made.keys() | {notice.pk for notice in notices if notice.texts}
        self._people = latest_actors(rows, alias, _deciders(notices))
        self._gone = abandoned(notices, alias)
        asked = [*_asked(rows, self._made)] if self._made else []
        self._allowed = holders(wanted_by((row.recipient_id, permission) for row, permission in asked), alias)
        self._asking = {row.notice_id for row, permission in asked if permission}
        self._alike: dict[Any, bytes] = {}
        self._rendered: dict[tuple[int, int, str], Rendered | None] = {}
        self._offers: dict[tuple[int, str], Offer] = {}
        self._actors: dict[Any, Actor | None] = {}
        self._mutable: dict[tuple[str, str], bool] = {}

    def are_translated(self, rows: Iterable[Row]) -> bool:
        """Return whether any of some rows is not told in the same words to all."""
        return bool(self._translated) and any(row.notice_id in self._translated for row in rows)

    def show(self, rows: Iterable[Row], language: str = "") -> list[Item | Tombstone]:
        """Return rows as they are shown in a language; in the one that is active if it is empty."""
        language = language or reader_language()
        return [self._show(row, language) for row in rows]

    def encoded(self, rows: Iterable[Row], language: str = "") -> list[Encoded]:
        """Return rows as JSON, in a language; what many users have been told alike is encoded once for all of them."""
        language = language or reader_language()
        return [Encoded(row.modseq or 0, self._encoded(row, language)) for row in rows]

    def titles(self, rows: Iterable[Row]) -> list[str]:
        """Return the titles of rows in the language that is active."""
        language = reader_language()
        return [(self._in(language, row) or row.notice).title for row in rows]

    def _encoded(self, row: Row, language: str) -> bytes:
        if row.group is not None or row.growth is not None or row.notice_id in self._asking:
            return encode(self._show(row, language))  # it may differ from one recipient to another
        states = (row.seen_at, row.read_at, row.archived_at, row.snoozed_until)
        key = (row.notice_id, language, row.rank, row.toast, states)
        rest = self._alike.get(key)
        if rest is None:
            rest = self._alike[key] = encode(self._show(row, language)).split(b",", 2)[2]
        return b'{"id":%d,"version":%d,%b' % (row.pk, row.modseq or 0, rest)

    def _show(self, row: Row, language: str) -> Item | Tombstone:
        notice = row.notice
        version = row.modseq or 0
        if notice.recalled_at is not None:
            return Tombstone(row.pk, version)
        rendered = self._in(language, row)
        said: Rendered | Notice = notice if rendered is None else rendered
        gone = row.notice_id in self._gone
        level, data = (Level.ERROR, failed(notice.data)) if gone else (said.level, notice.data)
        offered, outcome = self._offer(language, notice)
        may = self._allowed
        actions = [one for asks, one in offered if not asks or (row.recipient_id, asks) in may]
        by = self._actor(notice)
        return Item(
            id=row.pk,
            version=version,
            kind=notice.kind,
            category=notice.category,
            level=level,
            icon=rendered.icon if rendered is not None else "",
            title=said.title,
            body=said.body,
            url=said.url,
            data=data,
            actor=by,
            created_at=notice.created_at,
            seen_at=row.seen_at,
            read_at=row.read_at,
            archived_at=row.archived_at,
            expires_at=notice.expires_at,
            snoozed_until=row.snoozed_until,
            pinned=row.rank >= PIN,
            rank=row.rank,
            group=group_of(row, by, self._people),
            actions=actions,
            outcome=outcome,
            toast=row.toast,
            mutable=self._is_mutable(notice.kind, notice.category),
        )

    def _actor(self, notice: Notice) -> Actor | None:
        key = notice.pk if notice.actor_id is None else ("user", notice.actor_id)
        if key not in self._actors:
            self._actors[key] = actor_of(notice)
        return self._actors[key]

    def _is_mutable(self, kind: str, category: str) -> bool:
        if (kind, category) not in self._mutable:
            self._mutable[kind, category] = choosable(kind, category) is not None
        return self._mutable[kind, category]

    def _offer(self, language: str, notice: Notice) -> Offer:
        if notice.pk not in self._made:
            return [], None
        if (notice.pk, language) not in self._offers:
            with translation.override(language):
                self._offers[notice.pk, language] = _offer(notice, self._people)
        return self._offers[notice.pk, language]

    def _in(self, language: str, row: Row) -> Rendered | None:
        made = self._made.get(row.notice_id)
        if made is None:
            return _written(row.notice, language) if row.notice.texts else None
        # What has grown differs from one recipient to another.
        key = (row.notice_id, row.pk if row.growth is not None else 0, language)
        if key not in self._rendered:
            by = self._actor(row.notice)
            if row.growth is not None or by is not None:
                made = told_of(made, row, by, self._people)
            self._rendered[key] = render(made, language)
        return self._rendered[key]


class _Text(msgspec.Struct):
    """What was written for readers of a language, as it is stored."""

    title: str
    body: str = ""


class _Done(msgspec.Struct):
    """The outcome of an action, as it is stored."""

    action: str
    at: datetime


def items_of(rows: Sequence[Row]) -> list[Item | Tombstone]:
    """Return notifications, read `with_content()`, as they are shown in the language that is active."""
    return Items(rows).show(rows)


def _deciders(notices: Iterable[Notice]) -> set[str]:
    """Return the keys of those who have done what notifications offered."""
    return {str(notice.outcome_by_id) for notice in notices if notice.outcome_by_id is not None}


def _asked(rows: Iterable[Row], made: Container[int]) -> Iterator[tuple[Row, str]]:
    """Yield of whose copy which permission is to be asked: of what is not done yet."""
    for row in rows:
        if row.notice_id in made and row.notice.outcome is None:
            for action in actions_of(row.notice).values():
                yield row, action.permission


def _written(notice: Notice, language: str) -> Rendered | None:
    """Return what was written for readers of a language, if it was; a body that it lacks is that of the others."""
    try:
        texts = msgspec.convert(notice.texts, dict[str, _Text])
    except msgspec.ValidationError:  # whatever was written there since
        return None
    text = texts.get(language) or texts.get(language.partition("-")[0])
    if text is None:
        return None
    level: Any = notice.level
    return Rendered(text.title, text.body or notice.body, notice.url, level)


def _offer(notice: Notice, people: People) -> Offer:
    """Return what may be done, and what was, in the active language."""
    done = notice.outcome
    if done is None:
        offered = actions_of(notice).values()
        return [
            (one.permission, ItemAction(one.name, spoken(notice.kind, one.label, one.name), one.style))
            for one in offered
        ], None
    try:
        stored = msgspec.convert(done, _Done)
    except msgspec.ValidationError:  # whatever was written there since: nothing is open any more
        return [], None
    by = people.get(str(notice.outcome_by_id))  # nobody, once that account is deleted
    return [], Outcome(stored.action, done_of(notice, stored.action), by.name if by else "", stored.at)
