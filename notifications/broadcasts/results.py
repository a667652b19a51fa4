"""What became of a broadcast: how many have it, saw it, read it and followed its link, now and over time.

The page of results and the frames that keep it live are made of the same `Results`.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db.models import Count, F
from django.db.models.functions import Mod
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..audiences.sizes import Size
from ..live import frames, relay
from ..live.access import guard, users_of
from ..live.batch import Access
from ..live.periodic import periodic, serve_at_once
from ..live.streams import Key
from ..models import Broadcast, Notification
from ..tenants import PerTenant
from .channel_results import text_of_channels

STREAM = "results"  # type of the keys under which the pages of results listen
VIEW = ("carillon.view_broadcast", "carillon.change_broadcast")  # either permission shows the page
SERIES = ("delivered", "seen", "read", "clicked")
TIMES = tuple(f"{name}_at" for name in SERIES)

SAMPLED = 20_000  # copies whose times are read for the curves; of more, an even sample is
POINTS = 60  # of a curve
WIDTH, HEIGHT = 720, 220  # of the plot, in the units of the picture
COLUMNS, ROWS = 4, 2  # of its grid

PAUSE = 1.0  # seconds between updates of results that somebody watches
SHARE = 10  # a look may take a tenth of the time: the next one waits for this many times as long as it took


class Figures(NamedTuple):
    """How many copies there are, and how many of them were seen, read and followed."""

    delivered: int = 0
    seen: int = 0
    read: int = 0
    clicked: int = 0


class Results(msgspec.Struct, frozen=True, tag_field="type", tag="results"):
    """Everything on the page of results that changes.

    `text` holds words by the id of the element they go to; `draw` the path of each curve; `bars` the share
    in per cent that the words name, by series. `state` is the broadcast's: a page of another one loads itself again.
    """

    state: str
    text: dict[str, str]
    draw: dict[str, str]
    bars: dict[str, float]
    time: datetime


def figures(broadcast: Broadcast) -> Figures:
    """Count, with one query."""
    if broadcast.notice_id is None:
        return Figures()
    columns = [Count("pk"), *(Count(name) for name in TIMES[1:])]
    names = dict(zip(SERIES, columns, strict=True))
    return Figures(**Notification.objects.filter(notice=broadcast.notice_id).aggregate(**names))


def reach(broadcast: Broadcast) -> Size | None:
    """Return the audience's size; it is counted when it is first asked for. None if it cannot be counted."""
    if broadcast.reach is None:
        audience = broadcast.audience_of()
        if audience.unknown():
            return None
        size = audience.size()
        remember_reach(broadcast, size)
        return size
    return Size(broadcast.reach, broadcast.reach_exact)


def remember_reach(broadcast: Broadcast, size: Size) -> None:
    """Keep the audience's size with the broadcast."""
    broadcast.reach, broadcast.reach_exact = size
    Broadcast.objects.filter(pk=broadcast.pk).update(reach=size.number, reach_exact=size.exact)


def results(broadcast: Broadcast) -> Results:
    """Read what became of `broadcast`, with two queries, and a third one if it is sent by channels."""
    now = timezone.now()
    counted = figures(broadcast)
    size = reach(broadcast)
    whole = max(size.number if size else 0, counted.delivered)
    begin, end = _span(broadcast, now)
    top = _ceiling(max(counted.delivered, 1))
    values = counted._asdict()
    text = {name: number_format(value, force_grouping=True) for name, value in values.items()}
    bases = dict.fromkeys(SERIES, counted.delivered) | {"delivered": whole}
    text |= {f"{name}-share": _share(value, bases[name]) for name, value in values.items()}
    if text["delivered-share"] and size:
        text["delivered-share"] = _("%(share)s of %(people)s") % {"share": text["delivered-share"], "people": _of(size)}
    span = (end - begin).total_seconds()
    text |= {f"x{part}": _passed(span * part / COLUMNS) for part in range(COLUMNS + 1)}
    text |= {f"y{part}": _height(top, part) for part in range(ROWS + 1)}
    text["summary"] = _summary(counted, size)
    text |= text_of_channels(broadcast)
    draw = {f"curve-{name}": path for name, path in _curves(broadcast, counted, begin, end, top).items()}
    return Results(
        state=broadcast.state,
        text={name: str.__str__(words) for name, words in text.items()},  # Django calls some numbers safe
        draw=draw,
        bars={name: round(100 * value / max(bases[name], 1), 2) for name, value in values.items()},
        time=frames.now().replace(microsecond=0),
    )


def grid() -> dict[str, list[tuple[str, float]]]:
    """Return the lines of the picture's grid: the name of each one's label, and where it is."""
    return {
        "columns": [(f"x{part}", WIDTH * part / COLUMNS) for part in range(COLUMNS + 1)],
        "rows": [(f"y{part}", HEIGHT * (1 - part / ROWS)) for part in range(ROWS + 1)],
    }


def _span(broadcast: Broadcast, now: datetime) -> tuple[datetime, datetime]:
    """Return the time that the picture shows: at least a minute, and not beyond the broadcast's end."""
    begin = broadcast.published_at or now
    ends = [at for at in (now, broadcast.recalled_at, broadcast.expires_at) if at is not None]
    end = min(ends)
    return begin, max(end, begin + timedelta(minutes=1))


def _curves(broadcast: Broadcast, counted: Figures, begin: datetime, end: datetime, top: int) -> dict[str, str]:
    """Draw each series as a line that rises with every event; the last point is the exact number."""
    columns = _times(broadcast, counted.delivered)
    marks = [begin + (end - begin) * step / POINTS for step in range(POINTS + 1)]
    paths = {}
    for name, times in zip(SERIES, columns, strict=True):
        found = sorted(at for at in times if at is not None)
        total = getattr(counted, name)
        scale = total / len(found) if found else 0.0
        heights = [bisect_right(found, mark) * scale for mark in marks[:-1]] + [float(total)]
        paths[name] = _path(heights, top)
    return paths


def _times(broadcast: Broadcast, number: int) -> Sequence[Sequence[datetime | None]]:
    """Read when each copy was delivered, seen, read and followed; of a multitude, an even sample."""
    rows: Any = Notification.objects.filter(notice=broadcast.notice_id)
    if (step := -(-number // SAMPLED)) > 1:
        rows = rows.annotate(part=Mod(F("pk"), step)).filter(part=0)
    return list(zip(*rows.values_list(*TIMES), strict=True)) or [()] * len(SERIES)


def _path(heights: Sequence[float], top: int) -> str:
    points = [f"{WIDTH * step / POINTS:.1f} {HEIGHT * (1 - height / top):.1f}" for step, height in enumerate(heights)]
    return "M" + "L".join(points)


def _ceiling(number: int) -> int:
    """Return the next number that reads well on an axis."""
    unit: int = 10 ** (len(str(number)) - 1)
    return next(factor * unit for factor in (1, 2, 4, 6, 8, 10) if factor * unit >= number)


def _height(top: int, part: int) -> str:
    """Label a row, unless it would be half a person."""
    whole, rest = divmod(top * part, ROWS)
    return "" if rest else number_format(whole, force_grouping=True)


def _share(value: int, whole: int) -> str:
    return f"{number_format(100 * value / whole, 1 if 0 < value < whole else 0)} %" if whole else ""


def _of(size: Size) -> str:
    number = number_format(size.number, force_grouping=True)
    return number if size.exact else _("about %(number)s") % {"number": number}


def _summary(counted: Figures, size: Size | None) -> str:
    """Return the figures as one sentence, for users who cannot see the chart."""
    people = str(size) if size else _("an unknown number of people")
    message = _("Delivered to %(delivered)s of %(people)s; %(seen)s saw it, %(read)s read it, %(clicked)s clicked it.")
    return message % {"people": people, **{name: number_format(value) for name, value in counted._asdict().items()}}


def _passed(seconds: float) -> str:
    minutes = seconds / 60
    if seconds < 1:
        return "0"
    if minutes < 5:
        return ngettext("%(number)s second", "%(number)s seconds", round(seconds)) % {"number": round(seconds)}
    if minutes < 120:
        return _("%(number)s min") % {"number": round(minutes)}
    if minutes < 48 * 60:
        return _("%(number)s h") % {"number": number_format(round(minutes / 60, 1))}
    return _("%(number)s days") % {"number": number_format(round(minutes / 1440, 1))}


@periodic
def refresh() -> float | None:
    """Send every open results page what changed; return the seconds to the next update, or None without viewers."""
    watched = relay.connected(STREAM)
    last = _last()
    for gone in last.keys() - watched:
        del last[gone]
    if not watched:
        return None
    began = time.monotonic()
    languages: dict[int, list[str]] = {}
    for name in watched:
        pk, _dot, language = name.partition(".")
        languages.setdefault(int(pk), []).append(language)
    for broadcast in Broadcast.objects.filter(pk__in=list(languages)):
        for language in languages[broadcast.pk]:
            with translation.override(language or settings.LANGUAGE_CODE):
                _tell(broadcast, key_of(broadcast.pk, language))
    return max(PAUSE, SHARE * (time.monotonic() - began))


serve_at_once(STREAM)


@guard(STREAM)
def still_permitted(listeners: Mapping[str, Collection[str]]) -> dict[str, Access]:
    """Return who of the listeners still may: staff who may view or change broadcasts, as the admin asks it."""
    users = users_of({owner for owners in listeners.values() for owner in owners})
    may = frozenset(owner for owner, user in users.items() if _may_view(user))
    return {pk: Access(may.intersection(owners), None) for pk, owners in listeners.items()}


def _may_view(user: Any) -> bool:
    return getattr(user, "is_staff", False) and any(user.has_perm(permission) for permission in VIEW)


_last: PerTenant[dict[str, bytes]] = PerTenant(dict)  # what was last sent to the subscribers here, except for the time


def key_of(pk: int, language: str | None) -> Key:
    """Return the key under which pages of a broadcast's results listen that are read in a language."""
    return Key(STREAM, f"{pk}.{language}" if language else str(pk))


def _tell(broadcast: Broadcast, key: Key) -> None:
    found = results(broadcast)
    told = frames.encode([found.state, found.text, found.draw])
    last = _last()
    if last.get(key.pk) != told:
        last[key.pk] = told
        relay.publish_ephemeral_here(key, frames.frame(found))
