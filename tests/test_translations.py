"""Every text that people see is translated into every language that Carillon brings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).parent.parent / "notifications"
CATALOGS = sorted(PACKAGE.glob("locale/*/LC_MESSAGES/django.po"))
CALL = re.compile(r"\b(?:gettext|ngettext|_)\([^\n]*?\)(?=\s)")  # in what `templatize` makes of a template
ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n)+)', re.MULTILINE)
FIELD = re.compile(r"%\(\w+\)s|%d|\{\w+\}")

Text = str | tuple[str, str]  # with its plural


def calls(tree: ast.AST) -> Iterator[Text]:
    """Yield the texts that are marked for translation in Python code."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("ngettext"), [ast.Constant(str(text)), ast.Constant(str(plural)), *_]):
                yield text, plural
            case ast.Call(ast.Name("_" | "gettext" | "gettext_lazy"), [ast.Constant(str(text)), *_]):
                yield text


def sources() -> set[Text]:
    """Return all texts that are to be translated."""
    found: set[Text] = set()
    for path in PACKAGE.rglob("*.py"):
        found.update(calls(ast.parse(path.read_text())))
    for path in [*PACKAGE.rglob("*.html"), *PACKAGE.glob("templates/**/*.txt")]:
        for call in CALL.findall(templatize(path.read_text(), origin=str(path))):
            found.update(calls(ast.parse(call)))
    return found


def entries(catalog: Path) -> Iterator[tuple[Text, list[str]]]:
    """Yield each text of a catalog with its translations: one, or one for each form of the plural."""
    for block in catalog.read_text().split("\n\n")[1:]:
        assert not re.search(r"^#,.*fuzzy", block, re.MULTILINE), f"{catalog} only guesses:\n{block}"
        fields = {
            name: "".join(map(ast.literal_eval, lines.splitlines()))
            for name, lines in ENTRY.findall(block.rstrip("\n") + "\n")
        }
        text = fields.pop("msgid")
        plural = fields.pop("msgid_plural", None)
        yield text if plural is None else (text, plural), list(fields.values())


def compiled(catalog: Path) -> dict[Any, str]:
    with catalog.with_suffix(".mo").open("rb") as file:
        found: dict[Any, str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # has no public name
        return found


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda catalog: catalog.parts[-3])
class TestCatalog:
    def test_holds_exactly_the_texts_of_the_sources(self, catalog: Path) -> None:
        assert {text for text, _ in entries(catalog)} == sources()

    def test_translates_each_and_keeps_what_is_filled_in(self, catalog: Path) -> None:
        for text, translations in entries(catalog):
            forms = [text] if isinstance(text, str) else list(text)
            for translation in translations:
                assert translation.strip(), f"{forms[0]!r} has no translation"
                assert set(FIELD.findall(translation)) == set(FIELD.findall(forms[-1])), forms[0]

    def test_is_compiled(self, catalog: Path) -> None:
        found = compiled(catalog)
        found.pop("")
        expected = {
            text if isinstance(text, str) else (text[0], form): translation
            for text, translations in entries(catalog)
            for form, translation in enumerate(translations)
        }
        assert found == expected, f"Run msgfmt -o {catalog.with_suffix('.mo').name} {catalog.name}."


def test_there_are_catalogs() -> None:
    assert [catalog.parts[-3] for catalog in CATALOGS] == ["ar", "de"]
