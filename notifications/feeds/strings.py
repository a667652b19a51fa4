"""The texts of the elements that show feeds, translated by Django: the template tag renders them into the page."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

FEED_STRINGS = {
    "stop": _("Stop"),
    "stopped": _("Stopped"),
    "cancel": _("Cancel"),
    "done": _("Done"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
}


def feed_texts() -> dict[str, str]:
    """Return the texts in the active language."""
    return {key: gettext(text) for key, text in FEED_STRINGS.items()}
