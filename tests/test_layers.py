"""Imports run down only, from room to room and within each; and the package's name costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "notifications"

# A package, or a module of the root, imports from its own floor and from those before it in this list; packages that
# stand on one floor do not know of each other.
FLOORS: list[tuple[str, set[str]]] = [
    (
        "ground",
        {
            "annotations",
            "audiences",
            "bidi",
            "conf",
            "exceptions",
            "hours",
            "languages",
            "models",
            "migrations",
            "signals",
            "tenants",
            "twins",
            "validators",
        },
    ),
    ("what notifications are", {"kinds"}),
    ("the engine", {"live"}),
    ("what people want of notifications", {"preferences"}),
    ("the bell", {"inbox"}),
    ("what stands on the bell", {"broadcasts", "chat", "deliveries", "feeds"}),
    ("the door to all verbs", {"services"}),
    (
        "edges",
        {
            "admin",
            "apps",
            "asgi",
            "checks",
            "compat",
            "consumers",
            "decorators",
            "management",
            "receivers",
            "routing",
            "serving",
            "templatetags",
            "urls",
        },
    ),
    ("tests of applications", {"pytest_plugin", "testing"}),
]
FLOOR = {name: floor for floor, (_, names) in enumerate(FLOORS) for name in names}
SIBLINGS = {"broadcasts", "chat", "deliveries", "feeds"}

# Modules of the engine that are tested without Django, a database or a server.
PURE = {"batch", "cursor", "frames", "heartbeats", "hub", "identity", "messages", "rate_limit", "shutdown"}
OUTSIDE_OF_PURE = {"msgspec"}  # what they may import beside the standard library


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    """Return the package that a file lies in, or its own name in the root."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def module_of(path: Path) -> str:
    """Return the full name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in files()}


def imports(path: Path, *, typing_only: bool = True) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything that a file imports, also inside functions."""
    here = path.relative_to(ROOT).parent.parts
    tree = ast.parse(path.read_text())
    left_out: set[ast.AST] = set()
    if not typing_only:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                left_out.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: len(here) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


def own(name: str) -> str | None:
    """Return the room of ours that a full name lies in; None for anything else."""
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE.name and len(parts) > 1 and not parts[1].startswith("__") else None


def module_named(name: str) -> str | None:
    """Return the module of ours that a full name is, or lies in."""
    return next((found for found in (name, name.rpartition(".")[0]) if found in MODULES), None)


def test_everything_in_the_package_has_its_floor() -> None:
    there = {room_of(path) for path in files()}
    assert there == FLOOR.keys(), f"Give each room its floor in {Path(__file__).name}, and no other."


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_only(path: Path) -> None:
    here = room_of(path)
    for line, name in imports(path):
        target = own(name)
        assert target is None or FLOOR[target] <= FLOOR[here], (
            f"{path.relative_to(ROOT)}:{line} imports {name}, but {FLOORS[FLOOR[here]][0]!r} comes before "
            f"{FLOORS[FLOOR[target]][0]!r}: imports run {' ← '.join(floor for floor, _ in FLOORS)}."
        )
        assert not ({here, str(target)} <= SIBLINGS and here != target), (
            f"{path.relative_to(ROOT)}:{line} imports {name}: {here} and {target} stand side by side."
        )


def test_no_module_imports_itself_by_a_detour() -> None:
    graph: dict[str, set[str]] = {}
    for path in files():
        targets = {found for _, name in imports(path, typing_only=False) if (found := module_named(name))}
        graph.setdefault(module_of(path), set()).update(targets - {module_of(path)})
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("module", sorted(PURE))
def test_a_pure_module_knows_no_framework(module: str) -> None:
    for line, name in imports(PACKAGE / "live" / f"{module}.py", typing_only=False):
        root = name.partition(".")[0]
        assert root in sys.stdlib_module_names | OUTSIDE_OF_PURE | {PACKAGE.name}, (
            f"notifications/live/{module}.py:{line} imports {name}: pure modules use the standard library and "
            f"{', '.join(OUTSIDE_OF_PURE)} alone, so that they are tested without a framework."
        )


def loaded_by(statement: str) -> set[str]:
    """Return the packages that a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_itself_loads_nothing() -> None:
    assert loaded_by("import notifications") - loaded_by("pass") == {PACKAGE.name}


def test_the_pure_modules_load_without_django() -> None:
    pure = [f"{PACKAGE.name}.exceptions", *(f"{PACKAGE.name}.live.{module}" for module in sorted(PURE))]
    statement = "; ".join(f"import {module}" for module in pure)
    assert not {"django", "asgiref", "channels"} & loaded_by(statement)
