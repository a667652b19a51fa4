"""The demo's ASGI application, which also tells at `/streams/` how many streams are open, and how many ever were."""

from __future__ import annotations

import json
from typing import Any

from project.asgi import application as demo

STREAM = "/notifications/stream/"
counts = {"open": 0, "ever": 0}


async def application(scope: Any, receive: Any, send: Any) -> None:
    path = scope.get("path")
    if path == "/streams/":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(counts).encode()})
    elif path == STREAM:
        counts["open"] += 1
        counts["ever"] += 1
        try:
            await demo(scope, receive, send)
        finally:
            counts["open"] -= 1
    else:
        await demo(scope, receive, send)
