"""A fair queue takes owners in turn, keeps places apart, and grows while jobs are slow."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.live.fair_queue import SLOW, FairQueue, Ticket
from notifications.live.rate_limit import Budgets


class Desk:
    """A queue with a clock that the test moves."""

    def __init__(self, usual: int = 1, most: int = 3) -> None:
        self.time = 0.0
        self.queue: FairQueue[str] = FairQueue(lambda: self.time, usual, most)

    def put(self, owner: str, *jobs: str, limit: float = 100, **terms: Any) -> list[bool]:
        return [self.queue.put(owner, job, limit=limit, **terms) for job in jobs]

    def take(self) -> Ticket[str]:
        ticket = self.queue.take()
        assert ticket is not None
        return ticket

    def work_off(self) -> list[str]:
        """Do all that waits, one job after the other; return the order."""
        done = []
        while ticket := self.queue.take():
            done.append(ticket.job)
            self.queue.done(ticket)
        return done


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_owners_take_turns_whatever_each_asks_for(desk: Desk) -> None:
    desk.put("attacker", *[f"a{n}" for n in range(50)])
    desk.put("bob", "b0", "b1")
    desk.put("carol", "c0")
    assert desk.work_off()[:6] == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_each_owner_is_served_in_the_order_of_asking(desk: Desk) -> None:
    desk.put("bob", "1", "2", "3")
    assert desk.work_off() == ["1", "2", "3"]


def test_an_owner_waits_with_so_many_and_no_more(desk: Desk) -> None:
    assert desk.put("bob", "1", "2", "3", limit=2) == [True, True, False]
    assert desk.put("carol", "c", limit=2) == [True]
    assert desk.work_off() == ["1", "c", "2"]
    assert desk.put("bob", "4", limit=2) == [True]
    assert len(desk.queue) == 1


def test_one_job_runs_at_a_time_while_it_is_quick(desk: Desk) -> None:
    desk.put("bob", "b")
    desk.put("carol", "c")
    first = desk.take()
    assert desk.queue.take() is None
    assert desk.queue.pause() == SLOW
    desk.queue.done(first)
    assert desk.take().job == "c"
    assert desk.queue.pause() is None, "nothing waits"


def test_a_slow_one_lets_another_start_up_to_a_bound(desk: Desk) -> None:
    for owner in "abcdef":
        desk.put(owner, owner)
    for started in range(1, 3):
        desk.take()
        assert desk.queue.take() is None
        assert desk.queue.pause() == pytest.approx(SLOW), started
        desk.time += SLOW
    last = desk.take()
    desk.time += 60
    assert desk.queue.take() is None, "three is the most"
    assert desk.queue.pause() is None, "only an end helps"
    desk.queue.done(last)
    assert desk.take().job == "d"


def test_a_job_that_is_over_makes_room_whether_it_was_slow_or_not(desk: Desk) -> None:
    desk.put("a", "slow")
    desk.put("b", "quick")
    desk.put("c", "next")
    slow = desk.take()
    desk.time += SLOW
    desk.take()
    assert desk.queue.take() is None
    desk.queue.done(slow)
    assert desk.queue.take() is None, "a quick one runs"
    desk.time += SLOW
    assert desk.take().job == "next"


def test_so_many_of_one_owner_run_at_once(desk: Desk) -> None:
    desk.put("bob", "1", "2", "3", each=2)
    desk.put("carol", "c")
    started = []
    for _ in range(3):
        started.append(desk.take().job)
        desk.time += SLOW
    assert started == ["1", "c", "2"]
    assert desk.queue.take() is None


def test_one_job_at_a_time_has_a_place_and_the_others_pass(desk: Desk) -> None:
    desk.put("alice", "alice in 7", place=7)
    desk.put("bob", "bob in 7", place=7)
    desk.put("carol", "carol in 7", place=7)
    desk.put("dave", "dave in 8", place=8)
    first = desk.take()
    desk.time += SLOW
    other = desk.take()
    assert (first.job, other.job) == ("alice in 7", "dave in 8")
    desk.time += SLOW
    assert desk.queue.take() is None, "a lock in 7 holds up one thread"
    desk.queue.done(first)
    desk.queue.done(other)
    assert desk.work_off() == ["bob in 7", "carol in 7"]


def test_nothing_is_kept_of_who_has_nothing_waiting(desk: Desk) -> None:
    for n in range(1_000):
        desk.put(f"user {n}", "job", place=n)
    desk.work_off()
    assert not any([desk.queue._lines, desk.queue._parked, desk.queue._running, desk.queue._turns])


class Shop:
    """Budgets of two tokens and one more each second, with timers that the test lets pass."""

    def __init__(self) -> None:
        self.time = 0.0
        self.timers: list[tuple[float, Any]] = []
        self.budgets = Budgets(1, 2, lambda: self.time, lambda wait, call: self.timers.append((self.time + wait, call)))

    def pass_by(self, seconds: float) -> None:
        self.time += seconds
        due = [call for at, call in self.timers if at <= self.time]
        self.timers = [timer for timer in self.timers if timer[0] > self.time]
        for call in due:
            call()


def test_all_clients_of_an_owner_share_a_bucket() -> None:
    shop = Shop()
    one, other, stranger = shop.budgets.enter("bob"), shop.budgets.enter("bob"), shop.budgets.enter("carol")
    assert [bucket.take(0) for bucket in (one, other, other, stranger)] == [0, 0, 1, 0]


def test_to_leave_and_come_again_fills_no_bucket() -> None:
    shop = Shop()
    bucket = shop.budgets.enter("bob")
    bucket.take(0, 2)
    for _ in range(5):
        shop.budgets.leave("bob")
        assert shop.budgets.enter("bob").take(0) == 1
    assert len(shop.timers) == 1, "one timer, however often somebody leaves"


def test_a_bucket_is_forgotten_when_it_is_full_and_nobody_is_there() -> None:
    shop = Shop()
    for owner in ("bob", "carol"):
        shop.budgets.enter(owner).take(0)
        shop.budgets.leave(owner)
    shop.budgets.enter("carol")
    shop.pass_by(1)
    assert len(shop.budgets) == 1
    shop.budgets.leave("carol")
    assert len(shop.budgets) == 0


def test_a_long_command_costs_more_and_never_more_than_there_is() -> None:
    shop = Shop()
    bucket = shop.budgets.enter("bob")
    assert bucket.take(0, 100) == 0, "else it could never be sent"
    assert bucket.take(0) == 99
