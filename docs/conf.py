"""How Sphinx makes a site of these pages: ``make docs``.

The pages are Markdown that reads well on a forge too. What a site needs besides is added here: a table of contents, the
pictures that stand in HTML, and addresses for links to files that are not a part of the site.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import django

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

# The API's pages are made from docstrings, and to read those the app is imported.
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from notifications import __version__  # noqa: E402

project = "Carillon"
author = "Carillon contributors"
copyright = author  # noqa: A001
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["requirements.txt"]
myst_heading_anchors = 4  # as forges make them

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 100

html_theme = "furo"
html_title = "Carillon"
html_copy_source = False
html_show_sphinx = False

FORGE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
LINK = re.compile(r"(?<!!)(\[[^\]]*\]\()([^)\s]+)\)")
SECTION = re.compile(r"^\*\*(.+)\*\*: .+$", re.MULTILINE)


def contents(index: str) -> str:
    """Return the index with a hidden table of contents for each of its sections: the pages that the section lists."""
    _, *parts = SECTION.split(index)
    for caption, listed in zip(parts[::2], parts[1::2], strict=True):
        pages = [target for _, target in LINK.findall(listed) if target.endswith(".md")]
        index += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
    return index


def lead_outside_to_the_forge(text: str, page: Path) -> str:
    """Return a page whose links to files beside ``docs/`` lead to the forge."""

    def address(link: re.Match[str]) -> str:
        path, hash_, anchor = link[2].partition("#")
        target = (page.parent / path).resolve()
        if "://" in path or not path or target.is_relative_to(DOCS):
            return link[0]
        return f"{link[1]}{FORGE}/blob/main/{target.relative_to(ROOT).as_posix()}{hash_}{anchor})"

    return LINK.sub(address, text)


def read(app: Any, name: str, source: list[str]) -> None:
    """Make a page ready for the site."""
    page = DOCS / f"{name}.md"
    source[0] = lead_outside_to_the_forge(source[0], page)
    if name == "index":
        source[0] = contents(source[0])


def copy_images(app: Any, error: Exception | None) -> None:
    """Copy the pictures: Sphinx finds those that stand in Markdown, and most stand in HTML, for dark ones and sizes."""
    if error is None:
        shutil.copytree(DOCS / "images", Path(app.outdir) / "images", dirs_exist_ok=True)


def tell_twins_once(app: Any, what: str, name: str, verb: Any, options: Any, lines: list[str]) -> None:
    """Keep only the first sentence of an async twin's docstring, which goes on with that of its verb."""
    if lines and lines[0].startswith("Do what `"):
        del lines[1:]


def setup(app: Any) -> None:
    """Let Sphinx call the functions above."""
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", tell_twins_once, priority=400)  # before napoleon
    app.connect("build-finished", copy_images)
