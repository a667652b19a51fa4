"""What Django does not document does what Carillon needs of it, in the version that is installed."""

from __future__ import annotations

import ast
import asyncio
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from channels.testing import ApplicationCommunicator
from django.contrib.admin.utils import NestedObjects
from django.contrib.auth.models import Group
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db import connection as default_connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.decorators import decorator_from_middleware

from notifications.live import django_internals
from notifications.models import Notice, Notification
from notifications.models import django_internals as model_internals

from .factories import make_user

connection: Any = default_connection  # what is tested here is missing from the stubs

ROOT = Path(__file__).parent.parent

# Modules of Django that are not documented, and attributes that nothing documented has.
HIDDEN_MODULES = ("django.core.handlers", "django.db.models.sql", "django.db.backends", "django.utils.autoreload")
HIDDEN_ATTRIBUTES = {
    "_cached_user", "_db", "_from_testcase", "_origin_verified", "_raw_delete", "_session_cache", "add_update_values",
    "as_sql", "atomic_blocks", "can_fast_delete", "chain", "close_at", "concrete_fields", "fast_deletes",
    "get_compiler", "get_connection_params", "get_converters", "health_check_enabled", "in_atomic_block",
    "load_middleware", "set_cached_value",
}  # fmt: skip


def scope(**more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], **more}


HANDSHAKES = {
    "the page's own": ("ws", "site.example", "http://site.example", True),
    "the page's own, with TLS": ("wss", "site.example", "https://site.example", True),
    "the page's own, with a port": ("ws", "site.example:8000", "http://site.example:8000", True),
    "another port": ("ws", "site.example:8000", "http://site.example:9000", False),
    "no port": ("ws", "site.example:8000", "http://site.example", False),
    "another scheme": ("wss", "site.example", "http://site.example", False),
    "another site": ("wss", "site.example", "https://evil.example", False),
    "a site whose name begins alike": ("wss", "site.example", "https://site.example.evil.example", False),
    "a host that is not of this site": ("wss", "other.test", "https://other.test", False),
    "null": ("wss", "site.example", "null", False),
    "none": ("wss", "site.example", None, False),
    "a trusted one": ("wss", "site.example", "https://app.example", True),
    "a trusted one by another scheme": ("wss", "site.example", "http://app.example", False),
    "a trusted subdomain": ("wss", "site.example", "https://a.trusted.example", True),
}


@pytest.mark.parametrize(("scheme", "host", "origin", "taken"), HANDSHAKES.values(), ids=HANDSHAKES)
def test_a_handshake_is_taken_from_where_a_post_would_be(
    scheme: str, host: str, origin: str | None, taken: bool
) -> None:
    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    handshake = {"type": "websocket", "scheme": scheme, "path": "/", "query_string": b"", "headers": headers}
    trusted = ["https://app.example", "https://*.trusted.example"]
    with override_settings(ALLOWED_HOSTS=[".example"], CSRF_TRUSTED_ORIGINS=trusted):
        assert django_internals.origin_verified(handshake) is taken
    if host != "other.test":
        with override_settings(ALLOWED_HOSTS=["*"], CSRF_TRUSTED_ORIGINS=trusted):
            assert django_internals.origin_verified(handshake) is taken


def test_behind_a_proxy_that_ends_tls_the_header_of_the_settings_says_so() -> None:
    headers = [(b"host", b"site.example"), (b"origin", b"https://site.example"), (b"x-forwarded-proto", b"https")]
    handshake = {"type": "websocket", "path": "/", "query_string": b"", "headers": headers}
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert not django_internals.origin_verified(handshake)
        with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
            assert django_internals.origin_verified(handshake)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notifications").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_only_one_module_touches_what_django_does_not_document(path: Path) -> None:
    if path.stem == "django_internals":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert not node.module.startswith(HIDDEN_MODULES), f"{path}:{node.lineno} imports {node.module}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in HIDDEN_ATTRIBUTES, f"{path}:{node.lineno} uses .{node.attr}"


def test_the_verified_versions_are_those_that_the_package_names() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    prefix = "Framework :: Django :: "
    named = tuple(one.removeprefix(prefix) for one in classifiers if one.startswith(prefix))
    assert named == django_internals.VERIFIED


@override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"], ROOT_URLCONF="tests.urls")
def test_sync_handler_runs_the_projects_middleware_and_view() -> None:
    respond = django_internals.sync_handler(lambda view: view)
    response = respond(django_internals.asgi_request(scope(path="/no-such-page", headers=[(b"host", b"testserver")])))
    assert response.status_code == 404


@override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"], ROOT_URLCONF="tests.urls")
def test_sync_handler_calls_the_view_that_is_chosen() -> None:
    found: list[str] = []

    def choose(view: Any) -> Any:
        found.append(view.__name__)
        return lambda request: HttpResponse("chosen")

    respond = django_internals.sync_handler(choose)
    response = respond(django_internals.asgi_request(scope(path="/notifications/", headers=[(b"host", b"testserver")])))
    assert isinstance(response, HttpResponse)
    assert (found, response.content) == (["inbox"], b"chosen")


@override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"], ROOT_URLCONF="tests.urls")
@pytest.mark.parametrize(("path", "found"), [("/notifications/", ["inbox"]), ("/no-such-page", [None])])
def test_asgi_handler_calls_the_view_that_is_chosen(path: str, found: list[str | None]) -> None:
    asked: list[str | None] = []

    def choose(view: Any) -> Any:
        asked.append(view and view.__name__)
        return lambda request: HttpResponse("chosen")

    async def answer() -> dict[str, Any]:
        handler = django_internals.asgi_handler(choose)
        one = ApplicationCommunicator(handler, scope(path=path, headers=[(b"host", b"testserver")]))
        await one.send_input({"type": "http.request", "body": b""})
        await one.receive_output(10)
        body: dict[str, Any] = await one.receive_output(10)
        await one.wait()
        return body

    assert (asyncio.run(answer())["body"], asked) == (b"chosen", found)


def test_asgi_request_reads_the_scope() -> None:
    headers = [(b"cookie", b"a=1"), (b"carillon-user", b"x")]
    request = django_internals.asgi_request(scope(path="/p/", query_string=b"since=4", headers=headers, extra=[1]))
    assert (request.path, request.GET["since"], request.COOKIES["a"]) == ("/p/", "4", "1")
    assert request.headers["Carillon-User"] == "x"
    assert request.scope["extra"] == [1]  # type: ignore[attr-defined]


def test_script_prefix_is_the_servers_unless_a_setting_names_one() -> None:
    assert django_internals.script_prefix(scope(root_path="/site")) == "/site"
    assert django_internals.script_prefix(scope()) == ""
    with override_settings(FORCE_SCRIPT_NAME="/forced"):
        assert django_internals.script_prefix(scope(root_path="/site")) == "/forced"


def test_csrf_middleware_answers_as_it_is_told() -> None:
    check = django_internals.csrf_middleware(lambda: HttpResponse("no", status=418))
    view = decorator_from_middleware(check)(lambda request: HttpResponse("yes"))
    assert view(RequestFactory(enforce_csrf_checks=True).post("/")).status_code == 418
    assert view(RequestFactory().get("/")).status_code == 200


@pytest.mark.django_db
def test_a_kept_connection_outlives_the_request_and_is_checked() -> None:
    connection.ensure_connection()
    with connection.cursor():
        pass
    before = connection.close_at, connection.health_check_enabled, connection.settings_dict["CONN_MAX_AGE"]
    try:
        connection.settings_dict["CONN_MAX_AGE"] = 0
        connection.close_at = time.monotonic()  # as Django does at the start of a request with that setting
        django_internals.keep_connection(connection, 60.0)
        assert connection.close_at > time.monotonic() + 50
        connection.health_check_done = True
        connection.close_if_unusable_or_obsolete()
        assert connection.connection is not None
        assert not connection.health_check_done  # the next use looks whether the connection still works
    finally:
        connection.close_at, connection.health_check_enabled, connection.settings_dict["CONN_MAX_AGE"] = before


@pytest.mark.django_db(transaction=True)
def test_in_transaction_says_whether_a_block_is_open() -> None:
    assert not django_internals.in_transaction(DEFAULT_DB_ALIAS)
    with transaction.atomic():
        assert django_internals.in_transaction(DEFAULT_DB_ALIAS)


@pytest.mark.django_db
def test_the_transaction_of_a_test_case_is_told_from_others() -> None:
    assert django_internals.in_test_transaction(DEFAULT_DB_ALIAS)
    with transaction.atomic():
        assert not django_internals.in_test_transaction(DEFAULT_DB_ALIAS)


@pytest.mark.django_db(transaction=True)
def test_outside_of_one_there_is_none() -> None:
    assert not django_internals.in_test_transaction(DEFAULT_DB_ALIAS)


@pytest.mark.django_db(transaction=True)
def test_a_thread_has_a_connection_or_not() -> None:
    for connects in (True, False):
        (connection.ensure_connection if connects else connection.close)()
        assert django_internals.is_connected(DEFAULT_DB_ALIAS) is connects


def test_how_django_connects_is_what_psycopg_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.backends.postgresql.base import DatabaseWrapper
    from psycopg.conninfo import make_conninfo

    options = {"sslmode": "require", "pool": True, "assume_role": "site"}
    database = {"NAME": "site", "USER": "carillon", "PASSWORD": "", "HOST": "db", "PORT": "5433", "OPTIONS": options}
    wrapper = DatabaseWrapper({**connection.settings_dict, **database, "TIME_ZONE": None})
    monkeypatch.setattr(django_internals, "connections", {"primary": wrapper})
    parameters = django_internals.connection_parameters("primary")
    assert parameters.pop("prepare_threshold") is None  # of psycopg itself
    assert make_conninfo(**parameters) == (
        "dbname=site sslmode=require client_encoding=UTF8 user=carillon host=db port=5433"
    )


@pytest.mark.django_db
def test_a_compiled_query_returns_what_the_query_does() -> None:
    notice = Notice.objects.create(title="Hello", data={"a": [1]})
    rows = Notice.objects.filter(pk=notice.pk).values_list("title", "data", "created_at")
    sql, parameters, converters = django_internals.compile_select(rows, DEFAULT_DB_ALIAS)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        values = list(cursor.fetchone())
    for place, (functions, expression) in converters.items():
        for function in functions:
            values[place] = function(values[place], expression, connection)
    assert tuple(values) == rows.get()


def test_a_compiled_query_keeps_no_connection() -> None:
    _sql, _parameters, converters = django_internals.compile_select(
        Notice.objects.values_list("created_at"), DEFAULT_DB_ALIAS
    )
    functions = [function for found, _expression in converters.values() for function in found]
    assert not [function for function in functions if hasattr(getattr(function, "__self__", None), "connection")]


@pytest.mark.django_db
def test_a_compiled_update_changes_the_rows() -> None:
    group = Group.objects.create(name="a")
    other = Group.objects.create(name="b")
    sql, parameters, _converters = django_internals.compile_update(
        Group.objects.filter(pk=group.pk), {"name": Concat("name", Value("!"))}, DEFAULT_DB_ALIAS
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    group.refresh_from_db()
    other.refresh_from_db()
    assert (group.name, other.name) == ("a!", "b")


@pytest.mark.django_db
def test_a_compiled_update_returns_what_the_rows_have_become_where_the_database_does() -> None:
    if not django_internals.can_return_changed(DEFAULT_DB_ALIAS):
        pytest.skip("This database returns nothing.")
    group = Group.objects.create(name="a")
    sql, parameters, converters = django_internals.compile_update(
        Group.objects.filter(pk=group.pk), {"name": Concat("name", Value("!"))}, DEFAULT_DB_ALIAS, ["pk", "name"]
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        assert (cursor.fetchall(), dict(converters)) == ([(group.pk, "a!")], {})


@pytest.mark.django_db
def test_a_compiled_insert_stores_the_row_and_finds_its_key() -> None:
    group = Group(name="a")
    sql, fields, returned = django_internals.compile_insert(group, DEFAULT_DB_ALIAS, ignore_conflicts=False)
    with connection.cursor() as cursor:
        cursor.execute(sql, [getattr(group, field.attname) for field in fields])
        key = django_internals.inserted_key(cursor, group, DEFAULT_DB_ALIAS, returned=returned)
    assert key == Group.objects.get(name="a").pk


@pytest.mark.django_db
def test_a_compiled_insert_may_leave_what_is_there() -> None:
    group = Group.objects.create(name="a")
    sql, fields, returned = django_internals.compile_insert(group, DEFAULT_DB_ALIAS, ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(sql, [getattr(group, field.attname) for field in fields])
    assert (list(Group.objects.all()), returned) == ([group], False)


def test_a_row_that_is_set_as_stored_is_saved_by_an_update() -> None:
    group = Group(pk=7, name="a")
    django_internals.set_stored(group, DEFAULT_DB_ALIAS)
    assert (group._state.adding, group._state.db) == (False, DEFAULT_DB_ALIAS)


@pytest.mark.django_db
def test_a_row_is_made_of_its_columns_by_name(django_user_model: Any) -> None:
    user = make_user("alice")
    names = django_internals.column_names(django_user_model)
    values = django_user_model.objects.values_list(*names).get(pk=user.pk)
    made = django_user_model.from_db(DEFAULT_DB_ALIAS, names, values)
    assert (made, made.username, made.get_deferred_fields()) == (user, "alice", set())


@pytest.mark.django_db
def test_what_a_row_is_given_as_related_needs_no_query(django_assert_num_queries: Any) -> None:
    notice = Notice(title="Hello")
    row = Notification(notice_id=1)
    django_internals.set_related(row, Notification._meta.get_field("notice"), notice)
    with django_assert_num_queries(0):
        assert row.notice is notice


@pytest.mark.django_db(transaction=True)
def test_read_committed_sets_the_level_of_the_transactions_in_it_and_sets_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if default_connection.vendor == "sqlite":
        with django_internals.read_committed(DEFAULT_DB_ALIAS, surely=True), transaction.atomic():
            assert not Notice.objects.exists()
        return

    postgresql = default_connection.vendor == "postgresql"
    with default_connection.cursor() as cursor:
        cursor.execute(
            f"SET SESSION {'CHARACTERISTICS AS ' if postgresql else ''}TRANSACTION ISOLATION LEVEL SERIALIZABLE"
        )

    monkeypatch.setattr(connection, "isolation_level", "serializable", raising=False)  # as MySQL's settings say it
    old = getattr(connection, "mysql_is_mariadb", False) and connection.mysql_version < (11, 1, 1)

    def level() -> str:
        with transaction.atomic(), default_connection.cursor() as cursor:
            variable = f"SELECT @@{'tx' if old else 'transaction'}_isolation"
            cursor.execute("SHOW transaction_isolation" if postgresql else variable)
            return str(cursor.fetchone()[0]).lower().replace("-", " ")

    try:
        assert level() == "serializable"
        with django_internals.read_committed(DEFAULT_DB_ALIAS, surely=True):
            assert level() == "read committed"
        assert level() == "serializable" or not postgresql  # on MySQL what the settings ask for
    finally:
        default_connection.close()


@pytest.mark.django_db
def test_a_cascade_in_bulk_is_one_statement_and_nothing_that_the_admin_collects() -> None:
    alice = make_user("alice")
    notices = Notice.objects.bulk_create([Notice(title=str(number)) for number in range(3)])
    Notification.objects.bulk_create([Notification(recipient=alice, notice=notice) for notice in notices])
    collector = NestedObjects(DEFAULT_DB_ALIAS, origin=[alice])
    collector.collect([alice])
    assert Notification not in set[Any](collector.model_objs)
    assert Notification.objects.count() == 3
    with CaptureQueriesContext(connection) as queries:
        alice.delete()
    table = Notification._meta.db_table
    assert len([query for query in queries if query["sql"].startswith("DELETE") and table in query["sql"]]) == 1
    assert Notification.objects.count() == 0


def test_what_is_changed_is_changed_in_the_database_that_was_named() -> None:
    assert model_internals.write_database(Notice.objects.using("elsewhere")) == "elsewhere"
    assert model_internals.write_database(Notice.objects.all()) == DEFAULT_DB_ALIAS


@pytest.mark.django_db
def test_rows_are_deleted_in_one_statement_whatever_hangs_on_them() -> None:
    for name in ("one", "two", "three"):
        Group.objects.create(name=name)
    with CaptureQueriesContext(default_connection) as queries:
        assert django_internals.delete_unread(Group.objects.exclude(name="two")) == 2
    assert len(queries) == 1
    assert list(Group.objects.values_list("name", flat=True)) == ["two"]
