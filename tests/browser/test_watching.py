"""The button by which people watch an object saves at once, and follows other tabs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.servers import asgi

from .conftest import Demo, Visitor

pytestmark = pytest.mark.browser

RENDER = """
from django.contrib.auth.models import Group, User
from django.template import engines
from django.test import RequestFactory
request = RequestFactory().get("/")
request.user = User.objects.get(username="alice")
group, _made = Group.objects.get_or_create(name="Tower")
template = engines["django"].from_string("{% load notifications %}{% watch_button about %}")
print(template.render({"about": group}, request))
"""


@pytest.fixture
def button(demo: Demo) -> str:
    """Return what the template tag renders for alice."""
    environment = {**os.environ, **asgi.environment(f"sqlite:///{demo.database}")}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0", "-c", RENDER]
    return subprocess.check_output(command, cwd=asgi.ROOT, env=environment, text=True)


def put(page: Page, button: str) -> Locator:
    """Load the home page with the button in it, as its template would have it."""

    def insert(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('<main id="main">', f'<main id="main">{button}', 1))

    page.route(lambda url: urlsplit(url).path == "/", insert)
    page.goto("/")
    expect(page.locator("watch-button button")).to_be_hidden()
    return page.get_by_role("combobox", name="Watch “Tower”")


def test_a_choice_is_saved_at_once_and_the_other_tab_follows(
    visit: Callable[..., Visitor], second_tab: Callable[[Visitor], Visitor], button: str
) -> None:
    alice = visit("alice")
    here, there = put(alice.page, button), put(second_tab(alice).page, button)
    here.select_option(label="Only mentions")
    expect(there).to_have_value("mentions")
    there.select_option(label="Mute until tomorrow")
    expect(here).to_have_value("muted")
    expect(here.locator("option:checked")).to_contain_text("Muted until")
    assert "09:00" in here.locator("option:checked").inner_text().replace("9 a.m.", "09:00")


def test_in_the_demo_a_recording_is_watched_and_muted_again(visit: Callable[..., Visitor]) -> None:
    alice = visit("alice")
    page = alice.page
    toasts = page.locator("notification-toasts .toast")
    page.get_by_role("link", name="Watch a recording").click()
    choice = page.get_by_role("combobox", name="Watch “Evening changes”")
    expect(choice).to_have_value("")
    alice.until_live()

    def choose(label: str) -> None:
        with page.expect_response("**/api/watch/"):
            choice.select_option(label=label)

    def comment() -> None:
        with page.expect_response("**/recordings/*/"):
            page.get_by_role("button", name="Bob comments on it").click()

    comment()  # of which she hears nothing
    choose("All activity")
    comment()
    expect(toasts).to_have_count(1)
    expect(toasts).to_contain_text("commented on “Evening changes”")
    page.reload()
    expect(choice).to_have_value("all")
    choose("Mute")
    comment()
    page.goto("/notifications/")
    row = page.locator("notification-list .item", has_text="commented on")
    expect(row).to_have_count(1)
    expect(row.locator(".tally")).to_have_count(0)  # one event: the first and the last were not for her


def test_what_the_server_refuses_is_as_before_and_says_why(visit: Callable[..., Visitor], button: str) -> None:
    page = visit("alice").page
    here = put(page, button.replace('name="ref" value="', 'name="ref" value="x'))
    here.select_option(label="All activity")
    expect(page.locator("watch-button [role=alert]")).to_contain_text("This page is too old.")
    expect(here).to_have_value("")
    expect(here).to_have_accessible_name("Watch “Tower”")
