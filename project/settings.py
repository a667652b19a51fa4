"""Settings of the demo site; docs/reference/settings.md lists the variables of its environment."""

from pathlib import Path
from typing import Any

import django
import environ
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

DEBUG: bool = env.bool("DEBUG", default=True)
# Without DEBUG a missing key stops the start: a demo key on a real site would let anybody forge sessions.
SECRET_KEY: str = env.str("SECRET_KEY", default="the-demo-has-no-secrets") if DEBUG else env.str("SECRET_KEY")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "daphne",  # before staticfiles, so that `runserver` speaks ASGI
    "project",
    "notifications",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.i18n",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",  # readers do not wait for a writer
        "transaction_mode": "IMMEDIATE",  # writers queue; a DEFERRED one that reads first fails with "locked"
        "timeout": 20,  # seconds in that queue
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.str("REDIS_URL", default="")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {
                # redis-py 8 would end every idle receive after 5 s (django/channels_redis#422).
                "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
                # The default of 100 messages per process drops silently in a burst.
                "capacity": 10_000,
            },
        }
    }

AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = []  # alice's password is "alice"
NOTIFICATIONS_HANDLE = "username"  # by which people are mentioned
NOTIFICATIONS_CATEGORIES = {
    "calendar": _("Calendar"),
    "recordings": _("Recordings"),
    "account": _("Your account"),
    "chat": _("Chat"),
    "comments": _("Comments"),
    "orders": _("Orders"),
}
NOTIFICATIONS_BASE_URL: str = env.str("BASE_URL", default="http://127.0.0.1:8000")  # where links in e-mails lead
NOTIFICATIONS_CHANNELS: dict[str, Any] = {"email": {"OPTIONS": {"site_name": "Carillon"}}}
if DEBUG:  # the demo is its own receiver: nothing that a site on the internet should allow
    NOTIFICATIONS_CHANNELS["webhook"] = {
        "LABEL": _("Webhooks"),
        "DEFAULT": "on",
        "OPTIONS": {
            "http": True,
            "ports": [env.int("PORT", default=8000)],
            "allow": ["localhost", "127.0.0.1", "::1"],
        },
    }
DEFAULT_FROM_EMAIL = "Carillon <bells@example.org>"
MAILBOX = "project.mailbox.EmailBackend"  # a page of the site, in the place of a mail server
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": MAILBOX}}
else:
    EMAIL_BACKEND = MAILBOX
VAPID_PRIVATE_KEY: str = env.str("VAPID_PRIVATE_KEY", default="")  # `make demo` makes one
if VAPID_PRIVATE_KEY:
    NOTIFICATIONS_CHANNELS["push"] = {
        "DEFAULT": "on",
        "OPTIONS": {
            "private_key": VAPID_PRIVATE_KEY,
            "subject": "mailto:demo@example.com",
            "allow_loopback": DEBUG,
        },
    }
NOTIFICATIONS_CHAT_URL = "/chat/{room}/"  # where the notification of a mention leads

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "project" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
if not DEBUG:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    WHITENOISE_KEEP_ONLY_HASHED_FILES = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"notifications": {"handlers": ["console"], "level": "INFO"}},
}
