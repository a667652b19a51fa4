"""A page's steps as data, so that a test can take them as a reader would."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

BLOCK = re.compile(r"^ *```(?P<language>[\w+]+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:#|\{#) (?P<name>\S+)(?: #\})?\n")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each code block of a page."""
    return [(match["language"], textwrap.dedent(match["text"])) for match in BLOCK.finditer(page.read_text())]


def commands(page: Path) -> list[str]:
    """Return the page's shell commands."""
    return [line for language, text in blocks(page) if language == "console" for line in text.splitlines()]


def files(page: Path) -> dict[str, str]:
    """Return what the page puts into files, by the name in the block's first line; `anywhere` is no file."""
    named = ((FILE.match(text), text) for _, text in blocks(page))
    return {name["name"]: text[name.end() :] for name, text in named if name}
