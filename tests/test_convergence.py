"""The heart's promise under fire: whatever is lost on the way, readers with a cursor end equal to the database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.servers.asgi import ROOT
from tests.servers.postgresql import PostgreSQL

pytestmark = pytest.mark.servers

SEEDS = ["first"]


def play(seed: str, **environment: str) -> Any:
    """Run `tests.convergence` in a process of its own and return its report."""
    temporary = tempfile.mkdtemp(prefix="carillon-")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.convergence", seed],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": temporary, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    finally:
        shutil.rmtree(Path(temporary))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def judge(report: dict[str, Any]) -> None:
    assert report["aborted"] == [], "no application transaction may be aborted by us"
    assert report["faults"] == [], "a reader saw what it never should have"
    assert report["pending"] == 0
    assert report["different"] == []
    assert report["surplus"] == 0
    # The game was worth playing.
    assert report["rolled_back"] > 5
    assert report["hooks_lost"] > 20
    assert report["rows"] > 500


@pytest.mark.parametrize("seed", SEEDS)
def test_readers_converge_on_sqlite(seed: str) -> None:
    judge(play(seed, DATABASE_URL=""))


@pytest.mark.parametrize("seed", SEEDS)
def test_readers_converge_on_postgresql(seed: str, postgresql: PostgreSQL) -> None:
    judge(play(seed, DATABASE_URL=postgresql.create()))
