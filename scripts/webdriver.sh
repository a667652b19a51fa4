#!/bin/sh
# Install Firefox, WebKit and the drivers with which the tests steer them and Chromium, unless they are there.
set -eu
. scripts/debian.sh

missing() {
    .venv/bin/python -m tests.servers.browsers
}

install_missing "The tests in Firefox and WebKit"
