"""System checks of the channels that send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from ..preferences.channels import sent
from .channels import channel


@register("notifications")
def check_delivery_channels(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look for channels that cannot be made, or lack something of the settings."""
    try:
        names = sent()
    except (TypeError, ValueError):
        return []  # `check_settings` says what is wrong with the setting
    found: list[CheckMessage] = []
    for name in names:
        try:
            problems = channel(name).problems()
        except Exception as error:  # noqa: BLE001  # whatever the site's class raises
            problems = [f"It cannot be made: {error}"]
        found += [Error(f"NOTIFICATIONS_CHANNELS[{name!r}]: {problem}", id="carillon.E060") for problem in problems]
    return found
