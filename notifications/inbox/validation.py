"""What is asked of a notification before it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ..kinds import Kind
from ..models import Notice
from ..validators import plain_data, validate_text, validate_time
from .groups import validate_group

DEDUPE_LENGTH = 200  # characters


def user_or_none(user: object, name: str) -> Any:
    """Return `user`, the argument `name` of a verb.

    Raises:
        TypeError: It is not a user.
        ValueError: It has not been saved yet.
    """
    if user is None:
        return None
    user_model = get_user_model()
    if not isinstance(user, user_model):  # true of request.user too, which is lazy
        raise TypeError(f"`{name}` must be a {user_model.__name__} or None, not {type(user).__name__}.")
    if user.pk is None:
        raise ValueError(f"`{name}` has not been saved yet: call save() on the user first.")
    return user


def refuse_beside(what: Kind, given: Mapping[str, object]) -> None:
    """Raise `TypeError` if an argument beside an instance of a kind is given that the kind says itself."""
    for name, value in given.items():
        if value not in ("", None) and (name, value) != ("level", "info"):
            raise TypeError(f"{type(what).__name__} says its {name} itself; leave the argument out.")


def validate(
    notice: Notice, dedupe_key: str | None = None, group: str | None = None, send_at: datetime | None = None
) -> None:
    """Raise `ValidationError`, by field, unless a notice may be stored as it is, and what is given with it."""
    errors: dict[str, Any] = {}
    try:
        notice.clean_fields(exclude=["actor", "data"])
    except ValidationError as invalid:
        errors = invalid.error_dict
    try:
        notice.data = plain_data(notice.data)
    except ValidationError as invalid:
        errors["data"] = invalid
    # `clean_fields` passes over what is empty, whatever its type, and a time without a zone.
    more: list[tuple[str, Callable[[Any], None], Any]] = [
        *[(name, _validate_given, getattr(notice, name)) for name in ("body", "url", "kind", "category")],
        ("dedupe_key", _validate_key, dedupe_key),
        *([] if group is None else [("group", validate_group, group)]),
        ("expires_at", _validate_expiry, notice.expires_at),
        ("send_at", _validate_expiry, send_at),
    ]
    for name, validate, value in more:
        if name not in errors:
            try:
                validate(value)
            except ValidationError as invalid:
                errors[name] = invalid
    if errors:
        raise ValidationError(errors)


def _validate_given(value: object) -> None:
    if value is None:
        raise ValidationError(_("Enter text, or omit this field."), code="null")


def _validate_key(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not 1 <= len(value) <= DEDUPE_LENGTH:
        raise ValidationError(_("A dedupe key must have 1 to %(limit)s characters."), params={"limit": DEDUPE_LENGTH})
    validate_text(value)


def _validate_expiry(value: datetime | None) -> None:
    if value is not None:
        validate_time(value)
