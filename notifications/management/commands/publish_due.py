"""Send scheduled broadcasts and bring back snoozed notifications whose time has come."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...services import publish_due, release_due


class Command(BaseCommand):
    """For sites that prefer cron; server processes with open connections do it by themselves."""

    help = (
        "Send the scheduled broadcasts, and bring back the snoozed notifications, whose time has come. "
        "Safe to run as often, and in as many places, as you like."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        release_due()
        number = publish_due()
        if options["verbosity"]:
            self.stdout.write(f"Sent {number} broadcast{'' if number == 1 else 's'}.")
