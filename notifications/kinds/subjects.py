"""Whether what a notification is about is still there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import router

from ..models.content import Content
from .declaring import registry


def orphans(contents: Iterable[Content]) -> set[Any]:
    """Return the primary keys of those about an instance that is gone whose kinds have a rule for that.

    It costs one query for each model that such kinds are about, and none where there are no such kinds.
    """
    about: dict[str, dict[str, list[Any]]] = {}
    for content in contents:
        rules = registry.get(content.kind) if content.facts is not None else None
        if rules is not None and rules.when_gone != "keep" and content.about_model:
            about.setdefault(content.about_model, {}).setdefault(content.about_key, []).append(content.pk)
    return {pk for model, keys in about.items() for key in keys.keys() - _there(model, keys) for pk in keys[key]}


def is_orphaned(content: Content) -> bool:
    """Return whether content is about an instance that is gone, and its kind has a rule for that."""
    return bool(orphans([content]))


def _there(label: str, keys: Iterable[str]) -> set[str]:
    """Return those of some primary keys, as text, that instances of a model have; none of a model that no code has."""
    try:
        model = apps.get_model(label)
    except LookupError:
        return set()
    key = model._meta.pk
    pks = []
    for text in keys:
        try:
            pks.append(key.to_python(text))
        except ValidationError:
            continue  # the key's type has changed since: no instance has it
    rows = model._base_manager.using(router.db_for_write(model)).filter(pk__in=pks)
    return {str(pk) for pk in rows.values_list(key.attname, flat=True)}
