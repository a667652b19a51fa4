"""The README's steps as data, so that a test can take them as a reader would."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(heading: str) -> list[tuple[str, str]]:
    """Return the language and the text of each code block under a heading of the README."""
    _, _, rest = (ROOT / "README.md").read_text().partition(f"\n## {heading}\n")
    section = rest.partition("\n## ")[0]
    return [(match["language"], textwrap.dedent(match["text"])) for match in BLOCK.finditer(section)]


def commands(heading: str) -> list[str]:
    """Return the shell commands under a heading."""
    return [line for language, text in blocks(heading) if language == "console" for line in text.splitlines()]


def python(heading: str) -> dict[str, str]:
    """Return the Python under a heading, by the file that its first line names."""
    found = {}
    for language, text in blocks(heading):
        if language == "python":
            first, _, rest = text.partition("\n")
            found[first.removeprefix("# ")] = rest
    return found


def template(heading: str) -> str:
    """Return the one HTML block under a heading."""
    (html,) = (text for language, text in blocks(heading) if language == "html")
    return html
