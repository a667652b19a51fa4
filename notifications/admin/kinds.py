"""What declared kinds say, on the admin's pages."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..kinds import Kind
from ..kinds.rendering import kinds_of, render
from ..languages import site_languages
from ..models.content import Content


def said(content: Content) -> SafeString:
    """Show the rendering in each of the site's languages, or say why what was stored is shown."""
    made = kinds_of([content]).get(content.pk)
    lines = [(name, code, *_said(made, code)) for code, name in site_languages().items()] if made else []
    if not lines or not all(title for _name, _code, title, _body in lines):
        problem = _("It cannot be told any more; what was stored with it is shown. The log says why.")
        return format_html("<strong>{}</strong>", problem)
    row = '<p><b>{}</b>: <bdi lang="{}">{}</bdi><br><bdi lang="{}">{}</bdi></p>'
    return format_html_join("", row, [(name, code, title, code, body) for name, code, title, body in lines])


def written(content: Content) -> dict[str, Any]:
    """Return content as plain text in each of the site's languages, in the place of what a kind says."""
    fields = content.content()
    made = kinds_of([content]).get(content.pk)
    if made is None:
        return fields
    texts = {code: dict(zip(("title", "body"), _said(made, code), strict=True)) for code in list(site_languages())[1:]}
    return fields | {"texts": {code: text for code, text in texts.items() if text["title"]} or None}


def _said(made: Kind, language: str) -> tuple[str, str]:
    rendered = render(made, language)
    return (rendered.title, rendered.body) if rendered else ("", "")
