"""Requests to addresses that users have given: to nothing but the internet, and bounded."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address, ip_network
from time import monotonic
from typing import Any

import pytest

from notifications.deliveries.destinations import Destinations, is_of_the_internet
from notifications.deliveries.outgoing import Answer, post, retry_after, tls_context
from notifications.exceptions import Undeliverable

from .receiving import HOST, Receiver, answer, certificate, close, flood, flood_headers, receiving

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.9.10",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.192",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


class Names:
    """A resolver that gives an answer after the other, the last one forever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(params=["http", "https"])
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with receiving(request.param) as made:
        yield made


def destinations(receiver: Receiver, *names: Sequence[str], **changes: Any) -> Destinations:
    """Return destinations that have the receiver among them."""
    given = {
        "schemes": frozenset({"http", "https"}),
        "ports": frozenset({receiver.port}),
        "networks": (ip_network("127.0.0.1/32"),),
        "resolver": Names(*(names or (["127.0.0.1"],))),
    }
    return Destinations(**{**given, **changes})


def send(receiver: Receiver, to: Destinations | None = None, *, url: str = "", timeout: float = 5.0) -> Answer:
    context = tls_context(certificate()[0])
    headers = {"Content-Type": "application/json"}
    return post(url or receiver.url, b"{}", headers, to or destinations(receiver), timeout=timeout, tls=context)


class TestAddresses:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_what_is_not_of_the_internet_is_refused_as_an_answer(self, address: str) -> None:
        only = Destinations(resolver=Names([address]))
        with pytest.raises(Undeliverable, match="does not belong to the internet"):
            only.addresses(only.target("https://example.com/"))

    @pytest.mark.parametrize("address", [one for one in PRIVATE if "%" not in one])
    def test_and_so_it_is_in_a_url(self, address: str) -> None:
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(ValueError, match="does not belong to the internet"):
            Destinations().target(f"https://{host}/")

    @pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "64:ff9b::808:808"])
    def test_what_is_of_the_internet_is_taken(self, address: str) -> None:
        only = Destinations(resolver=Names([address]))
        assert only.addresses(only.target("https://example.com/")) == [address]

    def test_one_private_address_among_public_ones_is_enough(self) -> None:
        only = Destinations(resolver=Names(["8.8.8.8", "127.0.0.1"]))
        with pytest.raises(Undeliverable):
            only.addresses(only.target("https://example.com/"))

    @pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001", "localhost", "localhost."])
    def test_other_ways_to_write_an_address_are_found_out_by_looking_it_up(self, host: str) -> None:
        only = Destinations()
        with pytest.raises((Undeliverable, OSError)):
            only.addresses(only.target(f"https://{host}/"))

    def test_full_width_digits_are_an_address_too(self) -> None:
        with pytest.raises(ValueError, match="does not belong to the internet"):
            Destinations().target("https://１２７.0.0.1/")

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "//example.com/",
            "example.com",
            "",
            "https://",
            "https:///hook",
            "https://example.com:22/",
            "https://example.com:0/",
            "https://example.com:99999/",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://@example.com/",
            "https://example.com\\@localhost/",
            "https://example.com/ x",
            "https://example.com/\r\nX: y",
            "https://example.com/é",
            f"https://{'a' * 64}.com/",
            f"https://example.com/{'a' * 1_000}",
            "https://[::1/",
        ],
    )
    def test_nothing_else_is_an_address(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            Destinations().target(url)

    def test_a_name_in_other_letters_is_asked_for_in_ascii(self) -> None:
        assert Destinations().target("https://bücher.example/?a=1#part").host == "xn--bcher-kva.example"

    def test_a_site_allows_names_and_networks_of_its_own(self) -> None:
        own = Destinations(
            hosts=frozenset({"hooks.intern"}), networks=(ip_network("10.1.0.0/16"),), resolver=Names(["10.2.0.1"])
        )
        assert own.addresses(own.target("https://hooks.intern/")) == ["10.2.0.1"]
        assert own.addresses(own.target("https://10.1.0.1/")) == ["10.1.0.1"]
        with pytest.raises(Undeliverable):
            own.addresses(own.target("https://other.intern/"))

    def test_every_address_is_judged(self) -> None:
        assert not any(is_of_the_internet(ip_address(one)) for one in PRIVATE)


class TestPosting:
    def test_a_request_says_what_the_url_says(self, receiver: Receiver) -> None:
        assert send(receiver, url=f"{receiver.url}?key=1#part").status == 204
        [received] = receiver.received
        assert (received.method, received.path, received.body) == ("POST", "/hook?key=1", b"{}")
        assert received.headers["Host"] == f"{HOST}:{receiver.port}"
        assert received.headers["Content-Type"] == "application/json"
        assert receiver.server_names == ([HOST] if receiver.scheme == "https" else [])

    def test_the_address_that_was_examined_is_the_one_that_is_connected_to(self, receiver: Receiver) -> None:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        assert send(receiver, destinations(receiver, resolver=names)).status == 204
        assert names.asked == [(HOST, receiver.port)]

    def test_a_name_that_has_turned_private_gets_nothing(self, receiver: Receiver) -> None:
        with pytest.raises(Undeliverable):
            send(receiver, destinations(receiver, networks=()))
        assert receiver.received == []

    def test_the_next_address_is_tried_where_one_does_not_answer(self, receiver: Receiver) -> None:
        networks = (ip_network("127.0.0.0/8"),)
        assert send(receiver, destinations(receiver, ["127.0.0.2", "127.0.0.1"], networks=networks)).status == 204

    def test_a_server_that_cannot_prove_its_name_gets_nothing(self) -> None:
        with receiving("https") as receiver:
            url = receiver.url.replace(HOST, "other.example.com")
            with pytest.raises(OSError, match="certificate verify failed"):
                send(receiver, url=url)
            with pytest.raises(OSError, match="certificate verify failed"):
                post(receiver.url, b"", {}, destinations(receiver), timeout=5, tls=tls_context())
            assert receiver.received == []

    def test_a_redirect_is_not_followed(self, receiver: Receiver) -> None:
        receiver.behaviour = answer(307, "Location: http://169.254.169.254/latest/")
        assert send(receiver).status == 307
        assert len(receiver.received) == 1

    def test_a_server_that_hangs_is_left(self, receiver: Receiver) -> None:
        receiver.behaviour = receiver.hang
        with pytest.raises(TimeoutError):
            send(receiver, timeout=0.3)

    def test_a_server_that_trickles_is_left_when_the_time_is_over(self, receiver: Receiver) -> None:
        receiver.behaviour = receiver.trickle
        begun = monotonic()
        with pytest.raises(TimeoutError):
            send(receiver, timeout=0.3)
        assert monotonic() - begun < 3

    def test_a_server_that_never_shakes_hands_is_left(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            silent = Receiver("https", deaf.getsockname()[1])
            with pytest.raises(TimeoutError):
                send(silent, timeout=0.3)

    def test_an_endless_body_is_not_read(self, receiver: Receiver) -> None:
        receiver.behaviour = flood
        assert send(receiver).status == 200

    def test_nor_are_endless_headers(self, receiver: Receiver) -> None:
        receiver.behaviour = flood_headers
        with pytest.raises(OSError, match="bytes"):
            send(receiver)

    def test_a_server_that_closes_has_taken_nothing(self, receiver: Receiver) -> None:
        receiver.behaviour = close
        with pytest.raises((ConnectionError, ssl.SSLEOFError)):
            send(receiver)

    def test_what_is_not_http_is_an_error(self, receiver: Receiver) -> None:
        receiver.behaviour = lambda _received, peer: peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
        with pytest.raises(OSError, match="not HTTP"):
            send(receiver)

    @pytest.mark.parametrize("length", ["-5", "-1", "ffffffffffffffffffffff", "5_0", "x", ""])
    def test_what_stands_in_for_a_body_does_not_matter(self, receiver: Receiver, length: str) -> None:
        said = f"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nRetry-After: 9\r\n\r\n{length}\r\nabc\r\n".encode()
        receiver.behaviour = lambda _received, peer: peer.sendall(said)
        got = send(receiver)
        assert (got.status, got.headers["Retry-After"]) == (503, "9")


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("0.5", timedelta(seconds=0.5)),
        (" 120 ", timedelta(minutes=2)),
        ("-5", timedelta(0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        *[(text, None) for text in ("", "soon", "nan", "inf", "1e400", "9" * 30, "9" * 5_000, "Thu, 99 Foo", "\xb2")],
        ("Thu, 01 Jan 2099 00:00:00", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        (f"Fri, 31 Dec 2026 23:59:59 {'9' * 30}", None),
        ("Fri, 31 Dec 2026 99:99:99 GMT", None),
    ],
)
def test_a_wait_is_told_in_seconds_or_as_a_date(said: str, pause: timedelta | None) -> None:
    assert retry_after(said) == pause


def test_a_date_to_wait_for_may_lie_far_away() -> None:
    assert retry_after("Fri, 31 Dec 9999 23:59:59 -1200") > timedelta(days=1_000_000)  # type: ignore[operator]
    soon = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert retry_after(soon) > timedelta(minutes=59)  # type: ignore[operator]
