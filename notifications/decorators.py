"""Decorators for views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase

from .inbox.visiting import is_visit, read_about

V = TypeVar("V", bound=Callable[..., Any])

__all__ = ["reads_notifications_of"]


def reads_notifications_of(model: type[Model], key: str = "pk") -> Callable[[V], V]:
    """Have a view mark as read what is about the object that it shows, once it has shown it to a signed-in user.

    Args:
        model: The model of the object.
        key: The argument of the view that holds the object's primary key.
    """
    concrete = model._meta.concrete_model
    label = (concrete or model)._meta.label_lower

    def visited(request: HttpRequest, response: HttpResponseBase, given: dict[str, Any]) -> None:
        if response.status_code < 300 and request.method in ("GET", "HEAD") and key in given and is_visit(request):
            read_about(cast("Any", request.user), label, str(given[key]))

    def decorate(view: V) -> V:
        if iscoroutinefunction(view):

            @wraps(view)
            async def show_later(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                response: HttpResponseBase = await view(request, *args, **kwargs)
                await sync_to_async(visited)(request, response, kwargs)
                return response

            return cast("V", show_later)

        @wraps(view)
        def show(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response: HttpResponseBase = view(request, *args, **kwargs)
            visited(request, response, kwargs)
            return response

        return cast("V", show)

    return decorate
