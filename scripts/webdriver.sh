#!/bin/sh
# Install Firefox, WebKit and the drivers with which the tests steer them and Chromium, unless they are there.
set -eu

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

missing() {
    .venv/bin/python -m tests.servers.browsers
}

packages=$(missing)
[ -z "$packages" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $packages from Debian (the first time takes a minute)"
    apt-get update -qq >/dev/null || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
    packages=$(missing)
fi
[ -z "$packages" ] ||
    fail "The tests in Firefox and WebKit need these Debian packages: $packages. Install them as root, and run the same command again."
