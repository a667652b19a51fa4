"""A project as `startproject` makes it, to which the code of a page is added, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import walkthrough
from tests.distributions import ROOT

SETTINGS = """
INSTALLED_APPS = [*INSTALLED_APPS, "notifications", "shop"]
DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}
"""
URLS = """
from django.urls import include
urlpatterns += [path("notifications/", include("notifications.urls"))]
"""
PACKAGES = ("shop", "shop/migrations", "shop/tests", "people")


class FreshProject:
    """A project with an app `shop`, in a folder of its own."""

    def __init__(self, folder: Path, carillon: Path = ROOT) -> None:
        """Make it, with the Carillon that lies in a folder."""
        self.folder = folder
        self.carillon = carillon
        self.run("-m", "django", "startproject", "mysite", ".")
        self.append("mysite/settings.py", SETTINGS)
        self.append("mysite/urls.py", URLS)
        for package in PACKAGES:
            self.append(f"{package}/__init__.py", "")

    def run(self, *arguments: str) -> str:
        """Run Python as its owner would, and return what it printed; its failure fails the test."""
        hidden = ("DJANGO_", "DATABASE_URL", "REDIS_URL", "PYTEST_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(self.carillon)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def append(self, name: str, text: str) -> None:
        """Add text to a file, which need not exist."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{text}")

    def follow(self, page: Path) -> None:
        """Add the code of a page to the files that it names."""
        for file in walkthrough.files(page.read_text()):
            self.append(file.name, file.text)
