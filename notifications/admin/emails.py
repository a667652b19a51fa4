"""The admin: what the e-mail of each kind looks like, before anybody gets one."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from ..deliveries.email_preview import DIGEST, preview, previewable
from ..kinds import registry
from ..languages import site_language, site_languages
from ..live.http import user_of
from ..preferences.topics import kind_label

# What an e-mail may do in a frame: show its styles, and pictures of wherever it takes them from.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: https:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


class EmailPreviews:
    """The pages of one model's admin that show e-mails."""

    def __init__(self, admin: Any) -> None:
        """Take the admin, whose permission to view is asked."""
        self._admin = admin

    def urls(self) -> list[URLPattern]:
        """Return the URLs of the pages."""
        wrap = self._admin.admin_site.admin_view
        return [
            path("emails/", wrap(self.page), name="carillon_notice_emails"),
            path("emails/html/", wrap(xframe_options_sameorigin(self.html)), name="carillon_notice_email_html"),
        ]

    def page(self, request: HttpRequest) -> HttpResponseBase:
        """Show the e-mail of the kind and language that ``?kind=`` and ``?language=`` name."""
        kind, language = self._asked(request)
        found = preview(kind, language, user_of(request)) if kind else None
        context = {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.model._meta,
            "title": _("E-mails"),
            "kinds": [(key, _label(key)) for key in previewable()],
            "languages": site_languages().items(),
            "kind": kind,
            "language": language,
            "preview": found,
        }
        return TemplateResponse(request, "admin/carillon/notice/emails.html", context)

    def html(self, request: HttpRequest) -> HttpResponse:
        """Return the HTML of an e-mail, for a frame in which it can do nothing but be seen."""
        kind, language = self._asked(request)
        content = preview(kind, language, user_of(request)).content
        if content is None:
            raise Http404
        return HttpResponse(content.html, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    def _asked(self, request: HttpRequest) -> tuple[str, str]:
        if not self._admin.has_view_permission(request):
            raise PermissionDenied
        known = previewable()
        kind = request.GET.get("kind") or known[0]
        if kind not in known:
            raise Http404
        return kind, site_language(request.GET.get("language"))


def _label(key: str) -> str:
    return _("Digest") if key == DIGEST else f"{kind_label(registry[key])} ({key})"
