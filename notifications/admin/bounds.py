"""What bounds the price of a list in the admin, however long its table is."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from django.core.paginator import Paginator
from django.db import connections, models
from django.db.models import Max
from django.http import HttpRequest
from django.utils.functional import cached_property

M = TypeVar("M", bound=models.Model)

LISTED_LIMIT = 10_000  # rows of a list; of more of them it has that many, the newest ones
REACH = 100_000  # rows, the newest ones, that are searched, filtered or put in another order
_PLAIN: Final = {"p", "_popup", "_to_field", "e"}  # parameters of a list that is none of these


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the first `LISTED_LIMIT` rows: counting millions takes longer than showing a page."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most `LISTED_LIMIT`."""
        rows: Any = self.object_list
        if connections[rows.db].vendor == "mysql":  # which else begins with what the rows refer to
            return int(rows.order_by("-pk").values("pk")[:LISTED_LIMIT].count())
        return int(rows.order_by()[:LISTED_LIMIT].count())


def is_narrowed(request: HttpRequest) -> bool:
    """Return whether a request is for a list that is searched, filtered or in another order."""
    return is_list(request) and bool(request.GET.keys() - _PLAIN)


def is_list(request: HttpRequest) -> bool:
    """Return whether a request is for a list."""
    match = request.resolver_match
    return match is not None and (match.url_name or "").endswith("_changelist")


def newest_first(rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """Keep the newest `LISTED_LIMIT` rows, of a list in their order that is read with what the rows refer to.

    Without a range of keys MariaDB begins with that, and sorts the whole table. Others read such a list as it stands.
    """
    if connections[rows.db].vendor != "mysql":
        return rows
    keys = rows.model._default_manager.order_by("-pk").values_list("pk", flat=True)
    oldest = keys[LISTED_LIMIT - 1 : LISTED_LIMIT].first() or 0
    return rows.filter(pk__gte=oldest)


def within_reach(rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """Keep the newest `REACH` rows, a range with two ends: SQLite takes one with a single end for much longer."""
    newest = _newest(rows.model)
    return rows.filter(pk__gt=newest - REACH, pk__lte=newest) if newest > REACH else rows


def reach_of(model: type[models.Model]) -> int:
    """Return how many rows of a list are searched, filtered or put in order; 0 for all there are."""
    return REACH if _newest(model) > REACH else 0


def _newest(model: type[models.Model]) -> int:
    return int(model._default_manager.aggregate(pk=Max("pk"))["pk"] or 0)
