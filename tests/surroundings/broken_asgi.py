"""An ASGI application that only its server may import."""

raise RuntimeError("There is no server.")
