"""Declaring feeds: what they are called, who may follow them and what is kept of them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured

from ..exceptions import UnknownFeed
from .names import NAME_LENGTH, Pattern, stream_key
from .policies import Log, Policy

Permission = Callable[..., bool | Awaitable[bool]]
F = TypeVar("F", bound=Permission)

SHORTEST, LONGEST = 0.02, 60.0  # seconds; of `every`


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared feed: a pattern with its rules."""

    pattern: Pattern
    may_follow: Permission
    keep: Policy
    every: float
    schema: Any
    public: bool
    context: Callable[..., dict[str, Any]] | None


class ResolvedFeed(NamedTuple):
    """One feed, by its name: the rules that hold for it, and the values in its name."""

    name: str
    rules: Declared
    values: dict[str, Any]

    @property
    def pk(self) -> int:
        """The primary key of its stream."""
        return stream_key(self.name)

    def allows(self, user: Any) -> bool:
        """Return whether `user` may follow it, now; anonymous readers may follow public feeds only.

        It may query the database, so call it in a thread.
        """
        if not (self.rules.public or (user is not None and user.is_authenticated)):
            return False
        answer = self.rules.may_follow(user, **self.values)
        if inspect.isawaitable(answer):
            answer = async_to_sync(_awaited)(answer)
        return answer is True


registry: dict[str, Declared] = {}


def feed(
    pattern: str,
    *,
    keep: Policy = Log(),  # noqa: B008  # frozen
    every: float = 0.0,
    schema: Any = None,
    public: bool = False,
    context: Callable[..., dict[str, Any]] | None = None,
) -> Callable[[F], F]:
    """Declare a feed by the function that says who may follow it.

    The function gets the user and the values in the name, and returns True or False; it may be asynchronous. It is
    asked when a page subscribes, when it comes back, from time to time while it follows, and when `recheck_feed`
    or `revoke_access` say so. Whatever is not True, an exception too, means no::

        @feed("orders:{pk:int}", keep=Log(count=1_000, age=timedelta(days=1)))
        def order(user, pk):
            return Order.objects.filter(pk=pk, customer=user).exists()

    Args:
        pattern: What its feeds are called, for example ``"orders:{pk:int}"``; see `Pattern.parse`.
        keep: What is kept: `Log`, `Latest` or `Nothing`.
        every: Seconds between two frames to one reader at the least; 0 sends at once. Of a `Latest` the newest values
            are told, of a `Log` all events together.
        schema: A msgspec struct, dataclass or other type that published data must have; None takes any JSON object.
        public: Whether those who are not signed in may follow, too; the function is asked with an anonymous user.
        context: For ``{% live %}``: a function of the user and the values in the name that returns the context of
            the template.

    Raises:
        ImproperlyConfigured: The pattern is wrong, or another app has declared it.
    """
    try:
        parsed = Pattern.parse(pattern)
    except ValueError as error:
        raise ImproperlyConfigured(f"@feed({pattern!r}): {error}") from None
    if every and not SHORTEST <= every <= LONGEST:
        raise ImproperlyConfigured(f"@feed({pattern!r}, every={every}): between {SHORTEST} and {LONGEST} seconds.")

    def register(may_follow: F) -> F:
        known = registry.get(pattern)
        if known is not None and known.may_follow.__module__ != may_follow.__module__:
            raise ImproperlyConfigured(
                f"Two apps declare the feed {pattern!r}, in {known.may_follow.__module__} and {may_follow.__module__}."
            )
        registry[pattern] = Declared(parsed, may_follow, keep, every, schema, public, context)
        return may_follow

    return register


def find(name: str) -> ResolvedFeed:
    """Return the feed that is called `name`.

    Raises:
        UnknownFeed: Nobody has declared it; the message lists what is declared.
    """
    if isinstance(name, str) and len(name) <= NAME_LENGTH:
        name = str.__str__(name)  # a template's literal is a SafeString, which frames do not encode
        for rules in registry.values():
            values = rules.pattern.match(name)
            if values is not None:
                return ResolvedFeed(name, rules, values)
    known = ", ".join(registry) or "none; declare one with @feed in an app's feeds.py"
    raise UnknownFeed(f"There is no feed {str(name)[:NAME_LENGTH]!r}. Declared are: {known}.")


def validated(found: ResolvedFeed, data: Any) -> Any:
    """Return `data` as the feed's schema has it.

    Raises:
        msgspec.ValidationError: It has another form.
    """
    if found.rules.schema is None:
        return data
    return msgspec.convert(msgspec.to_builtins(data), found.rules.schema)


async def _awaited(answer: Awaitable[bool]) -> bool:
    return await answer
