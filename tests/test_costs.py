"""The hot paths cost what they did: counts of statements, calls and bytes, never seconds."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.inbox.stream import INBOX
from notifications.live import relay
from notifications.live.sequencer import open_streams

from .costs import PATHS, count, serving, surroundings
from .factories import make_users

BASELINE = Path(__file__).with_name("costs.json")
ALLOWED = 1.1  # times as much as the baseline

pytestmark = pytest.mark.django_db(transaction=True)

ADVICE = (
    "If this is meant, say in the commit what it buys, and write the baseline anew with `make baseline`."
    " If not, look with `python -m cProfile` at what is called more often."
)


def losses(found: dict[str, int], before: dict[str, int]) -> list[str]:
    """Name what costs more than is allowed."""
    return [
        f"{found[what]:,} {what} instead of {before[what]:,}" for what in before if found[what] > before[what] * ALLOWED
    ]


@pytest.mark.parametrize("name", PATHS)
def test_a_hot_path_costs_at_most_a_tenth_more_than_it_did(name: str, request: pytest.FixtureRequest) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the baseline is SQLite's, on which every version of Python is measured")
    with PATHS[name]() as action:
        found = count(action)
    baselines = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if request.config.getoption("--renew-baseline"):
        baselines.setdefault(surroundings(), {})[name] = found
        BASELINE.write_text(json.dumps(baselines, indent=2, sort_keys=True) + "\n")
        return
    if surroundings() not in baselines:
        pytest.skip(f"there is no baseline for {surroundings()}: `make baseline` writes one")
    if lost := losses(found, baselines[surroundings()].get(name, dict.fromkeys(found, 0))):
        pytest.fail(f"{name.capitalize()} costs {', '.join(lost)}. {ADVICE}")


def test_what_grows_by_more_than_a_tenth_is_named_with_both_figures() -> None:
    before = {"statements": 10, "calls": 1_000, "bytes": 500}
    assert losses({"statements": 11, "calls": 1_100, "bytes": 100}, before) == []
    assert losses({"statements": 12, "calls": 1_101, "bytes": 500}, before) == [
        "12 statements instead of 10",
        "1,101 calls instead of 1,000",
    ]


def test_the_same_path_is_counted_alike_every_time() -> None:
    with PATHS["one notification"]() as action:
        assert count(action) == count(action)


def test_streams_that_are_opened_one_after_the_other_are_looked_at_together() -> None:
    with serving(0) as served, patch.object(relay, "FIRST_LOOK", 3600.0):
        users = make_users(10)
        open_streams(INBOX, [user.pk for user in users])  # makes them
        with CaptureQueriesContext(connection) as captured:
            for user in users:
                served.open([user])
                served.finish()
        opening = len(captured)
        with CaptureQueriesContext(connection) as captured:
            served.relay._look()
            served.finish()
        assert (opening, len(captured)) == (10, 2)  # where each is; then all at once, and again, for none has moved
