"""Imports run one way, and the package's name costs nothing."""

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

# A module imports from its own layer and from those above it in this list. A package counts as one module.
LAYERS: list[tuple[str, set[str]]] = [
    ("pure", {"bucket", "chat_frames", "cursor", "drain", "frames", "hub", "wheel"}),
    (
        "settings and models",
        {
            "audiences",
            "chat_strings",
            "commands",
            "conf",
            "migrations",
            "models",
            "sessions",
            "sizes",
            "strings",
            "threads",
            "validators",
        },
    ),
    ("streams", {"prepared", "streams"}),
    ("families of streams", {"inbox", "members", "outbox", "rooms"}),
    ("relay", {"broker", "chores", "presence", "receipts", "relay"}),
    ("services", {"results", "services"}),
    (
        "edges",
        {
            *(
                "admin",
                "apps",
                "asgi",
                "chat",
                "checks",
                "consumers",
                "lane",
                "management",
                "pages",
                "responses",
                "routing",
            ),
            *("signals", "sockets", "templatetags", "testing", "urls", "views"),
        },
    ),
]
RANK = {module: rank for rank, (_, modules) in enumerate(LAYERS) for module in modules}
OUTSIDE_OF_PURE = {"msgspec"}  # what pure modules may import beside the standard library


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything that a file imports, also inside functions."""
    here = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: len(here) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


def own(name: str) -> str | None:
    """Return the module of ours that a full name lies in; None for anything else."""
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE.name and len(parts) > 1 and not parts[1].startswith("__") else None


def test_every_module_has_a_layer() -> None:
    unknown = {module_of(path) for path in files()} - RANK.keys()
    assert not unknown, f"Give each of {sorted(unknown)} its layer in {Path(__file__).name}."


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_from_its_own_layer_and_those_before_it(path: Path) -> None:
    module = module_of(path)
    for line, name in imports(path):
        target = own(name)
        assert target is None or RANK[target] <= RANK[module], (
            f"{path.relative_to(ROOT)}:{line} imports {name}, but {LAYERS[RANK[module]][0]!r} comes before "
            f"{LAYERS[RANK[target]][0]!r}: imports run {' → '.join(layer for layer, _ in LAYERS)}."
        )


@pytest.mark.parametrize("module", sorted(LAYERS[0][1]))
def test_a_pure_module_knows_no_framework(module: str) -> None:
    for line, name in imports(PACKAGE / f"{module}.py"):
        root = name.partition(".")[0]
        assert root in sys.stdlib_module_names | OUTSIDE_OF_PURE | {PACKAGE.name}, (
            f"notifications/{module}.py:{line} imports {name}: pure modules use the standard library and "
            f"{', '.join(OUTSIDE_OF_PURE)} alone, so that they are tested without a framework."
        )


def test_no_module_imports_itself_by_a_detour() -> None:
    graph: dict[str, set[str]] = {}
    for path in files():
        targets = {target for _, name in imports(path) if (target := own(name))}
        graph.setdefault(module_of(path), set()).update(targets - {module_of(path)})
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def loaded_by(statement: str) -> set[str]:
    """Return the packages that a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_itself_loads_nothing() -> None:
    assert loaded_by("import notifications") - loaded_by("pass") == {PACKAGE.name}


def test_the_pure_modules_load_without_django() -> None:
    statement = "; ".join(f"import {PACKAGE.name}.{module}" for module in sorted(LAYERS[0][1]))
    assert not {"django", "asgiref", "channels"} & loaded_by(statement)
