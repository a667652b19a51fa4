"""HTTP: preferences as JSON, and muting the kind of an item."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..exceptions import BadRequest
from ..live.http import answer, endpoint, error, fields, user_of
from ..models import Notification
from ..preferences.channels import BELL_CHANNEL
from ..preferences.topics import choosable
from ..validators import validate_named_texts
from .choosing import clear_preference, set_preference
from .preference_list import preferences
from .stream import INBOX


@endpoint("GET", "POST")
def preferences_api(request: HttpRequest) -> HttpResponse:
    """Return what the user may choose and what holds; on POST store a choice first.

    ``channel`` and ``value`` say what is chosen, ``kind`` or ``category`` of what. A ``value`` of null forgets it.
    """
    user = user_of(request)
    if request.method == "POST":
        values = fields(request)
        about: dict[str, Any] = {name: _text(values, name) for name in ("kind", "category")}
        value, channel = values.get("value"), _text(values, "channel")
        if value is None and "value" in values:
            clear_preference(user, channel=channel, **about)
        else:
            set_preference(user, channel, value if isinstance(value, bool) else _text(values, "value"), **about)
    return answer(preferences(user))


@endpoint("POST")
def mute(request: HttpRequest, pk: str) -> HttpResponse:
    """Switch off the bell for what an item is: its kind or, of a plain one, its category.

    The answer says what was switched off, in the fields by which ``api/preferences/`` switches it on again.
    """
    rows = Notification.objects.using(INBOX.alias).of(request.user).items()
    row = rows.filter(pk=pk, notice__recalled_at=None).select_related("notice").first()
    if row is None:
        return error(404, "not-found", _("Notification not found."))
    about = choosable(row.notice.kind, row.notice.category)
    if about is None:
        return error(400, "invalid", _("These notifications cannot be switched off."))
    named = {"kind": about.kind, "category": "" if about.kind else about.category}
    set_preference(user_of(request), BELL_CHANNEL, "off", **named)
    return answer({**named, "label": about.label})


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(_("%(name)s must be text.") % {"name": name})
    validate_named_texts(**{name: value})
    return value
