"""Languages: which of the site's somebody reads in."""

from __future__ import annotations

from django.conf import global_settings, settings
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


def site_languages() -> dict[str, str]:
    """Return the site's languages: their names, as those who speak them call them, by code; the site's own comes first.

    A site that has never set ``LANGUAGES`` has one, not the hundred that Django knows.
    """
    codes = [settings.LANGUAGE_CODE]
    if settings.USE_I18N and settings.LANGUAGES is not global_settings.LANGUAGES:
        own = site_language(settings.LANGUAGE_CODE)
        codes = [own, *(code for code, _name in settings.LANGUAGES if code != own)]
    return {code: _name(code) for code in codes}


def _name(code: str) -> str:
    try:
        return str(translation.get_language_info(code)["name_local"])
    except KeyError:  # one that Django does not know
        return str(dict(settings.LANGUAGES).get(code, code))
