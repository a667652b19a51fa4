"""A cursor is a reader's whole session as text, and a client's input."""

from __future__ import annotations

import pytest

from notifications.exceptions import BadCursor
from notifications.live.cursor import MAX_LENGTH, Position, dump, parse

INBOX = Position("5f0c2a91", 42)
ROOM = Position("00000000", 0)


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("", {}),
        ("inbox=5f0c2a91.42", {"inbox": INBOX}),
        ("inbox=5f0c2a91.42,room-7=00000000.0", {"inbox": INBOX, "room-7": ROOM}),
        ("inbox=5f0c2a91.999999999999999999", {"inbox": Position("5f0c2a91", 10**18 - 1)}),
        (
            "room-0b5e4a6c-1d2f-4a3b-8c9d-0e1f2a3b4c5d=5f0c2a91.42",
            {"room-0b5e4a6c-1d2f-4a3b-8c9d-0e1f2a3b4c5d": INBOX},
        ),
    ],
)
def test_what_was_written_is_read_back(text: str, positions: dict[str, Position]) -> None:
    assert parse(text) == positions
    assert dump(positions) == text


@pytest.mark.parametrize(
    "text",
    [
        "inbox",
        "inbox=",
        "inbox=5f0c2a91",
        "inbox=5f0c2a91.",
        "inbox=5f0c2a91.-1",
        "inbox=5f0c2a91.+1",
        "inbox=5f0c2a91.042",
        "inbox=5f0c2a91.4.2",
        "inbox=5f0c2a91.1000000000000000000",  # would not fit into a database's bigint
        "inbox=5f0c2a91.٤٢",
        "inbox=5F0C2A91.42",
        "inbox=5f0c2a9.42",
        "INBOX=5f0c2a91.42",
        "in box=5f0c2a91.42",
        "inbox=5f0c2a91.42 ",
        "inbox=5f0c2a91.42\n",
        "inbox=5f0c2a91.42,",
        ",inbox=5f0c2a91.42",
        "inbox=5f0c2a91.42;room-7=5f0c2a91.42",
        "room-=5f0c2a91.42",
        "room-x'--=5f0c2a91.42",
        "\x00",
        "\ud800",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match=r"inbox=5f0c2a91\.42"):
        parse(text)


def test_a_stream_named_twice_is_refused() -> None:
    with pytest.raises(BadCursor):
        parse("inbox=5f0c2a91.42,inbox=5f0c2a91.43")


def test_a_long_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadCursor, match=f"at most {MAX_LENGTH} characters; this one has {MAX_LENGTH + 1}"):
        parse("x" * (MAX_LENGTH + 1))
