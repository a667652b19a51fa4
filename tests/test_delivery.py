"""The short form of the delivery checker: what `tests.delivery` promises, in the surroundings that differ most."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.delivery_site.records import InboxRecord, RoomRecord
from tests.servers.asgi import ROOT

STORM = 6  # seconds; `make soak SECONDS=…` plays for as long as one likes
THOROUGH = [pytest.mark.servers, pytest.mark.thorough]

SURROUNDINGS = {
    "two servers without a broker on PostgreSQL": ["--servers=2", "--database=postgresql"],
    "one server on SQLite": [],
    "two servers and a broker on SQLite": ["--servers=2", "--broker=core"],
    "four servers and the other layer on PostgreSQL": ["--servers=4", "--broker=pubsub", "--database=postgresql"],
}


def program(module: str, *words: str) -> Any:
    """Run a module as a program, and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def judge(report: dict[str, Any], acts: int) -> None:
    assert report["faults"] == [], json.dumps([report["faults"], report["history"], report["servers"]], indent=1)
    # The game was worth playing.
    assert report["committed"] > 10
    assert report["told"] > 300
    assert len(report["done"]) >= acts, "something was never broken"


@pytest.mark.servers
def test_all_readers_end_right_though_servers_and_writers_are_killed() -> None:
    acts = [f"--only={name}" for name in ("kill a server", "kill a writer", "cut", "prune")]
    judge(program("tests.delivery", "quick", "2", "--servers=2", *acts), acts=4)


@pytest.mark.parametrize(
    "words", [pytest.param(words, id=name, marks=THOROUGH) for name, words in SURROUNDINGS.items()]
)
def test_all_readers_end_right_whatever_goes_wrong(words: list[str]) -> None:
    report = program("tests.delivery", "short", str(STORM), *words)
    judge(report, acts=10)
    assert report["shut out"]


@pytest.mark.servers
@pytest.mark.thorough
@pytest.mark.parametrize("words", [[], ["--postgresql"]], ids=["SQLite", "PostgreSQL"])
def test_no_live_part_ends_stale_that_was_loaded_while_it_changed(words: list[str]) -> None:
    report = program("tests.delivery_site.loading", "100", *words)
    assert report["stale"] == []
    assert report["loads"] == 100
    assert report["changes"] == 400


# The checker itself must be able to fail.


def item(pk: int, version: int, title: str = "seed-0/1", body: str = "") -> dict[str, Any]:
    return {"id": pk, "version": version, "title": title, "body": body}


def inbox_frame(start: int, to: int, *items: dict[str, Any], epoch: str = "aaaaaaaa") -> dict[str, Any]:
    places = {"from": f"inbox={epoch}.{start}", "to": f"inbox={epoch}.{to}"}
    return {"type": "changes", **places, "items": items, "unread": 0, "unseen": 0}


WRONG_IN_THE_INBOX = {
    "a hole": [inbox_frame(3, 4)],
    "another life": [inbox_frame(2, 3, epoch="bbbbbbbb")],
    "what was rolled back": [inbox_frame(2, 3, item(1, 3, "seed-0/1/doomed"))],
    "somebody else's": [inbox_frame(2, 3, item(1, 3, body="seed-0/1 to:bob|carol;"))],
    "twice": [inbox_frame(2, 3, item(1, 3)), inbox_frame(3, 4, item(1, 3))],
    "out of order": [inbox_frame(2, 4, item(1, 4), item(2, 3))],
}


@pytest.mark.parametrize("frames", WRONG_IN_THE_INBOX.values(), ids=WRONG_IN_THE_INBOX)
def test_a_reader_finds_what_is_wrong_in_its_inbox(frames: list[dict[str, Any]]) -> None:
    record, faults, heard = InboxRecord("alice", ["odd"]), list[str](), set[tuple[Any, ...]]()
    first = {"type": "reset", "reason": "start", "cursor": "inbox=aaaaaaaa.2", "items": [], "unread": 0, "unseen": 0}
    record.take(first, heard, faults.append)
    record.take(inbox_frame(2, 2, item(9, 2, body="seed-0/9 to:alice|bob;")), heard, faults.append)
    assert faults == []
    for frame in frames:
        record.take(frame, heard, faults.append)
    assert len(faults) == 1


def said(number: int, version: int, body: str = "seed-0/1 in:7;") -> dict[str, Any]:
    return {"number": number, "version": version, "body": body}


def room_frame(start: int, to: int, *messages: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "from": f"room-7=aaaaaaaa.{start}", "to": f"room-7=aaaaaaaa.{to}", "messages": messages}


def test_what_changes_while_a_reset_is_read_comes_once_more() -> None:
    record, faults, heard = InboxRecord("alice", ["odd"]), list[str](), set[tuple[Any, ...]]()
    frame = {"type": "reset", "reason": "start", "cursor": "inbox=aaaaaaaa.2", "unread": 0, "unseen": 0}
    record.take({**frame, "items": [item(1, 2), item(2, 3)]}, heard, faults.append)
    record.take(inbox_frame(2, 3, item(2, 3)), heard, faults.append)
    assert faults == []
    record.take(inbox_frame(3, 3, item(1, 2), item(2, 3)), heard, faults.append)
    assert len(faults) == 2


WRONG_IN_A_ROOM = {
    "a hole": [room_frame(3, 4)],
    "what was rolled back": [room_frame(2, 3, said(3, 3, "seed-0/3/doomed in:7;"))],
    "another room's": [room_frame(2, 3, said(3, 3, "seed-0/3 in:8;"))],
    "twice": [room_frame(2, 3, said(3, 3)), room_frame(3, 4, said(3, 3))],
}


@pytest.mark.parametrize("frames", WRONG_IN_A_ROOM.values(), ids=WRONG_IN_A_ROOM)
def test_a_reader_finds_what_is_wrong_in_a_room(frames: list[dict[str, Any]]) -> None:
    record, faults, heard = RoomRecord(7), list[str](), set[tuple[Any, ...]]()
    record.take({"type": "reset", "cursor": "room-7=aaaaaaaa.2", "messages": [said(1, 2)]}, heard, faults.append)
    assert faults == []
    for frame in frames:
        record.take(frame, heard, faults.append)
    assert len(faults) == 1
