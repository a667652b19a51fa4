#!/bin/sh
# Install a MariaDB server from Debian, and Django's driver for it into .venv, unless they are there.
set -eu
PATH=$PATH:/usr/sbin

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

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

packages=$(missing | xargs)
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $packages from Debian (the first time takes a minute)"
    apt-get update -qq >/dev/null || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
    packages=$(missing | xargs)
fi
[ -z "$packages" ] ||
    fail "The tests on MariaDB need these Debian packages: $packages. Install them as root, and run the same command again."

sh scripts/environment.sh tests/requirements-mariadb.txt
