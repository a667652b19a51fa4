"""System checks: report what works in development and fails silently in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

from django.apps import AppConfig
from django.apps import apps as django_apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.utils.module_loading import import_string

from .conf import POSITIVE, conf
from .inbox.actors import signs_in_by_address
from .live import channel_layer, postgresql
from .models import Inbox
from .tenants import hook

DISTRIBUTION = "django-carillon"
POOL_SIZE = 4  # connections of psycopg's pool, unless told otherwise
POOLER_PORTS = {"6432", "6543"}  # pgbouncer's, and Supabase's for transactions
TENANTS = {"django_tenants", "tenant_schemas"}  # packages that change the schema with the request
HOOKS = {"django_tenants": "notifications.tenants.Schemas"}
SCRIPT = "notifications/notifications.js"
DISPLAY_NAME = "NOTIFICATIONS_DISPLAY_NAME"
CAPACITY = 1_000  # messages; below it, a burst of hints is lost in the layer and waits for the next comparison


@register("notifications")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check each ``NOTIFICATIONS_*`` setting: known, of the right type, in range."""
    found: list[CheckMessage] = []
    known = {name for name in dir(type(conf)) if name.isupper()}
    given = {name.removeprefix("NOTIFICATIONS_") for name in dir(settings) if name.startswith("NOTIFICATIONS_")}
    found += [
        Caution(
            f"Unknown setting NOTIFICATIONS_{name}.",
            hint=f"Known settings: {', '.join(f'NOTIFICATIONS_{other}' for other in sorted(known))}.",
            id="carillon.W001",
        )
        for name in sorted(given - known)
    ]
    for name in sorted(given & known):
        try:
            value = getattr(conf, name)
        except (TypeError, ValueError) as error:
            found.append(Error(f"Invalid NOTIFICATIONS_{name}: {error}.", hint=_doc(name), id="carillon.E001"))
            continue
        if name in POSITIVE and value is not None and value <= POSITIVE[name]:
            found.append(
                Error(f"NOTIFICATIONS_{name} must be more than {POSITIVE[name]}.", hint=_doc(name), id="carillon.E002")
            )
    return found


@register("notifications")
def check_time_zones(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that times are aware: frames carry UTC."""
    if settings.USE_TZ:
        return []
    return [Error("Carillon needs time-zone-aware datetimes.", hint="Set USE_TZ = True.", id="carillon.E006")]


@register("notifications")
def check_import_name(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check for another package that installs ``notifications``: one of the two is overwritten."""
    others = set(metadata.packages_distributions().get("notifications", ())) - {DISTRIBUTION}
    return [
        Error(
            f"The package {other} installs `notifications` too; the two overwrite each other's files.",
            hint=f"Uninstall {other}, then reinstall {DISTRIBUTION}. The tables of {other} are kept.",
            id="carillon.E003",
        )
        for other in sorted(others)
    ]


@register("notifications")
def check_channel_layer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the channel layer's configuration for what loses hints in production."""
    return list(_layer_messages(getattr(settings, "CHANNEL_LAYERS", {}).get(conf.CHANNEL_LAYER)))


def _layer_messages(layer: Mapping[str, Any] | None) -> Iterator[CheckMessage]:
    if layer is None:
        if hasattr(settings, "NOTIFICATIONS_CHANNEL_LAYER"):
            yield Error(
                f"NOTIFICATIONS_CHANNEL_LAYER names {conf.CHANNEL_LAYER!r}, which is not in CHANNEL_LAYERS.",
                hint=f"Configured layers: {', '.join(map(repr, getattr(settings, 'CHANNEL_LAYERS', {}))) or 'none'}.",
                id="carillon.E004",
            )
        return
    config = layer.get("CONFIG", {})
    if layer["BACKEND"] == "channels_redis.core.RedisChannelLayer":
        if _redis_version() >= 8 and not all(_waits_for_ever(host) for host in config.get("hosts", [None])):
            yield Caution(
                "redis-py 8 times out an idle receive of RedisChannelLayer after five seconds.",
                hint='Write each host as {"address": "redis://…", "socket_timeout": None} (channels_redis issue 422).',
                id="carillon.W002",
            )
        if config.get("capacity", 100) < CAPACITY:
            yield Caution(
                f"The channel layer holds {config.get('capacity', 100)} messages per process; a burst will lose hints.",
                hint=f'Set "capacity" in CHANNEL_LAYERS["{conf.CHANNEL_LAYER}"]["CONFIG"] to {CAPACITY} or more.',
                id="carillon.W003",
            )


@register("notifications")
def check_listening(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check, without a channel layer, that processes can hear each other through PostgreSQL."""
    alias = postgresql.alias()
    if channel_layer.layer() is not None or conf.LISTEN_URL is None or alias not in connections:
        return []
    if connections[alias].vendor != "postgresql":
        return []
    if not postgresql.can_listen():
        return [
            Caution(
                "Processes do not hear each other: psycopg2 cannot wait for PostgreSQL's notifications.",
                hint="Install psycopg (3), or configure a channel layer; until then each compares once a second.",
                id="carillon.W007",
            )
        ]
    try:
        direct = postgresql.direct_parameters()
    except postgresql.Unreachable as error:
        return [Error(f"{error}.", hint='Write "postgresql://user@host:5432/name".', id="carillon.E007")]
    if direct or not _is_pooled(connections[alias].settings_dict):
        return []
    return [
        Caution(
            f"The database {alias!r} seems to be reached through a pooler, over which no notification can be heard.",
            hint="Set NOTIFICATIONS_LISTEN_URL to the server's own address, or to None to compare once a second.",
            id="carillon.W008",
        )
    ]


def _is_pooled(database: Mapping[str, Any]) -> bool:
    """Return whether settings say what Django asks for before a pooler in transaction mode, or a pooler's port."""
    return bool(database.get("DISABLE_SERVER_SIDE_CURSORS")) or str(database["PORT"]) in POOLER_PORTS


@register("notifications", deploy=True)  # else `migrate` would run the site's asgi.py, and fail when that does
def check_lane(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check, for ``check --deploy``, that the ASGI application is wrapped in the hand-off lane."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        return []
    from .asgi import Handoff

    try:
        import_string(path)
    except Exception as error:  # noqa: BLE001  # whatever the site's own module raises
        message = f"ASGI_APPLICATION ({path}) cannot be imported: {type(error).__name__}: {error}."
        return [Error(message, hint="Import it in `manage.py shell` to see where it fails.", id="carillon.E005")]
    if Handoff.installed:
        return []
    return [
        Caution(
            "Streams are served without the hand-off lane: each one holds a thread and much more memory.",
            hint=f"In {path}, wrap Django's application: notifications.asgi.Handoff(get_asgi_application()).",
            id="carillon.W004",
        )
    ]


@register("notifications")
def check_pool(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that a pool of database connections leaves some for the site's pages."""
    alias = router.db_for_write(Inbox)
    pool = alias in connections and connections[alias].settings_dict["OPTIONS"].get("pool")
    if not pool:
        return []
    sizes = pool if isinstance(pool, Mapping) else {}
    size = sizes.get("max_size") or sizes.get("min_size", POOL_SIZE)
    taken = conf.database_connections()
    if size > taken:
        return []
    return [
        Caution(
            f"The pool of the database {alias!r} has {size} connections; Carillon's threads may take {taken} at once.",
            hint=f'Set "max_size" in DATABASES["{alias}"]["OPTIONS"]["pool"] to {taken} more than your pages need.',
            id="carillon.W005",
        )
    ]


@register("notifications", Tags.staticfiles)
def check_static_files(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look whether the site's finders find the scripts; a site without staticfiles has its own way."""
    if not django_apps.is_installed("django.contrib.staticfiles") or finders.find(SCRIPT):
        return []
    hint = "Add django.contrib.staticfiles.finders.AppDirectoriesFinder to STATICFILES_FINDERS."
    return [Caution(f"No finder finds {SCRIPT}: bells stay plain links.", hint=hint, id="carillon.W006")]


@register("notifications")
def check_names(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look at what others are shown of a user: a name that is none, or an address by which people are mentioned."""
    user = get_user_model()
    found: list[CheckMessage] = []
    if signs_in_by_address() and not hasattr(user, "get_full_name") and not hasattr(settings, DISPLAY_NAME):
        found.append(
            Caution(
                f"{user.__name__} has no name but its address, which is not shown: people are called “User 7”.",
                hint="Set NOTIFICATIONS_DISPLAY_NAME to a function that takes a user and returns what others may read.",
                id="carillon.W020",
            )
        )
    if conf.HANDLE:
        found += _handle_messages(user, conf.HANDLE)
    return found


def _handle_messages(user: Any, name: str) -> Iterator[CheckMessage]:
    fields = {field.name: field for field in user._meta.get_fields() if getattr(field, "column", None)}
    if name not in fields or not fields[name].unique:
        yield Error(
            f"NOTIFICATIONS_HANDLE names {name!r}, which is no unique field of {user.__name__}.",
            hint=f"Name one of {', '.join(sorted(key for key, field in fields.items() if field.unique))}.",
            id="carillon.E021",
        )
    elif name in (getattr(user, "EMAIL_FIELD", ""), "email"):
        yield Caution(
            "NOTIFICATIONS_HANDLE is the e-mail address: every member of a room is told those of all others.",
            hint="Name a field that people choose to be called by.",
            id="carillon.W021",
        )


@register("notifications")
def check_tenants(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look whether tenants of one process, whose users have the same primary keys, are kept apart."""
    try:
        tenants = hook()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=_doc("TENANT"), id="carillon.E022")]
    if tenants is not None:
        return list(tenants.check())
    found = sorted({app.partition(".")[0] for app in settings.INSTALLED_APPS} & TENANTS)
    return [
        Error(
            f"{package} serves several tenants in one process; their users of one key would be one user to Carillon.",
            hint=f"Set NOTIFICATIONS_TENANT to {HOOKS.get(package, 'a class of your own, derived from Tenants')!r}.",
            id="carillon.E020",
        )
        for package in found
    ]


@register("notifications", Tags.models)
def check_databases(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look whether all tables of Carillon are in the database of the users, to whom their foreign keys lead."""
    users = router.db_for_write(get_user_model())
    models = django_apps.get_app_config("carillon").get_models()
    aliases = {model.__name__: router.db_for_write(model) for model in models}
    return [
        Error(
            f"The router writes {name} to the database {alias!r}, with foreign keys to users, who are in {users!r}.",
            hint=f"Let your router's db_for_write() and allow_migrate() answer {users!r} for the app label 'carillon'.",
            id="carillon.E030",
        )
        for name, alias in sorted(aliases.items())
        if alias != users
    ]


def _doc(name: str) -> str:
    return (getattr(type(conf), name).__doc__ or "").strip()


def _redis_version() -> int:
    try:
        return int(metadata.version("redis").partition(".")[0])
    except metadata.PackageNotFoundError:
        return 0


def _waits_for_ever(host: Any) -> bool:
    return isinstance(host, Mapping) and "socket_timeout" in host and host["socket_timeout"] is None
