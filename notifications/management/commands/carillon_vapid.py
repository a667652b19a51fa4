"""Make the key by which push services know this site."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...deliveries import vapid

SETTINGS = """\
# The private key is a secret: keep it in the environment, and out of the repository. With another key nothing
# reaches the browsers in which people have turned pushes on: they must do so again.
NOTIFICATIONS_CHANNELS = {{
    "push": {{
        "OPTIONS": {{
            "private_key": {private_key!r},
            "subject": {subject!r},  # how the people of a push service reach yours
        }},
    }},
}}"""


class Command(BaseCommand):
    """For the installation: once for each site."""

    help = "Make a key for web push, and print the settings with it. Nothing is stored."
    requires_system_checks: list[str] = []  # they ask for what it prints

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--subject", default="mailto:admin@example.com", help="mailto: or https:, for push services to write to."
        )
        parser.add_argument("--key-only", action="store_true", help="Print the private key alone, for scripts.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not vapid.is_installed():
            raise CommandError("pywebpush and py-vapid are missing: pip install django-carillon[push].")
        if not vapid.SUBJECT.fullmatch(options["subject"]):
            raise CommandError("--subject must be an address such as mailto:admin@example.com or https://example.com.")
        key = vapid.make_private_key()
        text = key if options["key_only"] else SETTINGS.format(private_key=key, subject=options["subject"])
        self.stdout.write(text)
