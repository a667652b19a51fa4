"""System checks of kinds: what can be known before one is sent or read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from ..conf import conf
from ..languages import site_languages
from ..models import Notice
from .declaring import CHANNELS, WEBHOOK, Rules, fact_names, registry
from .facts import shape

LOCALE = "django.middleware.locale.LocaleMiddleware"
LATEST = 1_000  # notices in which kinds are sought that no code has


@register("notifications")
def check_kinds(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the facts, the channels and the texts of each kind."""
    return [message for rules in registry.values() for message in _messages(rules)]


def _messages(rules: Rules) -> Iterator[CheckMessage]:
    try:
        shape(rules.cls)
    except ImproperlyConfigured as error:
        yield Error(
            str(error),
            hint="Annotate facts with numbers, text, times, enums, dataclasses, models, or lists and dicts of these.",
            obj=rules.place,
            id="carillon.E040",
        )
    else:
        if rules.about and not shape(rules.cls).models[rules.about]:
            yield Error(
                f"The kind {rules.key!r} is about {rules.about!r}, which is no instance of a model.",
                hint=f"Annotate {rules.about} with a model, or leave about out.",
                obj=rules.place,
                id="carillon.E042",
            )
    known = list(dict.fromkeys([*CHANNELS, *_own_channels()]))
    named = [*rules.channels, *(wait.unless_sent for wait in rules.waits.values() if wait.unless_sent)]
    unknown = [name for name in named if name not in known and not name.startswith(WEBHOOK)]
    if unknown:
        yield Error(
            f"The kind {rules.key!r} names the channel {unknown[0]!r}, which there is not.",
            hint=f"Name one of {', '.join(known)}, or {WEBHOOK}<name>. Your own are in NOTIFICATIONS_CHANNELS.",
            obj=rules.place,
            id="carillon.E041",
        )
    if LOCALE in settings.MIDDLEWARE and len(site_languages()) > 1:
        for name in ("title", "body"):
            value = getattr(rules.cls, name, None)
            if isinstance(value, str) and value and name not in fact_names(rules.cls):
                yield Caution(
                    f"The {name} of the kind {rules.key!r} is the same in every language.",
                    hint="Use gettext_lazy, or a method that uses gettext.",
                    obj=rules.place,
                    id="carillon.W040",
                )


def _own_channels() -> Iterable[str]:
    try:
        return conf.CHANNELS
    except (TypeError, ValueError):  # another check says what is wrong with the setting
        return ()


@register(Tags.database)  # Django gives it the databases that `check --database` names
def check_stored_kinds(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Look in the latest notices for kinds that no code has."""
    found: set[str] = set()
    for alias in databases or ():
        latest = Notice.objects.using(alias).filter(version__isnull=False).order_by("-pk")
        try:
            found.update(latest.values_list("kind", flat=True)[:LATEST])
        except DatabaseError:  # the tables are not there yet, or not in this database
            continue
    return [
        Caution(
            f"Notifications of the kind {key!r} are stored, but no code has it: they show what was stored with them.",
            hint="Declare it in an app's notices.py. If it was renamed, give the class its old key.",
            id="carillon.W041",
        )
        for key in sorted(found - registry.keys())
    ]
