"""The hot paths cost what they did: counts of statements, calls and bytes, never seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from .costs import PATHS, count, serving, surroundings

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


def test_streams_that_are_opened_together_are_looked_at_together() -> None:
    def looks(number: int) -> int:
        User.objects.all().delete()
        with CaptureQueriesContext(connection) as captured, serving(number):
            return sum('."head"' in query["sql"] for query in captured)

    few = looks(3)
    assert few > 1  # to open them, and to see whether they have moved since
    assert looks(300) == few
