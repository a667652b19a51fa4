"""Connect, reconnect, lead: what must work in every engine, in Firefox and in WebKit as Debian ships them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from notifications.services import notify

from .conftest import Site, Tab

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("driver", ["firefox", "webkit"], indirect=True)]


def test_a_notification_arrives_without_a_reload(tab: Tab, alice: User) -> None:
    notify(alice, "Hello")
    assert tab.until_told("Hello") == ["Hello"]
    assert tab.listed() == ["Hello"]


def test_a_killed_server_is_told_and_what_was_sent_meanwhile_arrives_once_and_in_order(
    tab: Tab, site: Site, alice: User
) -> None:
    site.server.kill()
    for title in ("one", "two", "three"):
        notify(alice, title)
    tab.until("return told.states.includes('reconnecting')")
    site.server.start()
    assert tab.until_told("three") == ["one", "two", "three"]
    tab.until("return ['back', 'live'].includes(told.states.at(-1))")
    assert tab.listed() == ["three", "two", "one"]


def test_two_tabs_share_one_stream_and_the_other_takes_over_without_a_gap(
    tab: Tab, open_tab: Callable[[], Tab], site: Site, alice: User
) -> None:
    other = open_tab()
    notify(alice, "to both")
    assert tab.until_told("to both") == other.until_told("to both") == ["to both"]
    site.until_open(1)
    tab.close()
    notify(alice, "between two leaders")
    assert other.until_told("between two leaders") == ["to both", "between two leaders"]
    notify(alice, "live again")
    assert other.until_told("live again") == ["to both", "between two leaders", "live again"]
    site.until_open(1)
    assert other.listed() == ["live again", "between two leaders", "to both"]
