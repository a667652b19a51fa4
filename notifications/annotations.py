"""The types in signatures: recipients, acting users, levels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group

__all__ = ["LevelName", "Recipients", "User", "UserKey"]

User: TypeAlias = AbstractBaseUser
"""A user of the project's model, saved; ``request.user`` is one once ``is_authenticated`` was asked."""

UserKey: TypeAlias = int | str | UUID
"""A user's primary key, of whatever type the project's user model has."""

Recipients: TypeAlias = User | Group | Iterable[User]
"""Recipients of `notify`: a user, a group, or an iterable of users, such as a queryset, which is read in chunks."""

LevelName: TypeAlias = Literal["info", "success", "warning", "error"]
"""How a notification is coloured and announced."""
