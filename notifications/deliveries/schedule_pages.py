"""HTTP: the form of the schedule, and the digest that is asked for; both come back to the page of preferences."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from ..inbox.stream import INBOX
from ..live.http import user_of
from ..live.transactions import atomic
from .schedule_form import store_form
from .scheduling import send_digest_now

TEMPLATE = "notifications/preferences.html"


@never_cache
@csrf_protect
@login_required
@require_POST
def schedule_page(request: HttpRequest) -> HttpResponse:
    """Store what the form of the schedule has changed; show it again, with the reason, if it is refused."""
    try:
        with atomic(INBOX.alias):
            store_form(user_of(request), request.POST)
    except ValidationError as invalid:
        found = {"problem": " ".join(invalid.messages), "schedule_fields": request.POST}
        return render(request, TEMPLATE, found, status=400)
    return redirect(f"{reverse('notifications:preferences')}?saved")


@never_cache
@csrf_protect
@login_required
@require_POST
def digest_page(request: HttpRequest) -> HttpResponse:
    """Send what waits for the user's digests now, at most once a minute."""
    try:
        send_digest_now(user_of(request))
    except ValidationError as invalid:
        return render(request, TEMPLATE, {"problem": " ".join(invalid.messages)}, status=429)
    return redirect(f"{reverse('notifications:preferences')}?digest")
