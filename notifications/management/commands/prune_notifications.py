"""``manage.py prune_notifications``: delete what nobody needs any more. Run it daily."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from notifications.conf import conf
from notifications.services.prune import prunable, prune


class Command(BaseCommand):
    """Prune from the command line."""

    help = "Delete notifications that were archived, expired or recalled long ago."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the age, and whether to delete at all."""
        parser.add_argument(
            "--days",
            type=_days,
            help=f"how long ago; the default is NOTIFICATIONS_RETENTION ({conf.RETENTION / timedelta(days=1):g} days)",
        )
        parser.add_argument("--dry-run", action="store_true", help="count them only")

    def handle(self, **options: Any) -> None:
        """Prune, or count, and say how many."""
        age = conf.RETENTION if options["days"] is None else timedelta(days=options["days"])
        before = timezone.now() - age
        if options["dry_run"]:
            self.stdout.write(f"Notifications that would be deleted: {prunable(before).count()}")
        else:
            self.stdout.write(f"Notifications deleted: {prune(before)}")


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 5:
        raise ArgumentTypeError("must be a whole number of days, 0 or more")
    return int(text)
