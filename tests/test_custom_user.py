"""Everything works in a project whose users have a UUID for a key and an e-mail address for a name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

TESTS = Path(__file__).parent
FILES = [
    "notify",
    "states",
    "inbox",
    "streams",
    "prune",
    "api",
    "admin",
    "broadcast_channels",
    "broadcast_services",
    "delivery_admin",
    "explaining",
    "kinds",
    "kind_subjects",
    "watching",
    "growing",
]


def test_the_same_tests_pass_with_another_user_model() -> None:
    options = ["-q", "-p", "no:cacheprovider", "--ds=tests.uuid_project.settings"]
    files = [str(TESTS / f"test_{name}.py") for name in FILES] + [str(TESTS / "uuid_project" / "derived.py")]
    command = [sys.executable, "-m", "pytest", *options, *files]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
