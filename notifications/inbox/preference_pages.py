"""Preferences as an HTML page: a form that needs no JavaScript, and becomes live where there is some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from ..annotations import User
from ..live.http import user_of
from ..live.transactions import atomic
from ..preferences.topics import category_scope, kind_scope
from .choosing import set_preference
from .preference_list import Choice, OfferedChannel, Preferences, preferences
from .stream import INBOX


class Cell(NamedTuple):
    """A choice in the form: for a channel and a scope."""

    name: str
    channel: OfferedChannel
    value: str
    label: str


class Row(NamedTuple):
    """A row of the form; `shown` is what it showed: a page that was left open changes only what differs from that."""

    scope: str
    label: str
    required: str | None
    cells: list[Cell]
    shown: str


class Fieldset(NamedTuple):
    """A category of the form."""

    label: str
    rows: list[Row]

    @property
    def is_locked(self) -> bool:
        """Whether nothing in it can be chosen, and so nothing in it takes the focus by which a keyboard scrolls it."""
        return all(row.required for row in self.rows)


@never_cache
@csrf_protect
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences_page(request: HttpRequest) -> HttpResponse:
    """Show what the user may choose and, on POST, store what the form has changed.

    A form sends ``row`` for each row it showed, with what that was, and for each choice that is not off a field with
    its value, whose name is the channel and the scope.
    """
    problem = ""
    if request.method == "POST":
        try:
            _store(user_of(request), request)
            return redirect(f"{reverse('notifications:preferences')}?saved")
        except ValidationError as invalid:
            problem = " ".join(invalid.messages)
    context = {"problem": problem, "saved": "saved" in request.GET, "asked": "digest" in request.GET}
    return render(request, "notifications/preferences.html", context, status=400 if problem else 200)


def form_context(user: User) -> dict[str, Any]:
    """Return what the template of the form needs."""
    found = preferences(user)
    return {"channels": found.channels, "fieldsets": list(_fieldsets(found))}


def _fieldsets(found: Preferences) -> Iterator[Fieldset]:
    for category in found.categories:
        rows = [
            _row(kind_scope(kind.kind), kind.label, kind.required, kind.channels, found.channels)
            for kind in category.kinds
        ]
        if category.channels is not None:
            label = _("Everything in “%(category)s”") % {"category": category.label}
            rows.insert(0, _row(category_scope(category.category), label, None, category.channels, found.channels))
        yield Fieldset(category.label or _("Other"), rows)


def _row(
    scope: str, label: str, required: str | None, choices: dict[str, Choice], channels: list[OfferedChannel]
) -> Row:
    cells = [
        Cell(f"{channel.name} {scope}", channel, choices[channel.name].value, f"{label}: {channel.label}")
        for channel in channels
    ]
    shown = ",".join(f"{cell.channel.name}={cell.value}" for cell in cells)
    return Row(scope, label, required, cells, f"{shown} {scope}")


def _store(user: User, request: HttpRequest) -> None:
    with atomic(INBOX.alias):
        # Those for categories come first: a choice for a kind goes before that for its category.
        for scope, channel, value in sorted(_changes(request), key=lambda change: change[0].startswith("kind:")):
            subject, _colon, name = scope.partition(":")
            about = {"kind": name} if subject == "kind" else {"category": name}
            set_preference(user, channel, value, **about)


def _changes(request: HttpRequest) -> Iterator[tuple[str, str, str]]:
    shown: dict[tuple[str, str], str] = {}
    for row in request.POST.getlist("row"):
        cells, _space, scope = row.partition(" ")
        for cell in cells.split(","):
            channel, _equals, before = cell.partition("=")
            shown[scope, channel] = before
    for (scope, channel), before in shown.items():
        value = request.POST.get(f"{channel} {scope}", "off")
        if value != before:
            yield scope, channel, value
