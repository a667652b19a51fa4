"""The database models, one module per family."""

from .broadcast import Broadcast, Outbox
from .inbox import Inbox, Notice, Notification
from .stream import Stream

__all__ = ["Broadcast", "Inbox", "Notice", "Notification", "Outbox", "Stream"]
