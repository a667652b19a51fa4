"""Async twins of synchronous verbs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

P = ParamSpec("P")
R = TypeVar("R")


def twin(verb: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return the async twin of `verb`: the same arguments and result, without blocking the event loop."""

    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return await sync_to_async(verb)(*args, **kwargs)

    call.__name__ = f"a{verb.__name__}"
    call.__qualname__ = call.__name__
    call.__module__ = verb.__module__
    call.__doc__ = f"Do what `{verb.__name__}` does, without blocking the event loop.\n\n{inspect.getdoc(verb)}"
    call.__wrapped__ = verb  # type: ignore[attr-defined]  # inspect.signature() follows it
    return call
