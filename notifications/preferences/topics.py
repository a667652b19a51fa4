"""Topics: what a choice may be about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ..conf import conf
from ..kinds import Kind, Rules, registry

EVERYTHING: Final = ""  # the scope of all notifications
ALWAYS: Final = frozenset({"progress", "broadcast.test"})  # kinds of Carillon that nobody chooses: they were asked for


class PreferenceChoice(NamedTuple):
    """A choice to be imported: whose it is (a user or a primary key), the channel, the value and what it is about."""

    user: Any
    channel: str
    value: str | bool
    kind: str | type[Kind] = ""
    category: str = ""


class Topic(NamedTuple):
    """What a notification is, as far as preferences go. A declared kind has the category of its declaration."""

    kind: str
    category: str

    @property
    def rules(self) -> Rules | None:
        """The declaration of the kind; None for a plain notification."""
        return registry.get(self.kind)

    @property
    def open(self) -> bool:
        """Whether it is up to its recipients."""
        return self.kind not in ALWAYS and not (self.rules and self.rules.required)

    @property
    def label(self) -> str:
        """What people call it."""
        return kind_label(self.rules) if self.rules else str(categories().get(self.category, self.category))

    @property
    def scopes(self) -> tuple[str, ...]:
        """What choices about it may be about; those that come first go before the others."""
        kind = [kind_scope(self.kind)] if self.kind else []
        category = [category_scope(self.category)] if self.category else []
        return (*kind, *category, EVERYTHING)


def topic_of(kind: str, category: str) -> Topic:
    """Return the topic of a notice."""
    rules = registry.get(kind)
    return Topic(kind, category) if rules is None else Topic(rules.key, rules.group_name)


def kind_scope(key: str) -> str:
    """Return the scope of a kind."""
    return f"kind:{key}"


def category_scope(name: str) -> str:
    """Return the scope of a category."""
    return f"category:{name}"


def kinds_in(category: str) -> list[Rules]:
    """Return the declared kinds of a category."""
    return [rules for rules in registry.values() if rules.group_name == category]


def categories() -> dict[str, str | Promise]:
    """Return what people call the categories, by name: those of ``NOTIFICATIONS_CATEGORIES``, then those of kinds."""
    found: dict[str, str | Promise] = {name: label or _words(name) for name, label in conf.CATEGORIES.items()}
    for rules in sorted(registry.values(), key=lambda rules: (rules.group_name, rules.key)):
        if rules.group_name:
            found.setdefault(rules.group_name, _words(rules.group_name))
    return found


def kind_label(rules: Rules) -> str:
    """Return what people call a kind."""
    return str(rules.label) or _words(rules.key.partition(".")[2] or rules.key)


def _words(name: str) -> str:
    text = " ".join(name.replace(".", " ").replace("_", " ").replace("-", " ").split())
    return text[:1].upper() + text[1:]


def scope_of(kind: object, category: object) -> str:
    """Return the scope that `kind` or `category` names; that of everything if both are empty.

    Raises:
        ValidationError: Nobody has declared it, or both are given; the message lists what there is.
    """
    if isinstance(kind, type) and issubclass(kind, Kind):
        kind = kind.rules.key
    if kind and category:
        raise ValidationError({"category": _("Name a kind or a category, not both.")})
    if kind:
        if not isinstance(kind, str) or kind not in registry:
            raise ValidationError({"kind": _unknown(_("Unknown kind “%(name)s”. Kinds: %(names)s."), kind, registry)})
        return kind_scope(kind)
    if category:
        known = categories()
        if not isinstance(category, str) or category not in known:
            message = _("Unknown category “%(name)s”. Categories: %(names)s.")
            raise ValidationError({"category": _unknown(message, category, known)})
        return category_scope(category)
    return EVERYTHING


def _unknown(message: str, name: object, known: Any) -> str:
    return message % {"name": str(name)[:100], "names": ", ".join(sorted(known)) or "–"}


def topics_in(scope: str) -> Iterator[Topic]:
    """Yield what a choice about `scope` may change: kinds, and for each category what has no kind (``""``)."""
    subject, _colon, name = scope.partition(":")
    if subject == "kind":
        yield Topic(name, registry[name].group_name)
        return
    for category in [name] if subject == "category" else [*categories(), ""]:
        for rules in kinds_in(category):
            yield Topic(rules.key, category)
        yield Topic("", category)


def choosable(kind: str, category: str) -> Topic | None:
    """Return what the recipient of a notice may switch off as a whole: its kind, else its category; None if neither."""
    topic = topic_of(kind, category)
    if not topic.open:
        return None
    if topic.rules is None:
        return Topic("", category) if category in conf.CATEGORIES or (category and kinds_in(category)) else None
    return topic
