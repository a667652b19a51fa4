"""System checks of the channels that send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import django
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ..conf import conf
from ..preferences.channels import sent
from .channels import channel


@register("notifications")
def check_delivery_channels(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look for channels that cannot be made, or lack something of the settings."""
    try:
        names = sent()
    except (TypeError, ValueError):
        return []  # `check_settings` says what is wrong with the setting
    found: list[CheckMessage] = list(_task_messages())
    for name in names:
        try:
            problems = channel(name).problems()
        except Exception as error:  # noqa: BLE001  # whatever the site's class raises
            problems = [f"It cannot be made: {error}"]
        found += [Error(f"NOTIFICATIONS_CHANNELS[{name!r}]: {problem}", id="carillon.E060") for problem in problems]
    return found


def _task_messages() -> Iterator[CheckMessage]:
    if not (alias := conf.DELIVERY_TASKS):
        return
    if django.VERSION < (6, 0):
        problem, hint = "Django has tasks since 6.0.", "Leave the setting out, or upgrade Django."
    elif alias not in (known := getattr(settings, "TASKS", {})):
        problem, hint = f"TASKS has no backend {alias!r}.", f"Its backends: {', '.join(map(repr, known)) or 'none'}."
    else:
        return
    yield Error(f"NOTIFICATIONS_DELIVERY_TASKS: {problem}", hint=hint, id="carillon.E061")
