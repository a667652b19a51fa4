"""What a newcomer and the forge read agrees with what is there: pages, hooks, the workflow, the changelog."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()

FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]*\.[\w.-]+)`")
IN_FILE = re.compile(r"`([\w./-]+/[\w.-]+)` \(((?:`\w+`(?:, )?)+)\)")
MADE = {".venv", "node_modules", "dist"}  # by make, and so not there before it
TARGET = re.compile(r"\bmake ((?:[a-z]+(?:-[a-z]+)*)(?: test-[a-z]+)*)")
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}  # https://keepachangelog.com/en/1.1.0/


def read_yaml(name: str) -> Any:
    return YAML(typ="safe").load(ROOT / name)


def run_by_ci() -> list[str]:
    return re.findall(r"^make ([\w-]+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_each_file_that_the_page_for_contributors_names_exists() -> None:
    named = {name for name in FILE.findall(CONTRIBUTING) if name.partition("/")[0] not in MADE}
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_each_walk_ends_at_what_it_names() -> None:
    walks = CONTRIBUTING.partition("\n## Where to find things\n")[2].partition("\n## ")[0]
    ends = [(path, name) for path, names in IN_FILE.findall(walks) for name in re.findall(r"`(\w+)`", names)]
    assert len(ends) > 10
    for path, name in ends:
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), f"{path} has no {name}"


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "README.md", "tests/README.md", ".github/PULL_REQUEST_TEMPLATE.md", ".ci/run"]
)
def test_each_target_that_a_page_names_is_in_the_makefile(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))
    code = "\n".join(re.findall(r"`+([^`]+)`+", (ROOT / page).read_text()))
    named = {target for line in TARGET.findall(code) for target in line.split()}
    assert sorted(named - targets) == []


def test_every_target_is_phony() -> None:
    phony = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)[0].replace("\\", "").split()
    assert sorted(phony) == sorted(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))


def test_the_workflow_runs_what_ci_runs() -> None:
    job = read_yaml(".github/workflows/ci.yml")["jobs"]["make"]
    assert job["strategy"]["matrix"]["target"] == run_by_ci()
    assert job["steps"][-1]["run"] == "make ${{ matrix.target }}"
    assert job["continue-on-error"] == "${{ matrix.target == 'test-prerelease' }}"


@pytest.mark.parametrize(
    ("failing", "status"), [("", 0), *((target, int(target != "test-prerelease")) for target in run_by_ci())]
)
def test_ci_fails_with_each_part_but_a_django_that_is_not_out_yet(tmp_path: Path, failing: str, status: int) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$1" >>ran\n[ "$1" != "{failing}" ]\n')
    make.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", ".ci/run"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("NOTICE" in done.stdout) == (failing == "test-prerelease")
    assert (tmp_path / "ran").read_text().split() == run_by_ci()


HOOKS = [hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def test_hooks_fetch_nothing() -> None:
    assert {repo["repo"] for repo in read_yaml(".pre-commit-config.yaml")["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_the_command_of_each_hook_is_there(hook: dict[str, Any]) -> None:
    program, *arguments = shlex.split(hook["entry"])
    if program.startswith(".venv/bin/"):  # this interpreter's environment may have another name, as under nox
        assert (Path(sys.executable).parent / Path(program).name).exists()
    else:
        assert (program, arguments[:3]) == ("sh", ["scripts/node.sh", "npm", "run"])
        scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
        assert arguments[-1] in scripts
    for argument in arguments:
        if argument.endswith((".py", ".sh")):
            assert (ROOT / argument).exists()


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if "files" in hook], ids=lambda hook: str(hook["id"]))
def test_each_hook_is_for_files_that_exist(hook: dict[str, Any]) -> None:
    folders = (ROOT / "notifications", ROOT / ".github")
    names = (path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*"))
    assert any(re.search(hook["files"], name) for name in names)


def test_the_changelog_is_grouped() -> None:
    versions = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]
    assert versions
    for version in versions:
        sections = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert sections
        assert len(set(sections)) == len(sections)
        assert set(sections) <= SECTIONS
        loose = version.partition("\n### ")[0]
        assert "\n- " not in loose, "this entry stands in no section"
