"""One tree of exceptions, whose public part has one door."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import CommandError

import notifications
from notifications import exceptions, services
from notifications.chat.rooms import membership
from notifications.exceptions import BadCursor, CarillonError, NotMember
from notifications.live import cursor

from .factories import make_user

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "exceptions.md"


def own_exceptions() -> Iterator[type[BaseException]]:
    """Yield every exception that a module of the package defines, apart from those that Django makes for a model."""
    for module in pkgutil.walk_packages(notifications.__path__, "notifications."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == module.name:
                yield value


def test_every_exception_of_ours_is_in_the_tree() -> None:
    found = set(own_exceptions())
    assert NotMember in found
    assert not [error for error in found if not issubclass(error, CarillonError | CommandError)]


def test_the_door_shows_each_public_exception_and_the_reference_has_a_row_for_it() -> None:
    public = {name for name, value in vars(exceptions).items() if isinstance(value, type)}
    assert public == set(exceptions.__all__)
    rows = re.findall(r"^\| `(\w+)`", PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(public)


def test_the_verbs_door_shows_the_same_exceptions() -> None:
    assert services.NotMember is exceptions.NotMember
    assert services.BroadcastConflict is exceptions.BroadcastConflict


@pytest.mark.django_db
def test_a_stranger_to_a_room_is_told_as_carillon_and_as_django_do() -> None:
    with pytest.raises(NotMember) as caught:
        membership(1, make_user())
    assert isinstance(caught.value, ObjectDoesNotExist)


def test_a_bad_cursor_is_a_bad_value_too() -> None:
    with pytest.raises(BadCursor) as caught:
        cursor.parse("nonsense")
    assert isinstance(caught.value, ValueError)
