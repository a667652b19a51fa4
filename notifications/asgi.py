"""The hand-off lane: Django decides whether a stream may be opened, the lane keeps it open.

Wrap Django's ASGI application::

    application = Handoff(get_asgi_application())

A request for a stream runs through Django's whole middleware chain, session and view in one hop to a small thread
pool, with the chain loaded in sync mode (in async mode every middleware would hop to a thread and back). When the view
admits it, Django's request cycle ends: its thread, database connection and request are released. What remains is the
server's ``send`` and a position.

Which view a request reaches is known only after the middleware has run. If it cannot be guessed (a URLconf by host, for
example), the request runs through Django's own chain, with a slot that the lane's views fill in. Other requests are
not affected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core import signals
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix
from django.views.decorators.csrf import csrf_exempt

from .exceptions import Refused
from .live import connections, relay, static_files
from .live.connections import SCOPE_KEY, Admission, HandoffSlot, Receive
from .live.django_internals import asgi_request, script_prefix, sync_handler
from .live.hub import Message, Send
from .live.layouts import Layouts, is_carried, may_be_carried
from .live.threads import keep_connections
from .live.workers import Overflow
from .preferences.channels import sent

__all__ = ["Handoff"]

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

WAITING_LIMIT = 4_000  # requests waiting for Django; more are refused, because the last one would wait for seconds


@dataclass(frozen=True, slots=True)
class Decision:
    """What Django answered, the admission if the view gave one, and whether the request was another view's."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    admission: Admission | None
    foreign: bool = False


class SyncHandler:
    """Django's request handling with its middleware chain in sync mode."""

    def __init__(self) -> None:
        """Load the middleware."""
        self._respond = sync_handler(lambda view: view if is_carried(view) else _foreign)

    def decide(self, scope: Scope) -> Decision:
        """Run a request through middleware and view, from Django's first signal to its last."""
        slot = HandoffSlot()
        set_script_prefix(script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        response = self._respond(asgi_request({**scope, SCOPE_KEY: slot}))
        try:
            admission = slot.admitted(response.status_code)
            return Decision(response.status_code, _headers(response), _content(response), admission, slot.foreign)
        finally:
            keep_connections()  # before Django's last signal, which closes those that may not outlive a request
            response.close()


class Handoff:
    """ASGI middleware that carries event streams and held polls; everything else goes to Django unchanged."""

    installed = False  # the system check looks here

    def __init__(self, app: App) -> None:
        """Wrap `app`, which is Django's ASGI application."""
        Handoff.installed = True
        self.app = app
        self._layouts = Layouts()
        self._handler = SyncHandler()
        self._working = False  # whether this process does the work that waits for nobody, such as sending e-mails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if not self._working and scope["type"] in ("http", "websocket"):
            self._work(scope)
        if not may_be_carried(scope):
            await self.app(scope, receive, static_files.watch(scope, send))
            return
        address = ""
        try:
            address = connections.check_address_limit(scope)
            decision = await self._decide(scope, receive, send)
            if decision is None:
                return
            if decision.admission is not None:
                connections.check_user_limit(decision.admission.identity.owner, decision.admission.tenant)
                connections.check_address_limit(scope)  # others were decided meanwhile
        except Refused as refusal:
            decision = _refusal(refusal)
        admission = decision.admission
        if admission is None or admission.wait is not None:
            await _answer(decision, receive, send, address)
            return
        await send({"type": "http.response.start", "status": decision.status, "headers": decision.headers})
        await send(connections.body(admission.opening))
        connection = connections.stream(admission, send, address)
        try:
            connections.connect(connection, admission)
            connections.let_go_of_headers(scope)
            del scope, decision, admission  # an open stream keeps no request and nothing of the answer
            while (await receive())["type"] != "http.disconnect":  # here: one more coroutine is 0.2 KB a stream
                pass
        except asyncio.CancelledError:
            if not connections.was_ended(connection):
                raise
        finally:
            connections.disconnect(connection)
        await connections.send_bye(connection, send)

    def _work(self, scope: Scope) -> None:
        """Begin with the first request to send by other channels, if any, for nobody may ever open a stream."""
        self._working = True
        if sent():
            relay.current().served_by(scope.get("server"))

    async def _decide(self, scope: Scope, receive: Receive, send: Send) -> Decision | None:
        """Have Django decide a request; return None if it was another view's and has been answered."""
        relay.current().served_by(scope.get("server"))
        if self._layouts.expects(scope):
            decision = await self._decide_in_one_hop(scope)
            if not decision.foreign:
                return decision
            self._layouts.mistrust(scope)
        return await self._decide_in_django(scope, receive, send)

    async def _decide_in_one_hop(self, scope: Scope) -> Decision:
        connections.check_process_limit()
        now = relay.current()
        try:
            if now.deciders.waiting >= WAITING_LIMIT:
                raise Overflow
            deciding = now.deciders.run(now.callers.terms(scope), self._handler.decide, scope)
        except Overflow:
            busy = "Too many streams are being opened; try again later."
            raise Refused(503, "busy", busy) from None
        decision = await deciding
        if decision.admission is not None:
            now.callers.remember(scope)
        return decision

    async def _decide_in_django(self, scope: Scope, receive: Receive, send: Send) -> Decision | None:
        """Pass a request through Django's own chain, and withhold the answer if the view is one of the lane's."""
        slot = HandoffSlot()
        told: list[Message] = []

        async def hold(message: Message) -> None:
            if slot.admission is None:
                await send(message)
            else:
                told.append(message)

        await self.app({**scope, SCOPE_KEY: slot}, receive, hold)
        if slot.admission is None or not told:
            return None
        self._layouts.learn(slot.urlconf)
        connections.check_process_limit()
        status, headers = told[0]["status"], told[0]["headers"]
        headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        body = b"".join(message.get("body", b"") for message in told[1:])
        return Decision(status, headers, body, slot.admitted(status))


@csrf_exempt
@login_not_required
def _foreign(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Stand in for another view, which Django calls in its own chain."""
    request.scope[SCOPE_KEY].foreign = True
    return HttpResponse(status=204)


async def _answer(decision: Decision, receive: Receive, send: Send, address: str) -> None:
    """Send what was decided, or a held poll's answer when there is one."""
    admission = decision.admission
    content = decision.body if admission is None else await connections.answer(admission, receive, address)
    headers = [*decision.headers, (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": decision.status, "headers": headers})
    await send(connections.body(content, more=False))


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    """Encode headers and cookies; the lane itself knows the body's length."""
    headers = [
        (name.lower().encode("ascii"), value.encode("latin1"))
        for name, value in response.items()
        if name.lower() != "content-length"
    ]
    headers += [(b"set-cookie", cookie.OutputString().encode("ascii")) for cookie in response.cookies.values()]
    return headers


def _content(response: HttpResponseBase) -> bytes:
    if isinstance(response, HttpResponse):
        return response.content
    return b"".join(response)  # some middleware's own streaming answer


def _refusal(refusal: Refused) -> Decision:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"%d" % connections.RETRY_AFTER)]
    return Decision(refusal.status, headers, connections.error_body(refusal.code, str(refusal)), None)
