"""``manage.py prune_notifications``: delete old notifications, deliveries and messages. Run it daily."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from notifications.chat.prune import prunable_messages, prune_messages
from notifications.conf import conf
from notifications.deliveries.pruning import prunable_deliveries, prune_deliveries
from notifications.inbox.prune import prunable, prune
from notifications.preferences.channels import sent


class Command(BaseCommand):
    """Prune from the command line."""

    help = (
        "Delete notifications that were archived, expired or recalled long ago, deliveries that ended long ago, and "
        "old messages of the chat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the age, and whether to delete at all."""
        parser.add_argument(
            "--days",
            type=_days,
            help=f"how long ago; the default is NOTIFICATIONS_RETENTION ({conf.RETENTION / timedelta(days=1):g} days)",
        )
        parser.add_argument("--dry-run", action="store_true", help="count them only")

    def handle(self, **options: Any) -> None:
        """Prune, or only count, and print how many."""
        age = conf.RETENTION if options["days"] is None else timedelta(days=options["days"])
        now = timezone.now()
        if options["dry_run"]:
            self.stdout.write(f"Notifications that would be deleted: {prunable(now - age).count()}")
        else:
            self.stdout.write(f"Notifications deleted: {prune(now - age)}")
        number = prunable_deliveries().count() if options["dry_run"] else prune_deliveries()
        if number or sent():
            done = "that would be deleted" if options["dry_run"] else "deleted"
            self.stdout.write(f"Deliveries {done}: {number}")
        if conf.MESSAGE_RETENTION is None:
            return
        before = now - conf.MESSAGE_RETENTION
        if options["dry_run"]:
            self.stdout.write(f"Messages that would be deleted: {prunable_messages(before).count()}")
        else:
            self.stdout.write(f"Messages deleted: {prune_messages(before)}")


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 5:
        raise ArgumentTypeError("must be a whole number of days, 0 or more")
    return int(text)
