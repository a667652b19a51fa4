"""The short form of the delivery checker: what `tests.delivery` promises, in the surroundings that differ most."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.servers.asgi import ROOT

pytestmark = [pytest.mark.servers, pytest.mark.thorough]

STORM = 6  # seconds; `make soak SECONDS=…` plays for as long as one likes

SURROUNDINGS = {
    "one server on SQLite": [],
    "two servers and a broker on SQLite": ["--servers=2", "--broker"],
    "two servers without a broker on PostgreSQL": ["--servers=2", "--postgresql"],
}


def program(module: str, *words: str) -> Any:
    """Run a module as a program, and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return json.loads(done.stdout)


@pytest.mark.parametrize("words", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_all_readers_end_right_whatever_goes_wrong(words: list[str]) -> None:
    report = program("tests.delivery", "short", str(STORM), *words)
    assert report["crashed"] == []
    assert report["faults"] == []
    assert report["missing"] == []
    # The game was worth playing.
    assert report["committed"] > 50
    assert report["told"] > 300
    assert len(report["done"]) >= 4, "something was never broken"
    assert report["shut out"]


@pytest.mark.parametrize("words", [[], ["--postgresql"]], ids=["SQLite", "PostgreSQL"])
def test_no_live_part_ends_stale_that_was_loaded_while_it_changed(words: list[str]) -> None:
    report = program("tests.delivery_site.loading", "100", *words)
    assert report["stale"] == []
    assert report["loads"] == 100
    assert report["changes"] == 400
