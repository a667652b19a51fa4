"""Addresses to which a request may go: of the internet, and never of the site's own network.

A URL that a user has given leads a server wherever it points (server-side request forgery). So its form is bounded, its
name is looked up once, and every address that the name has must be one of the internet; `post` in `outgoing` connects
to those very addresses, so that a name which changes its answer meanwhile (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from ..exceptions import Undeliverable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Iterable[str]]

LONGEST_URL: Final = 1_000  # characters
HOST_LENGTH: Final = 253  # characters: RFC 1035
PORTS: Final = {"https": 443, "http": 80}
TRIED: Final = 4  # addresses of one name

# IANA's registries of special-purpose addresses, written out, for each version of Python knows others of them.
_NOT_OF_THE_INTERNET: Final[Sequence[Network]] = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host: connects to the machine itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers (CGNAT); metadata of Alibaba Cloud
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by number, but the host of a machine in Azure
        "169.254.0.0/16",  # link-local: metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # for protocols: Teredo, benchmarks, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: leads to any IPv4 address
        "3fff::/20",
    )
]
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")


def is_of_the_internet(address: Address) -> bool:
    """Return whether an address is one of the internet, and not one that leads elsewhere in disguise."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_of_the_internet(IPv4Address(address.packed[-4:]))
        if address not in _GLOBAL_UNICAST or address.scope_id is not None:
            return False  # also IPv4-mapped ones, local ones, and prefixes for NAT64 of one's own
    return not any(address in network for network in _NOT_OF_THE_INTERNET if network.version == address.version)


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as the system resolves it.

    Raises:
        OSError: It has none, or nobody knows.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `path` with its query, as it is requested; `host` in ASCII."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where requests may go.

    `hosts` are names, and `networks` addresses, that are allowed whatever lies there.
    """

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443, 8443})
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    resolver: Resolver = look_up

    def target(self, url: str) -> Target:
        """Return where a URL leads, without a look at the network.

        Raises:
            ValueError: Nothing may be sent there; the message says why, in the active language.
        """
        if len(url) > LONGEST_URL:
            raise ValueError(_("The address is too long; the limit is %(limit)s characters.") % {"limit": LONGEST_URL})
        target = _parsed(url)
        if target.scheme not in self.schemes:
            names = " ".join(f"{name}://" for name in sorted(self.schemes, reverse=True))
            raise ValueError(_("The address must begin with %(names)s.") % {"names": names})
        if target.port not in self.ports:
            ports = ", ".join(map(str, sorted(self.ports)))
            message = _("Port %(port)s is not allowed. Ports: %(ports)s.")
            raise ValueError(message % {"port": target.port, "ports": ports})
        address = _address(target.host)
        if address is not None and not self._takes(target.host, address):
            raise ValueError(_("The address does not belong to the internet."))
        return target

    def addresses(self, target: Target) -> list[str]:
        """Return the addresses to which a connection may be made, having looked them up once.

        Raises:
            Undeliverable: One of them is not allowed.
            OSError: There are none.
        """
        found = [target.host] if _address(target.host) is not None else list(self.resolver(target.host, target.port))
        for text in found:
            address = _address(text)
            if address is None or not self._takes(target.host, address):
                raise Undeliverable(f"{target.host} has the address {text}, which does not belong to the internet.")
        if not found:
            raise OSError(f"{target.host} has no address.")
        return found[:TRIED]

    def _takes(self, host: str, address: Address) -> bool:
        if host in self.hosts or is_of_the_internet(address):
            return True
        return any(address in network for network in self.networks if network.version == address.version)


def _parsed(url: str) -> Target:
    """Return the parts of a URL that everybody reads in the same way."""
    wrong = ValueError(_("Enter an address such as https://example.com/hook."))
    if _UNSAFE.search(url):
        raise wrong
    try:
        parts = urlsplit(url)
        default = PORTS.get(parts.scheme, 0)
        port = default if parts.port is None else parts.port
        host = (parts.hostname or "").rstrip(".").encode("idna").decode()
        path = f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
        path.encode("ascii")
    except ValueError:  # also a UnicodeError, of the name or the path
        raise wrong from None
    if "@" in parts.netloc:
        raise ValueError(_("The address must not contain a name or a password."))
    if parts.scheme and not 0 < len(host) <= HOST_LENGTH:
        raise wrong
    return Target(parts.scheme, host, port, path)


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
