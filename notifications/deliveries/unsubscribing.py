"""Unsubscribing: who has a message's own token may switch off what it tells of, without signing in.

A token names a user, a channel and what the choice is about, and is signed. It never ends, for messages are kept; but
it is worth nothing once the user has another address, for the old mailbox may be somebody else's by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import router
from django.utils.translation import gettext as _

from .. import tenants
from ..inbox.choosing import known, set_preference
from ..models import Preference
from ..preferences.channels import channels
from ..preferences.topics import EVERYTHING, Topic, categories, choosable, kind_label, topic_of
from .addresses import email_address
from .channels import channel
from .messages import Message, Part

TOKEN: Final = r"[A-Za-z0-9_.-]{20,1500}"  # noqa: S105  # how one looks
_SALT: Final = "carillon.unsubscribe"
_START: Final = "u"  # for a compressed token begins with a dot, and web servers like to hide such files


class Subscription(NamedTuple):
    """What a token may switch off: a channel of a user, for a scope of preferences."""

    user: Any
    channel: str
    scope: str

    @property
    def what(self) -> str:
        """Return what people call it; empty for everything."""
        subject, _colon, name = self.scope.partition(":")
        if not known(self.scope) or self.scope == EVERYTHING:
            return name
        if subject == "kind":
            rules = Topic(name, "").rules
            return kind_label(rules) if rules else name
        return str(categories()[name])

    @property
    def by(self) -> str:
        """Return what people call the channel."""
        found = channels().get(self.channel)
        return str(found.label) if found else self.channel


def scope_of_message(message: Message) -> str | None:
    """Return what the recipient of a message may switch off: what all of it is about; None if nothing.

    It is the kind of all that a message tells of, or else the category, or else everything. What nobody can switch off
    does not count.
    """
    topics = [topic_of(part.kind, part.category) for part in message.parts]
    open_parts = [part for part, topic in zip(message.parts, topics, strict=True) if topic.open]
    if not open_parts:
        return None
    scopes = [_scopes(part) for part in open_parts]
    return next(scope for scope in scopes[0] if all(scope in others for others in scopes))


def _scopes(part: Part) -> tuple[str, ...]:
    found = choosable(part.kind, part.category)
    return found.scopes if found is not None else (EVERYTHING,)


def token_of(user: Any, channel: str, scope: str, address: str) -> str:
    """Return the token by which an address switches something off: the same for all its messages."""
    return _START + _signer().sign_object([str(user.pk), channel, scope, _fingerprint(address)], compress=True)


def subscription_of(token: str) -> Subscription | None:
    """Return what a token may switch off; None if it is forged, or its user is gone or has another address."""
    try:
        pk, name, scope, fingerprint = _signer().unsign_object(token.removeprefix(_START))
    except (BadSignature, ValueError, TypeError):
        return None
    alias = router.db_for_write(Preference)
    user = get_user_model()._base_manager.using(alias).filter(pk=pk).first()
    if user is None or all(_fingerprint(address) != fingerprint for address in _addresses(user, name)):
        return None
    return Subscription(user, name, scope)


def unsubscribe(subscription: Subscription) -> None:
    """Switch off what a token names; what no code declares any more is off anyway.

    Raises:
        ValidationError: Nobody can switch it off any more; the message says why.
    """
    subject, _colon, name = subscription.scope.partition(":")
    if subscription.channel not in channels() or not known(subscription.scope):
        return
    about = {subject: name} if subject else {}
    set_preference(subscription.user, subscription.channel, "off", **about)


def problem_of(invalid: ValidationError) -> str:
    """Return why something cannot be switched off."""
    return " ".join(invalid.messages) or _("These notifications cannot be switched off.")


def _addresses(user: Any, name: str) -> Iterator[str]:
    """Yield where e-mails reach a user: at their address, also one that refuses messages, or at a channel's own."""
    yield email_address(user)
    try:
        sender = channel(name)
        own = "" if sender.has_devices else str(sender.address(user) or "")
    except Exception:  # noqa: BLE001  # whatever a channel of the site raises: there is none now
        return
    yield own


def _signer() -> Signer:
    return Signer(salt=tenants.salted(_SALT), sep=".")


def _fingerprint(address: str) -> str:
    return hashlib.sha256(address.casefold().encode()).hexdigest()[:16]
