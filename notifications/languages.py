"""Languages: which of the site's somebody reads in."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation


def reader_language() -> str:
    """Return the language that is active, as one of the site's."""
    return site_language(translation.get_language())


def site_language(code: str | None) -> str:
    """Return the one of ``LANGUAGES`` that comes closest to `code`; ``LANGUAGE_CODE`` if none does."""
    if code:
        try:
            return translation.get_supported_language_variant(code)
        except (LookupError, ValueError):  # of no language, or longer than any name of one is
            pass
    return settings.LANGUAGE_CODE
