"""The demo's settings with the checker's feeds, and with the times that a test can wait for."""

from __future__ import annotations

import logging
import os

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS, LOGGING, REDIS_URL
from tests.delivery_site import faults

INSTALLED_APPS = [*INSTALLED_APPS, "tests.delivery_site"]
ROOT_URLCONF = "tests.delivery_site.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["loggers"]["notifications"]["level"] = os.environ.get("LOG", "WARNING")


def is_failed_cleaner(record: logging.LogRecord) -> bool:
    """Return whether asyncio reports that channels_redis could not forget a message that it has handed over.

    It does so in a task of its own, whose failure nobody takes when the broker dies at that moment. All that may come
    of it is that a hint is told twice. Every other traceback of a server is a fault.
    """
    return "coro=<RedisChannelLayer._clean_receive_backup()" in record.getMessage()


LOGGING["filters"] = {
    "but failed cleaners": {
        "()": "django.utils.log.CallbackFilter",
        "callback": lambda record: not is_failed_cleaner(record),
    }
}
LOGGING["loggers"]["asyncio"] = {"filters": ["but failed cleaners"]}

LOGGING["loggers"]["channels_redis"] = {"level": "CRITICAL"}  # it logs each loss of its broker with a traceback

if not os.environ.get("LISTENS"):
    NOTIFICATIONS_LISTEN_URL = None  # what has no broker finds all by comparison, on PostgreSQL too

NOTIFICATIONS_HEARTBEAT = 2.0
NOTIFICATIONS_RECHECK = 2.0
NOTIFICATIONS_MAX_STREAMS_PER_USER = 100
if RECONCILE := os.environ.get("RECONCILE"):  # otherwise as often as on any site: every second, or 30 with a broker
    NOTIFICATIONS_RECONCILE = float(RECONCILE)
if os.environ.get("LAYER") == "pubsub" and REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
        }
    }
faults.move_clock(float(os.environ.get("CLOCK", "0")))
faults.obey(os.environ.get("DISK_FULL", ""))
