"""The how-to guides' code does what they say, in a project to which only that code was added."""

from __future__ import annotations

import ast
import importlib
from contextlib import suppress
from pathlib import Path

import pytest

from tests import walkthrough
from tests.distributions import ROOT
from tests.fresh_project import FreshProject

HOWTO = ROOT / "docs" / "how-to"
SURROUNDINGS = ROOT / "tests" / "howto"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

# What a page leaves to the reader: where its views and its middleware go.
MORE = {
    "deliveries": {"shop/gateway.py": (SURROUNDINGS / "gateway.py").read_text()},
    "sending": {"mysite/urls.py": "from shop import views\nurlpatterns += [path('help/', views.ask_for_help)]\n"},
    "api-clients": {"mysite/settings.py": "MIDDLEWARE += ['shop.middleware.token_authentication']\n"},
    "sign-in": {
        "mysite/urls.py": "from shop import auth\n"
        "urlpatterns += [path('in/', auth.LoginView.as_view()), path('out/', auth.LogoutView.as_view())]\n"
    },
}


@pytest.mark.parametrize(
    "page", ["testing", "sending", "deliveries", "kinds", "preferences", "privacy", "api-clients", "sign-in"]
)
def test_the_code_of_a_guide_does_what_it_says(page: str, tmp_path: Path) -> None:
    project = FreshProject(tmp_path)
    project.append("shop/models.py", (SURROUNDINGS / "models.py").read_text())
    project.follow(HOWTO / f"{page}.md")
    for name, text in MORE.get(page, {}).items():
        project.append(name, text)
    tests = SURROUNDINGS / f"{page.replace('-', '_')}.py"
    if tests.exists():
        project.append("shop/tests/test_page.py", tests.read_text())
    project.run("manage.py", "makemigrations", "shop")
    project.run("-W", "error", "manage.py", "test", "--verbosity=2")


def parse(text: str) -> ast.Module:
    """Parse a block of Python: statements, or else an entry of a dictionary or a function's signature."""
    for form in ("{%s}", "def %s: ..."):
        with suppress(SyntaxError):
            return ast.parse(form % text.strip())
    return ast.parse(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_in_the_docs_is_python_and_imports_what_there_is(page: Path) -> None:
    for language, text in walkthrough.blocks(page.read_text()):
        for node in ast.walk(parse(text)) if language == "python" else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "notifications":
                module = importlib.import_module(node.module or "")
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
