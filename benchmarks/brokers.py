"""What carries hints between the processes of a site that is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import valkey

BROKERS = {
    "core": "RedisChannelLayer",
    "pubsub": "RedisPubSubChannelLayer",
    "listen": "LISTEN/NOTIFY",  # of PostgreSQL; on another database it is none
    "none": "no broker",
}


@contextmanager
def opened(key: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a broker that runs as long as the block."""
    if key in ("listen", "none"):
        yield {"BENCH_LISTENS": "yes" if key == "listen" else ""}
        return
    with valkey.running() as server:
        yield {"BENCH_REDIS": server.url, "BENCH_LAYER": key}
