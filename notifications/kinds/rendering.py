"""Rendering: what is said of notifications of a kind, in a language. This is the one place where it is made."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.functional import Promise

from ..annotations import LevelName
from ..models import Notice
from ..models.content import Content, Level
from ..validators import BODY_LENGTH, TITLE_LENGTH, URL_LENGTH, is_visible, storable, validate_link
from .acting import Action
from .declaring import Kind, registry, rules_of
from .facts import loaded_facts, stored_facts
from .references import fetch, identify, references_in, resolved

logger = logging.getLogger("notifications")

_told: set[tuple[str, str]] = set()  # kinds of whose failures the log has one


class Rendered(NamedTuple):
    """What is said of a notification in one language, ready to be shown."""

    title: str
    body: str
    url: str
    level: LevelName
    icon: str = ""


def notice_fields(made: Kind) -> dict[str, Any]:
    """Return what is stored of an instance: its facts and, for when nobody can render them, the site's rendering.

    Raises:
        TypeError: Its class is not decorated.
        ValidationError: A fact, or what the kind makes of them, is not what it must be; it is named.
    """
    rules = rules_of(made)
    facts = stored_facts(made)
    rendered = rendering(made, settings.LANGUAGE_CODE)
    with translation.override(settings.LANGUAGE_CODE):
        category = _text(made, "category") if hasattr(made, "category") else rules.category
        data = _part(made, "data")
    about = getattr(made, rules.about) if rules.about else None
    return {
        **(about_fields(about) if about is not None else {}),
        **{name: value for name, value in rendered._asdict().items() if name != "icon"},  # which is never stored
        "category": category,
        "data": {} if data is None else data,
        "kind": rules.key,
        "version": rules.version,
        "facts": facts,
    }


def about_fields(instance: object) -> dict[str, Any]:
    """Return what a notice stores of the instance that it is about.

    Raises:
        TypeError: It is no instance of a model.
        ValueError: It has not been saved yet.
    """
    model, key = identify(instance, "about")
    return {"about_model": model, "about_key": key}


def kinds_of(notices: Iterable[Content]) -> dict[int, Kind]:
    """Return instances of the kinds of notices, or of broadcasts, by their primary key.

    It costs one query for each model they name. One that has no kind, whose kind no code has, or whose facts do not fit
    any more is left out.
    """
    loaded: dict[int, tuple[type[Kind], dict[str, Any]]] = {}
    for notice in notices:
        if notice.facts is not None and notice.pk not in loaded and (values := _loaded(notice)) is not None:
            loaded[notice.pk] = registry[notice.kind].cls, values
    if not loaded:
        return {}
    found, failed = fetch(one for _cls, values in loaded.values() for one in references_in(values))
    made: dict[int, Kind] = {}
    for pk, (cls, values) in loaded.items():
        try:
            made[pk] = cls(**resolved(values, found, failed))
        except Exception as error:  # noqa: BLE001  # whatever the site's code raises
            _tell(cls.rules.key, error)
    return made


def actions_of(notice: Notice) -> Mapping[str, Action]:
    """Return what the kind of a notice offers, by name."""
    if notice.facts is None or notice.kind not in registry:
        return {}
    return registry[notice.kind].actions


def done_of(notice: Notice, name: str) -> str:
    """Return what is said in the active language once an action is done; empty where no code knows it any more."""
    action = actions_of(notice).get(name)
    return spoken(notice.kind, action.done, "") if action is not None else ""


def spoken(key: str, text: str | Promise, instead: str) -> str:
    """Return lazy text of the kind `key` in the active language; `instead` where it fails, of which the log is told."""
    try:
        return str.__str__(str(text))
    except Exception as error:  # noqa: BLE001  # whatever the site's code raises
        _tell(key, error)
        return instead


def render(made: Kind, language: str) -> Rendered | None:
    """Return what is said of an instance in a language; None if its rendering fails, of which the log is told."""
    try:
        return rendering(made, language)
    except Exception as error:  # noqa: BLE001  # whatever the site's code raises
        _tell(rules_of(made).key, error)
        return None


def rendering(made: Kind, language: str) -> Rendered:
    """Return what is said of an instance in a language.

    Raises:
        Exception: What the site's code raises, or a ``ValidationError`` of what it returns.
    """
    with translation.override(language):
        return _rendered(made)


def _loaded(notice: Content) -> dict[str, Any] | None:
    rules = registry.get(notice.kind)
    if rules is None:
        _tell(notice.kind, None)
        return None
    try:
        return loaded_facts(rules.cls, dict(notice.facts or {}), notice.version or rules.version)
    except Exception as error:  # noqa: BLE001  # whatever the site's code raises
        _tell(notice.kind, error)
        return None


def _tell(key: str, error: Exception | None) -> None:
    """Log the first failure of a kind, or the first of each sort; what is shown meanwhile was stored with it."""
    sort = key, type(error).__name__
    if sort in _told:
        return
    _told.add(sort)
    if error is None:
        logger.error("No code has the kind %r; its notifications show what was stored. Said once.", key)
    else:
        logger.error("Rendering the kind %r failed; it shows what was stored. Said once.", key, exc_info=error)


def _rendered(made: Kind) -> Rendered:
    title = _text(made, "title")
    # What a user wrote may have several lines, or be longer than a title is.
    title = storable(" ".join(title.split()))
    if not is_visible(title):
        raise ValidationError({"title": "The title is empty."})
    level: Any = _text(made, "level") or made.rules.level
    if level not in Level.values:
        raise ValidationError({"level": f"{level!r} is none of {', '.join(Level.values)}."})
    body = _cut(storable(_text(made, "body")), BODY_LENGTH)
    return Rendered(_cut(title, TITLE_LENGTH), body, _address(made, "url"), level, _address(made, "icon"))


def _address(made: Kind, name: str) -> str:
    """Return a part that is an address; empty for none."""
    address = _text(made, name)
    if address:
        try:
            validate_link(address)
        except ValidationError as invalid:
            raise ValidationError({name: invalid}) from invalid
    if len(address) > URL_LENGTH:
        raise ValidationError({name: f"The address has {len(address)} characters; the limit is {URL_LENGTH}."})
    return address


def _text(made: Kind, name: str) -> str:
    """Return a part that is text, evaluated now; empty for None."""
    value = _part(made, name)
    if value is None:
        return ""
    if not isinstance(value, str | Promise):
        raise ValidationError({name: f"{type(made).__name__}.{name} is {type(value).__name__}; it must be text."})
    return str.__str__(str(value))  # also of a SafeString, which frames do not encode


def _part(made: Kind, name: str) -> Any:
    value = getattr(made, name, None)
    return value() if callable(value) else value


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
