"""A strict content security policy, as Carillon's own scripts and styles allow it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TRUSTED_TYPES = (
    "; require-trusted-types-for 'script'; trusted-types carillon"  # no string but the service worker's address
)
DEBUG_PAGES = (404, 500)  # Django's own, which carry their styles inside

View = Callable[[HttpRequest], HttpResponseBase]


def content_security_policy(get_response: View) -> View:
    """Send the policy with every page; the admin's jQuery writes markup, so its pages go without Trusted Types."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not (settings.DEBUG and response.status_code in DEBUG_PAGES):
            in_admin = request.path.startswith(reverse("admin:index"))
            # What a view says itself is stricter: it shows e-mails.
            response.headers.setdefault("Content-Security-Policy", POLICY if in_admin else POLICY + TRUSTED_TYPES)
        return response

    return middleware
