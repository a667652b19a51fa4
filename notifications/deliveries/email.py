"""E-mail: the channel that sends by Django's own mail."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.utils.formats import date_format

from ..conf import conf
from ..exceptions import TryLater, Undeliverable
from .addresses import domain_of, email_address, email_field, is_mailbox
from .bounces import bounce_of, store_bounce
from .channels import DeliveryChannel
from .email_answers import Bounced, meaning_of
from .email_connections import Connections, has_mailer
from .email_content import content_of
from .email_headers import Email, headers_of
from .links import page_url
from .messages import Message
from .pace import Pace
from .unsubscribing import scope_of_message, token_of

PACE: Final = 10.0  # messages in a second to one domain
PACE_WAIT: Final = 2.0  # seconds that a message waits for its turn here; beyond it is sent later


class EmailChannel(DeliveryChannel):
    """Sends to the address in the user model's ``EMAIL_FIELD``, in plain text and HTML."""

    disturbs: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        *,
        from_email: str = "",
        mailer: str = "",
        site_name: str = "",
        per_domain: float = PACE,
        **options: Any,
    ) -> None:
        """Take the options of the settings.

        Args:
            name: The channel's name.
            from_email: Who writes, as ``"Shop <shop@example.com>"``; without it Django's ``DEFAULT_FROM_EMAIL``.
            mailer: The one of Django's ``MAILERS``; without it the default one.
            site_name: What people call the site; without it the host of ``NOTIFICATIONS_BASE_URL``.
            per_domain: Messages in a second that one process sends to one domain, at least 0.1.
            options: None are known.

        Raises:
            TypeError: There are options that the channel does not know.
            ValueError: The pace is too slow.
        """
        super().__init__(name, **options)
        if not per_domain >= 0.1:
            raise ValueError(f"per_domain is {per_domain!r}; it must be at least 0.1 messages in a second.")
        self._from = from_email
        self._mailer = mailer
        self._site_name = site_name
        self._pace = Pace(per_domain)
        self.connections = Connections(mailer)

    def address(self, user: Any) -> str:
        """Return a user's e-mail address.

        Raises:
            Undeliverable: It is none, or has refused messages for good.
        """
        address = email_address(user)
        if not address:
            return ""
        if not is_mailbox(address):
            raise Undeliverable(f"{address!r} is no e-mail address.", reason="no-address")
        if (bounce := bounce_of(user, self.name, address)) is not None:
            raise Undeliverable(f"It bounced on {date_format(bounce.bounced_at)}: {bounce.detail}", reason="bounced")
        return address

    def send(self, message: Message) -> None:
        """Send an e-mail."""
        if not conf.BASE_URL:
            raise ImproperlyConfigured("Set NOTIFICATIONS_BASE_URL: links in e-mails begin with it.")
        mail = self.email(message)
        if not self.connections.are_local:
            self._wait(message)
        try:
            with self.connections.use() as connection:
                number = connection.send_messages([mail])
        except Exception as error:
            self._refused(message, error)
            raise
        if number == 0:  # by a mailer that fails silently; some return None, and mean nothing by it
            raise TryLater("The mailer has not sent it.")

    def email(self, message: Message) -> Email:
        """Return the e-mail that tells a message."""
        unsubscribe = self.unsubscribe_url(message)
        content = content_of(message, unsubscribe, self._site_name)
        mail = Email(
            content.subject,
            content.text,
            self._from or None,
            [message.address],
            headers=headers_of(message, unsubscribe),
        )
        mail.attach_alternative(content.html, "text/html")
        mail.metadata = {"carillon": message.id}  # which django-anymail hands back with a bounce
        return mail

    def unsubscribe_url(self, message: Message) -> str:
        """Return where the recipient of a message can switch it off; empty for what nobody can."""
        scope = scope_of_message(message)
        if scope is None:
            return ""
        token = token_of(message.user, self.name, scope, message.address)
        return page_url("unsubscribe", message.language, token=token)

    def problems(self) -> Sequence[str]:
        """Return what is wrong with the site's settings."""
        return list(self._problems())

    def _wait(self, message: Message) -> None:
        """Wait for the turn of a domain."""
        wait, taken = self._pace.turn(domain_of(message.address), PACE_WAIT)
        if not taken:
            raise TryLater("Its domain gets enough already.", after=timedelta(seconds=wait), counts=False)
        time.sleep(wait)

    def _problems(self) -> Iterator[str]:
        if not conf.BASE_URL:
            yield 'Set NOTIFICATIONS_BASE_URL = "https://…", the site\'s address: links in e-mails begin with it.'
        elif not page_url("unsubscribe", settings.LANGUAGE_CODE, token="t" * 20):  # an example
            yield 'Include path("notifications/", include("notifications.urls")): there links in e-mails lead.'
        field = email_field()
        if type(self).address is EmailChannel.address and not hasattr(get_user_model(), field):
            yield f"Name the field of addresses in the user model's EMAIL_FIELD: it has no {field!r}."
        if self._mailer and not has_mailer(self._mailer):
            yield f"MAILERS, which Django has since 6.1, has no {self._mailer!r}; the option mailer names it."

    def _refused(self, message: Message, error: Exception) -> None:
        """Raise what an error means, if anybody knows, and remember an address that is none."""
        meaning = meaning_of(error)
        if isinstance(meaning, Bounced) and meaning.for_good:
            store_bounce(message.user.pk, self.name, message.address, str(meaning))
        if meaning is not None:
            raise meaning from error
