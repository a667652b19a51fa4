"""A page with the bell, and the files that it loads: what a browser is sent to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template

PAGE = Template(
    "{% load notifications %}<!doctype html><html lang=en><head><title>Bench</title>{% notifications_head %}</head>"
    "<body>{% notification_bell %}</body></html>"
)


def page(request: HttpRequest) -> HttpResponse:
    """Show the bell."""
    return HttpResponse(PAGE.render(RequestContext(request)))
