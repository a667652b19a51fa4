#!/bin/sh
# Find Chromium for the browser tests, or install it: from Debian when root, else from npm.
set -eu

python=.venv/bin/python

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

found() {
    "$python" -c 'from tests.servers import chromium; chromium.find()' 2>/dev/null
}

from_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Installing Chromium from Debian"
    apt-get update -qq >/dev/null || return 1
    for package in chromium-headless-shell chromium; do # not every release has the first, which is lighter
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null && return
    done
    return 1
}

from_npm() {
    echo "Installing Chromium from npm into .venv/chromium"
    sh scripts/node.sh npm install --prefix .venv/chromium --no-audit --no-fund --no-update-notifier --loglevel=error @sparticuz/chromium &&
        sh scripts/node.sh sh -c 'cd .venv/chromium && exec node --input-type=module -e "$1"' sh '
            import chromium from "@sparticuz/chromium";
            import { writeFileSync } from "node:fs";
            writeFileSync("path", await chromium.executablePath());'
}

found && exit 0
from_debian || from_npm || true
found || fail "Chromium could not be installed: install the package chromium, or set CHROMIUM to the path of one, and run the same command again."
