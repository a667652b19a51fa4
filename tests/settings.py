"""Settings of the tests: the app alone, without the demo site, on a SQLite file or what DATABASE_URL names."""

import os
import tempfile
from pathlib import Path

import environ

DATABASE_FOLDER = Path(tempfile.gettempdir()) / f"carillon-tests-{os.getpid()}"  # made and removed by conftest.py

# A file database: one in memory is not shared with threads or with other processes.
DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{DATABASE_FOLDER}/default.sqlite3"
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"] |= {
        "TEST": {"NAME": DATABASE_FOLDER / "test.sqlite3"},
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = "a key for tests only"  # the servers that tests start use it too, so that their sessions agree
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
ROOT_URLCONF = "tests.urls"
LOGIN_URL = "/admin/login/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast, for tests only
NOTIFICATIONS_HANDLE = "username"
CHANNEL_LAYERS: dict[str, object] = {}
NOTIFICATIONS_LISTEN_URL = None  # processes are alone, but for the tests in which they are not

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "notifications",
]
MIDDLEWARE = [
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
            ],
        },
    },
]
