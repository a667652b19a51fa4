"""A real MariaDB for the tests, from Debian's packages.

``python -m tests.servers.mariadb COMMAND…`` runs a command with DATABASE_URL naming a server that lives as long as the
command: ``python -m tests.servers.mariadb pytest`` runs the tests on MariaDB.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from .process import ServerProcess, data_folder, free_port, in_folder, run_with

DATABASE = "carillon"


class MariaDB:
    """One server on a loopback port, with nothing of value in it: it does not wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        data, uid, gid = data_folder(folder)
        done = subprocess.run(
            [
                find("mariadb-install-db"),
                "--no-defaults",  # the machine's configuration is for its own server
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",  # no password: nobody but this machine reaches it
                "--skip-test-db",
            ],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            user=uid,
            group=gid,
            extra_groups=None if gid is None else [],
        )
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db ended with {done.returncode}:\n{done.stdout}")
        start = folder / "start.sql"
        start.write_text(f"CREATE DATABASE {DATABASE};\n")
        options = {
            "datadir": str(data),
            "init-file": str(start),
            "bind-address": "127.0.0.1",
            "port": str(self.port),
            "socket": "socket",  # in the folder of the data
            "tmpdir": str(data),  # a server that starts deletes the temporary tables of others in the same folder
            "skip-name-resolve": "ON",
            "character-set-server": "utf8mb4",  # Debian's configuration says so too; MariaDB's own default is latin1
            "innodb-flush-log-at-trx-commit": "0",
            "innodb-flush-method": "nosync",
            "debug-no-sync": "ON",  # the same for the definitions of tables
            "innodb-buffer-pool-size": "64M",
        }
        log = folder / "log"
        self.process = ServerProcess(
            [find("mariadbd"), "--no-defaults", *(f"--{name}={value}" for name, value in options.items())],
            port=self.port,
            log=log,
            cwd=folder,
            uid=uid,
            gid=gid,
            # It accepts connections some time before it can serve them.
            ready=lambda: "ready for connections" in log.read_text(errors="replace"),
        )

    @property
    def url(self) -> str:
        """Return the address of the database in the form of DATABASE_URL."""
        return f"mysql://root@127.0.0.1:{self.port}/{DATABASE}"


def find(program: str) -> str:
    """Return the path of a program; the server's folder is on the PATH of root alone."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        raise RuntimeError(f"{program} is missing: run `make mariadb`")
    return path


def running() -> AbstractContextManager[MariaDB]:
    """Run a server in a folder of its own, and leave nothing behind."""
    return in_folder(MariaDB, "mariadb")


def main(command: list[str]) -> int:
    """Run ``command`` with DATABASE_URL naming an empty database of a server that lives as long as it."""
    with running() as server:
        return run_with(server.url, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
