"""The demo site, with a channel beyond the page that sends nothing by itself."""

from project.settings import *  # noqa: F403

NOTIFICATIONS_CHANNELS = {"email": {"BACKEND": "tests.sending.Carrier", "DEFAULT": "digest"}}
NOTIFICATIONS_DELIVERY_THREADS = 0
