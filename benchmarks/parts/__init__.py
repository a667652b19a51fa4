"""The parts of a run: each measures one subject, returns figures for JSON, and says them in lines of text."""

from __future__ import annotations

from types import ModuleType

from . import (
    broadcasts,
    chat,
    deliveries,
    fairness,
    fanout,
    feeds,
    growth,
    idle,
    memory,
    publishing,
    restart,
    screen,
    slow,
    storing,
    storm,
    streams,
)

# In this order, whatever the order on the command line: what everybody waits for comes first.
PARTS: dict[str, ModuleType] = {
    "streams": streams,
    "fanout": fanout,
    "storing": storing,
    "storm": storm,
    "restart": restart,
    "memory": memory,
    "idle": idle,
    "slow": slow,
    "screen": screen,
    "feeds": feeds,
    "publishing": publishing,
    "chat": chat,
    "broadcasts": broadcasts,
    "deliveries": deliveries,
    "fairness": fairness,
    "growth": growth,
}
LONG = ("growth",)  # an hour: only if it is asked for
