"""The demo's page “Live”: who may move what, and that its threads are few."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import get_language, override

import project.feeds  # noqa: F401  # declares what the demo follows
from notifications.services import present_events
from project import settings as site
from project import workers
from tests.factories import make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("project.urls")]

BUTTONS = {
    "order": {"state": "packed"},
    "prices": {},
    "journal": {},
    "import": {},
    "question": {"question": "What is a bell?"},
}


@pytest.fixture(autouse=True)
def demo(settings: Any) -> None:
    """Have the demo's own templates and names."""
    settings.TEMPLATES, settings.LOGIN_URL = site.TEMPLATES, site.LOGIN_URL


@pytest.fixture
def alice() -> Any:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("alice"))
    return client


@pytest.fixture
def begin() -> Iterator[Callable[[str], bool]]:
    """Return a function that has a thread wait; afterwards all of them end."""
    over = threading.Event()

    def wait() -> None:
        over.wait()

    yield lambda name: workers.start(name, wait)
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("demo-"):
            thread.join()


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_takes_a_post_of_somebody_with_a_token(button: str, alice: Client) -> None:
    path = f"/live/{button}/"
    assert alice.get(path).status_code == 405
    assert alice.post(path, BUTTONS[button]).status_code == 403
    stranger = Client().post(path, BUTTONS[button])
    assert (stranger.status_code, stranger.headers["Location"].partition("?")[0]) == (302, "/sign-in/")
    assert present_events("orders:42") == []


def test_an_order_moves_by_a_form_and_by_a_script(alice: Client) -> None:
    alice.get("/live/")
    token = alice.cookies["csrftoken"].value
    form = {"state": "packed", "csrfmiddlewaretoken": token}
    assert alice.post("/live/order/", form).headers["Location"] == "/live/"
    assert alice.post("/live/order/", {**form, "state": "sent"}, headers={"accept": "text/plain"}).status_code == 204
    wrong = alice.post("/live/order/", {**form, "state": "eaten"}, headers={"accept": "text/plain"})
    assert (wrong.status_code, wrong.content) == (400, b"An order has no such state.")
    long = {"question": "x" * 201, "csrfmiddlewaretoken": token}
    assert alice.post("/live/question/", long, headers={"accept": "text/plain"}).status_code == 400
    assert present_events("orders:42") == [{"state": "sent"}]


def test_visitors_who_are_not_signed_in_see_prices_and_nothing_to_press() -> None:
    page = Client().get("/live/").content.decode()
    assert page.count("<live-value") == 50
    assert "<live-part" not in page
    assert "/live/order/" not in page


def test_of_one_name_one_is_at_work_and_of_all_a_few(begin: Callable[[str], bool]) -> None:
    for number in range(workers.LIMIT):
        assert begin(f"work {number}")
        assert begin(f"work {number}")
    assert not begin("one more")
    assert sum(thread.name.startswith("demo-") for thread in threading.enumerate()) == workers.LIMIT


def test_work_is_done_in_the_language_of_who_began_it() -> None:
    heard: list[str | None] = []
    done = threading.Event()

    def work() -> None:
        heard.append(get_language())
        done.set()

    with override("ar"):
        assert workers.start("language", work)
    assert done.wait(20)
    assert heard == ["ar"]
