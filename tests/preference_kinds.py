"""Kinds for tests of preferences."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from notifications.kinds import Kind, kind


@kind("prefs.comment", category="talk", label=gettext_lazy("Message"))
class Comment(Kind):
    """One that is dropped where it is switched off."""

    text: str = "Hello"

    def title(self) -> str:
        return self.text


@kind("prefs.like", category="talk", when_off="silent", channels={"toast": False, "email": "digest"})
class Like(Kind):
    """One that goes to the archive where it is switched off, and has no toast unless somebody wants it."""

    def title(self) -> str:
        return "Like"


@kind("prefs.alarm", category="talk", required="You must know of this.")
class Alarm(Kind):
    """One that nobody can switch off."""

    def title(self) -> str:
        return "Alarm"


@kind("prefs.loose", channels={"bell": False})
class Loose(Kind):
    """One of no category, which only those get who want it."""

    def title(self) -> str:
        return "Loose"
