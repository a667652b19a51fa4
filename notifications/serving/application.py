"""The ASGI application of a worker: Carillon's URLs where the site has mounted them, and nothing else of the site.

It is made of the site's settings, as a WSGI site has them: middleware, URLconf, sessions and hosts. The site needs no
``asgi.py``; where it has one, that is for other servers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.apps import apps
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.csrf import csrf_exempt

from ..asgi import App, Handoff, Scope
from ..live.connections import Receive
from ..live.django_internals import View, asgi_handler
from ..live.hub import Send
from ..routing import MountedSocket, websocket_application
from ..urls import urlpatterns
from .health import LIVE, READY, Health

OURS = frozenset(pattern.callback for pattern in urlpatterns)
NOT_HERE = "carillon_serve answers the URLs of notifications.urls alone; another server has the site's other pages.\n"


class Application:
    """What a worker serves."""

    def __init__(self, started: Callable[[], None], count: Callable[[], None], *, whole_site: bool = False) -> None:
        """Load the middleware.

        Args:
            started: Called in the event loop once the server runs.
            count: Called for each request and each socket.
            whole_site: Whether to serve all of the site, its static files too, as a development server does.
        """
        self.started = started
        self._http = Handoff(_site() if whole_site else asgi_handler(_choose))
        self._sockets = websocket_application()
        self._mounted = MountedSocket()
        self._health = Health()
        self._count = count

    @markcoroutinefunction  # for those who ask which version of ASGI this is
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Return what serves one connection; a coroutine here would be one more for each open stream."""
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        if scope["type"] == "http" and scope["path"] in (LIVE, READY):
            return self._health.answer(scope["path"], send)
        self._count()
        if scope["type"] == "http":
            return self._http(scope, receive, send)
        if self._mounted.match(scope["path"].lstrip("/")) is None:
            return _refuse(receive, send)
        return self._sockets(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Answer the servers that tell an application of their start and end."""
        while (await receive())["type"] == "lifespan.startup":
            self.started()
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


def _site() -> App:
    site: Any = get_asgi_application()
    return ASGIStaticFilesHandler(site) if apps.is_installed("django.contrib.staticfiles") else site


def _choose(view: View | None) -> View:
    return view if view in OURS and view is not None else _not_here


@csrf_exempt
@login_not_required
def _not_here(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Stand in for every view of the site that is not Carillon's."""
    return HttpResponseNotFound(NOT_HERE, content_type="text/plain")


async def _refuse(receive: Receive, send: Send) -> None:
    """Refuse a socket, which the server answers with 403."""
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.close"})
