"""How people are named in what others read."""

from __future__ import annotations

from ..annotations import User
from ..live.frames import json_key
from .frames import Actor


def actor(user: User) -> Actor:
    """Name a user; a custom user model need not have a full name."""
    name = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return Actor(json_key(user.pk), name or user.get_username())
