"""The database models, one module per family."""

from .inbox import Inbox, Notice, Notification
from .stream import Stream

__all__ = ["Inbox", "Notice", "Notification", "Stream"]
