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
from tests.fresh_project import FreshProject


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
        "notifications/static/notifications/push-worker.js",
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
    extras = ["apprise", "daphne", "email", "push", "redis", "uvicorn", "webhooks"]
    assert metadata.get_all("Provides-Extra") == extras


@pytest.mark.packaging
def test_a_package_index_would_take_sdist_and_wheel(distributions: Path) -> None:
    files = sorted(distributions.iterdir())
    assert [path.name.rpartition(".")[2] for path in files] == ["whl", "gz"]
    run([sys.executable, "-m", "twine", "check", "--strict", *files], cwd=distributions)


@pytest.mark.packaging
def test_the_metadata_lead_to_the_source_and_what_changed(metadata: Message) -> None:
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert {"Source", "Documentation", "Changelog", "Issues"} <= set(urls)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own, with what it says of itself, which pytest looks for."""
    target = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel], cwd=target)
    return target


COMMITTED = """
from django.contrib.auth import get_user_model
from django.test import TransactionTestCase
from notifications.testing import LiveClient, travel
from shop.orders import ship


class CommittedTests(TransactionTestCase):
    def test_what_is_committed_arrives(self):
        alice = get_user_model().objects.create_user("alice")
        with LiveClient(alice) as page, LiveClient(alice, transport="polling") as other:
            for one in (page, other):
                one.settled()
            ship(alice, 42)
            for one in (page, other):
                one.next("changes")
                self.assertEqual(one.unread, 1)
"""
PLAIN = """
import sys


def test_plain(request):
    assert request.config.pluginmanager.hasplugin("carillon")
    assert not {"django", "notifications.testing"} & sys.modules.keys()
"""


@pytest.mark.packaging
def test_a_project_uses_the_test_kit_by_the_page_alone(installed: Path, tmp_path: Path) -> None:
    project = FreshProject(tmp_path, installed)
    project.append("mysite/settings.py", "del DATABASES['default']['TEST']  # in memory, as Django has it\n")
    project.append("shop/models.py", "")
    project.follow(ROOT / "docs" / "how-to" / "testing.md")
    project.append("shop/tests/test_committed.py", COMMITTED)
    project.run("-W", "error", "manage.py", "test")
    told = project.run("-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "shop")
    written = sum(path.read_text().count("def test_") for path in (tmp_path / "shop/tests").glob("*.py"))
    assert f"{written} passed" in told


@pytest.mark.packaging
def test_the_pytest_plugin_costs_a_project_without_django_nothing(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(PLAIN)
    options = "['-q', '-p', 'no:django', '-p', 'no:cacheprovider']"
    code = f"import sys, pytest; sys.path.insert(0, sys.argv[1]); sys.exit(pytest.main({options}))"
    run([sys.executable, "-c", code, installed], cwd=tmp_path)


@pytest.mark.packaging
def test_the_test_kit_needs_no_pytest(installed: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['pytest'] = None; import django; django.setup(); import notifications.testing"
    project = FreshProject(tmp_path, installed)
    project.append("shop/models.py", "")
    project.run("-c", f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'; {code}")


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_label_and_the_package_are_the_promised_ones() -> None:
    assert apps.get_app_config("carillon").name == "notifications"


def test_importing_the_package_touches_no_model() -> None:
    code = "import notifications; print(notifications.__version__)"
    assert run([sys.executable, "-c", code], cwd=ROOT).strip()
