"""Send a broadcast from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ...audiences import Audience, registry
from ...broadcasts.publishing import validate_broadcast
from ...inbox.actors import normalize_username
from ...languages import site_languages
from ...models import Broadcast
from ...models.broadcast import BroadcastState
from ...models.content import Level
from ...services import broadcast
from ...validators import validate_texts


class Command(BaseCommand):
    """A broadcast in one line, for deploy scripts and emergencies."""

    help = "Tell an audience something. With --dry-run, say how many people that would be and send nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("title", help="what happened, in one line of at most 200 characters")
        parser.add_argument("--body", default="", help="more about it")
        parser.add_argument("--url", default="", help="where a click leads: a path of this site, or an http(s) address")
        parser.add_argument("--level", default=Level.INFO.value, choices=Level.values)
        parser.add_argument("--category", default="", help="a word by which people may filter")
        parser.add_argument(
            "--text",
            action="append",
            nargs="+",
            default=[],
            metavar=("LANGUAGE TITLE", "BODY"),
            help="the title and, if you like, the body for readers of another language of the site; once for each",
        )
        for option, help_text in (("", "who receives it"), ("except-", "who is excluded")):
            parser.add_argument(f"--{option}audience", action="append", default=[], metavar="NAME", help=help_text)
            parser.add_argument(f"--{option}group", action="append", default=[], metavar="NAME", help=help_text)
            parser.add_argument(f"--{option}user", action="append", default=[], metavar="NAME", help=help_text)
        parser.add_argument(
            "--channel", action="append", default=[], metavar="NAME", help="send it by this channel too, such as email"
        )
        parser.add_argument(
            "--at", metavar="TIME", help="when, as 2030-01-31T18:00 in the site's time zone; now unless given"
        )
        parser.add_argument("--expires", metavar="TIME", help="after when nobody sees it any more")
        parser.add_argument("--dry-run", action="store_true", help="print the audience's size and send nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Audience(
            _part(options["audience"], options["group"], options["user"]),
            _part(options["except_audience"], options["except_group"], options["except_user"]),
        )
        content: dict[str, Any] = {name: options[name] for name in ("body", "url", "level", "category")}
        content["texts"] = _texts(options["text"])
        times: dict[str, Any] = {
            "publish_at": _time("--at", options["at"]),
            "expires_at": _time("--expires", options["expires"]),
        }
        channels = options["channel"]
        try:
            made = Broadcast(title=options["title"], **content, **times, audience=chosen.dump(), channels=channels)
            validate_broadcast(made)
            size = chosen.size()
            if options["dry_run"]:
                self.stdout.write(f"{chosen.describe()}: {size}. Nothing was sent.")
                return
            sent = broadcast(options["title"], **content, **times, to=chosen, channels=channels)
        except ValidationError as error:
            raise CommandError(_explained(error)) from error
        done = "Scheduled for" if sent.state == BroadcastState.SCHEDULED else "Sent to"
        self.stdout.write(f"{done} {size} ({chosen.describe()}).")


def _part(names: list[str], groups: list[str], users: list[str]) -> Any:
    unknown = [name for name in names if name not in registry]
    if unknown:
        raise CommandError(f"Unknown audience {', '.join(unknown)}; choose from {', '.join(registry)}.")
    user_model = get_user_model()
    found = [_find(Group, "name", name) for name in groups]
    people = [_find(user_model, user_model.USERNAME_FIELD, normalize_username(name)) for name in users]
    return Audience.of(*names, groups=found, users=people).include


def _texts(given: list[list[str]]) -> dict[str, dict[str, str]] | None:
    """Return what ``--text`` says, by language."""
    own, *others = site_languages()
    texts: dict[str, dict[str, str]] = {}
    for language, *text in given:
        where = f"--text {language}"
        if language == own:
            raise CommandError(f"{where}: this is the site's own language; give its text as the title and --body.")
        if language not in others:
            known = f"choose from {', '.join(others)}" if others else "LANGUAGES names no other one"
            raise CommandError(f"{where}: this is no other language of the site; {known}.")
        if language in texts:
            raise CommandError(f"{where}: given twice.")
        if not 1 <= len(text) <= 2:
            raise CommandError(f'{where}: write {where} "Title" or {where} "Title" "Body", and quote each.')
        texts[language] = dict(zip(("title", "body"), text, strict=False))
        try:
            validate_texts({language: texts[language]})
        except ValidationError as error:
            raise CommandError(f"{where}: {' '.join(error.messages)}") from error
    return texts or None


def _find(model: Any, field: str, name: str) -> Any:
    found = model._default_manager.filter(**{field: name}).first()
    if found is None:
        raise CommandError(f"No {model._meta.verbose_name} named {name!r}.")
    return found


def _time(option: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{option} must look like 2030-01-31T18:00.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _explained(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    option = {"audience": "--audience", "publish_at": "--at", "expires_at": "--expires"}
    option |= {"title": "title", "channels": "--channel"}
    return " ".join(f"{option.get(name, f'--{name}')}: {' '.join(found)}" for name, found in error.message_dict.items())
