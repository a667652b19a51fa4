"""Statements about one stream, which Django builds and compiles once.

For a small statement Django spends ten times what the database takes to answer it. Every connect and every
notification runs several about a single stream, so these are kept compiled. For several streams at once,
where the rows cost more than the statement, the same description is an ordinary queryset.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

from django.db import connections, models
from django.db.models import Expression, Q, QuerySet
from django.db.models.sql import UpdateQuery
from django.utils import timezone


class Given(Expression):
    """A parameter that gets its value when the statement runs."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        """Leave open the parameter `name`, whose values are those of `field`."""
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave the parameter open."""
        return "%s", (self,)


class Compiled(NamedTuple):
    """A statement as one database understands it, and what makes Python values of the columns that it returns."""

    sql: str
    parameters: Sequence[Any]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], Expression]]

    def fetch(self, alias: str, **given: Any) -> list[Sequence[Any]]:
        """Run the statement and return all rows."""
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._values(connection, given))
            rows: list[Sequence[Any]] = cursor.fetchall()
        return [self._converted(row, connection) for row in rows] if self.converters else rows

    def execute(self, alias: str, **given: Any) -> None:
        """Run the statement, which returns nothing."""
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._values(connection, given))

    def _values(self, connection: Any, given: Mapping[str, Any]) -> list[Any]:
        return [
            one.output_field.get_db_prep_value(given[one.name], connection) if isinstance(one, Given) else one
            for one in self.parameters
        ]

    def _converted(self, row: Sequence[Any], connection: Any) -> Sequence[Any]:
        values = list(row)
        for place, (functions, expression) in self.converters.items():
            for function in functions:
                values[place] = function(values[place], expression, connection)
        return values


class Statement(ABC):
    """A statement that is compiled at its first use on each database."""

    def __init__(self) -> None:
        self._compiled: dict[str, Compiled] = {}

    def on(self, alias: str) -> Compiled:
        """Return the statement as the database `alias` understands it."""
        if alias not in self._compiled:
            self._compiled[alias] = self._compile(alias)
        return self._compiled[alias]

    @abstractmethod
    def _compile(self, alias: str) -> Compiled:
        """Build the statement and compile it."""


class Prepared(Statement):
    """A query for columns of some streams' rows, kept compiled for the case of one stream."""

    def __init__(
        self, rows: Callable[[Any], QuerySet[Any]], stream: str, *columns: str, limit: int | None = None
    ) -> None:
        """Describe the query.

        Args:
            rows: Returns the rows of all streams, given the time at which the query runs.
            stream: The lookup that names a row's stream.
            columns: What is read of each row.
            limit: How many rows at most.
        """
        super().__init__()
        self._rows = rows
        self._stream = stream
        self._columns = columns
        self._limit = limit

    def run(self, pks: Sequence[Any], alias: str) -> list[tuple[Any, ...]]:
        """Return, for each row of the streams `pks`, the stream's primary key and the columns."""
        now = timezone.now()
        if len(pks) == 1:
            return [(pks[0], *row) for row in self.on(alias).fetch(alias, stream=pks[0], now=now)]
        rows = self._rows(now).using(alias).filter(**{f"{self._stream}__in": pks})
        return list(rows.values_list(self._stream, *self._columns)[: self._limit])

    def _compile(self, alias: str) -> Compiled:
        rows = self._rows(Given("now", models.DateTimeField()))
        return _select(rows.filter(**_names(rows, self._stream)), self._columns, self._limit, alias)


class PreparedRows(Statement):
    """A query for whole rows after a position of their stream, kept compiled for the case of one stream."""

    def __init__(self, rows: QuerySet[Any], stream: str, related: Iterable[str], limit: int) -> None:
        """Describe the query.

        Args:
            rows: The rows of all streams, in the order in which they are read.
            stream: The column that holds a row's stream.
            related: The foreign keys to follow, as for ``select_related``, each after the one that it begins with.
            limit: How many rows at most.
        """
        super().__init__()
        self._rows = rows
        self._stream = stream
        self._related = tuple(related)
        self._limit = limit

    def run(self, after: Mapping[Any, int], alias: str) -> list[Any]:
        """Return the rows above the positions `after`, which are given by the primary key of the stream."""
        if len(after) == 1:
            [(pk, position)] = after.items()
            return [self._made(values, alias) for values in self.on(alias).fetch(alias, stream=pk, after=position)]
        wanted = Q()
        for pk, position in after.items():
            wanted |= Q(**{self._stream: pk}, modseq__gt=position)
        return list(self._rows.using(alias).select_related(*self._related).filter(wanted)[: self._limit])

    def _compile(self, alias: str) -> Compiled:
        after = Given("after", models.BigIntegerField())
        rows = self._rows.filter(**_names(self._rows, self._stream), modseq__gt=after)
        columns = [f"{part.path}__{name}".removeprefix("__") for part in self._parts for name in part.names]
        return _select(rows, columns, self._limit, alias)

    @cached_property
    def _parts(self) -> list[_Part]:
        parts = {"": _Part("", self._rows.model)}
        for path in self._related:
            holder, _, name = path.rpartition("__")
            field = parts[holder].model._meta.get_field(name)
            parts[path] = _Part(path, field.related_model, holder, field)
        return list(parts.values())

    def _made(self, values: Sequence[Any], alias: str) -> Any:
        """Make the row and what it refers to, as Django does for ``select_related``."""
        objects: dict[str, Any] = {}
        start = 0
        for part in self._parts:
            end = start + len(part.names)
            objects[part.path] = part.made(values[start:end], alias, objects.get(part.holder))
            start = end
        return objects[""]


class PreparedUpdate(Statement):
    """A change of some rows, kept compiled for the case of one row."""

    def __init__(self, rows: QuerySet[Any], changes: Callable[[Any], Mapping[str, Any]]) -> None:
        """Describe the change.

        Args:
            rows: The rows that may be changed.
            changes: Returns the new values, given a position.
        """
        super().__init__()
        self._rows = rows
        self._changes = changes

    def run(self, pks: Sequence[Any], alias: str, head: int | Expression = 0) -> None:
        """Change the rows with the primary keys `pks`; `head` is the position, or an expression for it."""
        if len(pks) == 1 and isinstance(head, int):
            self.on(alias).execute(alias, stream=pks[0], head=head)
        else:
            self._rows.using(alias).filter(pk__in=pks).update(**self._changes(head))

    def _compile(self, alias: str) -> Compiled:
        query = cast("UpdateQuery", self._rows.filter(**_names(self._rows, "pk")).query.chain(UpdateQuery))
        query.add_update_values(dict(self._changes(Given("head", models.BigIntegerField()))))
        sql, parameters = query.get_compiler(alias).as_sql()
        return Compiled(sql, parameters, {})


class _Part:
    """One of the objects that a row holds; the row itself is the first."""

    def __init__(self, path: str, model: Any, holder: str = "", field: Any = None) -> None:
        self.path = path
        self.model = model
        self.holder = holder  # the path of the object that refers to it
        self.field = field  # the foreign key by which that object does
        self.names = [column.attname for column in model._meta.concrete_fields]

    def made(self, values: Sequence[Any], alias: str, holder: Any) -> Any:
        if self.field is None:
            return self.model.from_db(alias, self.names, values)
        if holder is None:
            return None
        refers = getattr(holder, self.field.attname) is not None
        made = self.model.from_db(alias, self.names, values) if refers else None
        self.field.set_cached_value(holder, made)
        return made


def _names(rows: QuerySet[Any], key: str) -> dict[str, Given]:
    """Return the filter for the one stream, or row, whose key is given when the statement runs."""
    meta = rows.model._meta
    return {key: Given("stream", meta.pk if key == "pk" else meta.get_field(key.removesuffix("_id")))}


def _select(rows: QuerySet[Any], columns: Sequence[str], limit: int | None, alias: str) -> Compiled:
    compiler = rows.using(alias).values_list(*columns)[:limit].query.get_compiler(alias)
    sql, parameters = compiler.as_sql()
    return Compiled(sql, parameters, compiler.get_converters([column for column, *_rest in compiler.select]))
