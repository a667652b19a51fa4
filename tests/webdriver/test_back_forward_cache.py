"""Pages that leave for the back/forward cache of Chromium, which keeps what they hold, and come back from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from notifications.services import notify

from .conftest import Site, Tab

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("driver", ["chromium"], indirect=True)]


def test_the_only_tab_ends_its_stream_and_comes_back_live_and_complete(tab: Tab, site: Site, alice: User) -> None:
    notify(alice, "before")
    tab.until_told("before")
    tab.driver.get(site.elsewhere)
    site.until_open(0)
    notify(alice, "meanwhile")
    tab.driver.back()
    tab.until("return told.restored === 1")
    assert tab.until_told("meanwhile") == ["before", "meanwhile"]
    notify(alice, "after")
    assert tab.until_told("after") == ["before", "meanwhile", "after"]
    assert site.streams() == {"open": 1, "ever": 2}
    assert tab.listed() == ["after", "meanwhile", "before"]


def test_a_waiting_tab_takes_the_lead_and_the_first_comes_back_as_a_follower(
    tab: Tab, open_tab: Callable[[], Tab], site: Site, alice: User
) -> None:
    other = open_tab()
    tab.driver.get(site.elsewhere)
    for title in ("one", "two"):
        notify(alice, title)
    assert other.until_told("two") == ["one", "two"]
    assert other.run("return told.states.filter((state) => state !== 'live')") == []
    site.until_open(1)
    tab.driver.back()
    tab.until("return told.restored === 1")
    assert tab.until_told("two") == ["one", "two"]
    notify(alice, "three")
    for each in (tab, other):
        assert each.until_told("three") == ["one", "two", "three"]
        assert each.listed() == ["three", "two", "one"]
    site.until_open(1)
