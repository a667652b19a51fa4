"""One view for all that a test has the site do, in the tenant of the request's host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model, login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django_tenants.utils import schema_context

from notifications import services
from notifications.deliveries.addresses import email_address
from notifications.deliveries.unsubscribing import token_of
from notifications.live.broker import site_key
from notifications.live.http import user_of
from notifications.live.sessions import user_key
from notifications.models import Presence


def enter(request: HttpRequest) -> HttpResponse:
    """Sign in as a user who is made for it, and may do everything."""
    name = request.GET["name"]
    user, _made = get_user_model().objects.get_or_create(username=name, is_staff=True, is_superuser=True)
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("entered")


def tell(request: HttpRequest) -> Any:
    """Notify whoever asks, also at an address that is given."""
    user = user_of(request)
    get_user_model().objects.filter(pk=user.pk).update(email=request.GET.get("address", ""))
    return services.notify(user, request.GET["title"]).pk


def tell_soon(request: HttpRequest) -> None:
    """Notify whoever asks in a second."""
    soon = timezone.now() + timedelta(seconds=1)
    services.notify(user_of(request), request.GET["title"], send_at=soon)


def tell_elsewhere(request: HttpRequest) -> None:
    """Notify the user of the same key in another tenant, within a transaction that commits in this one."""
    pk = user_of(request).pk
    with transaction.atomic(), schema_context(request.GET["schema"]):
        services.notify(get_user_model().objects.get(pk=pk), request.GET["title"])


def broadcast(request: HttpRequest) -> Any:
    """Tell everybody."""
    return services.broadcast(request.GET["title"], to="everyone").pk


def room(request: HttpRequest) -> Any:
    """Make a room for whoever asks."""
    return services.create_room("Room", by=user_of(request)).pk


def say(request: HttpRequest) -> None:
    """Write into a room."""
    services.post_message(int(request.GET["room"]), request.GET["body"], by=user_of(request))


def publish(request: HttpRequest) -> None:
    """Publish into a feed."""
    services.publish(request.GET["feed"], {"word": request.GET["word"]})


def online(request: HttpRequest) -> Any:
    """Return who is connected."""
    return list(Presence.objects.values_list("user", flat=True))


def revoke(request: HttpRequest) -> None:
    """End the connections of whoever asks."""
    services.revoke_access(user_of(request))


def deactivate(request: HttpRequest) -> None:
    """Close the account of whoever asks."""
    user = get_user_model().objects.get(pk=user_of(request).pk)
    user.is_active = False
    user.save()


def names(request: HttpRequest) -> Any:
    """Return what a page of the user is told, and a token that is sent to the user."""
    user = user_of(request)
    token = token_of(user, "email", "", email_address(user))
    return {"user": user_key(user.pk), "site": site_key(), "token": token, "pk": user.pk}


VERBS: dict[str, Callable[[HttpRequest], Any]] = {
    function.__name__: function
    for function in (tell, tell_soon, tell_elsewhere, broadcast, room, say, publish, online, revoke, deactivate, names)
}


def do(request: HttpRequest, verb: str) -> JsonResponse:
    """Do what the address says, and answer with what it returns."""
    return JsonResponse({"value": VERBS[verb](request)})
