"""The demo's pages, and one with a live part."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from notifications.feeds import parts
from project.urls import urlpatterns as demo


def page(request: HttpRequest, n: int) -> HttpResponse:
    """Render a part as ``{% live %}`` does, and answer with it, its cursor and its token."""
    name, template = f"shown:{n}", "delivery/part.html"
    made = parts.render(parts.resolve(name), template, request)
    return JsonResponse({"html": made.html, "cursor": made.cursor, "token": parts.token(name, template)})


urlpatterns = [path("shown/<int:n>/", page), *demo]
