"""Where Chromium is, and how the tests start it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SHELL = "chromium-headless-shell"  # Chromium without windows: it shows the same pages for half the processor time
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", SHELL)
FROM_NPM = Path(__file__).resolve().parents[2] / ".venv" / "chromium" / "path"  # written by scripts/chromium.sh

# No sandbox: the tests may run as root and in containers. The others keep Chromium from calling home.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find(*preferred: str) -> str:
    """Return the path of Chromium: $CHROMIUM, one on the PATH, or the one that ``make chromium`` took from npm."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, (*preferred, *NAMES))]
    if FROM_NPM.exists():
        candidates.append(FROM_NPM.read_text().strip())
    for path in candidates:
        if path and Path(path).exists():
            return path
    raise RuntimeError("Chromium was not found: run `make chromium`, or set CHROMIUM to the path of one.")
