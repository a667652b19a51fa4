"""The wheel holds exactly the app; `tests/browser/test_newcomer.py` installs it as README and tutorials say."""

from __future__ import annotations

import email
import re
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.distributions import ROOT, run


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def app_files() -> set[str]:
    """Return the app's files in this tree, without what Python leaves behind."""
    paths = (path for path in (ROOT / "notifications").rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in paths if "__pycache__" not in path.parts}


@pytest.mark.packaging
def test_the_wheel_holds_the_app_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == app_files()


@pytest.mark.packaging
@pytest.mark.parametrize(
    "name",
    [
        "notifications/py.typed",
        "notifications/migrations/0001_initial.py",
        "notifications/templates/notifications/inbox.html",
        "notifications/static/notifications/bell.css",
        "notifications/static/notifications/bell.js",
        "notifications/static/notifications/notifications.js",
        "notifications/static/notifications/panel.js",
        "notifications/locale/de/LC_MESSAGES/django.mo",
    ],
)
def test_the_wheel_holds_what_packagers_forget(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert name in archive.namelist()


@pytest.mark.packaging
def test_the_metadata_names_licence_python_and_few_dependencies(metadata: Message) -> None:
    assert metadata["Name"] == "django-carillon"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(re.split(r"[<>=]", line)[0] for line in required) == ["channels", "django", "msgspec"]
    assert metadata.get_all("Provides-Extra") == ["daphne", "redis"]


@pytest.mark.packaging
def test_a_package_index_would_take_sdist_and_wheel(distributions: Path) -> None:
    files = sorted(distributions.iterdir())
    assert [path.name.rpartition(".")[2] for path in files] == ["whl", "gz"]
    run([sys.executable, "-m", "twine", "check", "--strict", *files], cwd=distributions)


@pytest.mark.packaging
def test_the_metadata_lead_to_the_source_and_what_changed(metadata: Message) -> None:
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert {"Source", "Documentation", "Changelog", "Issues"} <= set(urls)


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_label_and_the_package_are_the_promised_ones() -> None:
    assert apps.get_app_config("carillon").name == "notifications"


def test_importing_the_package_touches_no_model() -> None:
    code = "import notifications; print(notifications.__version__)"
    assert run([sys.executable, "-c", code], cwd=ROOT).strip()
