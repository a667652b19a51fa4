"""HTTP: the service worker, and the browsers to which a user's notifications are pushed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..annotations import User
from ..exceptions import BadRequest
from ..inbox.pages import return_address
from ..inbox.states import mark_clicked
from ..inbox.stream import INBOX
from ..live.frames import encode
from ..live.http import answer, endpoint, error, fields, user_of
from ..models import Notification, PushDevice
from ..models.device import ENDPOINT_LENGTH
from ..validators import storable
from . import devices, vapid
from .clicks import note_click
from .push import CHANNEL, PushChannel, offered_push
from .user_agents import name_of

COOKIE = "carillon_push"
COOKIE_AGE = 400 * 24 * 60 * 60  # seconds; browsers keep none for longer
WORKER = Path(__file__).parent.parent / "static/notifications/push-worker.js"


@login_not_required
@require_safe
def push_worker(request: HttpRequest) -> HttpResponse:
    """Serve the service worker. It stands in a folder without pages, so that the site's own keeps all of those.

    It is the same for everybody: a browser looks for a new one by itself, and may do so when nobody is signed in.
    """
    channel = offered_push()
    if channel is None:
        return HttpResponse(status=404)
    code = f"self.CARILLON = {encode(_worker_configuration(channel)).decode()};\n{_worker()}"
    headers = {"Service-Worker-Allowed": scope(), "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(code, content_type="text/javascript; charset=utf-8", headers=headers)


def scope() -> str:
    """Return the path of the service worker's registration."""
    return reverse("notifications:push-worker").removesuffix("worker.js")


@cache
def _worker() -> str:
    return WORKER.read_text(encoding="utf-8").partition("//# sourceMappingURL")[0]


def _worker_configuration(channel: PushChannel) -> dict[str, Any]:
    return {
        "key": channel.public_key,
        "icon": channel.icon,
        "header": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
        "urls": {
            "csrf": reverse("notifications:csrf"),
            "clicked": reverse("notifications:push-clicked"),
            "page": reverse("notifications:inbox"),
            "push": reverse("notifications:push"),
        },
    }


@endpoint("GET", "POST")
def push(request: HttpRequest) -> HttpResponse:
    """Return the user's devices, and which of them is the browser that asks; on POST with its ``endpoint``.

    With ``keys`` the browser wants the user's pushes from now on; if ``renew`` is true, only if it had them before.
    Without keys it asks whether it has them, and if what it gets is somebody else's, that ends.
    """
    channel = offered_push()
    if channel is None:
        return error(404, "not-found", _("This site does not push notifications."))
    user = user_of(request)
    token = None
    if request.method == "POST":
        values = fields(request)
        before = request.COOKIES.get(COOKIE, "")
        if "keys" in values:
            browser = _browser(request, values, channel)
            change = devices.renew if values.get("renew") is True else devices.register
            token = change(user, browser, before)
        else:
            token = devices.confirm(user, _endpoint(values), get_language() or "", before)
    response = answer(shown(user, token if request.method == "POST" else request.COOKIES.get(COOKIE)))
    if token is not None:
        _mark(response, request, token)
    return response


@endpoint("POST")
def remove_device(request: HttpRequest) -> HttpResponseBase:
    """Push nothing more to one of the user's devices; one of another user is not found."""
    values = fields(request)
    pk = str(values.get("device", ""))
    found = pk.isdecimal() and len(pk) < 19 and devices.remove(user_of(request), int(pk))
    if "next" in values:  # a form, without JavaScript
        return redirect(return_address(request))
    if not found:
        return error(404, "not-found", _("There is no such device."))
    return answer(shown(user_of(request), request.COOKIES.get(COOKIE)))


@endpoint("POST")
def clicked(request: HttpRequest) -> HttpResponse:
    """Mark the ``item`` that was pushed as read and followed; one of another user is not found."""
    user, item = user_of(request), fields(request).get("item")
    rows = Notification.objects.using(INBOX.alias).of(user)
    row = rows.filter(pk=item).first() if type(item) is int and 0 < item < 2**63 else None
    if row is None:
        return error(404, "not-found", _("Notification not found."))
    note_click(user, row.notice_id, CHANNEL)
    return answer({"changed": int(mark_clicked(user, [row.pk]))})


def shown(user: User, token: str | None) -> dict[str, Any]:
    """Return the devices of a user as a page shows them, and the key of the one with `token` in its cookie."""
    here = devices.device_of_token(user, token or "")
    return {"devices": [_shown(device, here) for device in devices.devices_of(user)], "here": here}


def _shown(device: PushDevice, here: int | None) -> dict[str, Any]:
    return {"id": device.pk, "name": device.name or _("A browser"), "told": _told(device), "here": device.pk == here}


def _told(device: PushDevice) -> str:
    if device.used_at is None:
        return _("Added on %(date)s") % {"date": _date(device.created_at)}
    return _("Added on %(date)s, last used on %(used)s") % {
        "date": _date(device.created_at),
        "used": _date(device.used_at),
    }


def _date(moment: Any) -> str:
    return date_format(localtime(moment), "DATE_FORMAT")


def push_context(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the template of the devices needs; None where nothing is pushed."""
    channel = offered_push()
    if channel is None:
        return None
    return {
        "key": channel.public_key,
        "scope": scope(),
        "next": request.get_full_path(),
        "blank": {"id": "", "name": "", "told": "", "here": False},  # what the script fills in
        **shown(user_of(request), request.COOKIES.get(COOKIE)),
    }


def _browser(request: HttpRequest, values: dict[str, Any], channel: PushChannel) -> devices.Browser:
    address, keys = _endpoint(values), values["keys"]
    try:
        channel.check_endpoint(address)
        found = vapid.read_keys(keys["p256dh"], keys["auth"])
    except (ValueError, TypeError, KeyError) as bad:
        raise BadRequest(_("The push subscription is not valid.")) from bad
    return devices.Browser(address, found, name_of(request.headers.get("User-Agent", "")), get_language() or "")


def _endpoint(values: dict[str, Any]) -> str:
    address = values.get("endpoint")
    if not isinstance(address, str) or not 0 < len(address) <= ENDPOINT_LENGTH or storable(address) != address:
        raise BadRequest(_("The push subscription is not valid."))
    return address


def _mark(response: HttpResponse, request: HttpRequest, token: str) -> None:
    """Give the browser its cookie, by which it is found when somebody signs out or in; no script can read it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_AGE,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
        httponly=True,
        samesite=settings.SESSION_COOKIE_SAMESITE,
    )
