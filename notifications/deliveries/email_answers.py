"""What mail servers answer, and what follows from it: try again, or never again (RFC 5321 and RFC 3463)."""

from __future__ import annotations

import re
import smtplib
from typing import Final

from ..exceptions import CarillonError, TryLater, Undeliverable
from .outgoing import retry_after

_ENHANCED: Final = re.compile(r"\b([245])\.([0-9]{1,3})\.([0-9]{1,3})\b")
TOO_LARGE: Final = (552, "5.3.4")


class Bounced(Undeliverable):
    """The server refuses the recipient; `for_good` if the address itself is wrong, not just this message."""

    def __init__(self, message: str, *, for_good: bool) -> None:
        """Keep whether it is the address."""
        super().__init__(message, reason="bounced")
        self.for_good = for_good


def meaning_of(error: Exception) -> CarillonError | None:
    """Return what an error of sending means; None if nobody knows, so that it is tried again as anything else.

    A refused sender or sign-in is tried again, for somebody may put the settings right meanwhile.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _refusal(code, _plain(text), of_recipient=True)
    if isinstance(error, smtplib.SMTPDataError):
        return _refusal(error.smtp_code, _plain(error.smtp_error), of_recipient=False)
    if isinstance(error, smtplib.SMTPSenderRefused):
        told = _plain(error.smtp_error)
        if error.smtp_code == TOO_LARGE[0] or _status(told) == TOO_LARGE[1]:
            return Undeliverable(f"{error.smtp_code} {told}")
        return TryLater(f"{error.smtp_code} {told} (sender {error.sender})")
    if isinstance(error, smtplib.SMTPResponseException):
        return TryLater(f"{error.smtp_code} {_plain(error.smtp_error)}")
    if (meaning := _of_anymail(error)) is not None:
        return meaning
    if isinstance(error, OSError):  # SMTPException is one; so are timeouts and failed look-ups
        return TryLater(f"{type(error).__name__}: {error}")
    return None


def _of_anymail(error: Exception) -> CarillonError | None:
    """Return what an error of django-anymail means, where it is installed."""
    try:
        from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
    except ImportError:
        return None
    if isinstance(error, AnymailRecipientsRefused):
        return Bounced(str(error), for_good=False)
    if isinstance(error, AnymailAPIError) and error.status_code == 429:
        said = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
        return TryLater(str(error), after=retry_after(said))
    return None


def _refusal(code: int, text: str, *, of_recipient: bool) -> CarillonError:
    told, status = f"{code} {text}", _status(text)
    if not 500 <= code < 600:
        return TryLater(told)
    if code in (503, 530, 535, 538):  # the dialogue is wrong, or nobody has signed in: settings
        return TryLater(told)
    if status.startswith("5.1.") or status == "5.2.1":  # no such mailbox, no such domain; or it is disabled
        return Bounced(told, for_good=True)
    if of_recipient and not status.startswith("5.7."):  # that is a policy, of which the address can help nothing
        return Bounced(told, for_good=False)
    return Undeliverable(told)


def _status(text: str) -> str:
    found = _ENHANCED.search(text)
    return found[0] if found else ""


def _plain(text: bytes | str) -> str:
    return " ".join((text.decode(errors="replace") if isinstance(text, bytes) else str(text)).split())
