"""The wheel holds exactly the app, and the README's steps make it work in an empty project."""

from __future__ import annotations

import email
import os
import re
import shlex
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import httpx
import pytest
from django.apps import apps
from django.core.management import call_command

from tests import readme
from tests.servers.process import ServerProcess, free_port

ROOT = Path(__file__).resolve().parent.parent
STEPS = "Put it into your project"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from this tree."""
    target = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT], cwd=target)
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def run(command: list[str | Path], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed; its failure fails the test with its words."""
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


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


class Project:
    """An empty Django project in a virtual environment of its own, far from this tree."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.wheel = wheel
        self.bin = folder / "venv" / "bin"
        # Nothing of this test run leaks in: neither its settings nor its import path.
        hidden = ("DJANGO_", "PYTHON", "DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self.env["PATH"] = f"{self.bin}{os.pathsep}{self.env['PATH']}"

    def run(self, line: str) -> str:
        """Run a line of the README; the wheel of this tree stands for the one on the index."""
        words = [re.sub(r"^django-carillon(\[\w+\])?$", rf"{self.wheel}\1", word) for word in shlex.split(line)]
        return run([self.bin / words[0], *words[1:]], cwd=self.folder, env=self.env)

    def append(self, name: str, text: str) -> None:
        """Add the README's lines to a file that startproject has made."""
        path = self.folder / name
        path.write_text(f"{path.read_text()}\n{text}")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Project:
    """Follow the README's steps, in their order: install, edit the files, migrate, write the template."""
    folder = tmp_path_factory.mktemp("project")
    run([sys.executable, "-m", "venv", folder / "venv"], cwd=folder)
    project = Project(folder, wheel)
    install, migrate = readme.commands(STEPS)
    project.run(install)
    project.run("django-admin startproject mysite .")
    for name, text in readme.python(STEPS).items():
        if name != "anywhere":
            project.append(name, text)
    project.run(migrate)
    template = folder / "mysite" / "templates" / "registration" / "login.html"
    template.parent.mkdir(parents=True)
    template.write_text(readme.template(STEPS))
    project.append("mysite/settings.py", 'TEMPLATES[0]["DIRS"] = [BASE_DIR / "mysite" / "templates"]\n')
    project.append("mysite/urls.py", "from django.contrib.auth.views import LoginView\n")
    project.append("mysite/urls.py", 'urlpatterns += [path("", LoginView.as_view())]\n')
    return project


@pytest.mark.packaging
def test_the_readmes_steps_pass_djangos_checks(project: Project) -> None:
    project.run("python manage.py check --fail-level WARNING")
    project.run("python manage.py makemigrations --check --dry-run")


@pytest.mark.packaging
def test_the_readmes_steps_lead_to_a_bell_that_counts_and_streams(project: Project) -> None:
    sender = readme.python(STEPS)["anywhere"]
    key = project.run(
        "python manage.py shell -v 0 -c "
        + shlex.quote(
            "from django.contrib.auth import get_user_model\n"
            "from django.contrib.sessions.backends.db import SessionStore\n"
            "user = get_user_model().objects.create_user('alice')\n"
            f"{sender}\n"
            "session = SessionStore()\n"
            "session['_auth_user_id'] = str(user.pk)\n"
            "session['_auth_user_backend'] = 'django.contrib.auth.backends.ModelBackend'\n"
            "session['_auth_user_hash'] = user.get_session_auth_hash()\n"
            "session.save()\n"
            "print(session.session_key)\n"
        )
    ).split()[-1]
    port = free_port()
    command: list[str | Path] = [project.bin / "python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    server = ServerProcess(command, port=port, log=project.folder / "log", cwd=project.folder)
    server.env = project.env
    server.start()
    try:
        with httpx.Client(base_url=server.url, cookies={"sessionid": key}, timeout=10) as client:
            page = client.get("/").text
            assert '"unseen": 1' in page
            assert "<notification-bell>" in page
            for script in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
                assert client.get(script).status_code == 200
            with client.stream("GET", "/notifications/stream/", headers={"Accept": "text/event-stream"}) as stream:
                lines = stream.iter_lines()
                title = next(line for line in lines if "Your export is ready" in line)
                assert title.startswith("data: {")
    finally:
        server.kill()


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_label_and_the_package_are_the_promised_ones() -> None:
    assert apps.get_app_config("carillon").name == "notifications"


def test_importing_the_package_touches_no_model() -> None:
    code = "import notifications; print(notifications.__version__)"
    assert run([sys.executable, "-c", code], cwd=ROOT).strip()
