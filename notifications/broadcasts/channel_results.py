"""What became of a broadcast beyond the site: how many deliveries each channel has made, and why not the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Count
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Broadcast, Delivery
from ..preferences.channels import channels

State, Reason = Delivery.State, Delivery.Reason

COLUMNS_OF_CHANNELS: Final = {
    "waiting": gettext_lazy("Waiting"),
    "sent": gettext_lazy("Sent"),
    "clicked": gettext_lazy("Clicked"),
    "bounced": gettext_lazy("Bounced"),
    "failed": gettext_lazy("Failed"),
    "skipped": gettext_lazy("Not sent"),
}


@dataclass(slots=True)
class ChannelFigures:
    """How many deliveries one channel has in which state; `skipped` by reason, but for those that `bounced`."""

    label: str | Promise
    waiting: int = 0
    sent: int = 0
    clicked: int = 0
    bounced: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def text(self) -> dict[str, str]:
        """Return the figures as words, by column, with the reasons."""
        numbers = {name: getattr(self, name) for name in COLUMNS_OF_CHANNELS} | {"skipped": self.skipped.total()}
        reasons = [
            _("%(reason)s: %(number)s") % {"reason": _label(reason), "number": _number(number)}
            for reason, number in self.skipped.most_common()
        ]
        return {**{name: _number(value) for name, value in numbers.items()}, "reasons": " · ".join(reasons)}


def figures_of_channels(broadcast: Broadcast) -> dict[str, ChannelFigures]:
    """Count a broadcast's deliveries, by channel, with one query; with none where it is sent by no channel."""
    if not broadcast.channels:
        return {}
    counted = {} if broadcast.notice_id is None else figures_of_notice(broadcast.notice_id)
    return {name: counted.get(name) or _none_of(name) for name in broadcast.channels}


def figures_of_notice(notice: int) -> dict[str, ChannelFigures]:
    """Count the deliveries of a notice, by channel, with one query."""
    found: dict[str, ChannelFigures] = {}
    rows = Delivery.objects.filter(notice=notice).order_by().values_list("channel", "state", "reason")
    for name, state, reason, number, clicked in rows.annotate(number=Count("*"), clicked=Count("clicked_at")):
        one = found.setdefault(name, _none_of(name))
        _add(one, state, reason, number)
        one.clicked += clicked
    return dict(sorted(found.items()))


def _none_of(name: str) -> ChannelFigures:
    known = channels()
    return ChannelFigures(known[name].label if name in known else name)


def text_of_channels(broadcast: Broadcast) -> dict[str, str]:
    """Return the figures as words, by the id of the element that shows them."""
    found = {
        f"by-{name}-{column}": words
        for name, one in figures_of_channels(broadcast).items()
        for column, words in one.text().items()
    }
    if found:
        more = broadcast.walk_at is not None
        found["walking"] = _("More is being prepared; it is sent in steps.") if more else ""
    return found


def _add(one: ChannelFigures, state: str, reason: str, number: int) -> None:
    if state in (State.WAITING, State.SENDING):
        one.waiting += number
    elif state == State.SENT:
        one.sent += number
    elif reason == Reason.BOUNCED:
        one.bounced += number
    elif state == State.FAILED:
        one.failed += number
    else:
        one.skipped[reason] += number


def _label(reason: str) -> str:
    return str(Reason(reason).label) if reason in Reason.values else _("other")


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))
