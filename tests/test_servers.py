"""The servers and the fault proxy that other tests stand on do what those tests believe."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
import redis

from tests.servers.faults import FaultProxy
from tests.servers.postgresql import PostgreSQL
from tests.servers.valkey import Valkey


@pytest.fixture
def echo() -> Iterator[int]:
    """Run a server that answers every byte with the same byte, and return its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1024):
                    connection.sendall(data)
            except ConnectionError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def proxy(echo: int, fault_proxy: Callable[[int], FaultProxy]) -> FaultProxy:
    return fault_proxy(echo)


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5, socket.MSG_WAITALL) == b"hello"
        yield connection


def test_postgresql_makes_separate_databases(postgresql: PostgreSQL) -> None:
    first, second = postgresql.create(), postgresql.create()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mark (id int)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('mark')").fetchone() == (None,)


def test_valkey_answers_on_tcp_and_on_its_socket(valkey: Valkey) -> None:
    with redis.Redis.from_url(valkey.url) as tcp, redis.Redis.from_url(valkey.socket_url) as unix:
        tcp.set("key", "value")
        assert unix.get("key") == b"value"


def test_valkey_keeps_its_address_when_killed_and_started(valkey: Valkey) -> None:
    valkey.kill()
    with redis.Redis.from_url(valkey.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.ping()


def test_the_proxy_cuts_with_a_reset(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_black_hole_is_silent_and_what_it_held_arrives_when_it_heals(
    proxy: FaultProxy, client: socket.socket
) -> None:
    proxy.black_hole()
    client.sendall(b"late")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(1)
    proxy.heal()
    client.settimeout(5)
    assert client.recv(4, socket.MSG_WAITALL) == b"late"


def test_a_half_open_connection_neither_answers_nor_ends(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.half_open()
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(1)


def test_bytes_can_be_passed_one_at_a_time(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.latency, proxy.slice = 0.01, 1
    client.sendall(b"abc")
    assert client.recv(3) == b"a"


def test_a_busy_proxy_answers_503_with_retry_after(proxy: FaultProxy) -> None:
    proxy.busy()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        answer = connection.recv(1024)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1\r\n" in answer
