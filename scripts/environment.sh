#!/bin/sh
# Make .venv and install a requirements file into it, unless that is done already:
#     scripts/environment.sh requirements.txt
# $PYTHON names the interpreter; without it the first Python 3.11 or newer on the PATH is taken.
set -eu

requirements=$1
python=.venv/bin/python
stamp=.venv/$(echo "$requirements" | tr / -)

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_interpreter() {
    for candidate in ${PYTHON:-python3 python python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$("${PYTHON:-python3}" --version 2>&1) || found="no working \`${PYTHON:-python3}\`"
    fail "Carillon needs Python 3.11 or newer and found $found: install one, or name it with \`make PYTHON=/path/to/python3 …\`."
}

# Every file that the requirements draw in, and the interpreter: a change in any of them installs anew.
wanted() {
    "$python" --version
    cat requirements.txt "$requirements"
}

# Whole, new enough, and of the version that was asked for, if one was.
environment_fits() {
    "$python" -c 'import pip' 2>/dev/null && is_new_enough "$python" &&
        { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" --version 2>&1)" = "$("$python" --version)" ]; }
}

if ! environment_fits; then
    interpreter=$(find_interpreter)
    "$interpreter" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "This Python has no venv module: run \`apt-get install python3-venv\` (Debian, Ubuntu), or name another one with \`make PYTHON=/path/to/python3 …\`."
    echo "Making .venv with $("$interpreter" --version)"
    "$interpreter" -m venv --clear .venv
fi

wanted | cmp -s - "$stamp" && exit 0

echo "Installing $requirements into .venv (the first time takes a minute)"
if ! "$python" -m pip install --quiet --disable-pip-version-check --retries 2 -r "$requirements" >.venv/pip.log 2>&1; then
    tail -n 5 .venv/pip.log >&2
    if grep -qiE 'NewConnectionError|ConnectTimeout|ProxyError|name resolution|connection (refused|timed out)' .venv/pip.log; then
        fail "The package index cannot be reached: connect to the network (or set PIP_INDEX_URL to a mirror) and run the same command again."
    fi
    fail "pip could not install $requirements: its own words stand above, and all of them in .venv/pip.log."
fi
wanted >"$stamp"
