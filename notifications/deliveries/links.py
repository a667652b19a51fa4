"""Links: addresses of this site that work beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix
from django.utils import translation

from .. import tenants

CAME_BY = "by"  # the parameter of links that names the channel


def absolute(url: str) -> str:
    """Return a link that works beyond the site; empty for none."""
    return urljoin(f"{tenants.base_url()}/", url) if url else ""


def page_url(name: str, language: str, **values: Any) -> str:
    """Return where one of Carillon's pages is, in a language; empty where the site has not included its URLs."""
    with _mounted(), translation.override(language):
        try:
            return absolute(reverse(f"notifications:{name}", kwargs=values))
        except NoReverseMatch:
            return ""


def link_to(notice: int, url: str, language: str, channel: str) -> str:
    """Return a link through the site, which marks a notification as read, to its own link; empty for none.

    It names the channel by which the reader came, for the figures.
    """
    if not url:
        return ""
    page = page_url("open", language, notice=notice)
    return f"{page}?{urlencode({CAME_BY: channel})}" if page else absolute(url)


@contextmanager
def _mounted() -> Iterator[None]:
    """Know under which path the site is mounted, which Django tells the threads of requests alone."""
    before = get_script_prefix()
    set_script_prefix(urlsplit(tenants.base_url()).path or settings.FORCE_SCRIPT_NAME or before)
    try:
        yield
    finally:
        set_script_prefix(before)
