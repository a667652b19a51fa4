"""System checks of what code says about preferences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

from ..kinds import registry
from .channels import channels
from .topics import categories


@register("notifications")
def check_channels(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look for kinds that want of a channel what it cannot do."""
    try:
        known = channels()
    except (TypeError, ValueError):
        return []  # `check_settings` says what is wrong with the setting
    found: list[CheckMessage] = []
    for rules in registry.values():
        for name, value in rules.channels.items():
            if name in known and value not in known[name].values:
                hint = f"It can be {', '.join(known[name].values)}."
                message = f"{rules.place} wants the channel {name!r} to be {value!r}."
                found.append(Error(message, hint=hint, id="carillon.E050"))
    return found


@register("notifications")
def check_categories(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look for categories whose names some databases take for the same."""
    try:
        known = categories()
    except (TypeError, ValueError):
        return []
    same: dict[str, list[str]] = {}
    for name in known:
        same.setdefault(name.casefold().strip(), []).append(name)
    return [
        Caution(
            f"The categories {', '.join(map(repr, names))} differ in nothing but capitals and spaces.",
            hint="Give them one name: MariaDB and MySQL would take a choice for one as a choice for the other.",
            id="carillon.W050",
        )
        for names in same.values()
        if len(names) > 1
    ]
