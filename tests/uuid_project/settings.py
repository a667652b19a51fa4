"""The tests' settings with another user model."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

AUTH_USER_MODEL = "uuid_project.Person"
NOTIFICATIONS_HANDLE = ""  # these people have nothing but an address
INSTALLED_APPS = [*INSTALLED_APPS, "tests.uuid_project"]

if DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":  # the tests that start this run on the usual one
    DATABASES["default"]["TEST"] = {"NAME": "test_uuid_project"}
