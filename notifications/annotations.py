"""The types that signatures name: who is told, who acts, and how a notification is coloured."""

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
"""Whom `notify` tells: a user, a group, or an iterable of users. A queryset of users is one, and streamed in chunks."""

LevelName: TypeAlias = Literal["info", "success", "warning", "error"]
"""How a notification is coloured and announced."""
