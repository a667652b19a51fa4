"""The search in titles: in those that are stored, and in those that are made anew for whoever reads."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from ..annotations import User
from ..models import Notice, Notification
from ..models.inbox import NoticeQuerySet, NotificationQuerySet
from ..validators import validate_named_texts
from .items import Items
from .stream import INBOX, State, in_state

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


def first_rows(user: User, state: State) -> NotificationQuerySet:
    """Return what is listed of `user` in a state, in order, for those who read the first thousands of it.

    Raises:
        ValidationError: `state` is none.
    """
    rows = in_state(Notification.objects.using(INBOX.alias).of(user), state)
    return rows.filter(Notice.objects.visible().asked()).ranked()


def found_with(text: str, user: User, state: State, notices: NoticeQuerySet) -> NotificationQuerySet:
    """Return what is listed of `user` in a state, is of some notices, and has a text in its title, as `listed` does.

    It is sought in the first `SEARCHED` rows, so that its price has a bound: in what is stored, which is what a plain
    notification says, and what a kind said in the site's own language. The first `RENDERED` of those that are told to
    each in their language are read too, and searched as they are shown in the language that is active. That costs a
    query, and those that showing them costs.
    """
    rows = in_state(Notification.objects.using(INBOX.alias).of(user), state).with_content().ranked()
    for rank in first_rows(user, state).values_list("rank", flat=True)[SEARCHED : SEARCHED + 1]:
        rows = rows.filter(rank__gt=rank)
    notices = notices.visible()
    told = notices.filter(Q(version__isnull=False) | Q(texts__isnull=False))
    shown = _shown_with(text, rows.filter(told.asked()))
    stored = notices.filter(title__icontains=text)
    return rows.filter(Q(stored.asked()) | Q(pk__in=shown)) if shown else rows.filter(stored.asked())


def _shown_with(text: str, told: NotificationQuerySet) -> list[int]:
    """Return the keys of rows whose titles are made for their reader and have a text in them, whatever its case."""
    candidates = list(told[:RENDERED])
    titles = Items(candidates).titles(candidates) if candidates else []
    sought = text.casefold()
    return [row.pk for row, title in zip(candidates, titles, strict=True) if sought in title.casefold()]
