"""Previews: the e-mail of each kind, made of the kind's own sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.utils import timezone

from ..conf import conf
from ..kinds import Rules, registry
from ..kinds.rendering import rendering
from .email_content import Content, content_of
from .links import absolute
from .messages import Message, Part

DIGEST: Final = "digest"  # stands for the digest among the kinds; it tells of the samples of some
DIGEST_PARTS: Final = 5


class Preview(NamedTuple):
    """What an e-mail looks like; None if the kind has no sample, or `problem` says why it cannot be told."""

    content: Content | None
    problem: str = ""


def preview(key: str, language: str, user: Any) -> Preview:
    """Return the e-mail of a declared kind, or of the digest, in a language, as a user would get it.

    Raises:
        KeyError: No code declares this kind.
    """
    try:
        parts = _digest_parts(language) if key == DIGEST else list(_parts([registry[key]], language))
    except KeyError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever the site's code raises
        return Preview(None, f"{type(error).__name__}: {error}")
    if not parts:
        return Preview(None)
    message = Message(
        id="0.0",
        user=user,
        channel="email",
        device="",
        address="",
        language=language,
        time_zone=settings.TIME_ZONE,
        parts=parts,
        is_digest=key == DIGEST,
        attempt=1,
    )
    said = conf.CHANNELS.get("email")
    required = key != DIGEST and bool(registry[key].required)
    site_name = str(said.options.get("site_name", "")) if said else ""
    return Preview(content_of(message, "" if required else "#", site_name))


def previewable() -> list[str]:
    """Return the declared kinds, and the digest."""
    return [*sorted(registry), DIGEST]


def _digest_parts(language: str) -> list[Part]:
    found: list[Part] = []
    for key in sorted(registry):
        found += _parts([registry[key]], language)
        if len(found) == DIGEST_PARTS:
            break
    return found


def _parts(kinds: Iterable[Rules], language: str) -> Iterable[Part]:
    """Yield the sample of each kind that has one, as a message has it."""
    for rules in kinds:
        sample = rules.cls.sample()
        if sample is not None:
            said = rendering(sample, language)
            yield Part(
                notice=0,
                kind=rules.key,
                category=rules.group_name,
                level=said.level,
                title=said.title,
                body=said.body,
                url=absolute(said.url),
                actor="",
                events=1,
                created_at=timezone.now(),
                about="",
                data={},
                item=0,
                target=absolute(said.url),
                group="",
                expires_at=None,
            )
