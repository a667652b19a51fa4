"""Users in the admin's lists and pages, whatever their model is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from ..audiences import has_field


def label(user: Any) -> str:
    """Return the text for a user; a user whose own ``__str__`` raises spoils no page of ours."""
    if user is None:
        return ""
    try:
        return str(user)
    except Exception:  # noqa: BLE001  # whatever the site's model does
        return f"{user._meta.verbose_name} {user.pk}"


def username(path: str) -> str:
    """Return the path to the name by which the user at `path` signs in."""
    return f"{path}__{get_user_model().USERNAME_FIELD}"


def labelled(model: type[models.Model], names: Sequence[Any]) -> list[Any]:
    """Replace, among the names of a list's columns or a page's fields, each foreign key to a user by its label."""
    users = {
        field.name: field
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is get_user_model()
    }
    return [_column(users[name]) if name in users else name for name in names]


def _column(field: Any) -> Callable[[Any], str]:
    def column(row: Any) -> str:
        return label(getattr(row, field.name))

    column.__name__ = field.name
    column.short_description = field.verbose_name  # type: ignore[attr-defined]  # what the admin reads
    column.admin_order_field = field.name  # type: ignore[attr-defined]
    return column


def without_absent_groups(method: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the fields for groups out of fieldsets where the user model knows no groups."""

    def fieldsets(*args: Any, **kwargs: Any) -> Any:
        found = method(*args, **kwargs)
        if has_field("groups"):
            return found
        return [
            (title, {**options, "fields": [name for name in options["fields"] if not str(name).endswith("_groups")]})
            for title, options in found
        ]

    return fieldsets
