"""Screen: from the commit in a producer to the frame in which Chromium shows the new number on the bell."""

from __future__ import annotations

import json
import time
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.servers import chromium

from .. import brokers, databases, report
from ..options import Options
from ..producer import Producer
from ..servers import BY_KEY, check, running

SERVER = "lane"
EVENTS, GAP = 40, 0.5
QUICK = 3
ASKED = 20  # times for the browser's clock; the quickest answer counts

LIVE = (
    """() => document.querySelector("notification-bell")?.shadowRoot?.querySelector("connection-status[state=live]")"""
)

# Once in each frame, as the browser is about to draw it: a frame that shows several new ones is the frame of each.
LOOK = """() => {
  window.shown = [];
  const inside = document.querySelector("notification-bell").shadowRoot;
  const badge = () => Number(inside.querySelector(".badge")?.textContent);
  const look = () => {
    while (shown.length < badge()) shown.push(performance.now());
    requestAnimationFrame(look);
  };
  look();
}"""


def measure(options: Options) -> list[dict[str, Any]]:
    """Notify one user, whose page is open, again and again."""
    check([BY_KEY[SERVER]])
    found = []
    for database in options.databases:
        for broker in options.brokers:
            report.measuring(f"{brokers.BROKERS[broker]}, {databases.NAMES[database]}")
            with databases.opened(database) as environment, brokers.opened(broker) as more:
                waits = _waits(environment | more, QUICK if options.quick else EVENTS)
            p90 = quantiles(waits, n=10, method="inclusive")[8]
            figures = {"p50_ms": median(waits), "p90_ms": p90, "last_ms": max(waits)}
            found.append({"database": database, "broker": broker, "events": len(waits), **figures})
    return found


def _waits(environment: databases.Environment, events: int) -> list[float]:
    """Return how long each event took, in milliseconds."""
    [row] = json.loads(databases.run("benchmarks.site.prepare", [1], environment))
    name, _, value = row["cookie"].partition("=")
    with (
        running(BY_KEY[SERVER], environment) as now,
        Producer(now.server.publisher, environment) as producer,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium.find(chromium.SHELL), args=chromium.ARGUMENTS) as browser,
    ):
        address = f"http://127.0.0.1:{now.port}/page/"
        context = browser.new_context()
        context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
        page = context.new_page()
        page.goto(address)
        page.wait_for_function(LIVE)
        page.evaluate(LOOK)
        clock = _clock(page)
        told = producer.publish("one", events, GAP)
        page.wait_for_function("events => shown.length >= events", arg=events)
        shown = page.evaluate("() => shown")
    return [clock + at - commit / 1e6 for at, commit in zip(shown, told["committed"], strict=True)]


def _clock(page: Page) -> float:
    """Return what CLOCK_MONOTONIC shows in milliseconds when the page's clock is at zero."""
    answers: list[tuple[float, float]] = []
    for _ in range(ASKED):
        asked = time.monotonic()
        at = page.evaluate("() => performance.now()")
        answered = time.monotonic()
        answers.append((answered - asked, (asked + answered) / 2 * 1e3 - at))
    return min(answers)[1]


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    rows = [
        [
            f"{brokers.BROKERS[row['broker']]}, {databases.NAMES[row['database']]}, {row['events']} events",
            *(f"{row[figure]:.0f}" for figure in ("p50_ms", "p90_ms", "last_ms")),
        ]
        for row in found
    ]
    return report.table(["from the commit to Chromium's bell", "p50 ms", "p90 ms", "longest ms"], rows)
