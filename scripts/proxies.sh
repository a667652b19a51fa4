#!/bin/sh
# Install nginx, Caddy and HAProxy from Debian, unless they are there. None of them is to run as a service.
set -eu
. scripts/debian.sh

missing() {
    .venv/bin/python -m tests.servers.proxies
}

export SYSTEMD_OFFLINE=1 # their packages start them otherwise
new=$(missing)
install_missing "The tests behind proxies"
for service in $new; do
    systemctl disable --quiet "$service" 2>/dev/null || true
done
