"""Queries about one stream, which Django builds and compiles once.

For a small query Django spends ten times what the database takes to answer it. Every connect and every
notification asks several about a single stream, so these are kept compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

from django.db import connections
from django.db.models import Expression, QuerySet
from django.utils import timezone

_STREAM: Final = object()
_NOW: Final = object()


class _Open(Expression):
    """A parameter that gets its value when the query runs."""

    def __init__(self, name: object) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave the parameter open."""
        return "%s", (self.name,)


class Prepared:
    """A query for columns of some streams' rows, kept compiled for the case of one stream."""

    def __init__(
        self, rows: Callable[[Any], QuerySet[Any]], stream: str, *columns: str, limit: int | None = None
    ) -> None:
        """Describe the query.

        Args:
            rows: Returns the rows of all streams, given the time at which the query runs.
            stream: The lookup that names a row's stream.
            columns: Numbers and text, which need no conversion on any database.
            limit: How many rows at most.
        """
        self._rows = rows
        self._stream = stream
        self._columns = columns
        self._limit = limit
        self._compiled: dict[str, tuple[str, tuple[Any, ...]]] = {}

    @cached_property
    def _key(self) -> Any:
        meta = self._rows(timezone.now()).model._meta
        return meta.pk if self._stream == "pk" else meta.get_field(self._stream.removesuffix("_id"))

    def run(self, pks: Sequence[Any], alias: str) -> list[tuple[Any, ...]]:
        """Return, for each row of the streams `pks`, the stream's primary key and the columns."""
        if len(pks) != 1:
            rows = self._rows(timezone.now()).using(alias).filter(**{f"{self._stream}__in": pks})
            return list(rows.values_list(self._stream, *self._columns)[: self._limit])
        if alias not in self._compiled:
            rows = (
                self._rows(_Open(_NOW))
                .using(alias)
                .filter(**{self._stream: _Open(_STREAM)})
                .values_list(*self._columns)
            )
            self._compiled[alias] = rows[: self._limit].query.get_compiler(alias).as_sql()
        sql, parameters = self._compiled[alias]
        [pk] = pks
        connection = connections[alias]
        values = {
            _STREAM: self._key.get_db_prep_value(pk, connection),
            _NOW: connection.ops.adapt_datetimefield_value(timezone.now()),
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[one] if one in (_STREAM, _NOW) else one for one in parameters])
            return [(pk, *row) for row in cursor.fetchall()]
