"""Unsubscribing by HTTP, without signing in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .unsubscribing import problem_of, subscription_of
from .unsubscribing import unsubscribe as switch_off


# RFC 8058: the POST comes from the server of a mailbox, which has no cookie and has seen no form. Nor is there anything
# to forge: the token alone decides, and whoever is signed in means nothing here.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to unsubscribe and, on POST, do so at once; GET changes nothing, for programs follow links too."""
    subscription = subscription_of(token)
    context = {"subscription": subscription, "done": False, "problem": ""}
    status = 200 if subscription is not None else 404
    if subscription is not None and request.method == "POST":
        try:
            switch_off(subscription)
            context["done"] = True
        except ValidationError as invalid:
            context["problem"] = problem_of(invalid)
            status = 409
    response = render(request, "notifications/unsubscribe.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"  # the token is nobody else's
    return response
