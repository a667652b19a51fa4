"""What a user's preferences are, as the page and the API show them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..annotations import User
from ..conf import conf
from ..kinds import Rules
from ..preferences.channels import Channel, Value, offered
from ..preferences.resolving import Chosen, Decision, Rule, choices, decide
from ..preferences.site import site_defaults
from ..preferences.topics import Topic, categories, kind_label, kinds_in
from ..twins import twin
from .choosing import required_reason
from .stream import INBOX


class OfferedChannel(msgspec.Struct, frozen=True):
    """A channel among which the user chooses, and what it can be."""

    name: str
    label: str
    values: tuple[Value, ...]


class Choice(msgspec.Struct, frozen=True):
    """What holds, and the rule that decided it."""

    value: Value
    rule: Rule


class KindPreferences(msgspec.Struct, frozen=True):
    """What holds for a kind, by channel; `required` is the reason why nobody can switch it off."""

    kind: str
    label: str
    required: str | None
    channels: dict[str, Choice]


class CategoryPreferences(msgspec.Struct, frozen=True):
    """The kinds of a category; `channels` is what holds for its other notifications, where one can choose them all."""

    category: str
    label: str
    channels: dict[str, Choice] | None
    kinds: list[KindPreferences]


class Preferences(msgspec.Struct, frozen=True):
    """What a user may choose, and what holds."""

    channels: list[OfferedChannel]
    categories: list[CategoryPreferences]


def preferences(user: User) -> Preferences:
    """Return what `user` may choose and what holds, with names in the language that is active.

    It costs one query, and what the site's own function costs for each kind.
    """
    chosen = choices([user.pk], INBOX.alias).get(user.pk, {})
    every = offered()
    listed: list[CategoryPreferences] = []
    for name, label in {**categories(), "": ""}.items():
        kinds = [_kind(rules, user, every, chosen) for rules in sorted(kinds_in(name), key=lambda rules: rules.key)]
        whole = _decided(Topic("", name), every, chosen, {}) if name in conf.CATEGORIES else None
        if kinds or whole:
            listed.append(CategoryPreferences(name, str(label), whole, kinds))
    return Preferences([OfferedChannel(one.name, str(one.label), one.values) for one in every], listed)


apreferences = twin(preferences)


def _kind(rules: Rules, user: User, every: list[Channel], chosen: Chosen) -> KindPreferences:
    topic = Topic(rules.key, rules.group_name)
    site = site_defaults(rules, [user.pk], INBOX.alias).get(user.pk, {}) if topic.open else {}
    reason = required_reason(rules.required) if rules.required else None
    return KindPreferences(rules.key, kind_label(rules), reason, _decided(topic, every, chosen, site))


def _decided(topic: Topic, every: list[Channel], chosen: Chosen, site: Mapping[str, Value]) -> dict[str, Choice]:
    found: dict[str, Decision] = {channel.name: decide(topic, channel, chosen, site) for channel in every}
    return {name: Choice(*decision) for name, decision in found.items()}
