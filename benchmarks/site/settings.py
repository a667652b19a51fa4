"""Settings of the site under test: those of ``startproject``, on the database that the environment names."""

import os
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

SECRET_KEY = "benchmarks guard no secrets"  # shared with the process that makes the sessions
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.site.urls"
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "notifications",
    *(name for name in ("django_eventstream", "generic_notifications") if find_spec(name)),  # `make test` does without
]
MIDDLEWARE = [  # the seven of `startproject`
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]]
if "BENCH_POSTGRESQL" in os.environ:  # the port; tests/servers/postgresql.py starts the server
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": "127.0.0.1",
            "PORT": os.environ["BENCH_POSTGRESQL"],
        }
    }
elif "BENCH_MARIADB" in os.environ:  # the same of tests/servers/mariadb.py
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": "carillon",
            "USER": "root",
            "HOST": "127.0.0.1",
            "PORT": os.environ["BENCH_MARIADB"],
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("BENCH_DATABASE", ":memory:"),
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
        }
    }

# As docs/how-to/deploy.md recommends.
if "BENCH_REDIS" in os.environ:
    LAYERS: dict[str, dict[str, Any]] = {
        "core": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": os.environ["BENCH_REDIS"], "socket_timeout": None}], "capacity": 10_000},
        },
        "pubsub": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["BENCH_REDIS"]]},
        },
    }
    CHANNEL_LAYERS = {"default": LAYERS[os.environ.get("BENCH_LAYER", "core")]}
    EVENTSTREAM_REDIS = {"host": "127.0.0.1", "port": urlsplit(os.environ["BENCH_REDIS"]).port}  # django-eventstream's

# A thousand connections of one user are a benchmark's way of putting a thousand connections on one stream.
NOTIFICATIONS_MAX_STREAMS_PER_USER = 20_000
NOTIFICATIONS_MAX_STREAMS = 20_000

if not os.environ.get("BENCH_LISTENS"):
    NOTIFICATIONS_LISTEN_URL = None
