"""The demo's mailbox: e-mails land in a table, and each visitor reads the own ones on a page."""

from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from .models import Letter

KEPT = 50  # letters of one address
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-top-navigation-by-user-activation"
)


class EmailBackend(BaseEmailBackend):
    """Keeps e-mails in the demo's table, in the place of a mail server."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            for address in mail.to:
                _keep(mail, address)
        return len(email_messages)


def _keep(mail: EmailMessage, address: str) -> None:
    html = next((str(content) for content, kind in getattr(mail, "alternatives", ()) if kind == "text/html"), "")
    Letter.objects.create(
        address=address,
        sender=mail.from_email,
        subject=mail.subject,
        text=mail.body,
        html=html,
        unsubscribe=mail.extra_headers.get("List-Unsubscribe", "").strip("<>"),
    )
    old = Letter.objects.filter(address=address).order_by("-pk").values_list("pk", flat=True)[KEPT:]
    Letter.objects.filter(pk__in=list(old)).delete()


@never_cache
@login_required
@require_GET
def mailbox(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the visitor's letters, and one of them."""
    letters = _letters(request)
    letter = get_object_or_404(letters, pk=pk) if pk is not None else letters.first()
    # A mailbox has this button beside the sender; the demo answers at whatever address it is reached.
    unsubscribe = urlsplit(letter.unsubscribe).path if letter is not None else ""
    return render(request, "mailbox.html", {"letters": letters, "letter": letter, "unsubscribe": unsubscribe})


@never_cache
@login_required
@require_GET
@xframe_options_sameorigin
def letter_html(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the HTML of a letter, for a frame in which no script runs; its links open in the whole window."""
    letter = get_object_or_404(_letters(request), pk=pk)
    html = letter.html.replace("<head>", '<head><base target="_top">', 1)
    return HttpResponse(html, headers={"Content-Security-Policy": POLICY})


def _letters(request: HttpRequest) -> QuerySet[Letter]:
    return Letter.objects.filter(address=cast("User", request.user).email).exclude(address="").order_by("-pk")
