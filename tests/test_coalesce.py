"""A room hears of receipts at once, and of a burst of them once a tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from notifications.live.coalesce import Coalescer


class Ticks:
    """Receipts with a clock that the test moves, and what the rooms were told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, dict[Any, int]]] = []
        self.timers: list[Callable[[], None]] = []
        self.show = Coalescer[int, Any, int](self.tell, max, self.timers.append).show

    def tell(self, room: int, users: Mapping[Any, int]) -> None:
        self.told.append((room, dict(users)))

    def pass_by(self) -> list[tuple[int, dict[Any, int]]]:
        """Let a tick pass; return what it told."""
        assert len(self.timers) == 1, "there is one timer, whatever the number of rooms"
        before = len(self.told)
        self.timers.pop()()
        return self.told[before:]


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def test_the_first_is_told_at_once(ticks: Ticks) -> None:
    ticks.show(1, "bob", 7)
    assert ticks.told == [(1, {"bob": 7})]
    assert ticks.pass_by() == []
    assert ticks.timers == [], "a room that is quiet costs nothing"
    ticks.show(1, "bob", 8)
    assert ticks.told[1:] == [(1, {"bob": 8})]


def test_a_burst_becomes_one_frame_for_each_tick(ticks: Ticks) -> None:
    for up_to in range(1, 101):
        for user in range(200):
            ticks.show(1, user, up_to)
    assert ticks.told == [(1, {0: 1})]
    assert ticks.pass_by() == [(1, dict.fromkeys(range(200), 100))]
    ticks.show(1, 0, 101)
    assert ticks.pass_by() == [(1, {0: 101})], "still the same burst: not told at once"
    assert ticks.pass_by() == []
    assert ticks.timers == []


def test_rooms_do_not_wait_for_each_other(ticks: Ticks) -> None:
    ticks.show(1, "bob", 1)
    ticks.show(2, "bob", 1)
    assert ticks.told == [(1, {"bob": 1}), (2, {"bob": 1})]
    ticks.show(1, "carol", 1)
    ticks.show(2, "carol", 1)
    assert ticks.pass_by() == [(1, {"carol": 1}), (2, {"carol": 1})]


def test_the_furthest_counts_whatever_the_order(ticks: Ticks) -> None:
    ticks.show(1, "alice", 1)
    for up_to in (3, 9, 4):
        ticks.show(1, "bob", up_to)
    assert ticks.pass_by() == [(1, {"bob": 9})]
