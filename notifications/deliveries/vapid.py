"""What web push asks of cryptography: the site's own key (RFC 8292) and messages that one browser can read (RFC 8291).

It is done by ``py-vapid`` and ``pywebpush``, the packages of the extra ``push``, which are loaded when they are used.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from django.utils import timezone

PACKAGES: Final = ("py_vapid", "pywebpush")
VALIDITY: Final = timedelta(hours=12)  # of a signature; push services refuse more than 24, and clocks differ
POINT_BYTES: Final = 65  # of an uncompressed point of P-256
AUTH_BYTES: Final = 16
KEY_BYTES: Final = 32

# As the strictest of the push services wants it, Apple's: an address that could answer, and no brackets or spaces.
SUBJECT: Final = re.compile(r"mailto:[^\s<>@:]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+")


class Keys(NamedTuple):
    """A browser's keys: both as the browser gives them, in base64url without padding."""

    p256dh: str
    auth: str


@cache
def is_installed() -> bool:
    """Return whether the extra is installed."""
    return all(find_spec(name) is not None for name in PACKAGES)


def make_private_key() -> str:
    """Return a new private key, in base64url."""
    vapid = _vapid()
    vapid.generate_keys()
    return _encode(vapid.private_key.private_numbers().private_value.to_bytes(KEY_BYTES, "big"))


@cache
def public_key(private_key: str) -> str:
    """Return the key that browsers are given, in base64url.

    Raises:
        ValueError: The private key is none.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = _signer(private_key).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _encode(point)


def authorization(private_key: str, subject: str, audience: str) -> str:
    """Return the header by which a push service knows us: what we claim, signed.

    Args:
        private_key: The site's.
        subject: How the push service's people reach the site's.
        audience: The origin of the push service.
    """
    expires = int((timezone.now() + VALIDITY).timestamp())
    claims = {"aud": audience, "exp": expires, "sub": subject}
    return str(_signer(private_key).sign(claims)["Authorization"])


def encrypt(data: bytes, keys: Mapping[str, str]) -> bytes:
    """Return `data` as one record that only the browser with these keys can read."""
    from pywebpush import WebPusher

    pusher = WebPusher({"endpoint": "", "keys": dict(keys)})
    return bytes(pusher.encode(data, "aes128gcm")["body"])


def read_keys(p256dh: object, auth: object) -> Keys:
    """Return a browser's keys.

    Raises:
        ValueError: They are none.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    point, secret = _decode(p256dh), _decode(auth)
    if len(point) != POINT_BYTES or len(secret) != AUTH_BYTES:
        raise ValueError("A key has the wrong length.")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return Keys(_encode(point), _encode(secret))


@cache
def _signer(private_key: str) -> Any:
    try:
        if len(_decode(private_key)) != KEY_BYTES:
            raise ValueError("It has the wrong length.")
        return _vapid().from_raw(private_key.encode())
    except (ValueError, TypeError) as bad:
        raise ValueError("This is no private key: make one by manage.py carillon_vapid.") from bad


def _vapid() -> Any:
    from py_vapid import Vapid02

    return Vapid02()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: object) -> bytes:
    """Return what base64url says, with or without its padding."""
    if not isinstance(text, str) or len(text) > 200 or not re.fullmatch(r"[A-Za-z0-9_-]+={0,2}", text):
        raise ValueError("It is not base64url.")
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as bad:
        raise ValueError("It is not base64url.") from bad
