"""``manage.py carillon_renew_epochs``: start every reader afresh, after a database has lost commits."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.live import relay
from notifications.live.epochs import renew_all
from notifications.live.streams import stream_types


class Command(BaseCommand):
    """Renew epochs from the command line."""

    help = (
        "Give every stream a new epoch, so that each client starts afresh. Run it after restoring a backup, or after "
        "a standby took over that may lack the last commits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the types of the streams."""
        parser.add_argument(
            "--type",
            action="append",
            dest="types",
            choices=sorted(stream_types),
            help="only streams of this type; may be given several times. The default is all",
        )

    def handle(self, **options: Any) -> None:
        """Renew, have all processes look, and print how many there were."""
        for name in options["types"] or sorted(stream_types):
            self.stdout.write(f"Streams of the type {name} with a new epoch: {renew_all(stream_types[name])}")
        relay.request_sweep()
