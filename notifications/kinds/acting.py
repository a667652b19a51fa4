"""What people may do at once where they are told of something: approve, reject."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

ActionStyle = Literal["", "primary", "danger"]
ACTIONS_LIMIT = 4  # of a kind; more is a page of its own

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")


@dataclass(frozen=True, slots=True)
class Action:
    """An action of a kind: what its button says, what is said once it is done, and who may do it."""

    name: str
    handler: Callable[[Any, Any], object]
    label: str | Promise
    done: str | Promise
    style: ActionStyle
    permission: str

    def add_to(self, known: dict[str, Action], where: str) -> None:
        """Add the action to those of a kind.

        Raises:
            ImproperlyConfigured: Its name is none, or taken; or the kind has too many.
        """
        if not _NAME.fullmatch(self.name):
            raise ImproperlyConfigured(
                f"{where}: name an action by at most 50 small letters, digits, _ and -: {self.name!r}."
            )
        if self.style not in ("", "primary", "danger"):
            raise ImproperlyConfigured(f'{where}: style is {self.style!r}; use "", "primary" or "danger".')
        other = known.get(self.name)
        if other is not None and _place(other.handler) != _place(self.handler):
            raise ImproperlyConfigured(f"{where}: {_place(other.handler)} is the action {self.name!r} already.")
        if other is None and len(known) == ACTIONS_LIMIT:
            raise ImproperlyConfigured(f"{where}: a kind has at most {ACTIONS_LIMIT} actions.")
        known[self.name] = self


def _place(handler: Any) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"
