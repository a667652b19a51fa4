"""The signals that applications can connect to.

Signals announce and never command: each is sent when the thing has happened and is committed, a receiver that raises is
logged and harms nobody, and what nobody receives costs nothing::

    from django.dispatch import receiver
    from notifications.signals import notification_stored

    @receiver(notification_stored)
    def count(sender, notice, recipients, **kwargs):
        stored.labels(notice.kind).inc(len(recipients))

A process that is killed between its commit and the signal sends none: what must not be lost is read from the tables.
"""

from django.dispatch import Signal

__all__ = ["access_revoked", "broadcast_sent", "notification_delivered", "notification_stored"]

notification_stored = Signal()
"""A notice was stored for some users; their open pages have been notified.

Sent in the thread that committed, once for each thousand recipients. A broadcast's copies are not announced one by one.

Args:
    sender: The class `Notice`.
    notice: The notice.
    recipients: The primary keys of users, at most 1,000; never empty.
"""

notification_delivered = Signal()
"""Notifications were handed to an open connection of this process, be it a stream, a socket or a held poll.

Sent a little later in a separate thread, once by each process that holds a connection of the user, and once more for a
connection that was slow or reconnected, so receivers must tolerate duplicates. If receivers are so slow that 10,000
calls are queued, further ones are dropped. A client that polls without waiting has no open connection.

Args:
    sender: The class `Notification`.
    recipient: The primary key of the user.
    notifications: The primary keys of the notifications; never empty.
"""

broadcast_sent = Signal()
"""A broadcast was sent, immediately or on schedule; recipients get their copies as they visit.

Sent once, in the thread that committed. A draft, a schedule, an edit and a recall send none.

Args:
    sender: The class `Broadcast`.
    broadcast: The broadcast.
"""

access_revoked = Signal()
"""`services.revoke_access` ended a user's open connections in every process, or asked whether they may follow a feed.

Sent in the process that revoked it, after its commit.

Args:
    sender: The user model.
    user: The primary key of the user.
    feed: The name of the feed; empty where all connections ended.
    reason: The reason given to `services.revoke_access`; it may be empty.
"""
