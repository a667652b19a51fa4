"""E-mail addresses of users: where they stand, and which can be written to."""

from __future__ import annotations

import unicodedata
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Any, Final

from django.contrib.auth import get_user_model

from ..models.delivery import ADDRESS_LENGTH

UNWRITABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})  # categories of characters: controls and spaces


def email_field() -> str:
    """Return the user model's field of an e-mail address, as ``EMAIL_FIELD`` says; the model may have none."""
    named = getattr(get_user_model(), "get_email_field_name", None)
    return str(named()) if named is not None else "email"


def email_address(user: Any) -> str:
    """Return the e-mail address of a user; empty for none."""
    return str(getattr(user, email_field(), None) or "").strip()


def is_mailbox(address: str) -> bool:
    """Return whether this is one address, and nothing else, that every mail server understands (RFC 5321).

    Names, lists, comments and line breaks are refused, and so are letters beyond ASCII before the @: few servers take
    those. After it they are a domain's, which must have another spelling (RFC 3490). An address of the network in
    brackets is none either: it would lead the site's mail server to whatever machine somebody names.
    """
    if len(address) > ADDRESS_LENGTH or any(unicodedata.category(char) in UNWRITABLE for char in address):
        return False
    try:
        parsed = Address(addr_spec=address)
        parsed.domain.encode("idna")
    except (ValueError, HeaderParseError, IndexError):  # a UnicodeError is a ValueError
        return False
    named = bool(parsed.username and parsed.domain) and not parsed.domain.startswith("[")
    return named and parsed.username.isascii()


def domain_of(address: str) -> str:
    """Return who takes the messages to an address."""
    return address.rpartition("@")[2].casefold()
