"""The timer: heartbeats after silence and the end of a long life, on a clock that the tests turn."""

from __future__ import annotations

import pytest

from notifications.live.connections import EVENT_STREAM
from notifications.live.heartbeats import TICK, Timer
from notifications.live.hub import Connection, Message

INTERVAL, MAX_AGE = 25.0, 900.0  # seconds


async def discard(message: Message) -> None:
    return


class Clock:
    """A timer with its time; it notes when whom it was told to beat or to end."""

    def __init__(self, start: float = 1_000.3, interval: float = INTERVAL) -> None:
        self.now = start
        self.beats: list[tuple[float, Connection]] = []
        self.ends: list[tuple[float, Connection]] = []
        self.timer = Timer(
            interval,
            lambda connection: self.beats.append((self.now, connection)),
            lambda connection: self.ends.append((self.now, connection)),
        )

    def connection(self, max_age: float = MAX_AGE) -> Connection:
        connection = Connection("c", discard, EVENT_STREAM, lambda: None)
        connection.open = True  # as in a hub
        self.timer.add(connection, self.now, max_age)
        return connection

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now + TICK <= end:
            self.now += TICK
            self.timer.turn(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_silent_connection_beats_once_in_each_interval(clock: Clock) -> None:
    clock.connection()
    clock.run(1_000 * INTERVAL / 40)
    beats = [at for at, _ in clock.beats]
    gaps = [later - earlier for earlier, later in zip([1_000.3, *beats], beats, strict=False)]
    assert len(gaps) > 20
    assert all(0.9 * INTERVAL - TICK <= gap <= 1.1 * INTERVAL + TICK for gap in gaps)


def test_activity_postpones_the_heartbeat(clock: Clock) -> None:
    connection = clock.connection()
    for _ in range(30):
        clock.run(20)
        connection.active_at = clock.now
    assert clock.beats == []
    clock.run(1.1 * INTERVAL + TICK)
    assert len(clock.beats) == 1


def test_connections_that_began_together_do_not_beat_together(clock: Clock) -> None:
    for _ in range(200):
        clock.connection()
    clock.run(1.1 * INTERVAL + TICK)
    assert len({at for at, _ in clock.beats}) >= 4


def test_a_connection_ends_at_its_deadline_however_active_it_is(clock: Clock) -> None:
    connection = clock.connection()
    for _ in range(130):
        clock.run(9)
        connection.active_at = clock.now
    [(end, ended)] = clock.ends
    assert ended is connection
    assert 0.8 * MAX_AGE <= end - 1_000.3 <= 1.2 * MAX_AGE + INTERVAL
    assert connection.deadline <= end <= connection.deadline + TICK


def test_nothing_is_told_after_the_end(clock: Clock) -> None:
    clock.connection(max_age=10.0)
    clock.run(200)
    assert (len(clock.ends), clock.beats) == (1, [])


@pytest.mark.parametrize("way", ["closed", "left"])
def test_a_connection_that_is_gone_is_forgotten(clock: Clock, way: str) -> None:
    connection = clock.connection()
    if way == "closed":
        connection.closed = "drain"
    else:
        connection.open = False
    clock.run(1_500)
    assert (clock.beats, clock.ends, dict(clock.timer._buckets)) == ([], [], {})


def test_a_turn_looks_only_at_who_is_due(clock: Clock) -> None:
    for _ in range(100):
        clock.connection()
    clock.run(20)
    looked: list[Connection] = []
    clock.timer._look = lambda connection, now: looked.append(connection)  # type: ignore[method-assign]
    clock.run(1)
    assert looked == []
    clock.run(1.1 * INTERVAL - 20)
    assert len(looked) == 100


def test_a_late_turn_misses_nobody(clock: Clock) -> None:
    connections = {clock.connection() for _ in range(50)}
    clock.now += 60  # the machine slept
    clock.timer.turn(clock.now)
    assert {connection for _, connection in clock.beats} == connections


def test_a_first_turn_that_comes_late_misses_nobody_either() -> None:
    clock = Clock(interval=0.2)
    clock.connection()
    clock.now += 1.2 * TICK
    clock.timer.turn(clock.now)
    assert len(clock.beats) == 1


def test_lives_differ_by_a_fifth(clock: Clock) -> None:
    deadlines = {clock.connection().deadline - clock.now for _ in range(300)}
    assert 0.8 * MAX_AGE <= min(deadlines) < 0.9 * MAX_AGE
    assert 1.1 * MAX_AGE < max(deadlines) <= 1.2 * MAX_AGE
