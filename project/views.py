"""The demo site's own pages: a home page with buttons, and signing in with one click."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from notifications.services import notify, watchers

from . import accounts
from .models import Order, Recording, Visit
from .notices import Invited, OrderSent, RecordingCommented
from .samples import RECORDING, SAMPLES

COMMENTS = 50
BURST = 12  # notifications at once: bell and toasts must stay calm


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the buttons or, to anonymous visitors, the sign-in options."""
    if not request.user.is_authenticated:
        return render(request, "welcome.html", {"visitors": accounts.VISITORS if settings.DEBUG else ()})
    watched = Recording.objects.filter(name=RECORDING).first()
    context = {"other": accounts.other_than(_user(request)), "samples": SAMPLES, "recording": watched}
    return render(request, "home.html", context)


@require_POST
def sign_in_as(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in as a demo visitor without a password; only where DEBUG is on."""
    user = accounts.visitors().get(username) if settings.DEBUG else None
    if user is None:
        raise Http404("No such demo visitor: run `python manage.py demo`, with DEBUG on.")
    login(request, user)
    return redirect("home")


@require_POST
@login_required
def send(request: HttpRequest) -> HttpResponse:
    """Send the form's notification to oneself or to the other visitor; a script gets 204."""
    sender = _user(request)
    recipient = accounts.other_than(sender) if request.POST.get("to") == "other" else sender
    if recipient is None:
        raise Http404("There is nobody else: run `python manage.py demo`.")
    try:
        with transaction.atomic():
            _notify(request, recipient)
    except ValidationError as error:
        if not request.accepts("text/html"):
            return HttpResponse("\n".join(error.messages), status=400, content_type="text/plain; charset=utf-8")
        messages.error(request, " ".join(error.messages))
        return redirect("home")
    if not request.accepts("text/html"):
        return HttpResponse(status=204)
    messages.success(request, _("Sent to %(name)s.") % {"name": recipient.get_full_name() or recipient.get_username()})
    return redirect("home")


@require_POST
@login_required
def send_kind(request: HttpRequest) -> HttpResponse:
    """Send oneself a notification that knows what it is; a script gets 204."""
    user = _user(request)
    other = accounts.other_than(user)
    what = request.POST.get("kind")
    if what == "order":
        order, _created = Order.objects.get_or_create(name="Handbell in C")
        notify(user, OrderSent(order=order), about=order)
    elif what == "invitation":
        visit, _created = Visit.objects.get_or_create(name="St Mary, 6 December")
        notify(user, Invited(visit=visit), actor=other, about=visit)
    elif what == "comments":
        commented, _created = Recording.objects.get_or_create(name=RECORDING)
        for _number in range(COMMENTS):  # each in a transaction of its own, as people comment
            notify(user, RecordingCommented(recording=commented), actor=other, about=commented)
    else:
        raise Http404("No such kind.")
    return HttpResponse(status=204) if not request.accepts("text/html") else redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def recording(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a recording, which people watch; on POST the other visitor comments on it, which watchers hear of."""
    shown = get_object_or_404(Recording, pk=pk)
    other = accounts.other_than(_user(request))
    if request.method != "POST":
        return render(request, "recording.html", {"recording": shown, "other": other})
    notify(watchers(shown), RecordingCommented(recording=shown), actor=other, about=shown)
    return HttpResponse(status=204) if not request.accepts("text/html") else redirect(shown)


@require_GET
@login_required
def chat(request: HttpRequest, room: int | None = None) -> HttpResponse:
    """Show the conversations, and one of them; the elements ask the server themselves what the reader may see."""
    return render(request, "chat.html", {"room": room})


def _notify(request: HttpRequest, recipient: User) -> None:
    actor = _user(request)
    if title := request.POST.get("title"):
        notify(recipient, title, body=request.POST.get("body", ""), category="messages", kind="message", actor=actor)
    elif request.POST.get("level") == "burst":
        for number in range(1, BURST + 1):
            notify(recipient, _("Bell %(number)s of %(total)s") % {"number": number, "total": BURST}, actor=actor)
    elif sample := SAMPLES.get(request.POST.get("level", "")):
        notify(recipient, **sample.content, actor=actor)
    else:
        raise ValidationError(_("Write a title, or choose one of the levels."))


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)
