"""The fast tests on every supported Django, with every Python that this machine has: ``nox``.

Interpreters are never downloaded: a combination whose Python is missing is named and left out.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import nox
from packaging.version import Version

# https://docs.djangoproject.com/en/stable/faq/install/#what-python-version-can-i-use-with-django
SUPPORTED = {
    "5.2": ("3.11", "3.12", "3.13", "3.14"),
    "6.0": ("3.12", "3.13", "3.14"),
    "6.1": ("3.12", "3.13", "3.14"),
}

FAST = ("python", "-m", "pytest", "-q", "-m", "not servers and not packaging and not browser and not thorough")

nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True

# pyenv puts commands on the PATH that fail unless a version is chosen: its real interpreters go before them.
pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
os.environ["PATH"] = os.pathsep.join([*map(str, sorted(pyenv.glob("*/bin"))), os.environ["PATH"]])

found = {version for version in ("3.11", "3.12", "3.13", "3.14") if shutil.which(f"python{version}")}
combinations = [(python, django) for django, pythons in SUPPORTED.items() for python in pythons]


@nox.session(python=False)
def missing(session: nox.Session) -> None:
    """Say which combinations this machine cannot run."""
    for python, django in combinations:
        if python not in found:
            session.log(f"Django {django} on Python {python}: this machine has no python{python}")


@nox.session
@nox.parametrize("python,django", [pair for pair in combinations if pair[0] in found])
def tests(session: nox.Session, django: str) -> None:
    """Run the tests that start no servers and build no wheel."""
    session.install("-r", "tests/requirements.txt", f"django~={django}.0")
    session.run(*FAST, *session.posargs)


@nox.session(default=False)
@nox.parametrize("python,django", [pair for pair in combinations if pair[0] in found])
def baseline(session: nox.Session, django: str) -> None:
    """Write down what the hot paths cost, which `tests/test_costs.py` holds them to."""
    session.install("-r", "tests/requirements.txt", f"django~={django}.0")
    session.run("python", "-m", "pytest", "-q", "--renew-baseline", "tests/test_costs.py")


def newest(session: nox.Session) -> tuple[Version, Version]:
    """Ask the package index for the newest Django of all, and for the newest that is out."""
    listed = session.run(
        *(sys.executable, "-m", "pip", "index", "versions", "django", "--pre"),
        *("--python-version", str(session.python), "--disable-pip-version-check"),
        external=True,
        silent=True,
    )
    (line,) = re.findall("^Available versions: (.+)$", str(listed), re.MULTILINE)
    versions = [Version(text) for text in line.split(", ")]
    return max(versions), max(version for version in versions if not version.is_prerelease)


@nox.session(python=max(found, key=Version, default=f"3.{sys.version_info[1]}"), default=False)
def prerelease(session: nox.Session) -> None:
    """Run the same tests on the newest pre-release of Django, if there is one of a version that is not out yet."""
    first, stable = newest(session)
    if first == stable:
        session.skip(f"the newest Django is {stable}, which is out: there is no pre-release to test")
    session.log(f"Django {first} on Python {session.python}; the newest that is out is {stable}")
    session.install("-r", "tests/requirements.txt")
    session.install("--pre", f"django=={first}")
    session.run(*FAST, *session.posargs)
