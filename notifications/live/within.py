"""One tenant's part in the threads that all tenants of a process share: each piece of work is done with it active."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from .. import tenants
from .background import Background
from .threads import Pool
from .workers import Terms, Workers

P = ParamSpec("P")
R = TypeVar("R")


class TenantPool:
    """A tenant's part in a pool."""

    def __init__(self, pool: Pool, tenant: str) -> None:
        """Share `pool`."""
        self._pool = pool
        self._tenant = tenant

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run `function` for the tenant; its result or exception is the future's."""
        return self._pool.submit(tenants.run, self._tenant, function, *args, **kwargs)

    def close(self, *, wait: bool = True) -> None:
        """Do nothing: others share it."""


class TenantWorkers:
    """A tenant's part in workers; its users are other owners than those of the same keys elsewhere."""

    def __init__(self, workers: Workers, tenant: str) -> None:
        """Share `workers`."""
        self._workers = workers
        self._tenant = tenant

    def run(self, terms: Terms, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """Run database work for the tenant, as `Workers.run` does.

        Raises:
            Overflow: The owner has too many jobs waiting.
        """
        place = None if terms.place is None else (self._tenant, terms.place)
        own = terms._replace(owner=(self._tenant, terms.owner), place=place)
        return self._workers.run(own, tenants.run, self._tenant, function, *args, **kwargs)

    def close(self) -> None:
        """Do nothing: others share them."""


class TenantBackground:
    """A tenant's part in background work."""

    def __init__(self, background: Background, tenant: str) -> None:
        """Share `background`."""
        self._background = background
        self._tenant = tenant

    def call(self, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `function` for the tenant when its turn comes."""
        self._background.call(tenants.run, self._tenant, function, *args, **kwargs)

    def close(self) -> None:
        """Do nothing: others share it."""
