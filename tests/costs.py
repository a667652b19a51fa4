"""What the hot paths cost, counted: statements, calls and bytes, which are the same on every machine.

`tests/test_costs.py` holds them to the figures of `costs.json`; `make baseline` writes that file anew.
"""

from __future__ import annotations

import asyncio
import gc
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import FrameType
from typing import Any, ParamSpec, TypeVar

import django
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from notifications.asgi import SyncHandler
from notifications.inbox.stream import INBOX
from notifications.live import relay
from notifications.live.batch import Batch
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import Position
from notifications.live.frames import Frame
from notifications.live.hub import Connection, Hub, Message
from notifications.live.identity import Identity
from notifications.live.relay import FIRST_LOOK, Relay
from notifications.live.replay import catch_up
from notifications.live.sequencer import open_streams
from notifications.services import notify
from notifications.testing.inline import DrivenLoop

from .factories import make_user, make_users, tell
from .streaming import cookies

P = ParamSpec("P")
R = TypeVar("R")

MANY = 1_000
HEARTBEAT, MAX_AGE = 25.0, 86_400.0  # seconds
NEVER = 86_400.0  # seconds
QUIET_TURNS = 20  # of the loop, in which a future's result reaches whoever waits for it
MISSED = 10  # notifications that a returning client has missed
PAGE = 20

Action = Callable[[], int]  # does it once, and returns the bytes that it made


class Counter:
    """Counts what one thread does: calls of Python and of built-in functions, and statements of the database."""

    def __init__(self) -> None:
        self.calls = 0
        self.statements = 0

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        """Take note of what the interpreter tells a profiler."""
        if event == "call":
            self.calls += 1
        elif event == "c_call":
            self.calls += 1
            if function.__name__ in ("execute", "executemany"):  # of the driver's cursor
                self.statements += 1


def surroundings() -> str:
    """Return what figures depend on: other versions call other functions."""
    python = ".".join(platform.python_version_tuple()[:2])
    return f"Python {python}, Django {django.VERSION[0]}.{django.VERSION[1]}"


def count(action: Action) -> dict[str, int]:
    """Return what an action costs once everything that is made only once is there."""
    action()
    action()
    counter = Counter()
    gc.collect()
    gc.disable()
    sys.setprofile(counter)
    try:
        size = action()
    finally:
        sys.setprofile(None)
        gc.enable()
    return {"statements": counter.statements, "calls": counter.calls, "bytes": size}


@contextmanager
def one_notification() -> Iterator[Action]:
    """Send one notification to one user, who is not connected here."""
    user = make_user()

    def action() -> int:
        notify(user, "A deploy has finished", body="It took long.")
        return 0

    yield action


@contextmanager
def many_notifications() -> Iterator[Action]:
    """Send one notification to a thousand users, who are not connected here."""
    make_users(MANY)
    users = get_user_model()._default_manager.all()

    def action() -> int:
        notify(users, "A deploy has finished", body="It took long.")
        return 0

    yield action


@contextmanager
def connect() -> Iterator[Action]:
    """Decide on a stream: middleware, session, view, and the first frames of a client that missed nothing."""
    user = make_user()
    [(position, _floor)] = open_streams(INBOX, [user.pk]).values()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/notifications/stream/",
        "query_string": f"since={INBOX.cursor(user.pk, position)}".encode(),
        "headers": [(b"host", b"testserver"), (b"cookie", cookies(user).encode())],
    }
    handler = SyncHandler()

    def action() -> int:
        admission = handler.decide(scope).admission
        assert admission is not None
        return len(admission.opening)

    yield action


@contextmanager
def publish() -> Iterator[Action]:
    """Publish one event of a stream to a thousand connections that read it."""
    taken = Taken()
    hub = Hub(_nothing, _nothing, lambda: 0.0, sys.maxsize)
    connections = [Connection("c", taken.write, EVENT_STREAM, lambda: None, Identity(str(n))) for n in range(MANY)]
    for connection in connections:
        hub.add(connection)
        hub.attach(connection, "stream", Position("epoch", 0))
    frame = Frame("changes", b'{"title":"%b"}' % (b"x" * 500), "inbox=1")

    def action() -> int:
        start = hub.streams["stream"].position
        hub.publish("stream", Batch(start, Position("epoch", start.modseq + 1), (frame,)))
        return taken.bytes()

    yield action


@contextmanager
def fan_out() -> Iterator[Action]:
    """Send a notification to a thousand users who are all connected, until the last of them has its bytes."""
    with serving(MANY) as served:

        def action() -> int:
            notify(served.users, "A deploy has finished", body="It took long.")
            return served.finish()

        yield action


@contextmanager
def heartbeats() -> Iterator[Action]:
    """Turn the timer when a thousand connections are due."""
    with serving(MANY) as served:
        due = served.relay.loop.time()

        def action() -> int:
            nonlocal due
            due += 2 * HEARTBEAT
            served.relay.timer.turn(due)
            return served.taken.bytes()

        yield action


@contextmanager
def comparison() -> Iterator[Action]:
    """Compare a thousand quiet streams with the database."""
    with serving(MANY) as served:

        def action() -> int:
            served.relay.reconcile_soon()
            return served.finish()

        yield action


@contextmanager
def resume() -> Iterator[Action]:
    """Read ten notifications that a client has missed which comes back."""
    user = make_user()
    [(position, _floor)] = open_streams(INBOX, [user.pk]).values()
    tell(user, *(f"Deploy {n} has finished" for n in range(MISSED)))

    def action() -> int:
        return sum(len(frame.data) for frame in catch_up(INBOX, user.pk, position).frames)

    yield action


@contextmanager
def page() -> Iterator[Action]:
    """Answer a page of twenty notifications, as the API does."""
    user = make_user()
    tell(user, *(f"Deploy {n} has finished" for n in range(PAGE)))
    client = Client()
    client.force_login(user)

    def action() -> int:
        return len(client.get("/notifications/api/inbox/").content)

    yield action


@contextmanager
def encoding() -> Iterator[Action]:
    """Make the bytes that a stream is sent, from a frame that is there."""
    user = make_user()
    [(position, _floor)] = open_streams(INBOX, [user.pk]).values()
    tell(user, "A deploy has finished")
    batch = catch_up(INBOX, user.pk, position)

    def action() -> int:
        return len(EVENT_STREAM.message(batch.frames)["body"])

    yield action


class Taken:
    """What connections were sent."""

    def __init__(self) -> None:
        self._sizes: list[int] = []

    async def write(self, message: Message) -> None:
        """Take a message, as a server does that buffers it."""
        self._sizes.append(len(message["body"]))

    def bytes(self) -> int:
        """Return how many bytes came since this was last asked."""
        size = sum(self._sizes)
        self._sizes.clear()
        return size


class Served:
    """A relay whose connections are a thousand users', and whose threads' work is done in this one: counted too."""

    def __init__(self, driven: DrivenLoop, users: Sequence[Any]) -> None:
        self.users = users
        self.taken = Taken()
        self.relay = Relay(driven.loop, lambda _size, _name: self, alone=True)
        self._driven = driven
        self._jobs = 0  # that were submitted, ever

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Do what a thread of a server's would."""
        self._jobs += 1
        future: Future[R] = Future()

        def job() -> None:
            future.set_running_or_notify_cancel()
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  # it is the future's
                future.set_exception(error)

        self._driven.run(job)
        return future

    def close(self, *, wait: bool = True) -> None:
        """Do nothing: there is no thread."""

    def connect(self) -> None:
        """Open everybody's stream, and look whether it has moved since."""
        self.open(self.users)
        self._driven.wait_for(asyncio.sleep(FIRST_LOOK))  # ends after the look that began with the first stream
        self.finish()

    def open(self, users: Sequence[Any]) -> None:
        """Open the streams of some users, in which nobody has missed anything."""
        positions = open_streams(INBOX, [user.pk for user in users])
        for pk, (position, _floor) in positions.items():
            connection = Connection("c", self.taken.write, EVENT_STREAM, lambda: None, Identity(str(pk)))
            self.relay.hub.add(connection)
            self.relay.hub.attach(connection, INBOX.key(pk), position)
            self.relay.timer.add(connection, self.relay.loop.time(), MAX_AGE)

    def finish(self) -> int:
        """Let the loop run until nothing is left to do, and return the bytes that connections were sent."""
        self._driven.wait_for(self._quiet())
        return self.taken.bytes()

    async def _quiet(self) -> None:
        before, turns = self._jobs, 0
        while turns < QUIET_TURNS:
            await asyncio.sleep(0)
            turns = turns + 1 if before == self._jobs else 0
            before = self._jobs


@contextmanager
def serving(number: int) -> Iterator[Served]:
    """Serve so many users, each with a stream; time stands still for comparisons and heartbeats."""
    users = make_users(number)
    driven = DrivenLoop()
    served = Served(driven, users)
    context = relay.serving(served.relay)
    with override_settings(NOTIFICATIONS_RECONCILE=NEVER, NOTIFICATIONS_RECHECK=NEVER):
        driven.wait_for(context.__aenter__())
        served.connect()
        try:
            yield served
        finally:
            driven.wait_for(context.__aexit__(None, None, None))
            driven.close()


def _nothing(_key: Any) -> None:
    """Read nothing."""


PATHS = {
    "one notification": one_notification,
    "a notification to 1,000": many_notifications,
    "a connect": connect,
    "an event to 1,000 readers": publish,
    "a notification to 1,000 who are connected": fan_out,
    "1,000 heartbeats": heartbeats,
    "a comparison of 1,000 streams": comparison,
    "a resume": resume,
    "a page": page,
    "an encoding": encoding,
}
