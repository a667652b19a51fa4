"""Middleware of the kind that sites have."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

_seen: dict[str, int] = {}


def urlconf_by_host(get_response: Any) -> Any:
    """Give the host ``localhost`` a URLconf of its own."""

    def middleware(request: HttpRequest) -> Any:
        if request.get_host().startswith("localhost"):
            request.urlconf = "tests.surroundings.urls_of_localhost"
        return get_response(request)

    return middleware


def count_requests(get_response: Any) -> Any:
    """Count how often each path was asked for."""

    def middleware(request: HttpRequest) -> Any:
        _seen[request.path] = request.META["SEEN"] = _seen.get(request.path, 0) + 1
        return get_response(request)

    return middleware


def close_in_the_end(get_response: Any) -> Any:
    """Answer in the place of the view, after it."""

    def middleware(request: HttpRequest) -> Any:
        get_response(request)
        return HttpResponse("closed", status=503)

    return middleware
