"""Explanations in words, for users and for staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from ..models import Delivery
from ..preferences.channels import HERE
from ..preferences.topics import categories

if TYPE_CHECKING:
    from .explaining import Attempted, ChannelExplanation

Words = Mapping[str, str | Promise]

State, Reason = Delivery.State, Delivery.Reason

WHY_ON: Final[Words] = {
    "required": lazy("nobody can switch it off"),
    "kind": lazy("you chose it for “%(topic)s”"),
    "category": lazy("you chose it for everything in “%(category)s”"),
    "everything": lazy("you chose it for all notifications"),
    "site": lazy("this site chose it for you"),
    "broadcast": lazy("its sender chose it for everybody"),
    "code": lazy("it is usual for “%(topic)s”"),
    "channel": lazy("it is usual here"),
    "": lazy("you wanted it at the time"),
}
WHY_OFF: Final[Words] = {
    "required": lazy("it is never sent this way"),
    "kind": lazy("you switched it off for “%(topic)s”"),
    "category": lazy("you switched it off for everything in “%(category)s”"),
    "everything": lazy("you switched it off for all notifications"),
    "site": lazy("this site switched it off for you"),
    "broadcast": lazy("its sender did not choose that"),
    "code": lazy("it is not usual for “%(topic)s”"),
    "channel": lazy("it is off until you choose it"),
    "": lazy("you did not want it at the time"),
}
WHY_NOT: Final[Words] = {
    Reason.SEEN: lazy("It was not sent, because you had seen it already."),
    Reason.PREFERENCE: lazy("It was not sent, because you had switched it off."),
    Reason.QUIET_HOURS: lazy("It waits for the end of your quiet hours."),
    Reason.NO_ADDRESS: lazy("It was not sent, because this site has no address of yours."),
    Reason.NO_DEVICE: lazy("It was not sent, because you have registered no device."),
    Reason.EXPIRED: lazy("It was not sent, because it had expired."),
    Reason.WITHDRAWN: lazy("It was not sent, because it was withdrawn."),
    Reason.SUPERSEDED: lazy("It was not sent, because a later notification tells of it."),
    Reason.BOUNCED: lazy("It was not sent, because your address does not take messages."),
    Reason.GONE: lazy("It was not sent, because the notification was deleted or your account was not active."),
    "": lazy("Nothing is known about it any more."),
}
RULES: Final[Words] = {
    "required": lazy("required"),
    "kind": lazy("the user’s choice for the kind"),
    "category": lazy("the user’s choice for the category"),
    "everything": lazy("the user’s choice for everything"),
    "site": lazy("the site’s function"),
    "broadcast": lazy("the sender of the broadcast"),
    "code": lazy("the declaration of the kind"),
    "channel": lazy("the default of the channel"),
    "": lazy("changed since"),
}
VALUES: Final[Words] = {"on": lazy("on"), "off": lazy("off"), "digest": lazy("digest")}


def for_user(one: ChannelExplanation) -> str:
    """Return an explanation of a channel in words for its recipient."""
    because = str((WHY_OFF if one.value == "off" else WHY_ON)[one.rule])
    because %= {"topic": one.topic or one.category or "–", "category": one.category or "–"}
    values = {"channel": one.label, "because": because}
    if one.value == "off":
        return _("You do not get this by “%(channel)s”, because %(because)s.") % values
    if one.outcome in ("skipped", "failed"):
        sentence = _("This was to reach you by “%(channel)s”, because %(because)s.") % values
    elif one.value == "digest":
        sentence = _("You get this in the digest by “%(channel)s”, because %(because)s.") % values
    else:
        sentence = _("You get this by “%(channel)s”, because %(because)s.") % values
    return " ".join(filter(None, [sentence, _became(one)]))


def _became(one: ChannelExplanation) -> str:
    """Return what became of it, in a sentence; none where it is here."""
    if one.outcome == "sent":
        ended = next((row.ended_at for row in one.deliveries if row.ended_at), None)
        return _("It was sent on %(time)s.") % {"time": moment(ended)} if ended else ""
    if one.outcome == "skipped":
        return str(WHY_NOT.get(one.reason, WHY_NOT[""]))
    if one.outcome == "failed":
        return _("It could not be sent.")
    if one.outcome == "sending":
        return _("It is being sent.")
    return _waits(one)


def _waits(one: ChannelExplanation) -> str:
    if one.name in HERE:
        at = {"time": moment(one.until)}
        return _("It comes on %(time)s.") % at if one.until else _("It comes when you visit the site next.")
    if one.reason == Reason.QUIET_HOURS:
        return str(WHY_NOT[Reason.QUIET_HOURS])
    if one.until is None:
        return _("It is still to be sent.")
    at = {"time": moment(one.until)}
    if any(row.attempts for row in one.deliveries):
        return _("It could not be sent yet; it is tried again on %(time)s.") % at
    if one.wait.delay and one.wait.unless == "seen":
        return _("It is sent on %(time)s, unless you have seen it by then.") % at
    if one.wait.delay and one.wait.unless == "read":
        return _("It is sent on %(time)s, unless you have read it by then.") % at
    return _("It is sent on %(time)s.") % at


def for_staff(one: ChannelExplanation) -> str:
    """Return an explanation of a channel in words for staff: what was wanted, by which rule, and what became of it."""
    wanted = _("%(value)s (%(rule)s)") % {"value": VALUES[one.value], "rule": RULES[one.rule]}
    became = [_of_row(row) for row in one.deliveries] or [_of_none(one)]
    return f"{one.label}: {wanted}. {' '.join(became)}"


def _of_none(one: ChannelExplanation) -> str:
    state = _("stored") if one.outcome == "sent" else State(one.outcome).label
    reason = str(Reason(one.reason).label) if one.reason in Reason.values else ""
    basis = "" if one.stored else _("as it holds now; nothing is stored")
    return f"{' · '.join(filter(None, [str(state), reason, basis]))}."


def _of_row(row: Attempted) -> str:
    return f"{' · '.join(details(row))}."


def details(row: Attempted) -> list[str]:
    """Return what is known of a delivery, in a few words each."""
    tries = ngettext("%(number)s attempt", "%(number)s attempts", row.attempts) % {"number": row.attempts}
    times = [
        (_("due %(time)s"), row.due_at),
        (_("digest %(time)s"), row.digest_at),
        (_("ended %(time)s"), row.ended_at),
        (_("clicked %(time)s"), row.clicked_at),
    ]
    found = [
        str(State(row.state).label),
        str(Reason(row.reason).label) if row.reason in Reason.values else "",
        row.device,
        row.address,
        tries if row.attempts else "",
        *(text % {"time": moment(at)} for text, at in times if at),
        row.error,
    ]
    return [one for one in found if one]


def rule_label(rule: str) -> str:
    """Return what staff call a rule."""
    return str(RULES.get(rule, rule))


def category_label(name: str) -> str:
    """Return what people call a category."""
    return str(categories().get(name) or name)


def no_recipient() -> str:
    """Return the words for whom it was not sent to."""
    return _("This was not sent to you.")


def moment(at: datetime | None) -> str:
    """Return a time in the active time zone."""
    return "" if at is None else str(localize(timezone.localtime(at)))
