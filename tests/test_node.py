"""A machine without Node.js gets its own, and every script uses that one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What scripts/node.sh and scripts/environment.sh call: on this PATH there is no Node.js.
PROGRAMS = ("cat", "chmod", "cmp", "cp", "env", "grep", "ln", "mkdir", "sh", "tail", "tr")
FILES = ("scripts/environment.sh", "scripts/node.sh", "requirements.txt", "tests/requirements-node.txt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the scripts and with a client that has no dependencies."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    client = {"name": "client", "version": "1.0.0"}
    (tmp_path / "package.json").write_text(json.dumps({**client, "scripts": {"version": "node --version"}}))
    (tmp_path / "package-lock.json").write_text(
        json.dumps({**client, "lockfileVersion": 3, "requires": True, "packages": {"": client}})
    )
    (tmp_path / "node_modules").mkdir()
    return tmp_path


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def node(checkout: Path, programs: Path, *command: str) -> str:
    env = {**os.environ, "PATH": str(programs), "PYTHON": sys.executable}
    done = subprocess.run(
        ["sh", "scripts/node.sh", *command], cwd=checkout, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.packaging
def test_without_nodejs_one_is_brought_with_npm(checkout: Path, programs: Path) -> None:
    version = node(checkout, programs, "npm", "run", "--silent", "version").splitlines()[-1]
    assert int(version.removeprefix("v").split(".")[0]) >= 20
    assert (checkout / ".venv" / "node" / "bin" / "node").exists()
    assert node(checkout, programs, "node", "--version").strip() == version  # brought once: nothing is said again


def put(folder: Path, version: int) -> None:
    """Put programs into a folder that say what they are, and exit as Node.js would when asked for its age."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("node", "npm"):
        (folder / name).write_text(f"#!/bin/sh\necho {name} {version}\n[ {version} -ge 20 ]\n")
        (folder / name).chmod(0o755)


def test_a_nodejs_of_the_system_is_used_where_it_is_new_enough(checkout: Path, programs: Path) -> None:
    put(programs, version=20)
    put(checkout / ".venv" / "node" / "bin", version=24)
    assert node(checkout, programs, "node").splitlines()[-1] == "node 20"


def test_a_nodejs_of_the_system_that_is_too_old_is_passed_over(checkout: Path, programs: Path) -> None:
    put(programs, version=18)
    put(checkout / ".venv" / "node" / "bin", version=24)
    assert node(checkout, programs, "node").splitlines()[-1] == "node 24"


@pytest.mark.parametrize(
    "name", [path.relative_to(ROOT).as_posix() for path in [ROOT / "Makefile", *sorted(ROOT.glob("scripts/*.sh"))]]
)
def test_nobody_calls_npm_but_through_the_script(name: str) -> None:
    if name == "scripts/node.sh":
        return
    for line in (ROOT / name).read_text().splitlines():
        assert not re.match(r"\s*@?(npm|npx|node) (?!:=)", line), line
