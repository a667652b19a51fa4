"""Explanations in words, for users and for staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Delivery
from ..preferences.channels import HERE, channels
from ..preferences.topics import Topic, categories

if TYPE_CHECKING:
    from .explaining import Attempted, ChannelExplanation

Words = Mapping[str, str | Promise]

State, Reason = Delivery.State, Delivery.Reason

WHY_ON: Final[Words] = {
    "required": gettext_lazy("nobody can switch it off"),
    "kind": gettext_lazy("you chose it for “%(topic)s”"),
    "category": gettext_lazy("you chose it for everything in “%(category)s”"),
    "everything": gettext_lazy("you chose it for all notifications"),
    "site": gettext_lazy("this site chose it for you"),
    "broadcast": gettext_lazy("its sender chose it for everybody"),
    "code": gettext_lazy("it is usual for “%(topic)s”"),
    "channel": gettext_lazy("it is usual here"),
    "": gettext_lazy("you wanted it at the time"),
}
WHY_OFF: Final[Words] = {
    "required": gettext_lazy("it is never sent this way"),
    "muted": gettext_lazy("you have muted what it is about"),
    "kind": gettext_lazy("you switched it off for “%(topic)s”"),
    "category": gettext_lazy("you switched it off for everything in “%(category)s”"),
    "everything": gettext_lazy("you switched it off for all notifications"),
    "site": gettext_lazy("this site switched it off for you"),
    "broadcast": gettext_lazy("its sender did not choose that"),
    "code": gettext_lazy("it is not usual for “%(topic)s”"),
    "channel": gettext_lazy("it is off until you choose it"),
    "": gettext_lazy("you did not want it at the time"),
}
WHY_NOT: Final[Words] = {
    Reason.SEEN: gettext_lazy("It was not sent, because you had seen it already."),
    Reason.PREFERENCE: gettext_lazy("It was not sent, because you had switched it off."),
    Reason.QUIET_HOURS: gettext_lazy("It waits for the end of your quiet hours."),
    Reason.NO_ADDRESS: gettext_lazy("It was not sent, because this site has no address of yours."),
    Reason.NO_DEVICE: gettext_lazy("It was not sent, because you have registered no device."),
    Reason.EXPIRED: gettext_lazy("It was not sent, because it had expired."),
    Reason.WITHDRAWN: gettext_lazy("It was not sent, because it was withdrawn."),
    Reason.SUPERSEDED: gettext_lazy("It was not sent, because another message tells of it."),
    Reason.BOUNCED: gettext_lazy("It was not sent, because your address does not take messages."),
    Reason.GONE: gettext_lazy("It was not sent, because the notification was deleted or your account was not active."),
    "": gettext_lazy("Nothing is known about it any more."),
}
RULES: Final[Words] = {
    "required": gettext_lazy("required"),
    "muted": gettext_lazy("what it is about is muted"),
    "kind": gettext_lazy("the user’s choice for the kind"),
    "category": gettext_lazy("the user’s choice for the category"),
    "everything": gettext_lazy("the user’s choice for everything"),
    "site": gettext_lazy("the site’s function"),
    "broadcast": gettext_lazy("the sender of the broadcast"),
    "code": gettext_lazy("the declaration of the kind"),
    "channel": gettext_lazy("the default of the channel"),
    "": gettext_lazy("changed since"),
}
VALUES: Final[Words] = {"on": gettext_lazy("on"), "off": gettext_lazy("off"), "digest": gettext_lazy("digest")}


def for_user(one: ChannelExplanation) -> str:
    """Return an explanation of a channel in words for its recipient."""
    values = {"channel": one.label, "because": _why(one.value, one.rule, one.topic, one.category)}
    if one.value == "off":
        return _("You do not get this by “%(channel)s”, because %(because)s.") % values
    if one.outcome in ("skipped", "failed"):
        sentence = _("This was to reach you by “%(channel)s”, because %(because)s.") % values
    elif one.value == "digest":
        sentence = _("You get this in the digest by “%(channel)s”, because %(because)s.") % values
    else:
        sentence = _("You get this by “%(channel)s”, because %(because)s.") % values
    return " ".join(filter(None, [sentence, _with_one_stop(_became(one))]))


def _with_one_stop(sentence: str) -> str:
    """Return a sentence with one full stop, also behind an abbreviation: times end with "a.m." in some languages."""
    return sentence[:-1] if sentence.endswith("..") else sentence


def because(channel: str, rule: str, topic: Topic) -> str:
    """Return why somebody gets something by a channel, in a sentence for its recipient."""
    known = channels()
    label = known[channel].label if channel in known else channel
    why = _why("on", rule, topic.label, category_label(topic.category))
    return _("You get this by “%(channel)s”, because %(because)s.") % {"channel": label, "because": why}


def _why(value: str, rule: str, topic: str, category: str) -> str:
    why = WHY_OFF if value == "off" else WHY_ON
    return str(why.get(rule, why[""])) % {"topic": topic or category or "–", "category": category or "–"}


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
    if one.wait.unless_sent:
        return _("It is sent on %(time)s, unless it has reached you another way by then.") % at
    if one.wait.delay and one.wait.unless == "seen":
        return _("It is sent on %(time)s, unless you have seen it by then.") % at
    if one.wait.delay and one.wait.unless == "read":
        return _("It is sent on %(time)s, unless you have read it by then.") % at
    return _("It is sent on %(time)s.") % at


def for_staff(one: ChannelExplanation) -> str:
    """Return an explanation of a channel in words for staff: what was wanted, by which rule, and what became of it."""
    wanted = _("%(value)s (%(rule)s)") % {"value": VALUES[one.value], "rule": rule_label(one.rule)}
    became = [" · ".join(details(row)) for row in one.deliveries] or [outcome_of(one)]
    return f"{one.label}: {wanted}. {' '.join(_with_one_stop(f'{part}.') for part in became)}"


def outcome_of(one: ChannelExplanation) -> str:
    """Return what became of it where there is no delivery, in a few words."""
    state = _("stored") if one.outcome == "sent" else State(one.outcome).label
    reason = str(Reason(one.reason).label) if one.reason in Reason.values else ""
    basis = "" if one.stored else _("as it holds now; nothing is stored")
    return " · ".join(filter(None, [str(state), reason, basis]))


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
