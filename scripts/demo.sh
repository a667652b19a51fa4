#!/bin/sh
# Bring the demo's database up to date and serve the site with Daphne on $PORT.
set -eu

python=.venv/bin/python
port=${PORT:-8000}
export DEBUG="${DEBUG:-1}" BASE_URL="${BASE_URL:-http://127.0.0.1:$port}"

fail() {
    echo >&2
    echo "$1" >&2
    exit 1
}

case $port in
'' | *[!0-9]*) fail "PORT must be a number, not '$port': run \`make demo PORT=8001\`." ;;
esac

# Asked before anything is changed; Daphne itself asks with the same option.
"$python" - "$port" <<'ASK' || fail "Port $port cannot be used, most likely because another program has it: end that one, or run \`make demo PORT=8001\`."
import socket, sys
try:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(sys.argv[1])))
except (OSError, OverflowError):
    sys.exit(1)
ASK

# The key by which push services know this demo; browsers that were subscribed with another one would hear nothing.
if [ -z "${VAPID_PRIVATE_KEY:-}" ]; then
    [ -s .demo-vapid-key ] || (umask 077 && "$python" manage.py carillon_vapid --key-only >.demo-vapid-key)
    VAPID_PRIVATE_KEY=$(cat .demo-vapid-key)
    export VAPID_PRIVATE_KEY
fi

echo "Bringing the database up to date"
"$python" manage.py migrate --verbosity 0
"$python" manage.py demo
echo "Serving http://127.0.0.1:$port/ (Ctrl+C ends it)"
# Daphne's own backlog of 50 makes a crowd that reconnects wait for seconds.
exec "$python" -m daphne -e "tcp:port=$port:interface=127.0.0.1:backlog=2048" project.asgi:application
