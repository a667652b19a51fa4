"""The site's own defaults, which depend on who a user is: ``NOTIFICATIONS_PREFERENCE_DEFAULTS``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from ..conf import conf
from ..kinds import Rules
from .channels import Value, channel_named, value_of

logger = logging.getLogger("notifications")

_told: set[tuple[str, str]] = set()  # kinds and sorts of failures of which the log has one


def site_defaults(rules: Rules, pks: Sequence[Any], using: str) -> dict[Any, dict[str, Value]]:
    """Return what the site's function says of users: values by channel, by the user's primary key.

    It is asked once for all of them. Where it fails or says what it may not, the code's defaults hold, and the log is
    told.
    """
    function = conf.PREFERENCE_DEFAULTS
    if function is None or not pks:
        return {}
    try:
        with transaction.atomic(using=using):  # what fails in it must not end the caller's transaction
            return _legal(function(list(pks), rules), set(pks))
    except Exception as error:  # whatever the site's code raises
        sort = rules.key, type(error).__name__
        if sort not in _told:
            _told.add(sort)
            logger.error(
                "NOTIFICATIONS_PREFERENCE_DEFAULTS failed for the kind %r; the code's defaults hold. Said once.",
                rules.key,
                exc_info=error,
            )
        return {}


def _legal(answer: Any, asked: set[Any]) -> dict[Any, dict[str, Value]]:
    if not isinstance(answer, Mapping):
        raise TypeError(f"It returned {type(answer).__name__}; it must return a mapping of primary keys of users.")
    found: dict[Any, dict[str, Value]] = {}
    for pk, values in answer.items():
        if pk not in asked:
            continue
        if not isinstance(values, Mapping):
            raise TypeError(f"For user {pk} it returned {type(values).__name__}; it must be a mapping of channels.")
        found[pk] = {}
        for name, value in values.items():
            try:
                channel = channel_named(name)
                found[pk][channel.name] = value_of(channel, value)
            except ValidationError as invalid:
                raise ValueError(f"For user {pk}: {' '.join(invalid.messages)}") from invalid
    return found
