"""Periodic tasks: when their turns come."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from django.test import SimpleTestCase

from notifications.live import periodic
from notifications.live.periodic import PeriodicTasks

from .streaming import TIMEOUT


class FailureTests(SimpleTestCase):
    async def test_what_has_failed_is_tried_again_long_before_the_next_turn(self) -> None:
        tries: list[str] = []
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def task() -> float:
            tries.append("try")
            if len(tries) == 1:
                raise OSError("The database is away.")
            loop.call_soon_threadsafe(done.set)
            return 3600.0

        turns = PeriodicTasks(lambda: 3600.0)
        with (
            patch.object(periodic, "_tasks", [task]),
            patch.object(periodic, "_closers", []),
            patch.object(periodic, "AGAIN", 0.01),
        ):
            running = asyncio.create_task(turns.run())
            try:
                async with asyncio.timeout(TIMEOUT):
                    with self.assertLogs("notifications", "ERROR"):
                        await done.wait()
            finally:
                running.cancel()
                turns.close()
        assert tries == ["try", "try"]

    async def test_however_often_they_are_woken_two_turns_are_some_time_apart(self) -> None:
        began: list[float] = []
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def task() -> float:
            began.append(loop.time())
            loop.call_soon_threadsafe(done.set if len(began) == 3 else turns.wake)
            return 3600.0

        turns = PeriodicTasks(lambda: 3600.0)
        with patch.object(periodic, "_tasks", [task]), patch.object(periodic, "_closers", []):
            running = asyncio.create_task(turns.run())
            try:
                async with asyncio.timeout(TIMEOUT):
                    await done.wait()
            finally:
                running.cancel()
                turns.close()
        assert began[2] - began[0] > periodic.SHORTEST
