"""Two tenants of django-tenants in the same processes, each with a user of the same key, hear nothing of each other.

Whatever happens in the north is followed by something in the south: what arrives there first must be the latter.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect

from notifications.consumers import SUBPROTOCOL
from tests.servers import asgi
from tests.servers.asgi import ROOT, environment
from tests.servers.process import ServerProcess, wait_until
from tests.streaming import TIMEOUT, EventStream
from tests.wschat import Person

if TYPE_CHECKING:
    from tests.servers.postgresql import PostgreSQL
    from tests.servers.valkey import Valkey

SETTINGS = "tests.tenants.settings"
STREAM = "/notifications/stream/"
NEWS = "/notifications/stream/?feeds=news,weather"

pytestmark = pytest.mark.thorough

names = (f"person{number}" for number in count())


class Towns:
    """The processes of the site, on one database and one broker."""

    def __init__(self, database: str, redis: str, folder: Path) -> None:
        self.mails = folder / "mails"
        self.variables = environment(database, redis, SETTINGS) | {"MAILS": str(self.mails)}
        self.servers = [
            asgi.server(
                "uvicorn",
                folder=folder,
                database_url=database,
                redis_url=redis,
                settings=SETTINGS,
                application="tests.tenants.asgi:application",
                env=self.variables | {"SETTINGS": json.dumps({"NOTIFICATIONS_DELIVERY_THREADS": 0, **more})},
            )
            for more in ({}, {"TENANT_LIMIT_SET_CALLS": True})  # by default each cursor sets the search path
        ]

    def manage(self, *words: str) -> str:
        """Run a command of the site's."""
        return subprocess.run(
            [sys.executable, "-m", "django", *words],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **self.variables},
        ).stdout

    def output(self) -> str:
        return "".join(server.output() for server in self.servers)


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQL) -> str:
    """Return the address of a database with both schemas."""
    url = postgresql.create()
    subprocess.run(
        [sys.executable, "-m", "tests.tenants.prepare"],
        check=True,
        cwd=ROOT,
        env={**os.environ, **environment(url, settings=SETTINGS)},
    )
    return url


@pytest.fixture(scope="module")
def towns(database: str, valkey_process: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    """Run two processes of the site."""
    valkey_process.start()
    running = Towns(database, valkey_process.url, tmp_path_factory.mktemp("towns"))
    for server in running.servers:
        server.start()
    yield running
    for server in running.servers:
        server.kill()


class Citizen:
    """Somebody with a browser in one of the towns."""

    def __init__(self, server: ServerProcess, town: str, name: str) -> None:
        self.server, self.town, self.host = server, town, f"{town}.example.com"
        self.cookies: dict[str, str] = {}
        self.ask("GET", "/enter/", params={"name": name})

    def ask(self, method: str, path: str, host: str = "", **options: Any) -> httpx.Response:
        headers = {"Cookie": self.cookie, "Host": host or self.host, **options.pop("headers", {})}
        answer = httpx.request(method, self.server.url + path, headers=headers, timeout=TIMEOUT, **options)
        for header in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        return answer

    def do(self, verb: str, **query: Any) -> Any:
        """Have the site do something in the town."""
        answer = self.ask("GET", f"/do/{verb}/", params=query)
        assert answer.status_code == 200, answer.text + self.server.output()
        return answer.json()["value"]

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text + self.server.output()
        return answer.json()

    def elsewhere(self, server: ServerProcess) -> Citizen:
        """Return the same person with the same browser at another process."""
        other = object.__new__(Citizen)
        other.__dict__ |= self.__dict__ | {"server": server}
        return other

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def stream(self, path: str = STREAM) -> EventStream:
        stream = EventStream(self.server.url, self.cookie, path=path, Host=self.host)
        assert stream.response.status == 200, stream.response.read().decode() + self.server.output()
        return stream

    def socket(self) -> Socket:
        return Socket(self)


class Socket(Person):
    """The person's chat."""

    def __init__(self, citizen: Citizen, host: str = "") -> None:
        super().__init__(citizen.server.url, citizen.cookie)
        self.citizen, self.host = citizen, host or citizen.host

    async def __aenter__(self) -> Socket:
        port = self.citizen.server.port
        self.wire = await connect(
            f"ws://{self.host}:{port}/notifications/ws/",
            host="127.0.0.1",
            port=port,
            subprotocols=[websockets.Subprotocol(SUBPROTOCOL)],
            additional_headers={"Cookie": self.cookie, "Origin": f"http://{self.host}:{port}"},
            close_timeout=1,
        )
        return self


Pair = tuple[Citizen, Citizen]


@pytest.fixture
def pair(towns: Towns) -> Pair:
    """Return two people, one of each town, whose users have the same key."""
    name = next(names)
    north, south = (Citizen(towns.servers[0], town, name) for town in ("north", "south"))
    assert north.do("names")["pk"] == south.do("names")["pk"]
    return north, south


ACROSS = pytest.mark.parametrize("process", [0, 1], ids=["in one process", "from another process"])


@ACROSS
def test_a_notification_is_heard_in_its_own_town_alone(towns: Towns, pair: Pair, process: int) -> None:
    north, south = pair
    writers = [one.elsewhere(towns.servers[process]) for one in pair]
    with north.stream() as here, south.stream() as there:
        here.next("reset")
        there.next("reset")
        for writer in writers:
            writer.do("tell", title=f"of the {writer.town}")
        assert here.titles(1) == ["of the north"]
        assert there.titles(1) == ["of the south"]
    assert [item["title"] for item in south.get("/notifications/api/inbox/")["items"]] == ["of the south"]


@ACROSS
def test_a_held_poll_is_answered_by_its_own_town_alone(towns: Towns, pair: Pair, process: int) -> None:
    _north, south = pair
    path, at = "/notifications/api/changes/", south.get("/notifications/api/changes/")["frames"][0]["cursor"]
    asked = [south.server.url + path, south.cookie, south.host]

    async def poll() -> Any:
        async with httpx.AsyncClient() as client:
            headers = {"Cookie": asked[1], "Host": asked[2]}
            waiting = asyncio.create_task(
                client.get(asked[0], params={"since": at, "wait": "10"}, headers=headers, timeout=TIMEOUT)
            )
            for one in pair:
                await asyncio.sleep(0)
                writer = one.elsewhere(towns.servers[process])
                await asyncio.to_thread(writer.do, "tell", title=one.town)
            return (await waiting).json()

    frames = asyncio.run(poll())["frames"]
    assert [item["title"] for frame in frames for item in frame.get("items", ())] == ["south"]


@ACROSS
def test_a_broadcast_is_for_its_own_town(towns: Towns, pair: Pair, process: int) -> None:
    north, south = pair
    with north.stream() as here, south.stream() as there:
        here.next("reset")
        there.next("reset")
        for one in pair:
            one.elsewhere(towns.servers[process]).do("broadcast", title=f"to the {one.town}")
        assert here.titles(1) == ["to the north"]
        assert there.titles(1) == ["to the south"]


@ACROSS
def test_feeds_of_one_name_are_other_feeds_in_each_town(towns: Towns, pair: Pair, process: int) -> None:
    north, south = pair
    with north.stream(NEWS) as here, south.stream(NEWS) as there:
        for stream in (here, there):
            stream.next("reset")
            for _feed in ("news", "weather"):
                stream.next("feed.status")
            stream.next("feed.reset")
        for feed in ("news", "weather"):
            for one in pair:
                one.elsewhere(towns.servers[process]).do("publish", feed=feed, word=f"{feed} of the {one.town}")
            for stream, town in ((here, "north"), (there, "south")):
                while (frame := stream.next("feed"))["feed"] != feed:
                    pass
                assert [event["data"]["word"] for event in frame["events"]] == [f"{feed} of the {town}"]


@ACROSS
def test_a_room_of_one_key_is_another_room_in_each_town(towns: Towns, pair: Pair, process: int) -> None:
    async def play() -> None:
        north, south = pair
        rooms = [one.do("room") for one in pair]
        if len(set(rooms)) > 1:  # another test has made one in one of them
            rooms[rooms.index(min(rooms))] = pair[rooms.index(min(rooms))].do("room")
        assert rooms[0] == rooms[1]
        async with north.socket() as here, south.socket() as there:
            for socket in (here, there):
                assert (await socket.open(rooms[0]))["type"] == "ack"
                assert (await socket.send("inbox.open", since=None))["type"] == "ack"
            for one, socket in ((north, here), (south, there)):
                await socket.send("typing", room=rooms[0], on=True)
                writer = one.elsewhere(towns.servers[process])
                await asyncio.to_thread(writer.do, "say", room=rooms[0], body=f"said in the {one.town}")
                await asyncio.to_thread(writer.do, "tell", title=f"told in the {one.town}")
            for socket, town in ((here, "north"), (there, "south")):
                frame = await socket.next("message")
                assert [said["body"] for said in frame["messages"]] == [f"said in the {town}"]
                assert [item["title"] for item in (await socket.next("changes"))["items"]] == [f"told in the {town}"]

    asyncio.run(play())


def test_who_chats_is_present_in_the_own_town_alone(pair: Pair) -> None:
    async def play() -> None:
        north, south = pair
        async with north.socket() as here:
            await here.next("hello")
            await asyncio.to_thread(wait_until, lambda: north.do("names")["pk"] in north.do("online"), "presence")
            assert south.do("names")["pk"] not in south.do("online")

    asyncio.run(play())


@ACROSS
def test_a_transaction_that_commits_in_one_town_rings_in_the_other(towns: Towns, pair: Pair, process: int) -> None:
    north, south = pair
    with north.stream() as here, south.stream() as there:
        here.next("reset")
        there.next("reset")
        north.elsewhere(towns.servers[process]).do("tell_elsewhere", schema="south", title="from the north")
        assert there.titles(1) == ["from the north"]
        north.do("tell", title="home")
        assert here.titles(1) == ["home"]


@ACROSS
def test_access_ends_in_one_town_alone(towns: Towns, pair: Pair, process: int) -> None:
    north, south = pair
    with north.stream() as here, south.stream() as there:
        here.next("reset")
        there.next("reset")
        north.elsewhere(towns.servers[process]).do("revoke")
        assert here.next("bye")["reason"] == "revoked"
        south.do("tell", title="still here")
        assert there.titles(1) == ["still here"]


@ACROSS
def test_an_account_is_deactivated_in_one_town_alone(towns: Towns, pair: Pair, process: int) -> None:
    north, south = pair
    with north.stream() as here, south.stream() as there:
        here.next("reset")
        there.next("reset")
        north.elsewhere(towns.servers[process]).do("deactivate")
        assert here.next("bye")["reason"] == "reauthenticate"
        south.do("tell", title="still here")
        assert there.titles(1) == ["still here"]


def test_a_session_of_one_town_is_none_of_the_other(pair: Pair) -> None:
    north, south = pair
    assert north.ask("GET", "/notifications/api/counts/", host=south.host).status_code == 401
    with EventStream(north.server.url, north.cookie, Host=south.host) as stream:
        assert stream.response.status == 401

    async def play() -> None:
        async with Socket(north, south.host) as socket:
            assert await socket.closed() == 4401
        with pytest.raises(websockets.InvalidStatus):
            async with Socket(north, "nowhere.example.com"):
                pass

    asyncio.run(play())


def test_what_is_signed_in_one_town_is_worth_nothing_in_the_other(pair: Pair) -> None:
    north, south = pair
    ours, theirs = north.do("names"), south.do("names")
    assert all(ours[name] != theirs[name] for name in ("user", "site", "token"))
    path = f"/notifications/unsubscribe/{ours['token']}/"
    assert north.ask("GET", path).status_code == 200
    assert south.ask("GET", path).status_code == 404
    headers = {"Carillon-User": ours["user"]}
    assert north.ask("GET", "/notifications/api/counts/", headers=headers).status_code == 200
    assert south.ask("GET", "/notifications/api/counts/", headers=headers).json()["code"] == "other-user"


def test_what_falls_due_is_shown_in_each_town_also_where_nobody_is(pair: Pair) -> None:
    north, south = pair
    with north.stream() as here:
        here.next("reset")
        for one in pair:
            one.do("tell_soon", title=f"later in the {one.town}")
        assert here.titles(1) == ["later in the north"]
        counts = "/notifications/api/counts/"
        wait_until(lambda: south.get(counts)["unread"] == 1, "what falls due in the south")
    assert [item["title"] for item in south.get("/notifications/api/inbox/")["items"]] == ["later in the south"]


def test_e_mails_lead_to_the_own_town(towns: Towns, pair: Pair) -> None:
    for one in pair:
        one.do("tell", title=f"a letter of the {one.town}", address="citizen@example.net")
    towns.manage("carillon_deliver", "--once")
    mails = [path.read_text() for path in towns.mails.iterdir()]
    for one in pair:
        (mail,) = [mail for mail in mails if f"a letter of the {one.town}" in mail]
        assert f"https://{one.host}/notifications/" in mail
        other = next(town for town in ("north", "south") if town != one.town)
        assert f"{other}.example.com" not in mail


def test_the_admin_shows_the_own_town_alone(pair: Pair) -> None:
    north, south = pair
    north.do("tell", title="a secret of the north")
    assert "a secret of the north" in north.ask("GET", "/admin/carillon/notification/").text
    page = south.ask("GET", "/admin/carillon/notification/")
    assert page.status_code == 200
    assert "a secret of the north" not in page.text


def test_those_without_tables_are_left_alone(towns: Towns) -> None:
    said = towns.manage("shell", "--command", "from notifications import tenants; print(tenants.names())")
    assert "['north', 'south']" in said


def test_the_checks_of_the_site_find_nothing(towns: Towns) -> None:
    assert "no issues" in towns.manage("check", "--deploy", "--tag", "notifications")
