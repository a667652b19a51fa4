#!/bin/sh
# Install a MariaDB server from Debian, and Django's driver for it into .venv, unless they are there.
set -eu
PATH=$PATH:/usr/sbin
. scripts/debian.sh

python() {
    .venv/bin/python -c "$1" 2>/dev/null
}

# The server's programs alone: Debian's mariadb-server would also run one, as a service. The rest builds the driver.
missing() {
    command -v mariadbd >/dev/null || echo mariadb-server-core
    command -v my_print_defaults >/dev/null || echo mariadb-client-core
    python "import MySQLdb" && return
    command -v gcc >/dev/null || echo gcc
    command -v pkg-config >/dev/null || echo pkg-config
    pkg-config --exists libmariadb 2>/dev/null || echo libmariadb-dev
    python "import sysconfig; open(sysconfig.get_path('include') + '/Python.h')" || echo python3-dev
}

install_missing "The tests on MariaDB"
sh scripts/environment.sh tests/requirements-mariadb.txt
