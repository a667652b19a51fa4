"""The wheel holds exactly the app, and the steps of README and tutorial make it work in an empty project."""

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

from tests import walkthrough
from tests.servers.process import ServerProcess, free_port

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-bell.md"
LIVE_ORDER = ROOT / "docs" / "tutorial" / "live-order.md"


@pytest.fixture(scope="session")
def distributions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the wheel that ``--wheel`` names, or build an sdist from this tree and a wheel from that."""
    if given := request.config.getoption("--wheel"):
        return Path(given).resolve().parent
    target = tmp_path_factory.mktemp("distributions")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT], cwd=target)
    return target


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (path,) = distributions.glob("*.whl")
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


@pytest.mark.packaging
def test_a_package_index_would_take_sdist_and_wheel(distributions: Path) -> None:
    files = sorted(distributions.iterdir())
    assert [path.name.rpartition(".")[2] for path in files] == ["whl", "gz"]
    run([sys.executable, "-m", "twine", "check", "--strict", *files], cwd=distributions)


@pytest.mark.packaging
def test_the_metadata_lead_to_the_source_and_what_changed(metadata: Message) -> None:
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert {"Source", "Documentation", "Changelog", "Issues"} <= set(urls)


class Project:
    """A Django project far from this tree, made by following a page."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.programs = programs
        # Nothing of this test run leaks in: neither its settings nor its import path.
        hidden = ("DJANGO_", "PYTHON", "DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}

    def run(self, line: str) -> str:
        """Run a line of the page in the project's folder."""
        program, *arguments = shlex.split(line)
        return run([self.programs / program, *arguments], cwd=self.folder, env=self.env)

    def put(self, name: str, text: str) -> None:
        """Add lines to a file, which need not exist."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{text}")


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Install the wheel by the README's command into an environment of its own; return the folder of its programs."""
    folder = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "uv", "venv", "--quiet", "--seed", "--python", sys.executable, folder], cwd=folder)
    (line,) = (line for line in walkthrough.commands(README) if "pip install" in line)
    assert line in walkthrough.commands(TUTORIAL)
    install = [re.sub(r"^django-carillon(\[\w+\])$", rf"{wheel}\1", word) for word in shlex.split(line)]
    run([folder / "bin" / install[0], *install[1:]], cwd=folder)
    return folder / "bin"


@pytest.fixture(scope="session", params=[README, TUTORIAL], ids=lambda page: page.stem)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """Follow a page in an empty project: put what it says into the files, then migrate."""
    project = Project(tmp_path_factory.mktemp("project"), programs)
    project.run("django-admin startproject mysite .")
    for name, text in walkthrough.files(request.param).items():
        if name != "anywhere":
            project.put(name, text)
    if request.param == README:  # which leaves it to the reader to have a page
        project.put("mysite/settings.py", 'TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]\n')
        project.put("mysite/urls.py", "from django.views.generic import TemplateView\n")
        project.put("mysite/urls.py", 'urlpatterns += [path("", TemplateView.as_view(template_name="base.html"))]\n')
    assert "python manage.py migrate" in walkthrough.commands(request.param)
    project.run("python manage.py migrate")
    return project


@pytest.mark.packaging
def test_the_steps_pass_djangos_checks(project: Project) -> None:
    project.run("python manage.py check --fail-level WARNING")
    project.run("python manage.py makemigrations --check --dry-run")


SIGN_IN = """
from django.contrib.auth import get_user_model
from django.test import Client
user = get_user_model().objects.create_user("alice")
client = Client()
client.force_login(user)
print(client.cookies["sessionid"].value)
"""


@pytest.mark.packaging
def test_the_steps_lead_to_a_bell_that_counts_and_streams(project: Project) -> None:
    key = project.run(f"python manage.py shell -c {shlex.quote(SIGN_IN)}").split()[-1]
    project.run(f"python manage.py shell -c {shlex.quote(walkthrough.files(README)['anywhere'])}")
    port = free_port()
    command: list[str | Path] = [project.programs / "python", "manage.py", "runserver", "--noreload", str(port)]
    server = ServerProcess(command, port=port, log=project.folder / "log", cwd=project.folder)
    server.env = project.env
    server.start()
    try:
        with httpx.Client(base_url=server.url, cookies={"sessionid": key}, timeout=10) as client:
            page = client.get("/").text
            assert '"unseen": 1' in page
            assert "<notification-bell>" in page
            for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
                assert client.get(asset).status_code == 200
            with client.stream("GET", "/notifications/stream/", headers={"Accept": "text/event-stream"}) as stream:
                title = next(line for line in stream.iter_lines() if "Your export is ready" in line)
                assert title.startswith("data: {")
    finally:
        server.kill()


@pytest.mark.packaging
def test_the_tutorial_of_the_live_order_leads_to_a_page_that_follows_it(tmp_path: Path, programs: Path) -> None:
    project = Project(tmp_path, programs)
    steps, files = walkthrough.commands(LIVE_ORDER), walkthrough.files(LIVE_ORDER)
    assert [line for line in steps if "pip install" in line] == [
        line for line in walkthrough.commands(README) if "pip install" in line
    ]
    start = steps.index("django-admin startproject mysite .")
    for line in steps[start : start + 2]:
        project.run(line)
    in_shell = {name: files.pop(name) for name in ("order", "move")}
    for name, text in files.items():
        project.put(name, text)
    for line in ("python manage.py makemigrations shop", "python manage.py migrate"):
        assert line in steps
        project.run(line)
    key = project.run(f"python manage.py shell -c {shlex.quote(SIGN_IN + in_shell['order'])}").split()[-1]
    port = free_port()
    command: list[str | Path] = [project.programs / "python", "manage.py", "runserver", "--noreload", str(port)]
    server = ServerProcess(command, port=port, log=project.folder / "log", cwd=project.folder)
    server.env = project.env
    server.start()
    try:
        with httpx.Client(base_url=server.url, cookies={"sessionid": key}, timeout=10) as client:
            page = client.get("/orders/1/").text
            for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
                assert client.get(asset).status_code == 200
            (part,) = re.findall(
                r'<live-part [^>]*cursor="([^"]*)"[^>]*src="([^"]*)">(.*?)</live-part>', page, re.DOTALL
            )
            assert "Your order is <strong>new</strong>." in part[2]
            query = f"?feeds=orders:1&since={part[0]}"
            with client.stream("GET", f"/notifications/stream/{query}") as stream:
                lines = stream.iter_lines()
                next(line for line in lines if '"feed.status"' in line)
                project.run(f"python manage.py shell -c {shlex.quote(in_shell['move'])}")
                assert next(line for line in lines if '"packed"' in line).startswith("data: {")
            assert "Your order is <strong>packed</strong>." in client.get(part[1]).text
            assert httpx.get(f"{server.url}{part[1]}").status_code == 403
    finally:
        server.kill()


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_label_and_the_package_are_the_promised_ones() -> None:
    assert apps.get_app_config("carillon").name == "notifications"


def test_importing_the_package_touches_no_model() -> None:
    code = "import notifications; print(notifications.__version__)"
    assert run([sys.executable, "-c", code], cwd=ROOT).strip()
