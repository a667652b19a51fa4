"""What the documentation says agrees with what the code does."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from django.conf import settings
from django.test import override_settings
from django.urls import get_resolver

from notifications import services
from notifications.conf import Conf, conf
from notifications.feeds import Latest
from notifications.feeds import frames as feeds
from notifications.feeds.following import FEEDS_LIMIT
from notifications.feeds.names import NAME_LENGTH
from notifications.feeds.publishing import EVENT_BYTES, EVENT_LENGTH, MANY
from notifications.feeds.texts import TEXT_LENGTH
from notifications.inbox.frames import Changes, Hello, Item, PreferencesChanged, Reset
from notifications.live import frames
from notifications.live.streams import RESUME_LIMIT

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "tests" / "README.md"])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
IMAGE = re.compile(r"""!\[[^\]]+\]\(([^)]+)\)|(?:src|srcset)="([^"]+)["]""")
CODE = re.compile(r"```.*?```", re.DOTALL)
CHECK_ID = re.compile(r"""["'](carillon\.[EWI]\d{3})["']""")


def reference(name: str) -> str:
    return (DOCS / "reference" / name).read_text()


def first_cells(page: str) -> list[str]:
    """Return what stands in backquotes at the start of each table row."""
    return re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are commonly made: lower case, hyphens, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_every_link_between_pages_leads_somewhere(document: Path) -> None:
    for link in LINK.finditer(CODE.sub("", document.read_text())):
        target = (document.parent / link["path"]).resolve() if link["path"] else document
        assert target.exists(), f"{link[0]} leads nowhere"
        if link["anchor"]:
            assert link["anchor"] in anchors(target), f"{link[0]}: that page has no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text()
    linked = {(DOCS / link["path"]).resolve() for link in LINK.finditer(index)}
    assert {page for page in DOCS.rglob("*.md") if page.name != "index.md"} <= linked


def test_every_image_is_shown_somewhere_and_none_is_missing() -> None:
    shown = {
        (document.parent / (markdown or html)).resolve()
        for document in PAGES
        for markdown, html in IMAGE.findall(CODE.sub("", document.read_text()))
    }
    assert shown == set((DOCS / "images").iterdir())


def test_every_setting_has_one_row_in_the_reference() -> None:
    settings = [f"NOTIFICATIONS_{name}" for name, value in vars(Conf).items() if isinstance(value, property)]
    rows = [name for name in first_cells(reference("settings.md")) if name.startswith("NOTIFICATIONS_")]
    assert sorted(rows) == sorted(settings)


def test_the_reference_gives_the_defaults_that_hold() -> None:
    rows = dict(re.findall(r"^\| `NOTIFICATIONS_(\w+)` \| `([^`]+)`", reference("settings.md"), re.MULTILINE))
    defaults = {name: eval(text, {"timedelta": timedelta}) for name, text in rows.items()}
    with override_settings():
        del settings.NOTIFICATIONS_HANDLE, settings.NOTIFICATIONS_LISTEN_URL  # which the tests' own settings have
        assert defaults == {name: getattr(conf, name) for name in rows}


def test_every_check_has_its_own_id_and_one_row_in_the_reference() -> None:
    code = "".join(path.read_text() for path in sorted((ROOT / "notifications").rglob("*.py")))
    ids = Counter(CHECK_ID.findall(code))
    assert [name for name, times in ids.items() if times > 1] == []
    rows = [name for name in first_cells(reference("checks.md")) if name.startswith("carillon.")]
    assert sorted(rows) == sorted(ids)


def test_every_verb_is_in_the_reference() -> None:
    page = reference("services.md")
    assert [verb for verb in services.__all__ if f"`{verb}" not in page] == []


def test_every_public_door_has_a_page_from_its_docstrings() -> None:
    pages = "".join(path.read_text() for path in sorted((DOCS / "reference" / "api").glob("*.md")))
    doors = {"asgi", "routing"}  # they say what they export on their pages
    packages = [
        ROOT / "notifications" / name / "__init__.py"
        for name in ("audiences", "deliveries", "feeds", "kinds", "preferences", "testing")
    ]
    for path in [*(ROOT / "notifications").glob("*.py"), *packages]:
        if "\n__all__ = " in path.read_text():
            doors.add(path.parent.name if path.stem == "__init__" else path.stem)
    assert {"services", "audiences", "exceptions"} < doors
    assert sorted(re.findall(r"^\.\. automodule:: notifications\.(\w+)$", pages, re.MULTILINE)) == sorted(doors)


def test_every_frame_and_each_of_its_fields_is_in_the_reference() -> None:
    page = reference("frames.md")
    for struct in (Hello, Changes, Reset, PreferencesChanged, frames.Heartbeat, frames.Bye, frames.Error):
        config = struct.__struct_config__
        section = page.partition(f"\n## `{config.tag}`\n")[2].partition("\n## ")[0]
        assert sorted(first_cells(section)) == sorted(struct.__struct_encode_fields__), config.tag
    section = page.partition("\n## Items\n")[2].partition("\n## ")[0]
    assert set(first_cells(section)) == {*Item.__struct_encode_fields__, "removed"}


def test_every_frame_of_feeds_and_each_of_its_fields_is_in_the_reference() -> None:
    page = reference("feeds.md")
    for heading, struct in {
        "`feed`": feeds.FeedEvents,
        "`feed.reset`": feeds.FeedReset,
        "`feed.status`": feeds.FeedStatus,
        "Events": feeds.Event,
    }.items():
        section = page.partition(f"\n### {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
        assert sorted(first_cells(section)) == sorted(struct.__struct_encode_fields__), heading
    for state in get_args(feeds.FeedState):
        assert f"`{state}`" in page


def test_the_limits_of_feeds_in_the_reference_are_those_that_hold() -> None:
    rows = dict(
        re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", reference("feeds.md").partition("\n## Limits\n")[2], re.MULTILINE)
    )
    for what, limit in {
        "feeds that one connection follows": FEEDS_LIMIT,
        "length of a feed's name": NAME_LENGTH,
        "an event": EVENT_BYTES // 1024,
        "events in one `publish_many`": MANY,
        "a growing text": TEXT_LENGTH,
        "events of a `Log` that one read brings; the next follows at once": RESUME_LIMIT,
    }.items():
        assert rows[what].startswith(f"{limit:,} ") or rows[what] == f"{limit:,}", what
    assert rows["an event"].endswith(f"at most {EVENT_LENGTH} characters")
    assert Latest(keys=int(rows["keys of a `Latest`"].replace(",", "")))
    with pytest.raises(ValueError, match="keys"):
        Latest(keys=int(rows["keys of a `Latest`"].replace(",", "")) + 1)


def test_every_address_is_in_the_reference() -> None:
    page = reference("http-api.md")
    names = {name for name in get_resolver("notifications.urls").reverse_dict if isinstance(name, str)}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_demo_puts_the_bell_into_its_admin_as_the_page_says() -> None:
    page = (DOCS / "how-to" / "template-tags.md").read_text()
    assert (ROOT / "templates" / "admin" / "base_site.html").read_text() in page
