"""Statements about streams, which Django builds and compiles once.

For a small statement Django spends ten times what the database takes to answer it, and every connect, every
notification and every comparison with the database runs several. So these are kept compiled. PostgreSQL takes any
number of keys as one array, and SQLite as one list of JSON: neither Django nor the driver has to search a long text for
placeholders. For others there are texts for a few numbers of keys; what is missing to one of them is filled up with the
last key, which changes no answer.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db import connections, models
from django.db.models import Expression, Q, QuerySet
from django.utils import timezone

from .chunks import chunks
from .django_internals import (
    Converters,
    array_type,
    can_return_changed,
    column_names,
    compile_insert,
    compile_select,
    compile_update,
    inserted_key,
    set_related,
    set_stored,
    takes_integers,
)

SIZES = (1, 10, 100)  # keys; a statement with 500 takes a megabyte to compile, and is no faster
ARRAYS = ("postgresql", "sqlite")  # databases that take many keys as one parameter

Rows = Callable[[], QuerySet[Any]]
Made = Callable[[Sequence[Any], str], Any]


class Parameter(Expression):
    """A parameter that gets its value when the statement runs."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        """Declare the parameter `name`, whose values are those of `field`."""
        super().__init__(output_field=field)
        self.name = name
        self._takes_integers = takes_integers(field)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave the parameter open."""
        return "%s", (self,)

    def value(self, given: Mapping[str, Any], connection: Any) -> Any:
        """Return its value among those `given`, as the database takes it."""
        value = given[self.name]
        if type(value) is int and self._takes_integers:
            return value
        return self.output_field.get_db_prep_value(value, connection)


class ArrayParameter(Parameter):
    """A parameter that is many values, and the condition that a column holds one: of PostgreSQL or SQLite alone."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave the parameter open, and say what it holds: an array of small numbers would be one of `smallint`."""
        return f"= ANY(%s::{array_type(self.output_field, connection)})", (self,)

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave the parameter open: a list of JSON."""
        return "IN (SELECT value FROM json_each(%s))", (self,)

    def value(self, given: Mapping[str, Any], connection: Any) -> Any:
        """Return the values as a list; integers as its text, for the driver asks each one what it is."""
        values = given[self.name]
        is_json = connection.vendor == "sqlite"
        if self._takes_integers and all(type(one) is int for one in values):
            return ("[%s]" if is_json else "{%s}") % ",".join(map(str, values))
        prepared = [self.output_field.get_db_prep_value(one, connection) for one in values]
        return json.dumps(prepared) if is_json else prepared


NOW: Final = Parameter("now", models.DateTimeField())  # when the statement runs
HEAD: Final = Parameter("head", models.BigIntegerField())  # the position to stamp a row with


class In(models.Lookup):
    """Whether a column holds one of some keys; Django's own lookup takes no open parameters for a foreign key.

    It is a lookup, for any other condition Django compares with a boolean on MariaDB, which then uses no index.
    """

    def __init__(self, column: str, keys: Sequence[Parameter]) -> None:
        """Match rows whose `column` is one of `keys`, or is in the one array that they are."""
        among = keys[0] if isinstance(keys[0], ArrayParameter) else models.Func(*keys, template="IN (%(expressions)s)")
        super().__init__(models.F(column), among)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write the column, and behind it what it is among."""
        column, before = compiler.compile(self.lhs)
        among, after = compiler.compile(self.rhs)
        return f"{column} {among}", (*before, *after)


class CompiledStatement(NamedTuple):
    """A statement as one database understands it, and what makes Python values of the columns that it returns."""

    sql: str
    parameters: Sequence[Any]
    converters: Converters
    keeps_null: bool = False  # no converter makes anything of NULL

    def fetch(self, alias: str, given: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Run the statement and return all rows."""
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._values(connection, given))
            rows: list[Sequence[Any]] = cursor.fetchall()
        return self._converted(rows, connection) if self.converters else rows

    def execute(self, alias: str, given: Mapping[str, Any]) -> None:
        """Run the statement, which returns nothing."""
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._values(connection, given))

    def _values(self, connection: Any, given: Mapping[str, Any]) -> list[Any]:
        return [one.value(given, connection) if isinstance(one, Parameter) else one for one in self.parameters]

    def _converted(self, rows: Sequence[Sequence[Any]], connection: Any) -> list[Any]:
        converted: list[Any] = [list(row) for row in rows]
        for place, (functions, expression) in self.converters.items():
            for values in converted:
                value = values[place]
                if value is None and self.keeps_null:
                    continue
                for function in functions:
                    value = function(value, expression, connection)
                values[place] = value
        return converted


class Statement(ABC):
    """A statement about rows with certain keys, compiled at its first use for a database and a number of keys."""

    _takes_arrays = True

    def __init__(self, rows: Rows, key: str) -> None:
        """Describe the statement.

        Args:
            rows: Returns the rows that it is about; `NOW` in it is the time at which the statement runs.
            key: The column that holds a row's key.
        """
        self._rows = rows
        self._key = key
        self._compiled: dict[tuple[str, int], CompiledStatement] = {}

    @cached_property
    def _key_field(self) -> models.Field[Any, Any]:
        meta: Any = self._rows().model._meta
        field: models.Field[Any, Any] = meta.pk if self._key == "pk" else meta.get_field(self._key.removesuffix("_id"))
        return field

    def _parts(self, alias: str, keys: Sequence[Any]) -> Iterator[tuple[CompiledStatement, dict[str, Any]]]:
        """Cut `keys` into parts that there is a compiled statement for, and name what each part gives to it."""
        if self._takes_arrays and len(keys) > 1 and connections[alias].vendor in ARRAYS:
            for part in chunks(keys):
                yield self._statement(alias, 0), {"keys": part}
            return
        for part in chunks(keys, SIZES[-1]):
            size = next(size for size in SIZES if size >= len(part))
            yield self._statement(alias, size), _named([*part, *[part[-1]] * (size - len(part))])

    def _statement(self, alias: str, size: int) -> CompiledStatement:
        """Return the statement for a number of keys; 0 stands for an array of any number."""
        if (alias, size) not in self._compiled:
            keys = [Parameter(f"key {n}", self._key_field) for n in range(size)]
            self._compiled[alias, size] = self._compile(alias, keys or [ArrayParameter("keys", self._key_field)])
        return self._compiled[alias, size]

    @abstractmethod
    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        """Build the statement for some keys and compile it."""


class CompiledSelect(Statement):
    """A query for columns of rows with certain keys, most often the primary keys of streams."""

    def __init__(self, rows: Rows, key: str, *columns: str, limit: int | None = None) -> None:
        """Describe the query: which rows, the column of their key, what is read of each, and how many at most.

        The limit holds for each hundred keys, and for each statement.
        """
        super().__init__(rows, key)
        self._columns = (key, *columns)
        self._limit = limit

    def run(self, pks: Sequence[Any], alias: str) -> list[Sequence[Any]]:
        """Return, for each row with one of the keys `pks`, its key and the columns."""
        now = timezone.now()
        found: list[Sequence[Any]] = []
        for statement, given in self._parts(alias, pks):
            found += statement.fetch(alias, given | {"now": now})
        return found

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        return select(self._rows().filter(In(self._key, keys)), self._columns, self._limit, alias)


class CompiledObjects(CompiledSelect):
    """A query for whole rows with certain keys, with the objects that they refer to."""

    def __init__(self, rows: Rows, related: Iterable[str] = ()) -> None:
        """Describe the query: which rows, and the foreign keys to follow, as `Instances` has them."""
        super().__init__(rows, "pk")
        self._related = tuple(related)

    def objects(self, pks: Sequence[Any], alias: str) -> dict[Any, Any]:
        """Return the rows with the primary keys `pks` by these; one that is not there is left out."""
        return {values[0]: self._instances.made(values[1:], alias) for values in self.run(pks, alias)}

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        self._columns = ("pk", *self._instances.columns)
        return super()._compile(alias, keys)

    @cached_property
    def _instances(self) -> Instances:
        return Instances(self._rows().model, self._related)


class Shape(NamedTuple):
    """What is read of an entry, and what is made of that; `keeps_null`: no field among it makes a value of NULL."""

    columns: Sequence[str]
    made: Made
    keeps_null: bool = True

    def select(self, rows: QuerySet[Any], before: Sequence[str], limit: int, alias: str) -> CompiledStatement:
        """Compile a query for the columns of `rows`, behind some others."""
        return select(rows, (*before, *self.columns), limit, alias)._replace(keeps_null=self.keeps_null)


class CompiledEntries(Statement):
    """A query for the entries of some streams, each stream's after a position."""

    _takes_arrays = False  # each key has a position of its own

    def __init__(self, rows: Rows, key: str, shape: Shape, limit: int, waiting: Q | None = None) -> None:
        """Describe the query.

        Args:
            rows: Returns the entries of all streams, in the order in which they are read.
            key: The column that holds the primary key of an entry's stream.
            shape: What an entry becomes.
            limit: How many entries at most, for each hundred streams.
            waiting: Which entries are read too that wait for a position; none if not given.
        """
        super().__init__(rows, key)
        self._shape = shape
        self._limit = limit
        self._waiting = waiting

    def run(self, after: Mapping[Any, int], alias: str) -> list[Any]:
        """Return the entries above the positions `after`, which are given by the primary key of the stream."""
        found: list[Any] = []
        for statement, keys in self._parts(alias, list(after)):
            given = keys | {f"after {n}": after[pk] for n, pk in enumerate(keys.values())}
            found += [self._shape.made(values, alias) for values in statement.fetch(alias, given)]
        return found

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        wanted = Q()
        for n, key in enumerate(keys):
            wanted |= Q(**{self._key: key}, modseq__gt=Parameter(f"after {n}", models.BigIntegerField()))
            if self._waiting is not None:
                wanted |= Q(self._waiting, **{self._key: key}, modseq=None)
        return self._shape.select(self._rows().filter(wanted), (), self._limit, alias)


class CompiledLatest(Statement):
    """A query for the entries at the heads of some streams, and in the same look for where these are.

    It takes no positions, so it is cheaper than `CompiledEntries`, and is all that a reader needs who lacks the last
    position alone.
    """

    def __init__(self, rows: Rows, key: str, stream: str, shape: Shape, limit: int) -> None:
        """Describe the query.

        Args:
            rows: Returns the entries of all streams.
            key: The column that holds the primary key of an entry's stream.
            stream: The path from an entry to its stream.
            shape: What an entry becomes.
            limit: How many entries of one statement are too many.
        """
        super().__init__(rows, key)
        self._position = [f"{stream}__{name}" for name in ("epoch", "head", "floor")]
        self._shape = shape
        self._limit = limit

    def run(self, pks: Sequence[Any], alias: str) -> list[tuple[str, int, int, Any]]:
        """Return with each entry the epoch, the head and the floor of its stream, none where they are too many."""
        found: list[tuple[str, int, int, Any]] = []
        made = self._shape.made
        for statement, keys in self._parts(alias, pks):
            rows = statement.fetch(alias, keys)
            if len(rows) < self._limit:
                found += [(epoch, head, floor, made(values, alias)) for epoch, head, floor, *values in rows]
        return found

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        rows = self._rows().filter(In(self._key, keys), modseq=models.F(self._position[1]))
        return self._shape.select(rows, self._position, self._limit, alias)


def instances(model: type[models.Model], related: Iterable[str]) -> Shape:
    """Return what makes instances of a model of entries, with the objects that they refer to.

    The site's own fields may make a value of NULL.
    """
    made = Instances(model, related)
    return Shape(made.columns, made.made, keeps_null=False)


class CompiledUpdate(Statement):
    """A change of the rows with certain keys."""

    def __init__(self, rows: Rows, *returned: str, key: str = "pk", skip_locked: bool = False, **changes: Any) -> None:
        """Describe the change.

        Args:
            rows: Returns the rows that it is about.
            returned: The columns that are returned of each row, as they are after the change, behind its key.
            key: The column that holds a row's key.
            skip_locked: Whether rows that somebody else holds are left out; the database must return what it changes.
            changes: The new values, which may be parameters.
        """
        super().__init__(rows, key)
        self._changes = changes
        self._skip_locked = skip_locked
        self._columns = (key, *returned) if returned else ()
        self._read = CompiledSelect(rows, key, *returned)

    def run(self, pks: Sequence[Any], alias: str, **given: Any) -> list[Sequence[Any]]:
        """Change the rows with the keys `pks`, and return their columns; `given` are the parameters' values."""
        found: list[Sequence[Any]] = []
        returns = bool(self._columns) and can_return_changed(alias)
        for statement, keys in self._parts(alias, pks):
            if returns:
                found += statement.fetch(alias, keys | given)
            else:
                statement.execute(alias, keys | given)
        return found if returns or not self._columns else self._read.run(pks, alias)

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        rows = self._rows().filter(In(self._key, keys))
        if self._skip_locked:
            rows = self._rows().filter(pk__in=rows.select_for_update(skip_locked=True).values("pk"))
        returned = self._columns if can_return_changed(alias) else ()
        return CompiledStatement(*compile_update(rows, self._changes, alias, returned))


class CompiledInsert:
    """The storing of rows of a model, as ``bulk_create`` does it: without signals. Their primary key is automatic."""

    def __init__(self, *, ignore_conflicts: bool = False) -> None:
        """Describe it; with `ignore_conflicts` a row that is there already is left as it is."""
        self._ignore = ignore_conflicts
        self._compiled: dict[tuple[str, tuple[str, ...]], tuple[str, Sequence[models.Field[Any, Any]], bool]] = {}

    def run(self, row: models.Model, alias: str) -> None:
        """Store a row; unless conflicts are ignored, it gets its primary key."""
        sql, fields, returns = self._statement(row, alias)
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, _values(row, fields, connections[alias]))
            if not self._ignore:
                row.pk = inserted_key(cursor, row, alias, returned=returns)
                set_stored(row, alias)

    def run_for(self, row: models.Model, differing: Mapping[str, Sequence[Any]], alias: str) -> None:
        """Store a row for each of some values, of which there are as many for each field; all else is that of `row`.

        Django would make an object for each and take each of its columns anew, which costs more than storing them.
        """
        connection = connections[alias]
        arrays = connection.vendor == "postgresql"
        sql, fields, _returns = self._statement(row, alias, tuple(differing) if arrays else ())
        values = _values(row, fields, connection)
        place_of = {field.name: place for place, field in enumerate(fields)}
        places = [place_of[name] for name in differing]
        with connection.cursor() as cursor:
            if arrays:
                for name, place in zip(differing, places, strict=True):
                    values[place] = ArrayParameter(name, fields[place]).value(differing, connection)
                cursor.execute(sql, values)
            else:
                columns = [
                    _column(Parameter(name, fields[place]), differing[name], connection)
                    for name, place in zip(differing, places, strict=True)
                ]
                cursor.executemany(sql, list(_rows(values, places, columns)))

    def _statement(
        self, row: models.Model, alias: str, arrays: tuple[str, ...] = ()
    ) -> tuple[str, Sequence[models.Field[Any, Any]], bool]:
        if (alias, arrays) not in self._compiled:
            self._compiled[alias, arrays] = compile_insert(row, alias, ignore_conflicts=self._ignore, arrays=arrays)
        return self._compiled[alias, arrays]


class Instances:
    """Makes instances of a model, and of what they refer to, of the columns of a row, as ``select_related`` does."""

    def __init__(self, model: type[models.Model], related: Iterable[str]) -> None:
        """Take the model, and the foreign keys to follow, each after the one that it begins with."""
        objects = {"": _Object("", model)}
        for path in related:
            holder, _, name = path.rpartition("__")
            field = objects[holder].model._meta.get_field(name)
            objects[path] = _Object(path, field.related_model, holder, field)
        self._objects = list(objects.values())
        self.columns = tuple(column for one in self._objects for column in one.columns)

    def made(self, values: Sequence[Any], alias: str) -> Any:
        """Make the instance."""
        made: dict[str, Any] = {}
        start = 0
        for one in self._objects:
            end = start + len(one.names)
            made[one.path] = one.made(values[start:end], alias, made.get(one.holder))
            start = end
        return made[""]


class _Object:
    """One of the objects that a row is read with; the row itself is the first."""

    def __init__(self, path: str, model: Any, holder: str = "", field: Any = None) -> None:
        self.path = path
        self.model = model
        self.holder = holder  # the path of the object that refers to it
        self.field = field  # the foreign key by which that object does
        self.names = column_names(model)
        self.columns = [f"{path}__{name}" if path else name for name in self.names]

    def made(self, values: Sequence[Any], alias: str, holder: Any) -> Any:
        if self.field is None:
            return self.model.from_db(alias, self.names, values)
        if holder is None:
            return None
        refers = getattr(holder, self.field.attname) is not None
        made = self.model.from_db(alias, self.names, values) if refers else None
        set_related(holder, self.field, made)
        return made


def _values(row: models.Model, fields: Sequence[models.Field[Any, Any]], connection: Any) -> list[Any]:
    values = [(field, getattr(row, field.attname)) for field in fields]
    return [None if value is None else field.get_db_prep_save(value, connection) for field, value in values]


def _column(parameter: Parameter, values: Iterable[Any], connection: Any) -> Iterator[Any]:
    return (parameter.value({parameter.name: value}, connection) for value in values)


def _rows(alike: Sequence[Any], places: Sequence[int], columns: Sequence[Iterable[Any]]) -> Iterator[list[Any]]:
    """Yield the values of rows that are alike, but for some columns, which have their places among them."""
    for own in zip(*columns, strict=True):
        row = [*alike]
        for place, value in zip(places, own, strict=True):
            row[place] = value
        yield row


def _named(keys: Sequence[Any]) -> dict[str, Any]:
    return {f"key {n}": key for n, key in enumerate(keys)}


def select(rows: QuerySet[Any], columns: Sequence[str], limit: int | None, alias: str) -> CompiledStatement:
    """Compile a query for columns of `rows`, at most `limit` of them."""
    return CompiledStatement(*compile_select(rows.values_list(*columns)[:limit], alias))
