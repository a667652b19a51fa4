"""Send what is due by e-mail and other channels."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from ... import tenants
from ...deliveries import broadcasts, couriers
from ...live.threads import Threads
from ...preferences.channels import sent

logger = logging.getLogger("notifications")


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """Give an event that is set by the first signal to end; a second one ends the process at once.

    Only a process's main thread hears signals; in another one the event is never set.
    """
    stop = threading.Event()
    before: dict[int, Any] = {}

    def tell(number: int, frame: Any) -> None:
        stop.set()
        signal.signal(number, before[number])

    if threading.current_thread() is threading.main_thread():
        for ending in (signal.SIGTERM, signal.SIGINT):
            before[ending] = signal.signal(ending, tell) or signal.SIG_DFL
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Command(BaseCommand):
    """For sites that send in a process of its own, or by cron; server processes with open connections send too."""

    help = (
        "Send what is due by e-mail and the other channels of NOTIFICATIONS_CHANNELS, until it is stopped. "
        "Safe to run in as many places as you like: each delivery is sent by one of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Send what is due now, and end; for cron.")
        parser.add_argument("--threads", type=int, default=4, help="Messages of each channel at the same time (4).")

    def handle(self, *args: Any, **options: Any) -> None:
        if not sent():
            raise CommandError(
                "No channel sends anything: name one in NOTIFICATIONS_CHANNELS, for example {'email': ''}."
            )
        if options["threads"] < 1:
            raise CommandError("--threads must be at least 1.")
        with told_to_stop() as stop:
            if not options["once"]:
                self._send(stop, options["threads"])
                return
            number = sum(tenants.run(name, couriers.deliver_until, stop.is_set) for name in tenants.names())
        if options["verbosity"]:
            self.stdout.write(f"{number} deliver{'y was' if number == 1 else 'ies were'} due.")

    def _send(self, stop: threading.Event, threads: int) -> None:
        """Send what falls due until it is told to stop."""
        senders = couriers.Couriers()
        walker = Threads(1, "notifications-broadcasts")
        connections.close_all()  # this thread needs none from now on
        try:
            while not stop.is_set():
                pause = couriers.SWEEP
                for tenant in walker.submit(tenants.names).result():
                    with tenants.speaking_for(tenant):  # this thread has no connection
                        senders.call(threads)
                    pause = min(pause, self._make(walker, tenant))
                stop.wait(pause)
        finally:
            walker.close(wait=True)
            senders.close(wait=True)

    def _make(self, walker: Threads, tenant: str) -> float:
        """Make deliveries of a tenant's broadcasts; return after how many seconds there may be more."""
        try:
            return min(
                couriers.SWEEP, walker.submit(tenants.run, tenant, broadcasts.take_turn).result() or couriers.SWEEP
            )
        except Exception:
            logger.exception("The deliveries of a broadcast could not be made; the next turn tries it again.")
            return couriers.SWEEP
