"""What the documentation says of the elements is what their style sheet and sources have."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "notifications" / "static" / "notifications"
STYLE = (STATIC / "base.css").read_text() + (STATIC / "elements.css").read_text()
SOURCES = "\n".join(path.read_text() for path in (STATIC / "src" / "elements").rglob("*.js"))


def test_every_custom_property_is_documented_with_its_defaults() -> None:
    page = (ROOT / "docs" / "how-to" / "theming.md").read_text()
    documented = dict(re.findall(r"^\| `(--notification-[\w-]+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert set(documented) == set(re.findall(r"--notification-[\w-]+", STYLE))
    for name, light, dark in re.findall(r"var\((--notification-[\w-]+), light-dark\((#\w+), (#\w+)\)\)", STYLE):
        assert documented[name] == f"`{light}`, `{dark}`"


def test_every_documented_part_exists() -> None:
    page = (ROOT / "docs" / "reference" / "elements.md").read_text()
    classes = {name for look in re.findall(r'(?:class: |button\()["`]([\w -]+)', SOURCES) for name in look.split()}
    classes |= {name for names in re.findall(r"of \[([^\]]+)\]", SOURCES) for name in re.findall(r'"(\w+)"', names)}
    classes |= {name for looks in re.findall(r"part\.value = (.*);", SOURCES) for name in re.findall(r"\w+", looks)}
    classes |= {name for look in re.findall(r'part: "([\w -]+)"', SOURCES) for name in look.split()}
    classes |= {"item", "unread", *re.findall(r'\btext\("(title|body|outcome)"', SOURCES)}
    lists = re.findall(r"^(?:.*\. )?Parts(?: of every list)?: ([^.]*)\.", page, re.MULTILINE)
    parts = {part for parts in lists for part in re.findall(r"`([\w-]+)`", parts)}
    assert len(lists) == 7
    assert parts - classes == set()
