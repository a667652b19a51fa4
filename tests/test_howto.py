"""The how-to guides' code does what they say, in a project to which only that code was added."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests import walkthrough
from tests.distributions import ROOT

HOWTO = ROOT / "docs" / "how-to"
SURROUNDINGS = ROOT / "tests" / "howto"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

SETTINGS = """
INSTALLED_APPS = [*INSTALLED_APPS, "notifications", "shop"]
DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}
"""
URLS = """
from django.urls import include
urlpatterns += [path("notifications/", include("notifications.urls"))]
"""
# What a page leaves to the reader: where its views and its middleware go.
MORE = {
    "sending": {"mysite/urls.py": "from shop import views\nurlpatterns += [path('help/', views.ask_for_help)]\n"},
    "api-clients": {"mysite/settings.py": "MIDDLEWARE += ['shop.middleware.token_authentication']\n"},
    "sign-in": {
        "mysite/urls.py": "from shop import auth\n"
        "urlpatterns += [path('in/', auth.LoginView.as_view()), path('out/', auth.LogoutView.as_view())]\n"
    },
}


def manage(folder: Path, *arguments: str) -> None:
    hidden = ("DJANGO_", "DATABASE_URL", "REDIS_URL")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"\n{text}")


@pytest.mark.parametrize("page", ["testing", "sending", "privacy", "api-clients", "sign-in"])
def test_the_code_of_a_guide_does_what_it_says(page: str, tmp_path: Path) -> None:
    manage(tmp_path, "-m", "django", "startproject", "mysite", ".")
    append(tmp_path / "mysite/settings.py", SETTINGS)
    append(tmp_path / "mysite/urls.py", URLS)
    append(tmp_path / "shop/models.py", (SURROUNDINGS / "models.py").read_text())
    for package in ("shop", "shop/migrations", "shop/tests", "people"):
        append(tmp_path / package / "__init__.py", "")
    for file in walkthrough.files((HOWTO / f"{page}.md").read_text()):
        append(tmp_path / file.name, file.text)
    for name, text in MORE.get(page, {}).items():
        append(tmp_path / name, text)
    tests = SURROUNDINGS / f"{page.replace('-', '_')}.py"
    if tests.exists():
        append(tmp_path / "shop/tests/test_page.py", tests.read_text())
    manage(tmp_path, "manage.py", "makemigrations", "shop")
    manage(tmp_path, "-W", "error", "manage.py", "test", "--verbosity=2")


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
