"""One name, one thing."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import notifications

PACKAGE = Path(notifications.__path__[0])
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")


def test_constants_of_one_name_have_one_value() -> None:
    values: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            match node:
                case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                    if CONSTANT.fullmatch(name) and not name.startswith("_"):
                        values[name][ast.unparse(value)].append(str(path.relative_to(PACKAGE)))
    assert "STREAM_CHUNK" in values
    assert {name: dict(found) for name, found in values.items() if len(found) > 1} == {}


def test_no_name_hides_a_module() -> None:
    hidden = []
    for package in [*pkgutil.walk_packages(notifications.__path__, "notifications.")]:
        if package.ispkg:
            module = importlib.import_module(package.name)
            for inner in pkgutil.iter_modules(module.__path__):
                importlib.import_module(f"{package.name}.{inner.name}")
                if not isinstance(getattr(module, inner.name), ModuleType):
                    hidden.append(f"{package.name}.{inner.name}")
    assert hidden == []


def test_no_private_name_is_imported_from_another_module() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {alias.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert found == []
