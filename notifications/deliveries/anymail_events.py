"""What django-anymail tells of messages that were sent: who refused them, and who does not want them."""

from __future__ import annotations

from typing import Any, Final

from ..inbox.choosing import set_preference
from .bounces import EMAIL, mark_bounced, users_of

REFUSED: Final = ("bounced", "rejected")
FOR_GOOD: Final = ("bounced", "invalid")  # the reasons that are the address's own
UNWANTED: Final = ("complained", "unsubscribed")  # by the mailbox's button for spam, or the provider's own link


def on_tracking(sender: Any, event: Any, **kwargs: Any) -> None:
    """Stop an address that refuses for good, and switch off e-mails to who does not want them.

    Soft bounces and refused content say nothing of an address. What nobody can switch off is still sent.
    """
    address = (event.recipient or "").strip()
    if event.event_type in UNWANTED:
        for user in users_of(address):
            set_preference(user, EMAIL, "off")
    elif event.event_type in REFUSED and event.reject_reason in FOR_GOOD and not _is_transient(event):
        detail = " ".join(filter(None, [event.description, event.mta_response]))
        metadata = event.metadata if isinstance(event.metadata, dict) else {}
        mark_bounced(address, detail=detail, message_id=str(metadata.get("carillon", "")))


def listen() -> None:
    """Hear of django-anymail, where it is installed."""
    try:
        from anymail.signals import tracking
    except ImportError:
        return
    tracking.connect(on_tracking, dispatch_uid="carillon.anymail")


def _is_transient(event: Any) -> bool:
    """Return whether it is one of Amazon's soft bounces, which anymail calls as it calls the hard ones."""
    return str(event.description or "").startswith("Transient")
