"""Kinds for tests; their texts are some that Carillon's own catalogs translate."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.annotations import User
from notifications.kinds import Kind, Ref, kind


@kind("tests.joined", category="people", level="success")
class Joined(Kind):
    """Somebody who is known by a key has joined: the title is translated and filled in."""

    key: str
    at: datetime | None = None

    body = gettext_lazy("Notifications")

    def title(self) -> str:
        return _("User %(key)s") % {"key": self.key}

    def url(self) -> str:
        return f"/users/{self.key}/"


@kind("tests.named")
class Named(Kind):
    """Instances are among the facts."""

    group: Ref[Group]
    user: User | None = None
    others: list[Group] = field(default_factory=list)

    def title(self) -> str:
        return _("User %(key)s") % {"key": ", ".join(map(str, [self.group, *self.others]))}

    def body(self) -> str:
        return str(self.user.get_username()) if isinstance(self.user, get_user_model()) else ""


@kind("tests.odd")
class Odd(Kind):
    """A kind that says whatever the test at hand says."""

    number: int = 0

    answers: ClassVar[dict[str, Any]] = {}

    def title(self) -> Any:
        return self._answer("title", "Odd")

    def body(self) -> Any:
        return self._answer("body", "")

    def url(self) -> Any:
        return self._answer("url", "")

    def level(self) -> Any:
        return self._answer("level", "info")

    def icon(self) -> Any:
        return self._answer("icon", "")

    @classmethod
    def upgrade(cls, version: int, facts: dict[str, Any]) -> dict[str, Any]:
        return dict(cls.answers["upgrade"](version, facts))

    def _answer(self, part: str, usual: str) -> Any:
        answer = self.answers.get(part, usual)
        return answer() if callable(answer) else answer
