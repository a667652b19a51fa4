"""The tests' settings with two tenants, and what the environment variable SETTINGS adds to them, as JSON."""

from __future__ import annotations

import json
import os

import environ

from tests.settings import *  # noqa: F403
from tests.settings import DATABASE_URL, INSTALLED_APPS, MIDDLEWARE

DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL) | {"ENGINE": "django_tenants.postgresql_backend"}}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL = "towns.Town"
TENANT_DOMAIN_MODEL = "towns.Domain"
SHARED_APPS = ["django_tenants", "tests.tenants.towns", "django.contrib.contenttypes", "django.contrib.staticfiles"]
TENANT_APPS = [app for app in INSTALLED_APPS if app not in SHARED_APPS] + ["django.contrib.contenttypes"]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *MIDDLEWARE]
ALLOWED_HOSTS = [".example.com", "127.0.0.1"]
ROOT_URLCONF = "tests.tenants.urls"
ASGI_APPLICATION = "tests.tenants.asgi.application"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = os.environ.get("MAILS", "/nonexistent")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "notifications": {"handlers": ["console"], "level": "INFO"},
        "django.request": {"handlers": ["console"], "level": "ERROR"},
    },
}
if redis := os.environ.get("REDIS_URL"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": redis, "socket_timeout": None}]},
        }
    }

NOTIFICATIONS_TENANT = "notifications.tenants.Schemas"
NOTIFICATIONS_BASE_URL = "https://example.com"
NOTIFICATIONS_CHANNELS = {"email": {"LABEL": "E-mail", "DEFAULT": "on"}}
globals().update(json.loads(os.environ.get("SETTINGS", "{}")))
