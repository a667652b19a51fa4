"""Code, documentation and translations use the field's terms: words that were retired do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("notifications", "project", "templates", "docs", "benchmarks", "tests")
KINDS = {".py", ".html", ".md", ".po"}

# A retired word, as it stood in code or prose, and the term that took its place.
RETIRED = {
    # Names in code
    r"(?<!font[ -])(?<!\.)\b[Ff]amily\b(?!=)": "stream type",
    r"\b[Cc]hores?\b": "periodic task",
    r"\bPrepared[A-Z]\w*|\bprepared\.py\b": "CompiledSelect, CompiledEntries, CompiledUpdate",
    r"\bsay_goodbye\b|\b[Gg]oodbye\b": "send_bye, drain",
    r"\bCarried\b": "SocketHandoff",
    r"\bBoard\b": "PresenceTracker",
    r"\bWheel\b": "Timer",
    r"(?<!asyncio\.)\bgather\b": "collect",
    r"\bnotifications[./](?:lane|wheel|prepared|chores|streams|relay|hub)\b": "the module's place in live/",
    # Prose
    r"\bbefore the eyes\b": "on screen",
    r"\b[Tt]a(?:ke|kes|ken|king) (?:it |them )?back\b": "recall, revert, delete",
    r"\bnot yours to see\b": "not found",
    r"\bis no setting of\b": "unknown setting",
    r"\b(?:I )?look elsewhere\b": "in the background",
    r"\(any more\)": "no longer",
    r"\bwho(?:ever)? (?:is|are) meant\b|\bthose who are meant\b": "the audience, its members",
    r"\bfor ever\b": "forever",
    r"\bsuch a one\b": "if it exists",
    r"\b[Ss]ay the last words\b": "send the last frames",
    r"\b(?:Tell|Say) whether\b": "Return whether",
    r"\bhear(?:s)? (?:no|nothing) more\b": "receive nothing more, unsubscribe",
    r"\ba sign of life\b": "a keep-alive, a heartbeat",
}


def written() -> Iterator[Path]:
    """Yield the files that people write words in, this one aside; the browser client is left to its own linter."""
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in KINDS and path != Path(__file__))


@pytest.mark.parametrize(("retired", "term"), RETIRED.items(), ids=RETIRED.values())
def test_a_retired_word_stays_away(retired: str, term: str) -> None:
    pattern = re.compile(retired)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in written()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"Write instead: {term}.\n" + "\n".join(found)
