"""HTTP: live parts of pages, and stopping what is being written."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..exceptions import BadRequest, UnknownFeed
from ..live.http import answer, endpoint, error, fields
from ..models import FeedText
from . import parts
from .answers import stop_answer
from .stream import FEED

CURSOR_HEADER = "Carillon-Cursor"  # the position that a part shows


@endpoint("GET", anonymous=True)
def part(request: HttpRequest) -> HttpResponse:
    """Render a part of a page anew: ``?t=`` is what the page carries. 304 where it is what ``If-None-Match`` names."""
    try:
        name, template = parts.read_token(request.GET.get("t", ""))
        feed = parts.resolve(name)
    except (BadSignature, UnknownFeed, ImproperlyConfigured) as bad:
        raise BadRequest(_("This part is not there any more. Reload the page.")) from bad
    if not feed.allows(request.user):
        return error(403, "denied", _("You may not see this."))
    made = parts.render(feed, template, request)
    same = request.headers.get("If-None-Match") == made.etag
    response = HttpResponse(status=304) if same else HttpResponse(made.html)
    for header, value in (
        ("ETag", made.etag),
        (CURSOR_HEADER, made.cursor),
        ("Cache-Control", "no-store"),
        ("Vary", "Cookie"),
    ):
        response[header] = value
    return response


@endpoint("POST")
def stop(request: HttpRequest) -> HttpResponse:
    """Stop the text that grows in the event ``id``; whoever it is written for may do that."""
    pk = fields(request).get("id")
    if isinstance(pk, str) and pk.isascii() and pk.isdigit() and len(pk) < 19:
        pk = int(pk)
    if type(pk) is not int or not 0 < pk < 2**63:
        raise BadRequest(_("id must be the number of an event."))
    mine = FeedText.objects.using(FEED.alias).filter(pk=pk, owner=str(request.user.pk))
    if not mine.exists():
        return error(404, "not-found", _("There is no such text of yours."))
    return answer({"stopped": stop_answer(pk)})
