"""Names inside sentences, whichever way either is written (UAX #9)."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import get_language_bidi

_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # they turn the text around them
_LEFT_TO_RIGHT = frozenset({"L", "EN", "ES", "ET", "CS", "NSM", "BN", "S", "WS", "ON", ""})


def isolate(name: str) -> str:
    """Return `name` for a sentence in the active language, so that neither changes the order of the other.

    Its own controls of direction go, and where it may be written another way than the sentence it stands between
    FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, which nobody sees.
    """
    name = _CONTROLS.sub("", name)
    if not get_language_bidi() and all(unicodedata.bidirectional(char) in _LEFT_TO_RIGHT for char in name):
        return name
    return f"\u2068{name}\u2069"


def begin(text: str) -> str:
    """Return `text`, with which a sentence in the active language begins, so that it does not turn the sentence.

    For ``dir="auto"`` and ``<bdi>`` browsers look for the first letter, in isolates too (HTML, “The dir attribute”): a
    name that begins a sentence would decide how all of it is ordered. A mark that nobody sees comes before it.
    """
    if not text.startswith("\u2068"):
        return text
    return ("\u200f" if get_language_bidi() else "\u200e") + text
