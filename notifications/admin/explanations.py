"""What the admin shows of explanations: by which channels somebody got a notification, and what became of a notice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..broadcasts.channel_results import COLUMNS_OF_CHANNELS, figures_of_notice
from ..deliveries.explaining import ChannelExplanation, explain
from ..deliveries.explaining_words import VALUES, details, outcome_of, rule_label
from ..models import Notice


def explanation_table(user: Any, notice: Notice, site: str, *, in_full: bool = True) -> SafeString:
    """Show for each channel what was wanted of it, by which rule, and what became of it, with what the user is told.

    Without `in_full` it has no address and no error, and leads to no delivery: for staff who may not view those.
    """
    found = explain(user, notice)
    rows = format_html_join(
        "",
        "<tr><th scope='row'>{}</th><td dir='auto'>{}</td><td dir='auto'>{}</td></tr>",
        ((one.label, _wanted(one), _became(one, site if in_full else "")) for one in found.channels),
    )
    heads = (_("channel"), _("wanted, by which rule"), _("what became of it"))
    told = format_html_join("", '<p dir="auto">{}</p>', ((one.text,) for one in found.channels))
    if not found.channels:
        return format_html('<p dir="auto">{}</p>', found.text)
    return format_html(
        "{}<details><summary>{}</summary>{}</details>", _table(heads, rows), _("What the user is told"), told
    )


def figures_table(notice: Notice, site: str) -> SafeString | str:
    """Show how many deliveries of a notice each channel has made; empty for none."""
    found = figures_of_notice(notice.pk)
    if not found:
        return ""
    cells = []
    for name, one in found.items():
        text = one.text()
        numbers = format_html_join("", "<td>{}</td>", ((text[column],) for column in COLUMNS_OF_CHANNELS))
        address = f"{reverse('admin:carillon_delivery_changelist', current_app=site)}?notice={notice.pk}&channel={name}"
        cells.append((address, one.label, numbers, text["reasons"]))
    row = '<tr><th scope="row"><a href="{}">{}</a></th>{}<td dir="auto">{}</td></tr>'
    return _table((_("channel"), *COLUMNS_OF_CHANNELS.values(), _("reasons")), format_html_join("", row, cells))


def _wanted(one: ChannelExplanation) -> str:
    return _("%(value)s (%(rule)s)") % {"value": VALUES[one.value], "rule": rule_label(one.rule)}


def _became(one: ChannelExplanation, site: str) -> SafeString:
    if not one.deliveries:
        return format_html("{}", outcome_of(one))
    if not site:
        rows = (replace(row, device="", address="", error="") for row in one.deliveries)
        return format_html_join(SafeString("<br>"), "{}", ((" · ".join(details(row)),) for row in rows))
    return format_html_join(
        SafeString("<br>"),
        '<a href="{}">{}</a>',
        (
            (reverse("admin:carillon_delivery_change", args=[row.pk], current_app=site), " · ".join(details(row)))
            for row in one.deliveries
        ),
    )


def _table(heads: Iterable[Any], rows: SafeString) -> SafeString:
    cells = format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads))
    return format_html('<table class="carillon-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', cells, rows)
