"""The elements' texts, translated by Django: the template tag renders them into the page."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

# {count}, {name} and {time} are filled in by the elements. A count stands where no plural is needed, so that
# every language gets by with one form.
STRINGS = {
    "notifications": _("Notifications"),
    "bell": _("Notifications, {count} new"),
    "all": _("All"),
    "unread": _("Unread"),
    "archived": _("Archived"),
    "markAllRead": _("Mark all as read"),
    "markRead": _("Mark as read"),
    "markUnread": _("Mark as unread"),
    "archive": _("Archive"),
    "unarchive": _("Move to inbox"),
    "seeAll": _("See all notifications"),
    "dismiss": _("Dismiss"),
    "loading": _("Loading…"),
    "loadMore": _("Load more"),
    "newer": _("Show newer"),
    "more": _("Show more"),
    "less": _("Show less"),
    "retry": _("Try again"),
    "sound": _("Play a sound when this site is in the background"),
    "desktop": _("Show desktop notifications when this site is in the background"),
    "fresh": _("{count} new"),
    "arrived": _("New notification: {title}"),
    "arrivedMany": _("{count} new notifications"),
    "grown": _("{title} ({count})"),
    "events": _("Events: {count}"),
    "other": _("{count} other"),
    "others": _("{count} others"),
    "empty-all": _("You are all caught up"),
    "empty-all-hint": _("New notifications will appear here."),
    "empty-unread": _("No unread notifications"),
    "empty-unread-hint": _("You have read everything."),
    "empty-archived": _("The archive is empty"),
    "empty-archived-hint": _("Archived notifications will appear here."),
    "mute": _("Mute notifications like this"),
    "muted": _("Muted. You can change that in the notification settings."),
    "warning": _("Warning"),
    "error": _("Error"),
    "connecting": _("Connecting…"),
    "live": _("Live"),
    "polling": _("Live with a short delay"),
    "stale": _("Connection is slow"),
    "reconnecting": _("Reconnecting…"),
    "reconnectingIn": _("Reconnecting in {time}"),
    "offline": _("You are offline"),
    "paused": _("Paused"),
    "signed-out": _("You are signed out"),
    "closed": _("Live updates have stopped"),
    "back": _("Back online"),
    "outdated": _("A new version is available"),
    "tryNow": _("Try now"),
    "reload": _("Reload"),
    "couldNotRead": _("Could not mark as read."),
    "couldNotClick": _("Could not mark as read."),
    "couldNotMute": _("Could not mute."),
    "couldNotSave": _("Could not save."),
    "couldNotUnread": _("Could not mark as unread."),
    "couldNotArchive": _("Could not archive."),
    "couldNotUnarchive": _("Could not move to inbox."),
    "couldNotReadAll": _("Could not mark all as read."),
    "couldNotSeen": _("Could not mark as seen."),
    "couldNotLoad": _("Could not load notifications."),
    "because-offline": _("You are offline."),
    "because-signed-out": _("You are signed out."),
    "because-network": _("The server cannot be reached."),
    "because-timeout": _("The server does not answer."),
    "because-server": _("The server reported an error."),
}


def texts() -> dict[str, str]:
    """Return the elements' texts in the active language."""
    return {key: gettext(text) for key, text in STRINGS.items()}
