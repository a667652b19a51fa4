"""The demo's page “Webhooks”: it receives those of the demo itself, and verifies them as any receiver would."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from standardwebhooks import Webhook

from notifications.models import Endpoint
from notifications.services import add_endpoint, enable_endpoint, send_test_event

KEPT: Final = 20  # events of one visitor
KEPT_FOR: Final = 24 * 60 * 60  # seconds


@never_cache
@login_required
@require_GET
def webhooks(request: HttpRequest) -> HttpResponse:
    """Show what the visitor's webhook has brought."""
    user = cast("User", request.user)
    received = [(event, json.dumps(event, indent=2, ensure_ascii=False)) for event in _received(user.pk)]
    return render(request, "webhooks.html", {"received": received, "endpoint": _endpoint(user)})


@require_POST
@login_required
def connect(request: HttpRequest) -> HttpResponse:
    """Have the visitor's notifications sent to this site's own page, and send a test at once."""
    if not settings.DEBUG:
        raise Http404("A site that sends webhooks to itself is a demo: set DEBUG=on.")
    user = cast("User", request.user)
    endpoint = _endpoint(user)
    if endpoint is None:
        address = request.build_absolute_uri(reverse("webhook-receive", args=[user.pk]))
        endpoint = add_endpoint(user, address, description="The demo itself")
    elif endpoint.stopped:
        enable_endpoint(endpoint)
    send_test_event(endpoint)
    return redirect("webhooks")


@csrf_exempt  # who posts here is a program, which proves itself by its signature
@require_POST
def receive(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an event, once, if its signature is right.

    The secret is read where it was made, for this is the same site. Yours keeps it in its own settings.
    """
    endpoint = Endpoint.objects.filter(user=pk, url__endswith=request.path).first()
    if endpoint is None:
        return HttpResponse(status=410)
    try:
        event = Webhook(endpoint.secret).verify(request.body, dict(request.headers))
    except Exception:  # noqa: BLE001  # the library raises various errors for what is malformed
        return HttpResponse("The signature is wrong.", status=400, content_type="text/plain")
    if cache.add(f"webhook:{request.headers['webhook-id']}", True, KEPT_FOR):
        cache.set(_key(pk), [event, *_received(pk)][:KEPT], KEPT_FOR)
    return HttpResponse(status=204)


def _endpoint(user: User) -> Endpoint | None:
    return Endpoint.objects.filter(user=user, url__endswith=reverse("webhook-receive", args=[user.pk])).first()


def _received(pk: int) -> list[Any]:
    return list(cache.get(_key(pk), []))


def _key(pk: int) -> str:
    return f"webhooks:{pk}"
