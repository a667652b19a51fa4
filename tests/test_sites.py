"""Django's Sites framework: all sites share the users and their rows, so a user has one inbox, which rings on each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import asgi
from tests.servers.asgi import ROOT, environment
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey
from tests.test_surroundings import APPLICATION, Visitor

SETTINGS = "tests.surroundings.settings"
AT_ONCE = 5.0  # seconds; comparing with the database, which is 30 s apart with a broker, cannot explain it

pytestmark = pytest.mark.thorough

SITES = """
from django.contrib.sites.models import Site
Site.objects.create(pk=2, domain="two.example.com", name="Two")
"""


@pytest.fixture
def site(valkey: Valkey, tmp_path: Path) -> Callable[[int], ServerProcess]:
    """Return a function that starts a process of one of two sites, on one database and one broker."""
    url = f"sqlite:///{tmp_path}/sites.sqlite3"
    address = {"address": valkey.url, "socket_timeout": None}
    layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [address]}}

    def settings(number: int) -> dict[str, str]:
        given = {
            "MORE_APPS": ["django.contrib.sites"],
            "LAST_MIDDLEWARE": ["django.contrib.sites.middleware.CurrentSiteMiddleware"],
            "SITE_ID": number,
            "CHANNEL_LAYERS": {"default": layer},
        }
        return {"SETTINGS": json.dumps(given)}

    for words in (["migrate", "--verbosity=0"], ["shell", "--command", SITES]):
        variables = {**os.environ, **environment(url, settings=SETTINGS), **settings(1)}
        subprocess.run([sys.executable, "-m", "django", *words], check=True, cwd=ROOT, env=variables)

    def start(number: int) -> ServerProcess:
        server = asgi.server(
            "uvicorn",
            folder=tmp_path,
            database_url=url,
            settings=SETTINGS,
            application=APPLICATION,
            env=settings(number),
        )
        server.start()
        return server

    return start


@pytest.mark.servers
def test_what_is_told_on_one_site_rings_on_the_other(site: Callable[[int], ServerProcess]) -> None:
    servers = [site(number) for number in (1, 2)]
    try:
        alice, elsewhere = (Visitor(server) for server in servers)
        with elsewhere.stream() as stream:
            stream.next("reset")
            alice.get("/tell/", title="for whoever has not heard of the second site")
            assert stream.titles(1) == ["for whoever has not heard of the second site"]
            began = time.monotonic()
            alice.get("/tell/", title="on the first site")
            assert stream.titles(1) == ["on the first site"]
            assert time.monotonic() - began < AT_ONCE
    finally:
        for server in servers:
            server.kill()
