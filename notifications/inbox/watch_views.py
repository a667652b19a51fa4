"""HTTP: the button by which a user watches an object, with a reference that only the server can make."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..annotations import User
from ..exceptions import BadRequest
from ..kinds.references import identify, name_of
from ..live.http import answer, endpoint, fields, user_of
from ..live.sessions import user_key
from ..models import Watch
from .choosing import tell_preferences_changed
from .pages import return_address
from .snoozing import MORNING, at_hour
from .watching import exists, find, forget, hush, store_level

WATCH_SALT: Final = "notifications.watch"
REFERENCE_AGE: Final = timedelta(days=7)  # within which a page is loaded anew, and its site asked who may see it
ZONE_LENGTH: Final = 100  # characters


def reference(user: User, about: Model) -> str:
    """Return what a page sends back to say which object its user watches: nobody can name another with it."""
    return signing.dumps([user_key(user.pk), *identify(about, "about")], salt=WATCH_SALT)


def read_reference(user: User, text: object) -> tuple[str, str]:
    """Return the object that a reference names.

    Raises:
        ValidationError: It was not made here, for another user, or too long ago.
    """
    try:
        owner, model, key = signing.loads(str(text), salt=WATCH_SALT, max_age=REFERENCE_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        owner = ""
    if owner != user_key(user.pk):
        raise ValidationError({"ref": _("This page is too old. Reload it and try again.")})
    return model, key


def shown(user: User, about: tuple[str, str]) -> dict[str, Any]:
    """Return the choices for an object, each a value and a label, and which of them holds."""
    row = find(user, about)
    choices = [("", _("Not watching")), *[(level.value, str(level.label)) for level in Watch.Level if level != "none"]]
    choices += [("hour", _("Mute for an hour")), ("tomorrow", _("Mute until tomorrow")), ("none", _("Mute"))]
    if row is None:
        return {"choices": choices, "choice": ""}
    end = row.muted_until or (row.until if row.level == Watch.Level.NONE else None)
    if end is None:
        return {"choices": choices, "choice": row.level}
    local = date_format(timezone.localtime(end), "SHORT_DATETIME_FORMAT")
    return {"choices": [("muted", _("Muted until %(time)s") % {"time": local}), *choices], "choice": "muted"}


@endpoint("GET", "POST")
def watch_api(request: HttpRequest) -> HttpResponse:
    """Return how the user watches the object of ``ref``; on POST make ``choice`` hold first.

    ``zone`` is the user's time zone, in which tomorrow begins; without it, it is the active one.
    """
    user = user_of(request)
    values = fields(request) if request.method == "POST" else request.GET
    about = read_reference(user, values.get("ref"))
    zone = _zone(values.get("zone"))
    with timezone.override(zone):
        if request.method == "POST":
            choose(user, about, values.get("choice"))
        found = shown(user, about)
    if request.method == "POST" and "next" in values:  # a form, without JavaScript
        return HttpResponseRedirect(return_address(request))
    return answer(found)


def choose(user: User, about: tuple[str, str], choice: object) -> None:
    """Make a choice hold.

    Raises:
        BadRequest: It is none.
        ValidationError: The object does not exist any more.
    """
    if choice == "":
        forget(user, about)
    elif not exists(about):
        raise ValidationError({"ref": _("This does not exist any more.")})
    elif choice == "none":
        hush(user, about, None)
    elif choice in ("hour", "tomorrow"):
        hush(user, about, ending(str(choice)))
    elif choice in (Watch.Level.ALL, Watch.Level.PARTICIPATING, Watch.Level.MENTIONS):
        store_level(user, about, str(choice))
    elif choice != "muted":  # as it is
        raise BadRequest(_("This choice does not exist."))
    tell_preferences_changed(user)


def ending(name: str) -> datetime:
    """Return when "for an hour" or "until tomorrow" ends, by the wall clock of the active time zone."""
    now = timezone.localtime()
    if name == "hour":
        return now + timedelta(hours=1)
    return at_hour(now, 1, MORNING)


def button_context(request: HttpRequest, about: Model) -> dict[str, Any]:
    """Return what the template of the button needs."""
    user = user_of(request)
    return {
        "ref": reference(user, about),
        "name": name_of(about),
        "next": request.get_full_path(),
        **shown(user, identify(about, "about")),
    }


def _zone(name: object) -> Any:
    if not name:
        return timezone.get_current_timezone()
    try:
        if len(str(name)) <= ZONE_LENGTH:
            return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        pass
    raise BadRequest(_("This time zone does not exist."))
