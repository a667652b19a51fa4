"""Send what is due by e-mail and other channels."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from ...deliveries import broadcasts, couriers
from ...live.threads import Threads
from ...preferences.channels import sent

logger = logging.getLogger("notifications")


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
        if options["once"]:
            number = couriers.deliver_due()
            if options["verbosity"]:
                self.stdout.write(f"{number} deliver{'y was' if number == 1 else 'ies were'} due.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        senders = couriers.Couriers()
        walker = Threads(1, "notifications-broadcasts")
        connections.close_all()  # this thread needs none from now on
        try:
            while not stop.is_set():
                senders.call(options["threads"])
                stop.wait(self._make(walker))
        finally:
            walker.close(wait=True)
            senders.close(wait=True)

    def _make(self, walker: Threads) -> float:
        """Make deliveries of broadcasts; return after how many seconds there may be more."""
        try:
            return min(couriers.SWEEP, walker.submit(broadcasts.take_turn).result() or couriers.SWEEP)
        except Exception:
            logger.exception("The deliveries of a broadcast could not be made; the next turn tries it again.")
            return couriers.SWEEP
