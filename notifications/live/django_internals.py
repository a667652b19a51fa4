"""What Carillon uses of Django that Django does not document.

Nothing else in the package touches these, so one file says what a new version of Django can break, and one test for
each, in ``tests/test_django_internals.py``, says whether it did. ``_meta.get_field``, ``_state.adding``, ``from_db``
and the default managers are documented, and used where they are needed.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers import asgi
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    Expression,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    QuerySet,
)
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery, UpdateQuery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import Resolver404, ResolverMatch
from django.utils.autoreload import run_with_reloader

VERIFIED = ("5.2", "6.0", "6.1")  # the versions of Django with which every function here was tested

Scope = Mapping[str, Any]
View = Callable[..., HttpResponseBase]
Converters = Mapping[int, tuple[Sequence[Callable[..., Any]], Expression]]

# Requests


def sync_handler(choose: Callable[[View], View]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return Django's request handling, middleware and view, with the chain loaded in sync mode.

    ``BaseHandler.load_middleware``, ``BaseHandler.get_response``, and ``BaseHandler.resolve_request``, which finds a
    request's view when the middleware has decided on language and URLconf.

    Args:
        choose: Takes the view that a request got and returns the one to call.
    """

    class Handler(BaseHandler):
        def resolve_request(self, request: HttpRequest) -> ResolverMatch:
            match = super().resolve_request(request)
            match.func = choose(match.func)
            return match

    handler = Handler()
    handler.load_middleware(is_async=False)
    return handler.get_response


def asgi_handler(choose: Callable[[View | None], View]) -> Any:
    """Return Django's ASGI application, with another view in the place of each that a request gets.

    ``ASGIHandler``, and ``BaseHandler.resolve_request``, which finds a request's view when the middleware has decided
    on language and URLconf.

    Args:
        choose: Takes the view that a request got, None where no URL matches, and returns the one to call.
    """

    class Handler(asgi.ASGIHandler):
        def resolve_request(self, request: HttpRequest) -> ResolverMatch:
            try:
                match = super().resolve_request(request)
            except Resolver404:
                match = request.resolver_match = ResolverMatch(choose(None), (), {})
            else:
                match.func = choose(match.func)
            return match

    return Handler()


def asgi_request(scope: Scope) -> HttpRequest:
    """Return the request that Django makes of an ASGI scope, without a body: ``ASGIRequest``."""
    return asgi.ASGIRequest(scope, io.BytesIO())


def script_prefix(scope: Scope) -> str:
    """Return the path under which the site is mounted, as Django's ASGI handler sees it: ``get_script_prefix``."""
    return asgi.get_script_prefix(scope)


def reload_at_changes(run: Callable[[], None]) -> None:
    """Call `run` in a thread, in a process that begins anew whenever a file changes: ``run_with_reloader``."""
    run_with_reloader(run)


def csrf_middleware(reject: Callable[[], HttpResponse]) -> type[CsrfViewMiddleware]:
    """Return Django's CSRF check with an answer of ours: ``CsrfViewMiddleware._reject``."""

    class Check(CsrfViewMiddleware):
        def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
            return reject()

    return Check


def origin_verified(scope: Scope) -> bool:
    """Return whether the ``Origin`` of a WebSocket's handshake is one from which Django would take a POST.

    ``CsrfViewMiddleware._origin_verified``: the scheme, host and port of the request itself, or one of
    ``CSRF_TRUSTED_ORIGINS``; behind a proxy as ``SECURE_PROXY_SSL_HEADER`` and ``USE_X_FORWARDED_HOST`` say. Without
    the header, with one that is no origin (``null``), or for a host that is not one of ``ALLOWED_HOSTS``, it is none.
    """
    scheme = {"wss": "https", "ws": "http"}.get(scope.get("scheme", "ws"), "http")
    request = asgi_request({**scope, "type": "http", "method": "GET", "scheme": scheme})
    try:
        request.get_host()
    except DisallowedHost:
        return False
    if "HTTP_ORIGIN" not in request.META:
        return False
    check: Any = CsrfViewMiddleware(lambda _request: HttpResponse())  # what is used is missing from the stubs
    return bool(check._origin_verified(request))


# Sessions


def has_loaded(session: Any) -> bool:
    """Return whether what a session holds has been read: ``_session_cache``."""
    return hasattr(session, "_session_cache")


def set_loaded(session: Any, data: dict[str, Any]) -> None:
    """Give a session what it holds, as its first use does: ``_session_cache``."""
    session._session_cache = data


def has_user(request: HttpRequest) -> bool:
    """Return whether the user of a request has been read: ``_cached_user``."""
    return hasattr(request, "_cached_user")


def is_djangos_user(request: HttpRequest) -> bool:
    """Return whether ``request.user`` is that of ``AuthenticationMiddleware``, not read yet: ``_setupfunc``."""
    setup = getattr(vars(request).get("user"), "__dict__", {}).get("_setupfunc")
    return getattr(setup, "__module__", "") == AuthenticationMiddleware.__module__


def set_user(request: HttpRequest, user: Any) -> None:
    """Give a request the user whom ``AuthenticationMiddleware`` would read: ``_cached_user``."""
    request._cached_user = user  # type: ignore[attr-defined]


# Connections to the database


def keep_connection(connection: BaseDatabaseWrapper, seconds: float) -> None:
    """Let an open connection that Django would close after the request live on, checked for health before each use.

    ``close_at`` and ``health_check_enabled``, which ``close_if_unusable_or_obsolete`` reads. One of a pool goes back to
    it, where others wait for it and getting it again costs nothing.
    """
    if connection.settings_dict["OPTIONS"].get("pool"):
        return
    if connection.settings_dict["CONN_MAX_AGE"] == 0 and connection.connection is not None:
        connection.close_at = time.monotonic() + seconds
        connection.health_check_enabled = True  # type: ignore[attr-defined]  # missing from the stubs


def in_transaction(alias: str) -> bool:
    """Return whether this thread is in a transaction of a database: ``in_atomic_block``."""
    return connections[alias].in_atomic_block


def is_connected(alias: str) -> bool:
    """Return whether this thread has a connection to a database: ``BaseDatabaseWrapper.connection``."""
    return connections[alias].connection is not None


def in_test_transaction(alias: str) -> bool:
    """Return whether this thread is in a test's transaction, which is never committed, and in no other.

    ``atomic_blocks``, and ``Atomic._from_testcase``.
    """
    blocks: list[Any] = list(connections[alias].atomic_blocks)
    return bool(blocks) and all(block._from_testcase for block in blocks)


def connection_parameters(alias: str) -> dict[str, Any]:
    """Return how Django connects to a PostgreSQL database, as psycopg takes it: ``get_connection_params``."""
    parameters: dict[str, Any] = connections[alias].get_connection_params()
    for name in ("cursor_factory", "context"):  # of Django's own connections
        parameters.pop(name, None)
    return parameters


@contextmanager
def read_committed(alias: str, *, surely: bool) -> Iterator[None]:
    """Let the transactions that begin in the context run at READ COMMITTED, on PostgreSQL and on MySQL.

    ``BaseDatabaseWrapper.connection``, which is the driver's own; ``psycopg_any.IsolationLevel``; and of MySQL's
    ``DatabaseWrapper`` the attribute ``isolation_level``.

    Args:
        alias: The database.
        surely: Set the level even where the settings ask for no other: the database's own default may be another.
    """
    wrapper: Any = connections[alias]
    wrapper.ensure_connection()
    driver = wrapper.connection
    if wrapper.vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        level = IsolationLevel.READ_COMMITTED
        asked = wrapper.settings_dict["OPTIONS"].get("isolation_level")
        if not surely and (asked is None or asked == level):
            yield
            return
        before, driver.isolation_level = driver.isolation_level, level
        try:
            yield
        finally:
            if wrapper.connection is driver and not driver.closed:
                driver.isolation_level = before
    elif wrapper.vendor == "mysql" and wrapper.isolation_level not in (None, "read committed"):
        _set_level(wrapper, "read committed")
        try:
            yield
        finally:
            if wrapper.connection is driver:
                _set_level(wrapper, wrapper.isolation_level)
    else:
        yield


def _set_level(wrapper: Any, level: str) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level.upper()}")


# Statements


def compile_select(rows: QuerySet[Any], alias: str) -> tuple[str, Sequence[Any], Converters]:
    """Return a query's text, its parameters, and what makes Python values of its columns, by their place.

    ``Query.get_compiler``, ``SQLCompiler.as_sql``, ``.select`` and ``.get_converters``.
    """
    compiler = rows.using(alias).query.get_compiler(alias)
    sql, parameters = compiler.as_sql()
    return sql, parameters, _converters(compiler, (column for column, *_rest in compiler.select))


def array_type(field: Field[Any, Any], connection: Any) -> str:
    """Return PostgreSQL's type of an array of a field's values: ``Field.rel_db_type``, for a key need not count up."""
    kind = field.db_type(connection) if field.remote_field else field.rel_db_type(connection)
    return f"{kind}[]"


def can_return_changed(alias: str) -> bool:
    """Return whether a database answers an ``UPDATE`` with columns of the changed rows; Django asks none to."""
    connection = connections[alias]
    return connection.vendor in ("postgresql", "sqlite") and connection.features.can_return_columns_from_insert


def compile_update(
    rows: QuerySet[Any], changes: Mapping[str, Any], alias: str, returned: Sequence[str] = ()
) -> tuple[str, Sequence[Any], Converters]:
    """Return the text and the parameters of ``rows.update(**changes)``, and what makes Python values of its answer.

    ``Query.chain(UpdateQuery)``, ``UpdateQuery.add_update_values``, ``Options.get_field``, ``Field.get_col`` and
    ``SQLCompiler.get_converters``.

    Args:
        rows: The rows of a table.
        changes: The new values.
        alias: The database.
        returned: The columns that are returned of each row, where `can_return_changed` says so.
    """
    query = cast("UpdateQuery", rows.query.chain(UpdateQuery))
    query.add_update_values(dict(changes))
    compiler: Any = query.get_compiler(alias)
    sql, parameters = compiler.as_sql()
    if not returned:
        return sql, parameters, {}
    meta: Any = rows.model._meta
    fields = [meta.pk if name == "pk" else meta.get_field(name.removesuffix("_id")) for name in returned]
    names = ", ".join(compiler.connection.ops.quote_name(field.column) for field in fields)
    converters = _converters(compiler, (field.get_col(meta.db_table) for field in fields))
    return f"{sql} RETURNING {names}", parameters, converters


def _converters(compiler: Any, columns: Iterable[Any]) -> Converters:
    found = compiler.get_converters(list(columns))
    return {place: ([*map(_loose, functions)], column) for place, (functions, column) in found.items()}


def compile_insert(
    row: Model, alias: str, *, ignore_conflicts: bool, arrays: Collection[str] = ()
) -> tuple[str, Sequence[Field[Any, Any]], bool]:
    """Return the text of the ``INSERT`` of a row, the field of each parameter, and whether it returns the primary key.

    ``InsertQuery`` and its compiler's ``as_sql`` and ``returning_fields``; of the database's operations
    ``insert_statement`` and ``on_conflict_suffix_sql``.

    Args:
        row: A row of the model, with an automatic primary key that the database gives.
        alias: The database.
        ignore_conflicts: Whether a row that is there already is left as it is; then nothing is returned.
        arrays: The fields whose parameters are arrays, for the values of which there are rows: on PostgreSQL.
    """
    meta = type(row)._meta
    fields = [field for field in meta.concrete_fields if field is not meta.pk]
    conflict = OnConflict.IGNORE if ignore_conflicts else None
    query = InsertQuery(type(row), on_conflict=conflict)
    query.insert_values(fields, [row])
    compiler: Any = query.get_compiler(alias)
    connection = compiler.connection
    returns = not ignore_conflicts and not arrays and connection.features.can_return_columns_from_insert
    compiler.returning_fields = [meta.pk] if returns else None
    [(sql, parameters)] = compiler.as_sql()
    if len(parameters) != len(fields):
        raise NotImplementedError(f"{meta.label} has columns whose values are no plain parameters.")
    if arrays:
        quote = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in fields)
        values = (f"unnest(%s::{array_type(field, connection)})" if field.name in arrays else "%s" for field in fields)
        start = f"{connection.ops.insert_statement(on_conflict=conflict)} {quote(meta.db_table)} ({columns})"
        end = connection.ops.on_conflict_suffix_sql(fields, conflict, [], [])
        sql = f"{start} SELECT {', '.join(values)} {end}"
    return sql, fields, returns


def inserted_key(cursor: Any, row: Model, alias: str, *, returned: bool) -> Any:
    """Return the primary key that the database gave to the row of the last ``INSERT``: ``last_insert_id``."""
    if returned:
        return cursor.fetchone()[0]
    meta: Any = type(row)._meta
    return connections[alias].ops.last_insert_id(cursor, meta.db_table, meta.pk.column)


def insert_like(
    row: Model, given: Mapping[str, tuple[str, Sequence[Any]]], source: str, parameters: Sequence[Any], alias: str
) -> int:
    """Insert rows like one, but for some columns, which come of a query; those that are there stay as they are.

    ``insert_statement`` and ``on_conflict_suffix_sql`` of the database's operations.

    Args:
        row: What the rows have in common; its primary key is automatic.
        given: By attribute, SQL and its parameters for what differs.
        source: The query from its ``FROM`` on.
        parameters: Those of `source`.
        alias: The database.

    Returns:
        How many were inserted.
    """
    connection = connections[alias]
    operations, quote = connection.ops, connection.ops.quote_name
    meta = type(row)._meta
    fields = [field for field in meta.concrete_fields if field is not meta.pk]
    values: list[str] = []
    constants: list[Any] = []
    for field in fields:
        value = getattr(row, field.attname)
        stored = None if value is None else field.get_db_prep_save(value, connection)
        sql, needed = given.get(field.attname, ("%s", [stored]))
        values.append(sql)
        constants += needed
    columns = ", ".join(quote(str(field.column)) for field in fields)
    ignore = OnConflict.IGNORE
    start = f"{operations.insert_statement(on_conflict=ignore)} {quote(meta.db_table)} ({columns})"
    end = operations.on_conflict_suffix_sql(fields, ignore, [], [])
    with connection.cursor() as cursor:
        cursor.execute(f"{start} SELECT {', '.join(values)} {source} {end}", [*constants, *parameters])
        inserted: int = cursor.rowcount
    return inserted


def set_stored(row: Model, alias: str) -> None:
    """Let a row be one that is in a database, as ``save`` does: ``_state.db``."""
    row._state.adding = False
    row._state.db = alias


def key_reader(model: type[Model]) -> Callable[[Any], Any]:
    """Return what makes a primary key of a model of its text: of one that refers to others, that of the last."""
    field: Any = model._meta.pk
    while field.remote_field:
        field = field.target_field
    read: Callable[[Any], Any] = field.to_python
    return read


def takes_integers(field: Field[Any, Any]) -> bool:
    """Return whether the database takes an integer for a field as it is: ``get_db_prep_value`` is Django's own."""
    if isinstance(field, ForeignKey):
        field = field.target_field
    return type(field) in (AutoField, BigAutoField, IntegerField, BigIntegerField)


def _loose(converter: Any) -> Callable[..., Any]:
    """Return a converter that keeps no connection: the compiling thread's would stay open after its end."""
    if not isinstance(getattr(converter, "__self__", None), BaseDatabaseOperations):
        return cast("Callable[..., Any]", converter)
    convert = converter.__func__
    return lambda value, column, connection: convert(connection.ops, value, column, connection)


# Databases


def watching_connection(alias: str) -> Any:
    """Open a connection of its own to an SQLite database, as ``sqlite3`` knows it, which any thread may use.

    ``get_new_connection`` with ``get_connection_params``, which both are of Django's own backend.
    """
    wrapper = connections.create_connection(alias)
    return wrapper.get_new_connection(wrapper.get_connection_params())


# Rows


def delete_unread(rows: QuerySet[Any]) -> int:
    """Delete rows in one statement, without reading them first and without what hangs on them; return how many."""
    deleted: int = rows._raw_delete(rows.db)
    return deleted


def column_names(model: type[Model]) -> list[str]:
    """Return the names under which a row keeps its columns, as ``from_db`` takes them: ``concrete_fields``."""
    return [field.attname for field in model._meta.concrete_fields]


def set_related(row: Model, field: Field[Any, Any], value: Model | None) -> None:
    """Give a row the object that a foreign key refers to, as ``select_related`` does: ``set_cached_value``."""
    field.set_cached_value(row, value)  # type: ignore[attr-defined]  # of ForeignKey, by a mixin
