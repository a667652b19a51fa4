"""The named audiences: how apps register them, and the users that they are taken from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from .sizes import Users

Selector = Callable[[Users], Users]
F = TypeVar("F", bound=Selector)


class Named(NamedTuple):
    """A registered audience: its name in the database, its name for people, and its function."""

    name: str
    label: str | Promise
    select: Selector


registry: dict[str, Named] = {}


def audience(label: str | Promise, *, name: str = "") -> Callable[[F], F]:
    """Register a function as an audience.

    Args:
        label: What staff see, for example ``"Premium customers"``.
        name: What the database stores; by default the function's name. Keep it when you rename the function.

    Raises:
        ImproperlyConfigured: Another function has the name.
    """

    def register(select: F) -> F:
        key = name or select.__name__
        known = registry.get(key)
        if known is not None and known.select.__module__ != select.__module__:
            raise ImproperlyConfigured(
                f"Two audiences are called {key!r}, in {known.select.__module__} and {select.__module__}: "
                f'give one another name, @audience("{label}", name="…").'
            )
        registry[key] = Named(key, label, select)
        return select

    return register


@audience(gettext_lazy("Everyone"))
def everyone(users: Users) -> Users:
    """Keep all."""
    return users


@audience(gettext_lazy("Staff"))
def staff(users: Users) -> Users:
    """Keep users who may sign in to the admin."""
    return users.filter(is_staff=True) if has_field("is_staff") else users.none()


def people(using: str | None = None) -> Users:
    """Return all users who can sign in, as the database `using` has them, of whom audiences are subsets."""
    users: Users = get_user_model()._default_manager.using(using).order_by()
    return users.filter(is_active=True) if has_field("is_active") else users.all()


def has_field(name: str) -> bool:
    """Return whether the project's user model has a field `name`; a custom one may not."""
    try:
        get_user_model()._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True
