"""The demo's settings with the checker's feeds, and with the times that a test can wait for."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS, LOGGING

INSTALLED_APPS = [*INSTALLED_APPS, "tests.delivery_site"]
ROOT_URLCONF = "tests.delivery_site.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["loggers"]["notifications"]["level"] = os.environ.get("LOG", "WARNING")

NOTIFICATIONS_HEARTBEAT = 2.0
NOTIFICATIONS_RECONCILE = 1.0  # with a broker too, for hooks are lost here
NOTIFICATIONS_RECHECK = 2.0
NOTIFICATIONS_MAX_STREAMS_PER_USER = 100
