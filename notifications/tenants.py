"""Tenants: sites that share processes and a database server, and hear nothing of each other.

A project says in ``NOTIFICATIONS_TENANT`` how its tenants are told apart. Without the setting there is one, whose name
is empty, and nothing here costs anything. For the schemas of django-tenants::

    NOTIFICATIONS_TENANT = "notifications.tenants.Schemas"

Another way of telling them apart is a class of the project's own, derived from `Tenants`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache, partial
from time import monotonic
from typing import Any, Generic, ParamSpec, TypeVar
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import connections
from django.http import Http404, HttpRequest
from django.urls import set_urlconf
from django.utils.module_loading import import_string

from .conf import conf

__all__ = ["Schemas", "Tenants"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

DOMAIN_KNOWN = 60.0  # seconds
SCHEMA_BACKEND = "django_tenants.postgresql_backend"


class Tenants:
    """How a project's tenants are told apart: the base of the class that ``NOTIFICATIONS_TENANT`` names.

    One object serves the process; its methods are called in any thread. A tenant's name is any text that is not empty,
    and the same in every process. While a tenant is active, every query of this thread reads and writes its rows alone.

    `one_database` says that all tenants are in one database: then processes may hear each other through it.
    """

    one_database = False

    def current(self) -> str:
        """Return the name of the tenant that is active in this thread; it must not need a query."""
        raise NotImplementedError

    def activate(self, name: str) -> AbstractContextManager[object]:
        """Return a context in which a tenant is active in this thread; it ends with the one before."""
        raise NotImplementedError

    def names(self) -> Iterable[str]:
        """Return the names of all tenants that have Carillon's tables, for the work that no request begins."""
        raise NotImplementedError

    def of_request(self, request: HttpRequest) -> str:
        """Return the name of the tenant whose WebSocket is being opened, as the site's middleware finds it of a page.

        Raises:
            LookupError: It is no tenant's.
        """
        raise NotImplementedError

    def base_url(self, name: str) -> str:
        """Return the address at which a tenant's pages are, ``https://a.example.com``, for links in messages."""
        return conf.BASE_URL

    def check(self) -> Iterable[CheckMessage]:
        """Return what the system checks are to say of the project's settings."""
        return ()


class Schemas(Tenants):
    """The schemas of django-tenants, on PostgreSQL: a tenant's name is its ``schema_name``."""

    one_database = True

    def __init__(self) -> None:
        """Know no domain yet."""
        self._domains: dict[str, tuple[str, float]] = {}  # by tenant, and until when that is believed

    def current(self) -> str:
        """Return the schema that the thread's connection is set to."""
        return str(connections[self._alias].schema_name)  # type: ignore[attr-defined]  # of the package's backend

    def activate(self, name: str) -> AbstractContextManager[object]:
        """Set the thread's connection to a schema."""
        from django_tenants.utils import schema_context

        context: AbstractContextManager[object] = schema_context(name)
        return context

    def names(self) -> Iterable[str]:
        """Return the schemas of the public tenant and of all others, but for those without Carillon's tables."""
        from django_tenants.utils import get_public_schema_name, get_tenant_model

        public = get_public_schema_name()
        table = apps.get_model("carillon", "Inbox")._meta.db_table
        with self.activate(public), connections[self._alias].cursor() as cursor:
            cursor.execute("SELECT schemaname FROM pg_tables WHERE tablename = %s", [table])
            made = {name for (name,) in cursor.fetchall()}
            rows = get_tenant_model()._default_manager.order_by("schema_name")
            names = [public, *rows.exclude(schema_name=public).values_list("schema_name", flat=True)]
        return [name for name in names if name in made]

    def of_request(self, request: HttpRequest) -> str:
        """Ask the project's own ``TenantMainMiddleware``, or what is derived from it.

        Raises:
            LookupError: It finds no tenant.
        """
        middleware = _tenant_middleware()(lambda _request: None)
        try:
            refusal = middleware.process_request(request)
        except Http404 as unknown:
            raise LookupError(str(unknown)) from unknown
        finally:
            set_urlconf(None)
        if refusal is not None:
            raise LookupError("The project's middleware refuses the request.")
        return self.current()

    def base_url(self, name: str) -> str:
        """Return ``NOTIFICATIONS_BASE_URL`` with the tenant's primary domain in the place of its host."""
        from django_tenants.utils import get_public_schema_name

        base = urlsplit(conf.BASE_URL)
        domain = self._domain(name) if base.scheme and name != get_public_schema_name() else ""
        if not domain:
            return conf.BASE_URL
        port = f":{base.port}" if base.port else ""
        return base._replace(netloc=f"{domain}{port}").geturl()

    def _domain(self, name: str) -> str:
        """Return a tenant's primary domain, which is read once a minute: a digest has a hundred links."""
        from django_tenants.utils import get_tenant_domain_model

        domain, until = self._domains.get(name, ("", 0.0))
        if until < monotonic():
            found = get_tenant_domain_model()._default_manager.filter(tenant__schema_name=name, is_primary=True)
            domain = str(found.values_list("domain", flat=True).first() or "")
            self._domains[name] = domain, monotonic() + DOMAIN_KNOWN
        return domain

    def check(self) -> Iterable[CheckMessage]:
        """Return what is missing to keep the schemas apart."""
        if not apps.is_installed("django_tenants"):
            hint = "Add django_tenants to INSTALLED_APPS, or remove the setting: without it a site has one tenant."
            yield Error("NOTIFICATIONS_TENANT names the schemas of django-tenants.", hint=hint, id="carillon.E026")
            return
        engine = settings.DATABASES.get(self._alias, {}).get("ENGINE", "")
        if not hasattr(connections[self._alias], "schema_name"):
            yield Error(
                f"Tenants are schemas of PostgreSQL, and the database {self._alias!r} is one of {engine!r}.",
                hint=f'Set DATABASES["{self._alias}"]["ENGINE"] to "{SCHEMA_BACKEND}".',
                id="carillon.E023",
            )
        if not _installed(getattr(settings, "TENANT_APPS", ())):
            yield Error(
                "Carillon's tables are shared: a notification of one tenant would be one of all.",
                hint='Add "notifications" to TENANT_APPS; in SHARED_APPS it is needed for bells in the public schema.',
                id="carillon.E024",
            )
        try:
            _tenant_middleware()
        except ImproperlyConfigured as problem:
            hint = "Add django_tenants.middleware.main.TenantMainMiddleware, or your own that is derived from it."
            yield Error(str(problem), hint=hint, id="carillon.E025")

    @property
    def _alias(self) -> str:
        from django_tenants.utils import get_tenant_database_alias

        return str(get_tenant_database_alias())


def _installed(names: Iterable[str]) -> bool:
    return any(name.partition(".")[0] == "notifications" for name in names)


def _tenant_middleware() -> Any:
    from django_tenants.middleware.main import TenantMainMiddleware

    for path in settings.MIDDLEWARE:
        middleware = import_string(path)
        if isinstance(middleware, type) and issubclass(middleware, TenantMainMiddleware):
            return middleware
    raise ImproperlyConfigured("No middleware of MIDDLEWARE finds the tenant of a request.")


# What the rest of the package asks


@cache  # asked many times for each notification; a setting that is missing takes ten microseconds to miss
def hook() -> Tenants | None:
    """Return what tells the project's tenants apart; None where there is one.

    Raises:
        ImproperlyConfigured: The setting names nothing that could.
    """
    if not (path := conf.TENANT):
        return None
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"NOTIFICATIONS_TENANT cannot be imported: {error}") from error
    made = found() if isinstance(found, type) else found
    if not isinstance(made, Tenants):
        raise ImproperlyConfigured(f"NOTIFICATIONS_TENANT must name a subclass of Tenants, not {path}.")
    return made


def _forget_hook(*, setting: str, **kwargs: object) -> None:
    if setting == "NOTIFICATIONS_TENANT":
        hook.cache_clear()


setting_changed.connect(_forget_hook, dispatch_uid="carillon.forget_tenants")  # by tests

_speaking: ContextVar[str | None] = ContextVar("tenant", default=None)


def current() -> str:
    """Return the name of the tenant for which this thread works; empty where there is one."""
    tenants = hook()
    if tenants is None:
        return ""
    return tenants.current() if (speaking := _speaking.get()) is None else speaking


@contextmanager
def speaking_for(name: str) -> Iterator[None]:
    """Do something for a tenant that needs no database, on an event loop or in a thread of no tenant's."""
    token = _speaking.set(name or None)
    try:
        yield
    finally:
        _speaking.reset(token)


def activate(name: str) -> AbstractContextManager[object]:
    """Return a context in which this thread works for a tenant."""
    tenants = hook()
    return nullcontext() if tenants is None or not name else tenants.activate(name)


def run(name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function for a tenant."""
    with activate(name):
        return function(*args, **kwargs)


def names() -> list[str]:
    """Return the names of all tenants; it may need a query."""
    tenants = hook()
    return [""] if tenants is None else list(tenants.names())


def bound(function: Callable[[], R]) -> Callable[[], R]:
    """Return a function that works for the tenant that is active now, whenever it is called."""
    name = current()
    return partial(_run_later, name, function) if name else function


def _run_later(name: str, function: Callable[[], R]) -> R:
    return function() if current() == name else run(name, function)


def salted(text: str) -> str:
    """Return a text that is another one for each tenant: what is signed for one is worth nothing to another."""
    name = current()
    return f"{text}\n{name}" if name else text


def base_url() -> str:
    """Return the address at which the pages of the active tenant are, or an empty text."""
    tenants = hook()
    return conf.BASE_URL if tenants is None else tenants.base_url(tenants.current()).rstrip("/")


class PerTenant(Generic[T]):
    """Something that a process keeps for each of its tenants."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Prepare to make one for each tenant that is active when it is asked for."""
        self._make = make
        self._kept: dict[str, T] = {}

    def __call__(self) -> T:
        """Return what belongs to the active tenant."""
        name = current()
        found = self._kept.get(name)
        return self._kept.setdefault(name, self._make()) if found is None else found
