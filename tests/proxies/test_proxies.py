"""Streams, polls and sockets behind nginx, Caddy and HAProxy, which are set up as the documentation says."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from notifications.services import notify
from tests.factories import make_user, make_users
from tests.servers.process import wait_until
from tests.streaming import cookies
from tests.wschat import Person

from .conftest import Proxied, ProxiedStream

pytestmark = [pytest.mark.servers, pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

Behind = Callable[..., Proxied]
Client = Callable[..., httpx.Client]
VERSIONS = ["HTTP/1.1", "HTTP/2"]
SHORT = 4  # seconds of silence after which a proxy is to end a connection


def test_each_event_comes_at_once_although_the_proxy_compresses(behind: Behind, client: Client) -> None:
    alice = make_user("alice")
    cookie = cookies(alice)
    url = behind().url
    for version in VERSIONS:
        http = client(url, version)
        page = http.get("/notifications/api/inbox/", headers={"Cookie": cookie})
        assert page.http_version == version
        with ProxiedStream(http, cookie) as stream:
            stream.next("reset")
            assert stream.answer.headers["Content-Encoding"] == "identity"
            for title in ("one", "two"):
                notify(alice, title)
                assert stream.titles(1) == [title]
            since = stream.last_event_id
        notify(alice, "three")
        answer = http.get("/notifications/api/changes/", params={"since": since}, headers={"Cookie": cookie})
        assert [item["title"] for frame in answer.json()["frames"] for item in frame.get("items", [])] == ["three"]
    page = http.get("/notifications/preferences/", headers={"Cookie": cookie})
    assert (page.status_code, page.headers.get("Content-Encoding")) == (200, "gzip")


def test_heartbeats_outlive_the_proxys_patience(behind: Behind, client: Client) -> None:
    alice = make_user("alice")
    cookie = cookies(alice)
    url = behind(idle=SHORT, HEARTBEAT=1.5).url

    async def talk() -> None:
        async with Person(url, cookie, tls=ssl._create_unverified_context()) as person:
            await person.next("hello")
            while time.monotonic() < end:
                await person.next("heartbeat")

    streams = [ProxiedStream(client(url, version), cookie) for version in VERSIONS]
    end = time.monotonic() + 2 * SHORT
    asyncio.run(talk())
    notify(alice, "later")
    for stream in streams:
        with stream:
            assert stream.titles(1) == ["later"]


def test_what_the_proxy_ends_is_continued(behind: Behind, client: Client) -> None:
    alice = make_user("alice")
    cookie = cookies(alice)
    url = behind(idle=3).url  # and heartbeats after 25 seconds
    for version in VERSIONS:
        http = client(url, version)
        with ProxiedStream(http, cookie) as stream:
            stream.next("reset")
            with pytest.raises((EOFError, httpx.RemoteProtocolError, httpx.ReadError)):
                stream.next()
        notify(alice, version)
        with ProxiedStream(http, cookie, stream.last_event_id) as stream:
            assert stream.titles(1) == [version]


def test_a_deploy_says_goodbye_and_the_proxy_answers_meanwhile(behind: Behind, client: Client) -> None:
    alice = make_user("alice")
    cookie = cookies(alice)
    there = behind()
    https = [client(there.url, version) for version in VERSIONS]
    streams = [ProxiedStream(http, cookie) for http in https]
    for stream in streams:
        stream.next("reset")
    assert there.site.process is not None
    there.site.process.terminate()
    for stream in streams:
        with stream:
            assert stream.next("bye")["reason"] == "drain"
            with pytest.raises(EOFError):
                stream.next()
    there.site.stop()
    for http in https:
        answer = http.get("/notifications/stream/", headers={"Cookie": cookie})
        assert answer.status_code in (502, 503)
        assert "json" not in answer.headers.get("Content-Type", "")
    notify(alice, "missed")
    there.site.start()
    for http, stream in zip(https, streams, strict=True):
        with ProxiedStream(http, cookie, stream.last_event_id) as again:
            assert again.titles(1) == ["missed"]


def test_who_leaves_is_noticed(behind: Behind, client: Client) -> None:
    cookie = cookies(make_user("alice"))
    there = behind(HEARTBEAT=1.5)  # HAProxy notices when it next writes
    for version in VERSIONS:
        http = client(there.url, version)
        with ProxiedStream(http, cookie) as stream:
            name = stream.next("hello")["connection"]
            http.close()
        ended = f"{name} ended: the client left"
        wait_until(partial(there.logged, ended), "It was not noticed.")


def test_who_asks_is_told_by_the_proxy_and_by_nobody_else(behind: Behind, client: Client) -> None:
    cookie = cookies(make_user("alice"))
    url = behind(PROXIES=1, MAX_STREAMS_PER_ADDRESS=1).url
    here, there = client(url, "HTTP/1.1"), client(url, "HTTP/1.1", address="127.0.0.2")
    with ProxiedStream(here, cookie) as first, ProxiedStream(there, cookie) as other:
        assert (first.answer.status_code, other.answer.status_code) == (200, 200)
        for forged in ("203.0.113.7", "203.0.113.7, 203.0.113.8"):
            with ProxiedStream(here, cookie, **{"X-Forwarded-For": forged}) as second:
                assert second.answer.status_code == 429


def test_a_hundred_streams_share_one_connection(behind: Behind, client: Client) -> None:
    users = make_users(2)
    there = behind(HEARTBEAT=5)
    http = client(there.url)
    streams = [ProxiedStream(http, cookies(user)) for user in users for _ in range(50)]
    for stream in streams:
        stream.next("reset")
    notify(users, "all")
    for stream in streams:
        assert stream.titles(1) == ["all"]
    assert len({id(stream.answer.extensions["network_stream"]) for stream in streams}) == 1
    http.close()
    wait_until(partial(there.logged, "ended: the client left", 100), "Not all were noticed to leave.")
