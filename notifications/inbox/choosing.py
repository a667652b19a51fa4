"""What users do with their preferences: choose, choose no longer, and look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils.translation import gettext as _

from ..annotations import User
from ..kinds import Kind, registry
from ..live import relay
from ..live.chunks import chunks
from ..live.frames import frame
from ..live.transactions import after_commit, atomic, retried
from ..models import Preference
from ..preferences.channels import BELL_CHANNEL, Channel, Value, channel_named, sent, value_of
from ..preferences.resolving import Decision, choices, decide, of_broadcast
from ..preferences.site import site_defaults
from ..preferences.topics import (
    EVERYTHING,
    PreferenceChoice,
    Topic,
    category_scope,
    kind_scope,
    kinds_in,
    scope_of,
    topics_in,
)
from ..twins import twin
from .frames import PreferencesChanged
from .hiding import apply_bell
from .recipients import RECIPIENT_CHUNK
from .stream import INBOX

Chosen = dict[tuple[str, str], str]

_CHANGED = frame(PreferencesChanged())


@retried(lambda *args, **kwargs: INBOX.alias)
def set_preference(
    user: User, channel: str, value: str | bool, *, kind: str | type[Kind] = "", category: str = ""
) -> None:
    """Choose for a user whether a channel brings them notifications of a kind, of a category, or all.

    It holds for what is stored from the commit on. Switching off the bell also moves what is there of it to the
    archive, and switching it on again brings that back. A choice for a category, or for all, takes the place of the
    choices for each of its kinds. What makes no difference to what holds anyway is not stored.

    Args:
        user: Whose choice it is.
        channel: ``"bell"``, ``"toast"``, ``"email"``, ``"push"``, or one of ``NOTIFICATIONS_CHANNELS``.
        value: ``"on"``, ``"off"`` or, where the channel has one, ``"digest"``; True and False mean on and off.
        kind: The key of a declared kind, or its class.
        category: A category of declared kinds, or of ``NOTIFICATIONS_CATEGORIES``. Without it and without a kind the
            choice is for all notifications.

    Raises:
        ValidationError: The channel, the value, the kind or the category is unknown, with those that are known; or
            the kind is required, with the reason.
    """
    scope, to = scope_of(kind, category), channel_named(channel)
    wanted = value_of(to, value)
    refuse_required(scope)
    with atomic(INBOX.alias):
        without = {key: old for key, old in _chosen(user).items() if not _gives_way(key, scope, to.name)}
        chosen = without | {(scope, to.name): wanted}
        changes = any(
            _differ(to, decide(topic, to, chosen, site), decide(topic, to, without, site))
            for topic, site in _topics(user, scope)
        )
        _store(user, scope, to, wanted if changes else None)
        _changed(user, scope, to.name)


@retried(lambda *args, **kwargs: INBOX.alias)
def clear_preference(user: User, *, channel: str = "", kind: str | type[Kind] = "", category: str = "") -> int:
    """Forget what a user has chosen, so that the site's defaults hold again.

    Args:
        user: Whose choices they are.
        channel: Of this channel; of every one if it is empty.
        kind: For this kind; also one that no code has any more.
        category: For this category; without it and without a kind every choice is forgotten.

    Returns:
        How many choices were forgotten.
    """
    rows = Preference.objects.using(INBOX.alias).filter(user_id=user.pk)
    if kind:
        rows = rows.filter(scope=kind_scope(kind if isinstance(kind, str) else kind.rules.key))
    elif category:
        rows = rows.filter(scope=category_scope(category))
    if channel:
        rows = rows.filter(channel=channel)
    with atomic(INBOX.alias):
        scopes = set(rows.filter(channel=BELL_CHANNEL).values_list("scope", flat=True))
        forgotten, _by_model = rows.delete()
        for scope in scopes:
            if known(scope):
                apply_bell(user, _decided(user, scope))
        tell_preferences_changed(user)
    return forgotten


def import_preferences(rows: Iterable[PreferenceChoice]) -> int:
    """Store the choices of many users, such as those that another system has kept of them.

    A thousand cost a constant number of queries. They take the place of what those users have chosen for the same, and
    hold for what is stored from then on; what is there stays where it is. Choices of users who do not exist are left
    out, and all are stored or none.

    Args:
        rows: The choices, read in chunks.

    Returns:
        How many were stored.

    Raises:
        ValidationError: One is unknown or refused, as by `set_preference`; the message says which, from 1.
    """
    stored = 0
    with atomic(INBOX.alias):
        for number, part in enumerate(chunks(rows, RECIPIENT_CHUNK)):
            stored += _import(part, number * RECIPIENT_CHUNK)
    return stored


aset_preference = twin(set_preference)
aclear_preference = twin(clear_preference)
aimport_preferences = twin(import_preferences)


def refuse_required(scope: str) -> None:
    """Raise `ValidationError` if the scope is that of a kind that nobody can switch off."""
    if not scope.startswith("kind:"):
        return
    rules = registry[scope.partition(":")[2]]
    if rules.required:
        raise ValidationError({"kind": required_reason(rules.required)}, code="required")


def required_reason(required: Any) -> str:
    """Return why a kind cannot be switched off."""
    return _("These notifications cannot be switched off.") if required is True else str(required)


def known(scope: str) -> bool:
    """Return whether code declares what a stored scope is about."""
    subject, _colon, name = scope.partition(":")
    try:
        return scope == scope_of(*((name, "") if subject == "kind" else ("", name)))
    except ValidationError:
        return False


def _gives_way(key: tuple[str, str], scope: str, channel: str) -> bool:
    """Return whether a choice is replaced by one for `scope`: that for the same, and those for its parts."""
    return key[1] == channel and (key[0] == scope or key[0] in _parts(scope))


def _differ(channel: Channel, one: Decision, other: Decision) -> bool:
    """Return whether two decisions differ, also for a broadcast whose sender has chosen the channel."""
    if one.value != other.value:
        return True
    return channel.name in sent() and of_broadcast(one).value != of_broadcast(other).value


def _parts(scope: str) -> list[str]:
    if scope.startswith("kind:"):
        return []
    if scope == EVERYTHING:
        found = [kind_scope(key) for key in registry]
        return found + [category_scope(topic.category) for topic in topics_in(scope) if topic.category]
    return [kind_scope(rules.key) for rules in kinds_in(scope.partition(":")[2])]


def _chosen(user: User) -> Chosen:
    return choices([user.pk], INBOX.alias).get(user.pk, {})


def _topics(user: User, scope: str) -> list[tuple[Topic, Mapping[str, Value]]]:
    """Return what a choice for `scope` may change, with the site's defaults for it."""
    topics = [topic for topic in topics_in(scope) if topic.open]
    return [(topic, _site(topic, user)) for topic in topics]


def _site(topic: Topic, user: User) -> Mapping[str, Value]:
    return site_defaults(topic.rules, [user.pk], INBOX.alias).get(user.pk, {}) if topic.rules else {}


def _store(user: User, scope: str, channel: Channel, value: Value | None) -> None:
    rows = Preference.objects.using(INBOX.alias)
    rows.filter(user_id=user.pk, scope__in=_parts(scope), channel=channel.name).delete()
    if value is None:
        rows.filter(user_id=user.pk, scope=scope, channel=channel.name).delete()
    else:
        _upsert([Preference(user_id=user.pk, scope=scope, channel=channel.name, value=value)])


def _upsert(rows: list[Preference]) -> None:
    target = connections[INBOX.alias].features.supports_update_conflicts_with_target
    unique: dict[str, Any] = {"unique_fields": ["user", "scope", "channel"]} if target else {}
    Preference.objects.using(INBOX.alias).bulk_create(rows, update_conflicts=True, update_fields=["value"], **unique)


def _changed(user: User, scope: str, channel: str) -> None:
    if channel == BELL_CHANNEL:
        apply_bell(user, _decided(user, scope))
    tell_preferences_changed(user)


def _decided(user: User, scope: str) -> dict[Topic, Decision]:
    """Return what holds now for the bell; it is read after the write, which waits for that of another tab."""
    chosen, bell = _chosen(user), channel_named(BELL_CHANNEL)
    return {topic: decide(topic, bell, chosen, site) for topic, site in _topics(user, scope)}


def tell_preferences_changed(user: User) -> None:
    """Have the user's pages look again, after the commit."""
    key = INBOX.key(user.pk)
    after_commit(lambda: relay.publish_ephemeral(key, _CHANGED), INBOX.alias)


def _import(part: list[PreferenceChoice], before: int) -> int:
    rows: dict[tuple[Any, str, str], Preference] = {}
    to_key = get_user_model()._meta.pk.to_python
    for number, choice in enumerate(part, before + 1):
        try:
            scope, channel = scope_of(choice.kind, choice.category), channel_named(choice.channel)
            value = value_of(channel, choice.value)
            refuse_required(scope)
        except ValidationError as invalid:
            message = _("Choice %(number)s: %(message)s")
            raise ValidationError(message % {"number": number, "message": " ".join(invalid.messages)}) from invalid
        pk = to_key(getattr(choice.user, "pk", choice.user))
        rows[pk, scope, channel.name] = Preference(user_id=pk, scope=scope, channel=channel.name, value=value)
    users = get_user_model()._base_manager.using(INBOX.alias).filter(pk__in={pk for pk, _scope, _channel in rows})
    there = set(users.values_list("pk", flat=True))
    # In one order, so that two imports cannot wait for each other in a circle.
    chosen = [rows[key] for key in sorted(rows, key=str) if key[0] in there]
    if chosen:
        _upsert(chosen)
    return len(chosen)
