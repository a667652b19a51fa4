"""The demo's accounts: each name is also its password, so they exist only where DEBUG is on."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

VISITORS = ("alice", "bob")  # the accounts with one-click sign-in
ADMIN = "admin"


def visitors() -> dict[str, User]:
    """Return the visitors that `manage.py demo` made, by name."""
    return {user.get_username(): user for user in get_user_model().objects.filter(username__in=VISITORS)}


def other_than(user: User) -> User | None:
    """Return the visitor to whom `user` can send, or None before `manage.py demo` ran."""
    found = visitors()
    return next((found[name] for name in VISITORS if name in found and name != user.get_username()), None)
