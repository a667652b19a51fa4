"""Measure how long after an event the last byte comes: ``python -m tests.access_times`` prints the table of the docs.

It makes a database of its own and runs two processes of the demo site under uvicorn with the default settings, once
without a broker and once with one. The event happens in the first.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.attackers import Attacker
    from tests.servers.process import ServerProcess

PATIENCE = 60.0  # seconds
TRANSPORTS = ("stream", "poll", "socket")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="carillon-times-") as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/site.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.live_settings"
        for broker in (False, True):
            for line in _measure(Path(folder), broker):
                sys.stdout.write(f"{line}\n")


def _measure(folder: Path, broker: bool) -> Iterator[str]:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.CHANNEL_LAYERS = {}
    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    from tests import attackers
    from tests.access_events import EVENTS

    with _site(folder, broker) as servers:
        found = attackers.run(servers, EVENTS, PATIENCE)
    yield f"\n{'With Redis' if broker else 'Without a broker'}: the process of the event / another one, in seconds\n"
    yield f"| event | {' | '.join(TRANSPORTS)} |"
    yield f"|---|{'---|' * len(TRANSPORTS)}"
    for event in EVENTS:
        cells = [_cell(found, event, transport, servers) for transport in TRANSPORTS]
        yield f"| `{event}` | {' | '.join(cells)} |"


def _cell(found: Sequence[Attacker], event: str, transport: str, servers: Sequence[ServerProcess]) -> str:
    from tests.attackers import table

    seconds = {port: time for name, kind, port, time in table(found) if (name, kind) == (event, transport)}
    return " / ".join("never" if (time := seconds[server.port]) is None else f"{time:.1f}" for server in servers)


@contextmanager
def _site(folder: Path, broker: bool) -> Iterator[Sequence[ServerProcess]]:
    from django.test import override_settings

    from tests.servers import asgi, valkey

    with ExitStack() as stack:
        url = stack.enter_context(valkey.running()).url if broker else ""
        if broker:
            config = {"hosts": [{"address": url, "socket_timeout": None}]}
            layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
            stack.enter_context(override_settings(CHANNEL_LAYERS={"default": layer}))
        servers = []
        for _process in range(2):
            server = asgi.server(
                "uvicorn",
                folder=folder,
                database_url=os.environ["DATABASE_URL"],
                redis_url=url,
                settings="tests.live_settings",
                env={"CASE": "events"},
            )
            stack.callback(server.kill)
            server.start()
            servers.append(server)
        yield servers


if __name__ == "__main__":
    main()
