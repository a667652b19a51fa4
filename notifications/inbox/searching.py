"""The search in titles: in those that are stored, and in those that are made anew for whoever reads."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from ..models.inbox import NotificationQuerySet
from ..validators import validate_named_texts
from .items import Items

SEARCHED: Final = 5_000  # rows among which a text is sought, and that are counted
RENDERED: Final = 500  # of those, rows whose titles are made for the search, in some 60 ms
SEARCH_LENGTH: Final = 100  # characters


def search_text(search: str) -> str:
    """Return the text that is sought; empty for none.

    Raises:
        ValidationError: It is too long, or holds what no text may.
    """
    validate_named_texts(search=search)
    if len(search) > SEARCH_LENGTH:
        raise ValidationError({"search": _("Search for at most %(limit)s characters.") % {"limit": SEARCH_LENGTH}})
    return search.strip()


def within_reach(rows: NotificationQuerySet) -> NotificationQuerySet:
    """Keep the first `SEARCHED` of ranked rows, among which a text is sought, so that its price has a bound."""
    beyond = rows.select_related(None).values_list("rank", flat=True)[SEARCHED : SEARCHED + 1]
    for rank in beyond:
        rows = rows.filter(rank__gt=rank)
    return rows


def titled(rows: NotificationQuerySet, text: str) -> NotificationQuerySet:
    """Keep the rows, ranked and `with_content()`, that have a text in their titles.

    It is sought in what is stored: what a plain notification says, and what a kind said in the site's own language. The
    first `RENDERED` of those that are told to each in their language are read too, and searched as they are shown in
    the language that is active. That costs a query, and those that showing them costs.
    """
    stored = Q(notice__title__icontains=text)
    shown = _shown_with(text, rows)
    return rows.filter(stored | Q(pk__in=shown)) if shown else rows.filter(stored)


def _shown_with(text: str, rows: NotificationQuerySet) -> list[int]:
    """Return the keys of the rows whose titles are made for their reader and have a text in them, whatever its case."""
    told = rows.filter(Q(notice__version__isnull=False) | Q(notice__texts__isnull=False))
    candidates = list(told[:RENDERED])
    titles = Items(candidates).titles(candidates) if candidates else []
    sought = text.casefold()
    return [row.pk for row, title in zip(candidates, titles, strict=True) if sought in title.casefold()]
