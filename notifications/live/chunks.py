"""Work in steps: a transaction, a statement and a list in memory each have a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
STREAM_CHUNK = 500  # streams sequenced in one transaction, and rows stamped by one statement


def chunks(items: Iterable[T], size: int = STREAM_CHUNK) -> Iterator[list[T]]:
    """Cut `items` into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
