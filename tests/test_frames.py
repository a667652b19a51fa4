"""Frames: the wire shapes of protocol version 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from notifications.inbox.frames import Actor, Changes, Group, Hello, Item, ItemAction, Outcome, Reset, Tombstone
from notifications.live import frames
from notifications.live.frames import FRAME_BYTES

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def item(pk: int, version: int, body: str = "") -> Item:
    return Item(
        id=pk,
        version=version,
        kind="comment.created",
        category="comments",
        level="info",
        icon="",
        title="A comment",
        body=body,
        url="/posts/7/",
        data={"post": 7},
        actor=Actor("4c1d", "Bob"),
        created_at=NOON,
        seen_at=NOON,
        read_at=None,
        archived_at=None,
        expires_at=None,
        snoozed_until=None,
        pinned=False,
        rank=7,
        actions=[ItemAction("approve", "Approve", "primary")],
        outcome=Outcome("reject", "Rejected", "Bob", NOON),
        group=Group(50, 2, [Actor("4c1d", "Bob")], 3),
        toast=True,
        mutable=False,
    )


def test_an_item_shows_every_field_and_times_in_utc() -> None:
    assert json.loads(frames.encode(item(3, 9, "Nice."))) == {
        "id": 3,
        "version": 9,
        "kind": "comment.created",
        "category": "comments",
        "level": "info",
        "icon": "",
        "title": "A comment",
        "body": "Nice.",
        "url": "/posts/7/",
        "data": {"post": 7},
        "actor": {"id": "4c1d", "name": "Bob"},
        "created_at": "2026-11-21T12:00:00Z",
        "seen_at": "2026-11-21T12:00:00Z",
        "read_at": None,
        "archived_at": None,
        "expires_at": None,
        "snoozed_until": None,
        "pinned": False,
        "rank": 7,
        "actions": [{"name": "approve", "label": "Approve", "style": "primary"}],
        "outcome": {"action": "reject", "text": "Rejected", "by": "Bob", "at": "2026-11-21T12:00:00Z"},
        "group": {"events": 50, "actors": 2, "latest": [{"id": "4c1d", "name": "Bob"}], "since": 3},
        "toast": True,
        "mutable": False,
    }


def test_a_tombstone_says_only_what_was_removed() -> None:
    assert json.loads(frames.encode(Tombstone(3, 9))) == {"id": 3, "version": 9, "removed": True}


@pytest.mark.parametrize(
    ("struct", "expected"),
    [
        (
            Hello("c1", None, 2, 1, 25.0, NOON),
            {
                "type": "hello",
                "v": 1,
                "connection": "c1",
                "cursor": None,
                "unread": 2,
                "unseen": 1,
                "heartbeat": 25.0,
                "time": "2026-11-21T12:00:00Z",
            },
        ),
        (
            Changes("inbox=5f0c2a91.1", "inbox=5f0c2a91.2", [], 2, 1),
            {
                "type": "changes",
                "from": "inbox=5f0c2a91.1",
                "to": "inbox=5f0c2a91.2",
                "items": [],
                "unread": 2,
                "unseen": 1,
            },
        ),
        (
            Reset("pruned", "inbox=5f0c2a91.2", [Tombstone(3, 2)], 2, 1),
            {
                "type": "reset",
                "reason": "pruned",
                "cursor": "inbox=5f0c2a91.2",
                "items": [{"id": 3, "version": 2, "removed": True}],
                "unread": 2,
                "unseen": 1,
            },
        ),
        (frames.Heartbeat("inbox=5f0c2a91.2"), {"type": "heartbeat", "head": "inbox=5f0c2a91.2"}),
        (frames.Bye("drain", 700), {"type": "bye", "reason": "drain", "retry": 700}),
        (frames.Bye("revoked", None), {"type": "bye", "reason": "revoked", "retry": None}),
        (
            frames.Error("invalid", "Too long.", ref="a1"),
            {"type": "error", "code": "invalid", "message": "Too long.", "retry": None, "ref": "a1"},
        ),
    ],
)
def test_each_frame_has_its_shape(struct: Any, expected: dict[str, Any]) -> None:
    frame = frames.frame(struct)
    assert json.loads(frame.data) == expected
    assert frame.name == expected["type"]


def test_a_frame_that_moves_the_position_carries_it_as_the_event_id() -> None:
    frame = frames.frame(frames.Heartbeat("inbox=5f0c2a91.2"), "inbox=5f0c2a91.2")
    assert frame.sse == (
        b'event: heartbeat\nid: inbox=5f0c2a91.2\ndata: {"type":"heartbeat","head":"inbox=5f0c2a91.2"}\n\n'
    )


def test_a_frame_that_does_not_move_the_position_has_no_event_id() -> None:
    assert frames.frame(frames.Bye("drain", 700)).sse == (
        b'event: bye\ndata: {"type":"bye","reason":"drain","retry":700}\n\n'
    )


def test_no_text_can_break_out_of_its_line() -> None:
    event = frames.frame(frames.Error("x", "one\ntwo\r\nthree\rfour\n\nevent: bye")).sse
    assert event.count(b"\n") == 3
    assert b"\r" not in event


def packed(items: list[Item], start: int) -> list[tuple[int, list[msgspec.Raw]]]:
    return frames.pack(frames.encoded(items), start)


def test_items_that_fit_share_a_frame() -> None:
    pieces = packed([item(n, n) for n in range(1, 51)], 0)
    assert [(complete, len(raws)) for complete, raws in pieces] == [(50, 50)]


def test_nothing_to_pack_makes_no_frame() -> None:
    assert packed([], 7) == []


def test_an_item_larger_than_a_frame_gets_one_to_itself() -> None:
    huge = item(2, 2, "x" * FRAME_BYTES)
    pieces = packed([item(1, 1), huge, item(3, 3)], 0)
    assert [(complete, len(raws)) for complete, raws in pieces] == [(1, 1), (2, 1), (3, 1)]


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([1, 2, 3, 4, 5, 6, 7, 8], id="one item for each version"),
        pytest.param([1] * 8, id="one version"),
        pytest.param([1, 1, 1, 1, 2, 2, 2, 2], id="versions that end with a piece"),
        pytest.param([1, 2, 2, 2, 2, 2, 2, 3], id="a version across three pieces"),
        pytest.param([5, 5, 5, 5, 5, 9, 9, 10], id="versions with holes"),
    ],
)
def test_a_reader_that_is_cut_off_between_two_pieces_loses_nothing(versions: Sequence[int]) -> None:
    body = "x" * (FRAME_BYTES // 3)  # two items fit into a frame, three do not
    items = [item(pk, version, body) for pk, version in enumerate(versions)]
    pieces = [
        (complete, [json.loads(bytes(raw))["id"] for raw in raws]) for complete, raws in packed(items, versions[0] - 1)
    ]
    assert len(pieces) > 1
    for cut in range(len(pieces) + 1):
        had = [pk for _, pks in pieces[:cut] for pk in pks]
        cursor = pieces[cut - 1][0] if cut else versions[0] - 1
        again = [i.id for i in items if i.version > cursor]
        assert sorted({*had, *again}) == [i.id for i in items]
    assert pieces[-1][0] == versions[-1]


def test_every_piece_keeps_to_the_limit() -> None:
    items = [item(n, n, "x" * 4_000) for n in range(1, 101)]
    pieces = packed(items, 0)
    assert all(sum(len(bytes(raw)) for raw in raws) <= FRAME_BYTES for _, raws in pieces)
    assert sum(len(raws) for _, raws in pieces) == 100
