"""The figures as a picture for the README: bars, in the colours of the page that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

WIDTH, LABEL, BAR = 860, 480, 280  # of the picture, of the names, and of the longest bar
ROW, GAP = 24, 34  # of a bar, and above a chart for its title
OURS = "Carillon"  # names that begin so

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .other { fill: #8c959f }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .other { fill: #6e7681 }
    .ours { fill: #4493f8 }
  }
"""

Bar = tuple[str, float, bool]  # its name, its length in the chart's unit, and whether it is Carillon's


def draw(found: dict[str, Any]) -> str:
    """Return an SVG with a chart for each part that has one."""
    pieces: list[str] = []
    top = 4
    for title, bars in _charts(found):
        pieces += _chart(title, bars, top)
        top += GAP + ROW * len(bars) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" role="img"'
        f' aria-label="{escape(_said(found))}">\n<style>{STYLE}</style>\n' + "\n".join(pieces) + "\n</svg>\n"
    )


def _charts(found: dict[str, Any]) -> Iterator[tuple[str, list[Bar]]]:
    if streams := found.get("streams"):
        yield (
            f"CPU µs per delivered event, {streams['connections']:,} connections on one stream",
            [(row["name"], row["event_us"], row["name"].startswith(OURS)) for row in streams["servers"]],
        )
    for kind, whose in (("own", "each connection's own stream"), ("shared", "a stream that all share")):
        if rows := [row for row in found.get("fanout", []) if row["streams"] == kind]:
            yield (
                f"CPU µs per delivered event, published by another process to {whose}",
                [(row["name"], row["event_us"], row["name"].startswith(OURS)) for row in rows],
            )


def _said(found: dict[str, Any]) -> str:
    """Return the picture in words."""
    return "; ".join(
        f"{title}: " + ", ".join(f"{name} {value:.1f}" for name, value, _ours in bars) for title, bars in _charts(found)
    )


def _chart(title: str, bars: Sequence[Bar], top: int) -> Iterator[str]:
    yield f'<text class="title" x="0" y="{top + 18}">{escape(title)}</text>'
    longest = max(value for _name, value, _ours in bars)
    for number, (name, value, ours) in enumerate(bars):
        y = top + GAP + number * ROW
        kind, length = "ours" if ours else "other", value / longest * BAR
        yield f'<text x="{LABEL - 10}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{ROW - 7}" rx="2"/>'
        yield f'<text x="{LABEL + length + 8:.1f}" y="{y + 13}">{value:.1f}</text>'
