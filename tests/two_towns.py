"""Two tenants by name alone, for tests without a schema: which one is active is all that there is of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

from notifications.tenants import Tenants

_active: ContextVar[str] = ContextVar("town", default="south")


class TwoTowns(Tenants):
    def current(self) -> str:
        return _active.get()

    @contextmanager
    def activate(self, name: str) -> Iterator[None]:
        token = _active.set(name)
        try:
            yield
        finally:
            _active.reset(token)

    def names(self) -> Iterable[str]:
        return ["north", "south"]

    def of_request(self, request: HttpRequest) -> str:
        name = request.get_host().partition(".")[0]
        if name not in self.names():
            raise LookupError(name)
        return name


NOT_A_HOOK = object()
