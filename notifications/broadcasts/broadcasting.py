"""`broadcast`: make a broadcast and send it, in one call that reads like `notify`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.functional import Promise

from ..annotations import LevelName, User
from ..audiences import Audience
from ..inbox.recipients import recipient_key
from ..inbox.validation import refuse_beside
from ..kinds import Kind
from ..kinds.declaring import rules_of
from ..kinds.rendering import notice_fields
from ..models import Broadcast
from ..preferences.channels import sent
from ..twins import twin
from .publishing import publish_broadcast

Meant: TypeAlias = Audience | str | Group | User | Iterable[User]
"""The audience of `broadcast`: an audience, the name of a registered one, a group, a user, or some users one by one."""


def broadcast(
    what: str | Promise | Kind,
    *,
    to: Meant,
    body: str = "",
    url: str = "",
    level: LevelName = "info",
    category: str = "",
    texts: Mapping[str, Mapping[str, str]] | None = None,
    channels: Iterable[str] | None = None,
    by: User | None = None,
    publish_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Broadcast:
    """Send a broadcast to an audience, now or at a given time.

    One row is stored, whatever the audience's size; connected users get a copy after the commit, everybody else when
    they next connect or list. It joins the caller's transaction.

    Args:
        what: What happened: an instance of a declared kind (see `notifications.kinds`), which each reads in their
            language, or a title of one line and at most 200 characters. Text, never HTML. A lazy title is evaluated
            here, in the language that is active.
        to: An `Audience`, the name of a registered one such as ``"everyone"``, a group, a user, or an iterable of
            users. It is stored and evaluated whenever a user visits, so it cannot be a queryset: define an audience
            with ``@audience`` instead.
        body: Details, at most 4,000 characters. Text, never HTML.
        url: The link: an http(s) URL, or a path on this site.
        level: ``"info"``, ``"success"``, ``"warning"`` or ``"error"``.
        category: Your name for a group of notifications, which users can filter by; at most 100 characters.
        texts: The title and, if you like, the body for readers of other languages of the site, by its code:
            ``{"de": {"title": "Wartung", "body": "…"}}``.
        channels: By which channels it is sent beyond the site, ``["email"]`` for example, to all in the audience who
            have not switched that off. What is to be sent is stored after the commit, in batches. None means those
            that the kind declares, and for a title none.
        by: The broadcast's author, whom the admin history names.
        publish_at: An aware time at which to send it; immediately if not given.
        expires_at: An aware time after which nobody sees it.

    Returns:
        The broadcast, sent or scheduled; `edit_broadcast` and `recall_broadcast` take it.

    Raises:
        ValidationError: A field is beyond its limit, the audience is empty or unknown, or nothing is sent by a
            channel; the field is named, and nothing is written.
        TypeError: `to` is none of the things it may be; `channels` is one text; or a kind says itself what is given
            beside it; or it grows, for no copy of a broadcast joins another item.
        ValueError: A user was not saved yet.
    """
    given: dict[str, Any] = {
        "body": body,
        "url": url,
        "level": level,
        "category": category,
        "texts": {code: dict(text) for code, text in texts.items()} if texts else None,
    }
    made = Broadcast(
        **(_told(what, given) if isinstance(what, Kind) else {"title": what, **given}),
        audience=_audience(to).dump(),
        channels=_channels(what, channels),
        author_id=None if by is None else recipient_key(by),
        publish_at=publish_at,
        expires_at=expires_at,
    )
    return publish_broadcast(made, by=by)


abroadcast = twin(broadcast)


def _told(what: Kind, given: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored of an instance of a kind, which says everything itself."""
    refuse_beside(what, given)
    if rules_of(what).grow:
        raise TypeError(f"{type(what).__name__} grows, which a broadcast cannot: send it with notify().")
    return notice_fields(what)


def _channels(what: object, given: Iterable[str] | None) -> list[str]:
    """Return by which channels it is sent; if that is not said, by those that its kind declares."""
    if isinstance(given, str):
        raise TypeError(f"`channels` is a list of names: channels=[{given!r}].")
    if given is not None:
        return list(dict.fromkeys(given))
    declared = rules_of(what).channels if isinstance(what, Kind) else {}
    return [name for name in sent() if declared.get(name, "off") != "off"]


def _audience(to: Meant) -> Audience:
    if isinstance(to, Audience):
        return to
    if isinstance(to, str):
        return Audience.of(to)
    if isinstance(to, Group):
        return Audience.of(groups=[to])
    if isinstance(to, QuerySet):
        raise TypeError(
            "`to` is a queryset, which cannot be stored: an audience is evaluated whenever a user visits. "
            "Register a function that filters the users with @audience and give its name, or use "
            "notify(queryset, …), which reaches the users who are in it now."
        )
    if isinstance(to, Iterable) and not isinstance(to, bytes | dict):
        return Audience.of(users=[recipient_key(user) for user in to])
    return Audience.of(users=[recipient_key(to)])
