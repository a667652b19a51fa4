"""The distributions as `make release` builds them, and how tests run programs with them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(command: list[str | Path], *, cwd: Path) -> str:
    """Run a command and return what it printed; its failure fails the test with its words."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(target: Path) -> None:
    """Build an sdist from this tree, and a wheel from that."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT], cwd=target)
