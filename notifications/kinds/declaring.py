"""Declaring kinds: what they are called, which facts they hold and which rules they have."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, dataclass_transform

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from ..annotations import LevelName
from .acting import Action, ActionStyle
from .waiting import AT_ONCE, After

KIND_LENGTH = 100  # characters
_KEY = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")  # no capitals and no accents: not every database tells them apart

# What is said of each notification, as an attribute or a method of its kind.
TOLD = ("title", "body", "url", "level", "category", "data")

# Of Carillon itself: their notices look after themselves.
RESERVED_KEYS = frozenset({"progress", "broadcast", "broadcast.test", "chat.message"})

CHANNELS = ("bell", "toast", "email", "push")
WEBHOOK = "webhook:"  # begins the name of a channel
ChannelDefault = Literal["on", "off", "digest"]
WhenGone = Literal["keep", "archive", "withdraw"]
H = TypeVar("H", bound=Callable[..., object])  # a handler: `(made, user)`
WhenOff = Literal["drop", "silent"]


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Kind:
    """What happened, as typed facts, and how that is told.

    A subclass annotates its facts, which are given by name, and is decorated with `kind`. Facts are what msgspec can
    write and read: numbers, text, times, `Decimal`, `UUID`, enums, lists, dictionaries, dataclasses and instances of
    models (see `Ref`).

    How it is told are attributes or methods without arguments, made anew in each reader's language:

    - ``title``: What happened, in one line. Every kind has one.
    - ``body``, ``url``: More about it, and the link.
    - ``level``: ``"info"``, ``"success"``, ``"warning"`` or ``"error"``, in the place of the decorator's.

    Text is gettext's (in a method) or gettext_lazy's (as an attribute), and never HTML. ``category`` and ``data`` may
    be methods too: they are for your programs, and stored as they are when it is sent.

    A kind that grows may have ``group`` too: what an event belongs to, as `notify` takes it. Its methods find how its
    item has grown in ``self.events``, ``self.count`` and ``self.actors``; a fact of such a name stays a fact.
    """

    rules: ClassVar[Rules]
    if TYPE_CHECKING:  # no attributes of the class, which would be the defaults of facts with these names
        events: ClassVar[int]  # that the item has grown by
        count: ClassVar[int]  # distinct actors of them
        actors: ClassVar[tuple[str, ...]]  # the names of the latest three, the last one first
    else:

        def __getattr__(self, name: str) -> Any:
            """Return how an item has grown of which nothing is known."""
            try:
                return {"events": 1, "count": 0, "actors": ()}[name]
            except KeyError:
                raise AttributeError(f"{type(self).__name__} has no {name!r}.") from None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make a frozen dataclass of the subclass, whose fields are given by name."""
        super().__init_subclass__(**kwargs)
        taken = {"rules", "upgrade", "sample", "action"} & inspect.get_annotations(cls).keys()
        if taken:
            raise ImproperlyConfigured(f"{cls.__name__}: call the fact {taken.pop()!r} something else.")
        dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def upgrade(cls, version: int, facts: dict[str, Any]) -> dict[str, Any]:
        """Return facts that an older version of the kind has stored as this version has them.

        Args:
            version: The version that stored them; it is lower than that of the decorator.
            facts: Plain JSON; a model instance is an object with ``model``, ``pk``, ``name`` and ``url``.
        """
        return facts

    @classmethod
    def action(
        cls, name: str, *, label: str | Promise, done: str | Promise = "", style: ActionStyle = "", permission: str = ""
    ) -> Callable[[H], H]:
        """Offer an action on the kind's notifications; the decorated function does it.

        Args:
            name: What requests call it, for example ``"approve"``.
            label: What its button says, lazy text.
            done: What is said once it is done, lazy text; the label where it is empty.
            style: ``"primary"``, ``"danger"``, or empty.
            permission: Who may do it, as ``"orders.approve_order"``; every recipient if it is empty.

        Raises:
            ImproperlyConfigured: A value is wrong, the name is taken, or the kind grows.
        """
        rules: Rules | None = cls.__dict__.get("rules")
        if rules is None:
            raise ImproperlyConfigured(f"{cls.__name__} is no kind yet: decorate the class with @kind('…') first.")
        if rules.grow:  # who presses would decide on whatever has joined the item since it was shown
            raise ImproperlyConfigured(f"{rules.place} grows, so it cannot offer actions: leave out grow=True.")

        def register(handler: H) -> H:
            Action(name, handler, label, done or label, style, permission).add_to(rules.actions, rules.place)
            return handler

        return register

    @classmethod
    def sample(cls) -> Self | None:
        """Return an example, by which staff are shown what the kind says; None where all facts have no defaults."""
        return None if any(one.default is one.default_factory for one in _facts(cls)) else cls()


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a kind, as `kind` has them."""

    key: str
    cls: type[Kind]
    version: int
    category: str
    level: LevelName
    channels: Mapping[str, ChannelDefault] = field(default_factory=dict)
    waits: Mapping[str, After] = field(default_factory=dict)
    grow: bool = False
    required: bool | str | Promise = False
    about: str = ""
    when_gone: WhenGone = "keep"
    label: str | Promise = ""
    when_off: WhenOff = "drop"
    mention: bool = False
    urgent: bool = False
    actions: dict[str, Action] = field(default_factory=dict, compare=False)

    @property
    def group_name(self) -> str:
        """The category by which people choose: the decorator's, or the class's where that is text."""
        told = getattr(self.cls, "category", "")
        return self.category or (str(told) if isinstance(told, str | Promise) else "")

    def wait(self, channel: str) -> After:
        """Return how long a channel waits, and for what."""
        return self.waits.get(channel, AT_ONCE)

    @property
    def place(self) -> str:
        """Where the kind is written, for messages."""
        return f"{self.cls.__module__}.{self.cls.__qualname__}"


registry: dict[str, Rules] = {}
K = TypeVar("K", bound=type[Kind])


def kind(
    key: str,
    *,
    version: int = 1,
    category: str = "",
    level: LevelName = "info",
    channels: Mapping[str, bool | ChannelDefault | After] | None = None,
    grow: bool = False,
    required: bool | str | Promise = False,
    about: str = "",
    when_gone: WhenGone = "keep",
    label: str | Promise = "",
    when_off: WhenOff = "drop",
    mention: bool = False,
    urgent: bool = False,
) -> Callable[[K], K]:
    """Declare a kind of notification by the class of its facts.

    Args:
        key: What the database calls it, for example ``"order.shipped"``: small letters, digits, dots, hyphens and
            underscores. Keep it when you rename the class.
        version: Of the facts; raise it when you change them, and bring old ones up in `Kind.upgrade`.
        category: Your name for a group of kinds, by which users may filter; at most 100 characters.
        level: ``"info"``, ``"success"``, ``"warning"`` or ``"error"``.
        channels: For each channel by name whether it is used unless a user chooses otherwise: True or ``"on"``, False
            or ``"off"``, or ``"digest"``; or ``After(minutes=15)``, on where nobody has seen it by then. What is not
            named is as the channel is by default.
        grow: Whether further events join an item that is still unread.
        required: Whether users cannot switch it off: True, or the reason, which they are shown.
        about: The fact that its notifications are about: a model instance.
        when_gone: What becomes of them when that instance is deleted: ``"keep"``, ``"archive"`` or ``"withdraw"``.
        label: What people call it where they choose what they want; made of the key where it is not given.
        when_off: What becomes of one whose recipient has switched off the bell: ``"drop"``, nothing is stored for
            them, or ``"silent"``, it is stored in their archive, and returns if they switch the kind on again.
        mention: Whether it addresses its recipients by name: then it reaches also those who have muted what it is
            about.
        urgent: Whether it is sent in quiet hours too.

    Raises:
        ImproperlyConfigured: A value is wrong, another class has the key, or the class has no title.
    """

    def register(cls: K) -> K:
        where = f"@kind({key!r}) class {getattr(cls, '__name__', cls)}"
        chosen = dict(_channels(where, channels or {}))
        waits = {name: value for name, value in (channels or {}).items() if isinstance(value, After)}
        rules = Rules(
            key,
            cls,
            version,
            category,
            level,
            MappingProxyType(chosen),
            MappingProxyType(waits),
            grow,
            required,
            about,
            when_gone,
            label,
            when_off,
            mention,
            urgent,
        )
        if problem := next(_problems(rules), None):
            raise ImproperlyConfigured(f"{where}: {problem}")
        known = registry.get(key)
        if known is not None and known.place != rules.place:
            raise ImproperlyConfigured(f"{where}: {known.place} has this key already; give one of them another.")
        cls.rules = rules
        registry[key] = rules
        return cls

    return register


def rules_of(made: Kind) -> Rules:
    """Return the rules of an instance.

    Raises:
        TypeError: Its class is not decorated.
    """
    rules: Rules | None = type(made).__dict__.get("rules")  # those that a base class has are of another kind
    if rules is None:
        raise TypeError(f"{type(made).__name__} is no kind yet: decorate the class with @kind('…').")
    return rules


def fact_names(cls: type[Kind]) -> list[str]:
    """Return the names of a kind's facts."""
    return [one.name for one in _facts(cls)]


def optional_fact_names(cls: type[Kind]) -> list[str]:
    """Return the names of those facts that have a default."""
    return [one.name for one in _facts(cls) if one.default is not one.default_factory]  # both are MISSING without one


def _facts(cls: type[Kind]) -> list[Field[Any]]:
    return [one for one in fields(cls) if one.init]  # type: ignore[arg-type]  # a dataclass by __init_subclass__


def _channels(where: str, given: Mapping[str, Any]) -> Iterator[tuple[str, ChannelDefault]]:
    for name, value in given.items():
        if value is True or value == "on" or (isinstance(value, After) and name not in ("bell", "toast")):
            yield name, "on"
        elif value is False or value == "off":
            yield name, "off"
        elif value == "digest":
            yield name, "digest"
        else:
            raise ImproperlyConfigured(
                f'{where}: channels[{name!r}] is {value!r}; use True, False, "digest" or After(…).'
            )


def _problems(rules: Rules) -> Iterator[str]:
    cls: Any = rules.cls
    if not (isinstance(cls, type) and issubclass(cls, Kind)):
        yield "derive the class from notifications.kinds.Kind."
        return
    if not (isinstance(rules.key, str) and _KEY.fullmatch(rules.key) and len(rules.key) <= KIND_LENGTH):
        yield (
            f"a key has at most {KIND_LENGTH} small letters and digits, with dots, hyphens or underscores between "
            'them, such as "order.shipped".'
        )
    elif rules.key in RESERVED_KEYS:
        yield f"Carillon uses this key itself, as {', '.join(sorted(RESERVED_KEYS))}; choose another."
    if isinstance(rules.version, bool) or not isinstance(rules.version, int) or not 1 <= rules.version < 2**15:
        yield f"version is {rules.version!r}; use a whole number from 1."
    if rules.level not in ("info", "success", "warning", "error"):
        yield f'level is {rules.level!r}; use "info", "success", "warning" or "error".'
    yield from _problems_of_about(rules)
    if rules.when_off not in ("drop", "silent"):
        yield f'when_off is {rules.when_off!r}; use "drop" or "silent".'
    if not hasattr(cls, "title") and "title" not in fact_names(cls):
        yield 'it has no title: write `title = gettext_lazy("…")`, or a method `def title(self)`.'
    for name in TOLD:
        if inspect.iscoroutinefunction(getattr(cls, name, None)):
            yield f"{name} is asynchronous; what is shown is made of the facts, without waiting."


def _problems_of_about(rules: Rules) -> Iterator[str]:
    if rules.about and rules.about not in fact_names(rules.cls):
        yield f"about is {rules.about!r}, which is none of its facts."
    if rules.when_gone not in ("keep", "archive", "withdraw"):
        yield f'when_gone is {rules.when_gone!r}; use "keep", "archive" or "withdraw".'
    elif rules.when_gone != "keep" and not rules.about:
        yield "when_gone needs about: name the fact whose deletion matters."
