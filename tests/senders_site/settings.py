"""The demo's settings with the checker's channels."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403
from project.settings import LOGGING

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["loggers"]["notifications"]["level"] = "CRITICAL"  # that a receiver fails is what is played

NOTIFICATIONS_CHANNELS = {
    name: {
        "BACKEND": "tests.senders_site.channels.Http",
        "DEFAULT": "on",
        "OPTIONS": {"port": int(os.environ.get("RECEIVER", "0"))},
    }
    for name in ("letters", "pigeons", "smoke")
}
