#!/bin/sh
# Install the client's build and test tools from package-lock.json, unless that is done already.
set -eu

stamp=node_modules/.carillon-lock

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then
    fail "The client's tests need Node.js 20 or newer with npm: install them (Debian, Ubuntu: \`apt-get install nodejs npm\`) and run the same command again."
fi

cmp -s package-lock.json "$stamp" && exit 0

echo "Installing the client's tools into node_modules"
npm ci --no-audit --no-fund --no-update-notifier --loglevel=error ||
    fail "npm could not install the client's tools: check the network and run the same command again; its own words stand above."
cp package-lock.json "$stamp"
