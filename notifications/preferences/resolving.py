"""The resolver: what holds for a notification, a user and a channel, and which rule decided it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..live.statements import SIZES, CompiledSelect
from ..models import Preference
from .channels import HERE, Channel, Value, channels, sent
from .site import site_defaults
from .topics import Topic

Rule = Literal["required", "muted", "kind", "category", "everything", "site", "broadcast", "code", "channel"]
"""The rule that decided: the kind is required; the user has muted what it is about; the user's choice for the kind, its
category or everything; the site's own function; who sent the broadcast; the declaration of the kind; the default of
the channel."""

Chosen = Mapping[tuple[str, str], str]  # values by scope and channel


class Decision(NamedTuple):
    """What holds, and the rule that decided it."""

    value: Value
    rule: Rule


def decide(topic: Topic, channel: Channel, chosen: Chosen, site: Mapping[str, Value]) -> Decision:
    """Decide what holds: the first rule that says something legal.

    Args:
        topic: What the notification is.
        channel: By which way.
        chosen: The user's own choices.
        site: What the site's function says of this user and kind, by channel.
    """
    rules = topic.rules
    code = rules.channels.get(channel.name) if rules else None
    declared = Decision(code, "code") if code in channel.values and code else Decision(channel.default, "channel")
    if not topic.open:
        return Decision(declared.value, "required")
    for scope in topic.scopes:
        value = chosen.get((scope, channel.name))
        for known in channel.values:  # whatever else is in the table
            if value == known:
                return Decision(known, _rule(scope))
    if (said := site.get(channel.name)) in channel.values and said:
        return Decision(said, "site")
    return declared


def of_broadcast(decision: Decision) -> Decision:
    """Return what holds for a channel that the sender of a broadcast has chosen: it goes before what the code says."""
    if decision.value == "off" and decision.rule in ("required", "code", "channel"):
        return Decision("on", "broadcast")
    return decision


def _rule(scope: str) -> Rule:
    if scope.startswith("kind:"):
        return "kind"
    return "category" if scope.startswith("category:") else "everything"


def choices(pks: Sequence[Any], using: str, **only: Any) -> dict[Any, dict[tuple[str, str], str]]:
    """Return the choices of users by their primary keys, with one query; who has none is left out."""
    rows = Preference.objects.using(using).filter(user_id__in=pks, **only)
    return _by_user(rows.values_list("user_id", "scope", "channel", "value"))


# For the few recipients of most notifications: Django takes longer to build the query than to run it.
_ALL = CompiledSelect(Preference.objects.all, "user_id", "scope", "channel", "value")


def _choices(
    pks: Sequence[Any], scopes: Iterable[str], names: Iterable[str], using: str
) -> dict[Any, dict[tuple[str, str], str]]:
    if len(pks) <= SIZES[-1]:
        return _by_user(_ALL.run(pks, using))
    return choices(pks, using, scope__in=scopes, channel__in=names)


def _by_user(rows: Iterable[Sequence[Any]]) -> dict[Any, dict[tuple[str, str], str]]:
    found: dict[Any, dict[tuple[str, str], str]] = {}
    for pk, scope, channel, value in rows:
        found.setdefault(pk, {})[scope, channel] = value
    return found


def decisions(topics: Iterable[Topic], pks: Sequence[Any], using: str) -> dict[Topic, dict[Any, dict[str, Decision]]]:
    """Decide for some topics and many users, with one query: for the channels on the site, and those that are sent.

    Returns:
        For each topic what holds for a user by the user's primary key, and under None for all whom it does not list.
    """
    topics = list(dict.fromkeys(topics))
    scopes = {scope for topic in topics if topic.open for scope in topic.scopes}
    names = [*HERE, *sent()]
    chosen = _choices(pks, scopes, names, using) if scopes and pks else {}
    every = channels()
    found: dict[Topic, dict[Any, dict[str, Decision]]] = {}
    for topic in topics:
        site = site_defaults(topic.rules, pks, using) if topic.open and topic.rules else {}

        def made(pk: Any, topic: Topic = topic, site: Mapping[Any, Mapping[str, Value]] = site) -> dict[str, Decision]:
            return {name: decide(topic, every[name], chosen.get(pk, {}), site.get(pk, {})) for name in names}

        others = chosen.keys() | site.keys() if topic.open else ()
        found[topic] = {None: made(None), **{pk: made(pk) for pk in others}}
    return found
