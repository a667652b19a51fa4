"""List the kinds of notifications, with what they say in each language."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...kinds import Kind, Rules, registry
from ...kinds.rendering import rendering
from ...languages import site_languages


class Command(BaseCommand):
    """For developers, translators and whoever wants to know what a site may say."""

    help = "List the kinds of notifications that the apps declare, with an example of each in every language."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", nargs="*", help="only these kinds; without any, all")
        parser.add_argument("--language", action="append", metavar="CODE", help="only this language; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = sorted(set(options["key"]) - registry.keys())
        if unknown:
            raise CommandError(f"There is no kind {unknown[0]!r}. Declared are: {', '.join(registry) or 'none'}.")
        for key in options["key"] or sorted(registry):
            self._describe(registry[key], options["language"] or list(site_languages()))
        if not registry:
            self.stdout.write("No app declares a kind; notices.py is where they go.")

    def _describe(self, rules: Rules, languages: list[str]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(rules.key) + f"  version {rules.version}, {rules.place}")
        channels = ", ".join(f"{name} {value}" for name, value in rules.channels.items())
        more = [rules.category and f"category {rules.category}", f"level {rules.level}", channels]
        self.stdout.write("  " + "; ".join(filter(None, more)))
        try:
            sample = rules.cls.sample()
        except Exception as error:  # noqa: BLE001  # whatever the site's code raises
            self.stdout.write(self.style.ERROR(f"  its sample fails: {error!r}"))
            return
        if sample is None:
            self.stdout.write("  no sample; give the class a classmethod sample()")
            return
        width = max(map(len, languages))
        for language in languages:
            self.stdout.write(f"  {language:{width}}  {self._said(sample, language)}")

    def _said(self, sample: Kind, language: str) -> str:
        try:
            return rendering(sample, language).title
        except Exception as error:  # noqa: BLE001  # as above
            return self.style.ERROR(f"fails: {error!r}")
