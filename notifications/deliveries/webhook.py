"""Webhooks: notifications for programs, signed as Standard Webhooks says (https://www.standardwebhooks.com)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import ip_network
from typing import Any, ClassVar, Final, NoReturn

from django.db import router

from .. import __version__
from ..exceptions import TryLater, Undeliverable
from ..live.statements import CompiledSelect
from ..models import Endpoint, Notice
from ..preferences.topics import topic_of
from .channels import DeliveryChannel
from .destinations import Destinations, Network, look_up
from .failures import note_failure, note_success, stop
from .messages import Message
from .outgoing import Answer, post, retry_after, tls_context
from .shapes import SHAPES

STANDARD: Final = Endpoint.Shape.STANDARD
LONGEST_TIMEOUT: Final = 25.0  # seconds, for a delivery has half a minute
GONE_STATUS: Final = 410
EXTRA: Final = "django-carillon[webhooks]"

# Compiled, because each notification asks: most users have none.
_OF_USERS = CompiledSelect(
    lambda: Endpoint.objects.filter(stopped="").order_by("pk"), "user_id", "pk", "channel", "events"
)


class Webhooks(DeliveryChannel):
    """Posts notifications to the endpoints of users, groups and the site."""

    has_devices: ClassVar[bool] = True
    for_people: ClassVar[bool] = False
    disturbs: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        *,
        http: bool = False,
        ports: Sequence[int] = (),
        allow: Sequence[str] = (),
        ca_file: str | None = None,
        timeout: float = 15.0,
        limit: int = 10,
        disable_after: timedelta = timedelta(days=5),
        **options: Any,
    ) -> None:
        """Take the ``OPTIONS`` of the settings.

        Args:
            name: The channel's.
            http: Whether ``http://`` is allowed beside ``https://``.
            ports: To which connections are made; none stands for 443 and 8443, and with `http` for 80 and 8080 too.
            allow: Names, and networks such as ``"10.1.0.0/16"``, that are allowed though they are not of the internet.
            ca_file: The certificates of the authorities that are trusted, in the place of the system's.
            timeout: Seconds that one try takes at most.
            limit: Endpoints that a user, a group or the site may have.
            disable_after: How long an endpoint may fail before it is switched off.
            options: None that it knows.

        Raises:
            TypeError: An option is not what it must be.
            ValueError: So is the value of one.
            OSError: `ca_file` cannot be read.
        """
        super().__init__(name, **options)
        if isinstance(allow, str):
            raise TypeError("allow must be a list of names and networks.")
        if not 0 < timeout <= LONGEST_TIMEOUT:
            raise ValueError(f"timeout must be at most {LONGEST_TIMEOUT:.0f} seconds, and more than none.")
        if not isinstance(disable_after, timedelta):
            raise TypeError("disable_after must be a datetime.timedelta.")
        if limit < 1:
            raise ValueError("limit must be at least 1.")
        hosts, networks = _allowed(allow)
        self.destinations = Destinations(
            schemes=frozenset({"https", "http"} if http else {"https"}),
            ports=frozenset(ports or ((443, 8443, 80, 8080) if http else (443, 8443))),
            hosts=hosts,
            networks=networks,
            resolver=self.look_up,
        )
        self.limit = limit
        self.disable_after = disable_after
        self._timeout = timeout
        self._tls = tls_context(ca_file)

    def look_up(self, host: str, port: int) -> Iterable[str]:
        """Return the addresses of a name, each of which is examined."""
        return look_up(host, port)

    def problems(self) -> Sequence[str]:
        """Say that what signs is not installed."""
        if find_spec("standardwebhooks") is None:
            return [f"It needs the package standardwebhooks: pip install '{EXTRA}'."]
        return ()

    def devices(self, pks: Sequence[Any], using: str) -> Mapping[Any, Sequence[str]]:
        """Return the endpoints of users that are not switched off."""
        return self._endpoints(pks, using)

    def devices_for(self, notice: Notice, pks: Sequence[Any], using: str) -> Mapping[Any, Sequence[str]]:
        """Return those of them that want such a notice."""
        return self._endpoints(pks, using, topic_of(notice.kind, notice.category).scopes)

    def send(self, message: Message) -> None:
        """Post a message to an endpoint, and keep account of its failures."""
        endpoint = self._endpoint(message)
        body = SHAPES[endpoint.shape](message)
        headers = {"Content-Type": "application/json", "User-Agent": f"Carillon/{__version__}"}
        if endpoint.shape == STANDARD:
            headers |= signed(message.id, body, endpoint.secrets())
        try:
            answer = post(endpoint.url, body, headers, self.destinations, timeout=self._timeout, tls=self._tls)
        except ValueError as error:  # the settings allow it no more
            note_failure(endpoint, self.disable_after)
            raise Undeliverable(str(error)) from error
        except Undeliverable:
            note_failure(endpoint, self.disable_after)
            raise
        except OSError as error:
            note_failure(endpoint, self.disable_after)
            raise TryLater(f"{type(error).__name__}: {error}") from error
        if 200 <= answer.status < 300:
            note_success(endpoint)
        else:
            self._refused(endpoint, answer)

    def _refused(self, endpoint: Endpoint, answer: Answer) -> NoReturn:
        """Do as the standard says: try again whatever it was, unless the endpoint is gone."""
        if answer.status == GONE_STATUS:
            stop(endpoint, Endpoint.Stop.GONE)
            raise Undeliverable("HTTP 410: the address is gone.", reason="bounced")
        note_failure(endpoint, self.disable_after)
        raise TryLater(f"HTTP {answer.status}", after=retry_after(answer.headers.get("Retry-After", "")))

    def _endpoint(self, message: Message) -> Endpoint:
        """Return where a message goes, if it still may.

        Raises:
            Undeliverable: It is gone, or switched off.
        """
        rows = Endpoint.objects.using(router.db_for_write(Endpoint)).filter(channel=self.name, pk=message.device)
        endpoint = rows.first()
        if endpoint is None or (message.user is not None and endpoint.user_id != message.user.pk):
            raise Undeliverable("The webhook was deleted.", reason="no-device")
        if endpoint.stopped:
            raise Undeliverable("The webhook is switched off.", reason="no-device")
        return endpoint

    def _endpoints(
        self, pks: Sequence[Any], using: str, scopes: tuple[str, ...] | None = None
    ) -> Mapping[Any, Sequence[str]]:
        found: dict[Any, list[str]] = {}
        for user, pk, channel, events in _OF_USERS.run(pks, using):
            if channel == self.name and (scopes is None or Endpoint(events=events).takes(scopes)):
                found.setdefault(user, []).append(str(pk))
        return found


def signed(message_id: str, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers by which a receiver knows who has sent a body, with a signature by each of the secrets."""
    from standardwebhooks import Webhook

    name = "msg_" + message_id.replace(".", "_")  # the standard's separator may not stand in it
    now = datetime.now(UTC)  # of no other zone: the library takes the hours as they are
    signatures = [Webhook(secret).sign(name, now, body.decode()) for secret in secrets]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _allowed(entries: Sequence[str]) -> tuple[frozenset[str], tuple[Network, ...]]:
    """Return the names and the networks of a list of both."""
    hosts, networks = set(), []
    for entry in entries:
        try:
            networks.append(ip_network(entry))
        except ValueError:
            if "/" in entry or ":" in entry:
                raise ValueError(f"{entry!r} in allow is neither a name nor a network.") from None
            hosts.add(entry.lower())
    return frozenset(hosts), tuple(networks)
