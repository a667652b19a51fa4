"""The demo's settings with one thing changed, which the environment variable CASE names."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403
from project.settings import DATABASES, INSTALLED_APPS, LOGGING, MIDDLEWARE, REDIS_URL

CASE = os.environ.get("CASE", "")
LOGGING["loggers"]["notifications"]["level"] = "DEBUG"

if CASE == "gzip":
    MIDDLEWARE.insert(0, "django.middleware.gzip.GZipMiddleware")
elif CASE == "atomic-requests":
    DATABASES["default"]["ATOMIC_REQUESTS"] = True
elif CASE == "conn-max-age":
    DATABASES["default"]["CONN_MAX_AGE"] = 600
elif CASE == "login-required":
    MIDDLEWARE.append("django.contrib.auth.middleware.LoginRequiredMiddleware")
elif CASE == "events":
    ROOT_URLCONF = "tests.access_site"
elif CASE == "kinds":
    INSTALLED_APPS.append("tests.kinds")
elif CASE == "pubsub":
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }

if "SITE" in os.environ:
    NOTIFICATIONS_SITE = os.environ["SITE"]

NUMBERS = (
    *("RECHECK", "RECONCILE", "HEARTBEAT", "MAX_AGE", "MAX_BYTES", "PROXIES"),
    *("MAX_STREAMS", "MAX_STREAMS_PER_USER", "MAX_STREAMS_PER_ADDRESS"),
)
for name in NUMBERS:
    if name in os.environ:
        globals()[f"NOTIFICATIONS_{name}"] = float(os.environ[name])
