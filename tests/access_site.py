"""The demo's URLs and one more, by which a test has an event happen in the server's own process."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.urls import path

from project.urls import urlpatterns as demo
from tests.access_events import EVENTS


def happen(request: HttpRequest, name: str, user: int, session: str) -> HttpResponse:
    """Do to a user and a session what the event does."""
    EVENTS[name](get_user_model()._default_manager.get(pk=user), SessionStore(session))
    return HttpResponse("done")


urlpatterns = [*demo, path("event/<name>/<int:user>/<session>/", happen)]
