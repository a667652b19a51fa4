"""A page's steps as data, so that a test can take them as a reader would: all of them, in order, and nothing else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STEP = re.compile(
    r"^ *```(?P<language>[\w+]+)\n(?P<text>.*?)^ *```$"
    r"|Open <(?P<url>[^>]+)> and\s+sign\s+in as `(?P<name>\w+)`"
    r"|(?P<stop>Stop the server with Ctrl\+C)",
    re.MULTILINE | re.DOTALL,
)
FILE = re.compile(r"(?:#|\{#) (?P<name>\S+\.\w+)(?: #\})?\n")


@dataclass(frozen=True)
class Commands:
    """Lines for a terminal."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Lines for Python's prompt."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """Lines for the end of a file, which need not exist."""

    name: str
    text: str


@dataclass(frozen=True)
class SignIn:
    """A page to open, and who is to sign in there."""

    url: str
    name: str


@dataclass(frozen=True)
class StopServer:
    """Ctrl+C in the server's terminal."""


Step = Commands | Code | File | SignIn | StopServer


def section(page: Path, heading: str) -> str:
    """Return what stands below a heading of the second level; the whole page if `heading` is empty."""
    text = page.read_text()
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else text


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the language and the text of each code block."""
    found = (match for match in STEP.finditer(text) if match["language"])
    return [(match["language"], textwrap.dedent(match["text"])) for match in found]


def files(text: str) -> Iterator[File]:
    """Yield the code blocks whose first line names a file."""
    for _language, block in blocks(text):
        if named := FILE.match(block):
            yield File(named["name"], block[named.end() :])


def steps(text: str) -> Iterator[Step]:
    """Yield what a text tells its reader to do.

    A code block is for the file that its first line names; without one it is for the terminal, or for Python's prompt.
    """
    for match in STEP.finditer(text):
        if match["stop"]:
            yield StopServer()
        elif match["url"]:
            yield SignIn(match["url"], match["name"])
        else:
            yield _block(match["language"], textwrap.dedent(match["text"]))


def _block(language: str, text: str) -> Step:
    if named := FILE.match(text):
        return File(named["name"], text[named.end() :])
    lines = tuple(line for line in text.splitlines() if line)
    if language == "console":
        return Commands(lines)
    if language == "python":
        return Code(lines)
    raise ValueError(f"A block of {language} does not say which file it is for:\n{text}")
