"""The conventions of the JSON API: authentication, CSRF check, errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest as UnreadableRequest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.decorators import decorator_from_middleware
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from ..annotations import User
from ..exceptions import BadRequest, OtherUser
from ..languages import site_language
from .connections import RETRY_AFTER, SCOPE_KEY, Admission, HandoffSlot
from .django_internals import csrf_middleware
from .frames import encode
from .layouts import EVENT_STREAM_TYPE
from .sessions import check_user
from .signing_in import read_user
from .transactions import is_conflict

View = Callable[..., HttpResponseBase]

logger = logging.getLogger("notifications")

USER_HEADER = "Carillon-User"  # names the user whose page sent the request
LANGUAGE_HEADER = "Carillon-Language"  # and that page's language

BODY_BYTES = 32 * 1024  # of a request; the largest names a thousand ids

# Django's cache for the whole site keeps what says `no-store`; it obeys `private`.
ANSWER_HEADERS = {"Cache-Control": "private, no-store", "Vary": "Cookie"}


def user_of(request: HttpRequest) -> User:
    """Return the user of a request, who is signed in, as a view that is reached has asked already.

    Raises:
        PermissionDenied: Nobody is.
    """
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def answer(value: object, status: int = 200) -> HttpResponse:
    """Return `value` as a JSON response that nobody may cache."""
    return HttpResponse(encode(value), status=status, content_type="application/json", headers=ANSWER_HEADERS)


def error(status: int, code: str, message: str, **more: object) -> HttpResponse:
    """Return an error as every part of the API does: `code` for programs, `message` for people."""
    return answer({"code": code, "message": message, **more}, status)


def _csrf_failed() -> HttpResponse:
    """Return the answer of a failed CSRF check that a script can read."""
    return error(403, "csrf", _("The CSRF token is missing or incorrect. Reload the page and try again."))


def signed_out() -> HttpResponse:
    """Return the answer to who is not signed in, and needs to be."""
    return error(401, "signed-out", _("Sign in to see your notifications."))


def endpoint(*methods: str, anonymous: bool = False) -> Callable[[View], View]:
    """Make an API view: these methods, signed-in users only, errors as JSON, CSRF on every POST.

    The check of CSRF holds whether or not the project's middleware has one, and answers in JSON. A view never
    redirects to a login page, which a script could not tell from an answer. A page that was made for another
    user, in whose place somebody signed in since, gets nothing and changes nothing. A page is answered in its own
    language, though another tab may have chosen another one since.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                allowed = ", ".join(methods)
                refusal = error(405, "method", _("Method not allowed; use %(method)s.") % {"method": allowed})
                refusal["Allow"] = allowed
                return refusal
            read_user(request)
            if not (anonymous or request.user.is_authenticated):
                return signed_out()
            try:
                check_user(request.headers.get(USER_HEADER), request.user.pk)
                with _language_of_page(request):
                    return view(request, *args, **kwargs)
            except (OtherUser, BadRequest, ValidationError, DatabaseError) as problem:
                if explained := _refuse(problem):
                    return explained
                raise

        guarded = decorator_from_middleware(csrf_middleware(_csrf_failed))(checked)
        return outside_transactions(csrf_exempt(login_not_required(_readable(guarded))))

    return decorate


def outside_transactions(view: View) -> View:
    """Have a view called outside of any transaction, also where ``ATOMIC_REQUESTS`` is set.

    The sequencer commits by itself, and a verb that meets another is done again. And where a query of the site's fails,
    of a kind's method for example, PostgreSQL would refuse all others of the transaction.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    return view


def _language_of_page(request: HttpRequest) -> AbstractContextManager[None]:
    given = request.headers.get(LANGUAGE_HEADER)
    return translation.override(site_language(given)) if given else nullcontext()


def _readable(view: View) -> View:
    """Answer a form that Django refuses to read before the check of CSRF reads it.

    Django's own answer is a page and, where its error pages check CSRF too, a failure of the server.
    """

    @wraps(view)
    def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            request.POST  # noqa: B018  # reading it is what may fail
        except (UnreadableRequest, SuspiciousOperation, MultiPartParserError):
            return error(400, "bad-request", _("The request body is not valid."))
        return view(request, *args, **kwargs)

    return read


def _refuse(problem: Exception) -> HttpResponse | None:
    """Return the answer that explains why a view failed, if it was not for a fault of ours."""
    if isinstance(problem, OtherUser):
        return error(401, "other-user", str(problem))
    if isinstance(problem, BadRequest):
        return error(400, "bad-request", str(problem))
    if isinstance(problem, ValidationError):
        return _invalid(problem)
    if not is_conflict(problem):
        return None
    busy = error(503, "busy", _("The server is busy. Please try again."))  # it met others at every try
    busy["Retry-After"] = str(RETRY_AFTER)
    return busy


def _invalid(invalid: ValidationError) -> HttpResponse:
    if not hasattr(invalid, "error_dict"):
        return error(400, "invalid", " ".join(invalid.messages))
    field, messages = next(iter(invalid.message_dict.items()))
    return error(400, "invalid", " ".join(messages), field=field)


def fields(request: HttpRequest) -> dict[str, Any]:
    """Return what a POST carries, as JSON or as a form.

    Raises:
        BadRequest: The body is too large or no JSON object.
    """
    if request.content_type != "application/json":
        return dict(request.POST.items())
    try:
        body = request.body
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > BODY_BYTES:
        raise BadRequest(_("The request is larger than %(limit)s bytes.") % {"limit": BODY_BYTES})
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as bad:
        raise BadRequest(_("The request body is not valid JSON.")) from bad
    if not isinstance(value, dict):
        raise BadRequest(_("The request body must be a JSON object."))
    return value


def number(text: str | None, name: str, default: Any) -> Any:
    """Return a query parameter as a whole number.

    Raises:
        BadRequest: It is none.
    """
    if not text:
        return default
    try:
        return int(text)
    except ValueError as bad:
        raise BadRequest(_("%(name)s must be a whole number.") % {"name": name}) from bad


V = TypeVar("V", bound=Callable[..., Any])


def handoff(view: V) -> V:
    """Have the hand-off lane carry what a view admits; `notifications.asgi` looks for this mark."""
    view.handoff = True  # type: ignore[attr-defined]  # of the function
    return view


def can_hold(request: HttpRequest) -> bool:
    """Return whether the server can hold a connection open: only ASGI's requests have a scope."""
    return hasattr(request, "scope")


# `identity` keeps GZipMiddleware from wrapping every event into its own gzip member; nginx obeys
# `X-Accel-Buffering`, and `no-transform` asks the same of others.
STREAM_HEADERS = {
    "Cache-Control": "private, no-cache, no-store, no-transform",
    "Content-Encoding": "identity",
    "X-Accel-Buffering": "no",
    "Vary": "Cookie",
}


def hold_open(request: HttpRequest, admission: Admission, iterate: Any, content_type: str) -> HttpResponseBase:
    """Hand an admitted connection to the lane or, where there is none, to Django's streaming response."""
    headers = STREAM_HEADERS
    slot: HandoffSlot | None = request.scope.get(SCOPE_KEY)  # type: ignore[attr-defined]
    if slot is not None:
        slot.admission = admission
        slot.urlconf = getattr(request, "urlconf", None)
        return HttpResponse(content_type=content_type, headers=headers)
    asks = EVENT_STREAM_TYPE in request.headers.get("Accept", "").lower() or "wait" in request.GET
    _say_once(_NO_HANDOFF if asks else _NO_STREAM)
    connections.close_all()  # else each open stream would keep one
    return StreamingHttpResponse(iterate(admission), content_type=content_type, headers=headers)


_NO_HANDOFF = (
    "An event stream is served without the hand-off lane, so it holds a thread: the ASGI application is not wrapped in "
    "notifications.asgi.Handoff."
)
_NO_STREAM = (
    "An event stream is served without the hand-off lane, so it holds a thread: its request names no text/event-stream "
    "in its Accept header."
)


@cache
def _say_once(message: str) -> None:
    logger.warning("%s Further ones are not logged.", message)
