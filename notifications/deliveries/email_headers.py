"""Headers of e-mails: those by which other programs know what a message is."""

from __future__ import annotations

import hashlib
from email.policy import EmailPolicy
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives

from .. import tenants
from .messages import Message

WHOLE: Final = frozenset({"list-unsubscribe", "message-id", "references", "in-reply-to"})  # are never folded
LINE: Final = 998  # characters, the longest line there may be (RFC 5322, 2.1.1)


class Email(EmailMultiAlternatives):
    """An e-mail whose addresses in headers stay whole.

    Since 6.0 Django leaves headers to Python, which folds whatever is long and has no spaces into encoded words, and
    no mailbox finds an address to unsubscribe in those (python/cpython#85725).
    """

    metadata: dict[str, str]

    def message(self, **kwargs: Any) -> Any:
        """Return it as Python's own message."""
        made: Any = super().message(**kwargs)
        if isinstance(made.policy, EmailPolicy):
            made.policy = _Whole(linesep=made.policy.linesep, utf8=made.policy.utf8, cte_type=made.policy.cte_type)
        else:  # Django 5.2 has folded what it should
            made.policy = made.policy.clone(max_line_length=LINE)
        return made


class _Whole(EmailPolicy):
    """Folds headers but for those that are addresses."""

    def fold(self, name: str, value: Any) -> str:
        return self._whole(name, value) if name.lower() in WHOLE else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in WHOLE:
            return self._whole(name, value).encode("ascii", "backslashreplace")
        return super().fold_binary(name, value)

    def _whole(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}"


def headers_of(message: Message, unsubscribe: str) -> dict[str, str]:
    """Return the headers of an e-mail, beside those that Django makes.

    Its id is the same whenever it is sent again, so that a mailbox which has it already may leave out the second. All
    about one object is one conversation (RFC 5322, 3.6.4): each answers a first message that was never sent.

    Args:
        message: What is told.
        unsubscribe: An address that takes the POST of RFC 8058; empty for what nobody can switch off.
    """
    host = urlsplit(tenants.base_url()).hostname or "localhost"
    headers = {
        "Message-ID": f"<carillon.{message.id}@{host}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's "out of office" answers it
    }
    if about := _about(message):
        headers |= {"In-Reply-To": f"<carillon.{about}@{host}>", "References": f"<carillon.{about}@{host}>"}
    if unsubscribe:
        headers["List-Unsubscribe"] = f"<{unsubscribe}>"
        if unsubscribe.startswith("https://"):  # RFC 8058, 3.1: no other scheme takes a POST
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _about(message: Message) -> str:
    """Return the id of the conversation, of which nobody can tell what it is about; empty for none."""
    about = "" if message.is_digest else message.parts[0].about
    return hashlib.sha256(tenants.salted(f"{message.user.pk} {about}").encode()).hexdigest()[:24] if about else ""
