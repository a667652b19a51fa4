"""Statements about streams, which Django builds and compiles once.

For a small statement Django spends ten times what the database takes to answer it, and every connect, every
notification and every comparison with the database runs several. So these are kept compiled, for a few
numbers of keys; what is missing to one of them is filled up with the last key, which changes no answer.
(Another text for each number would also crowd the cache of statements that SQLite's driver keeps.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db import connections, models
from django.db.models import Expression, Q, QuerySet
from django.utils import timezone

from .django_internals import (
    Converters,
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


NOW: Final = Parameter("now", models.DateTimeField())  # when the statement runs
HEAD: Final = Parameter("head", models.BigIntegerField())  # the position to stamp a row with


class In(models.Func):
    """Whether a column holds one of some keys; Django's own lookup takes no open parameters for a foreign key."""

    template = "%(expressions)s"
    arg_joiner = " IN "
    output_field = models.BooleanField()

    def __init__(self, column: str, keys: Iterable[Parameter]) -> None:
        """Match rows whose `column` is one of `keys`."""
        super().__init__(column, models.Func(*keys, template="(%(expressions)s)"))


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
        return [self._converted(row, connection) for row in rows] if self.converters else rows

    def execute(self, alias: str, given: Mapping[str, Any]) -> None:
        """Run the statement, which returns nothing."""
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._values(connection, given))

    def _values(self, connection: Any, given: Mapping[str, Any]) -> list[Any]:
        return [one.value(given, connection) if isinstance(one, Parameter) else one for one in self.parameters]

    def _converted(self, row: Sequence[Any], connection: Any) -> Sequence[Any]:
        values = list(row)
        for place, (functions, expression) in self.converters.items():
            if self.keeps_null and values[place] is None:
                continue
            for function in functions:
                values[place] = function(values[place], expression, connection)
        return values


class Statement(ABC):
    """A statement about rows with certain keys, compiled at its first use for a database and a number of keys."""

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

    def _parts(self, alias: str, keys: Sequence[Any]) -> Iterator[tuple[CompiledStatement, Sequence[Any]]]:
        """Cut `keys` into parts that there is a compiled statement for, the last one filled up."""
        for start in range(0, len(keys), SIZES[-1]):
            part = keys[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(part))
            if (alias, size) not in self._compiled:
                keys_given = [Parameter(f"key {n}", self._key_field) for n in range(size)]
                self._compiled[alias, size] = self._compile(alias, keys_given)
            yield self._compiled[alias, size], [*part, *[part[-1]] * (size - len(part))]

    @abstractmethod
    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        """Build the statement for some keys and compile it."""


class CompiledSelect(Statement):
    """A query for columns of rows with certain keys, most often the primary keys of streams."""

    def __init__(self, rows: Rows, key: str, *columns: str, limit: int | None = None) -> None:
        """Describe the query: which rows, the column of their key, what is read of each, and how many at most.

        The limit holds for each hundred keys.
        """
        super().__init__(rows, key)
        self._columns = (key, *columns)
        self._limit = limit

    def run(self, pks: Sequence[Any], alias: str) -> list[Sequence[Any]]:
        """Return, for each row with one of the keys `pks`, its key and the columns."""
        now = timezone.now()
        found: list[Sequence[Any]] = []
        for statement, part in self._parts(alias, pks):
            found += statement.fetch(alias, _named(part) | {"now": now})
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


class CompiledEntries(Statement):
    """A query for columns of the entries of some streams, each stream's after a position."""

    _keeps_null = True

    def __init__(self, rows: Rows, key: str, columns: Sequence[str], limit: int, made: Made) -> None:
        """Describe the query.

        Args:
            rows: Returns the entries of all streams, in the order in which they are read.
            key: The column that holds the primary key of an entry's stream.
            columns: What is read of an entry. None of them may be of a field that makes a value of NULL.
            limit: How many entries at most, for each hundred streams.
            made: Makes an entry of these columns, as they come from a database.
        """
        super().__init__(rows, key)
        self._columns = tuple(columns)
        self._limit = limit
        self._made = made

    def run(self, after: Mapping[Any, int], alias: str) -> list[Any]:
        """Return the entries above the positions `after`, which are given by the primary key of the stream."""
        found: list[Any] = []
        for statement, part in self._parts(alias, list(after)):
            given = _named(part) | {f"after {n}": after[pk] for n, pk in enumerate(part)}
            found += [self._made(values, alias) for values in statement.fetch(alias, given)]
        return found

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        wanted = Q()
        for n, key in enumerate(keys):
            wanted |= Q(**{self._key: key}, modseq__gt=Parameter(f"after {n}", models.BigIntegerField()))
        statement = select(self._rows().filter(wanted), self._columns, self._limit, alias)
        return statement._replace(keeps_null=self._keeps_null)


class CompiledInstances(CompiledEntries):
    """A query for the entries of some streams as instances of their model, with the objects that they refer to."""

    _keeps_null = False  # the site's own fields may make a value of it

    def __init__(self, rows: Rows, key: str, related: Iterable[str], limit: int) -> None:
        """Describe the query, as `CompiledEntries` does; `related` are the foreign keys to follow."""
        super().__init__(rows, key, (), limit, lambda values, alias: self._instances.made(values, alias))
        self._related = tuple(related)

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        self._columns = self._instances.columns
        return super()._compile(alias, keys)

    @cached_property
    def _instances(self) -> Instances:
        return Instances(self._rows().model, self._related)


class CompiledUpdate(Statement):
    """A change of the rows with certain primary keys."""

    def __init__(self, rows: Rows, **changes: Any) -> None:
        """Describe the change: of which rows, and the new values, in which `HEAD` is a position."""
        super().__init__(rows, "pk")
        self._changes = changes

    def run(self, pks: Sequence[Any], alias: str, head: int | None = None) -> None:
        """Change the rows with the primary keys `pks`; `head` is the position, if the change needs one."""
        for statement, part in self._parts(alias, pks):
            statement.execute(alias, _named(part) | {"head": head})

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        return CompiledStatement(*compile_update(self._rows().filter(In("pk", keys)), self._changes, alias), {})


class CompiledInsert:
    """The storing of a single row, as ``bulk_create`` does it: without signals. Its primary key is automatic."""

    def __init__(self, *, ignore_conflicts: bool = False) -> None:
        """Describe it; with `ignore_conflicts` a row that is there already is left as it is."""
        self._ignore = ignore_conflicts
        self._compiled: dict[str, tuple[str, Sequence[models.Field[Any, Any]], bool]] = {}

    def run(self, row: models.Model, alias: str) -> None:
        """Store a row; unless conflicts are ignored, it gets its primary key."""
        if alias not in self._compiled:
            self._compiled[alias] = compile_insert(row, alias, ignore_conflicts=self._ignore)
        sql, fields, returns = self._compiled[alias]
        connection = connections[alias]
        values = [(field, getattr(row, field.attname)) for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(
                sql,
                [None if value is None else field.get_db_prep_save(value, connection) for field, value in values],
            )
            if not self._ignore:
                row.pk = inserted_key(cursor, row, alias, returned=returns)
                set_stored(row, alias)


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


def _named(keys: Sequence[Any]) -> dict[str, Any]:
    return {f"key {n}": key for n, key in enumerate(keys)}


def select(rows: QuerySet[Any], columns: Sequence[str], limit: int | None, alias: str) -> CompiledStatement:
    """Compile a query for columns of `rows`, at most `limit` of them."""
    return CompiledStatement(*compile_select(rows.values_list(*columns)[:limit], alias))
