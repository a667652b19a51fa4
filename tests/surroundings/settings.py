"""The tests' settings with what the environment variable SETTINGS adds to them, as JSON."""

from __future__ import annotations

import json
import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, MIDDLEWARE

ROOT_URLCONF = "tests.surroundings.urls"
ASGI_APPLICATION = "tests.surroundings.asgi.application"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "tests.surroundings.backends.Trusting"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "notifications": {"handlers": ["console"], "level": "INFO"},
        "django.request": {"handlers": ["console"], "level": "ERROR"},
    },
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"].pop("TEST", None)  # noqa: F405  # these settings are for servers, not for the tests' runner

given = json.loads(os.environ.get("SETTINGS", "{}"))
first, last = given.pop("FIRST_MIDDLEWARE", []), given.pop("LAST_MIDDLEWARE", [])
MIDDLEWARE = [*first, *MIDDLEWARE, *last]
INSTALLED_APPS = [*INSTALLED_APPS, *given.pop("MORE_APPS", [])]
DATABASES["default"] |= given.pop("DATABASE", {})  # noqa: F405
if replica := given.pop("REPLICA", None):
    DATABASES["replica"] = DATABASES["default"] | {"NAME": replica}  # noqa: F405
    DATABASE_ROUTERS = ["tests.surroundings.routers.Replica"]
globals().update(given)
