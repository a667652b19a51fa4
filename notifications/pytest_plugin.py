"""Fixtures for pytest, which finds this module by itself where Carillon is installed.

Like the test kit, `notifications.testing`, they need pytest-django. Nothing of Django is imported until a test asks for
one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from notifications.annotations import User
    from notifications.testing import OpenPage, Sent


@pytest.fixture
def captured_notifications(db: None) -> Iterator[Sent]:
    """Collect what is sent in the course of a test: see `notifications.testing.captured`."""
    from notifications.testing import captured

    with captured() as sent:
        yield sent


@pytest.fixture
def live_client(db: None) -> Iterator[Callable[..., OpenPage]]:
    """Return a function that opens a page of a user, which is closed with the test.

    It takes the arguments of `notifications.testing.LiveClient`. Asynchronous tests use that class itself, with
    ``async with``.
    """
    from notifications.testing import LiveClient

    with ExitStack() as pages:

        def open_page(user: User | None, **options: Any) -> OpenPage:
            return pages.enter_context(LiveClient(user, **options))

        yield open_page
