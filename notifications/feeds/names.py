"""The names of feeds: ``orders:42`` is one feed of the pattern ``orders:{pk:int}``. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

NAME_LENGTH: Final = 200  # characters

# For each type of parameter: what its text looks like, and how it becomes a value. A value has one text only, so that
# one feed has one name.
PARAMETER_TYPES: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "int": (r"0|[1-9][0-9]{0,17}", int),
    "slug": (r"[a-zA-Z0-9_-]{1,100}", str),
    "str": (r"[^:,\s\x00-\x1f\x7f\ud800-\udfff]{1,100}", str),
    "uuid": (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", UUID),
}

_PART = re.compile(r"\{([a-z_][a-z0-9_]*)(?::([a-z]+))?\}")
_LITERAL = re.compile(r"[a-zA-Z0-9._:-]*")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of names, such as ``orders:{pk:int}``, with the values that its parameters take."""

    text: str
    parameters: tuple[str, ...]
    _regex: re.Pattern[str]
    _types: tuple[Callable[[str], Any], ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern.

        Args:
            text: Literal text of letters, digits and ``._:-``, with parameters ``{name:type}``. The types are ``int``,
                ``slug``, ``str`` (no colon, comma or space) and ``uuid``; without one it is ``str``.

        Raises:
            ValueError: The text is no pattern; the message says why.
        """
        names: list[str] = []
        types: list[Callable[[str], Any]] = []
        regex, end = "", 0
        for match in _PART.finditer(text):
            kind = match[2] or "str"
            if kind not in PARAMETER_TYPES:
                raise ValueError(f"{match[0]} in {text!r}: a type is one of {', '.join(PARAMETER_TYPES)}.")
            if match[1] in names:
                raise ValueError(f"{text!r} has two parameters called {match[1]!r}.")
            regex += _literal(text[end : match.start()], text) + f"({PARAMETER_TYPES[kind][0]})"
            names.append(match[1])
            types.append(PARAMETER_TYPES[kind][1])
            end = match.end()
        regex += _literal(text[end:], text)
        if not text:
            raise ValueError("A feed needs a name.")
        return cls(text, tuple(names), re.compile(regex), tuple(types))

    def match(self, name: str) -> dict[str, Any] | None:
        """Return the values of the parameters in `name`; None where it is no name of this pattern."""
        found = self._regex.fullmatch(name) if len(name) <= NAME_LENGTH else None
        if found is None:
            return None
        return {key: make(value) for key, make, value in zip(self.parameters, self._types, found.groups(), strict=True)}


def stream_key(name: str) -> int:
    """Return the primary key of the stream of the feed `name`: its hash, so that nobody need look it up."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"carillonfeed").digest()) >> 1


def _literal(part: str, text: str) -> str:
    if not _LITERAL.fullmatch(part):
        raise ValueError(f"{text!r}: beside {{name:type}}, a pattern has letters, digits and . _ : - only.")
    return re.escape(part)
