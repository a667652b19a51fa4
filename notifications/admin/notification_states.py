"""The state of a notification, as staff are told of it: a column of the list, and a filter."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from ..models import Notification
from ..models.inbox import SCHEDULED, UNPLACED

LABELS: Final = {
    "unread": gettext_lazy("Unread"),
    "read": gettext_lazy("Read"),
    "archived": gettext_lazy("Archived"),
    "snoozed": gettext_lazy("Snoozed"),
    "muted": gettext_lazy("Muted"),
    "joined": gettext_lazy("Part of a growing item"),
    "scheduled": gettext_lazy("Scheduled"),
    "arriving": gettext_lazy("Being delivered"),
    "unsent": gettext_lazy("Not sent"),
    "expired": gettext_lazy("Expired"),
    "recalled": gettext_lazy("Recalled"),
}


def _conditions() -> dict[str, Q]:
    """Return what holds in each state, where it holds in none before it."""
    return {
        "recalled": Q(notice__recalled_at__isnull=False),
        "expired": Q(notice__expires_at__lte=timezone.now()),
        "scheduled": Q(folded_into=SCHEDULED, snoozed_until__isnull=False),
        "unsent": Q(folded_into=SCHEDULED),
        "arriving": Q(folded_into=UNPLACED),
        "joined": Q(folded_into__isnull=False),
        "snoozed": Q(snoozed_until__isnull=False),
        "muted": Q(archived_at__isnull=False, muted=True),
        "archived": Q(archived_at__isnull=False),
        "read": Q(read_at__isnull=False),
    }


def with_states(rows: QuerySet[Notification]) -> QuerySet[Any]:
    """Have the database say of each row in which state it is, as `state`."""
    cases = [When(condition, then=Value(name)) for name, condition in _conditions().items()]
    return rows.annotate(state=Case(*cases, default=Value("unread"), output_field=CharField()))


class StateFilter(admin.SimpleListFilter):
    """The filter by state."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer all states."""
        return list(LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows in the state that is chosen, if it is one.

        Its own condition is named besides, for which the database may have an index.
        """
        name = self.value()
        if name not in LABELS:
            return queryset
        return queryset.filter(_conditions().get(name, Q(archived_at__isnull=True, read_at__isnull=True)), state=name)
