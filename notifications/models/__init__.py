"""The database models, one module per family."""

from .chat import Lease, Membership, Message, Presence, Reaction, Room
from .inbox import Inbox, Notice, Notification
from .stream import Stream

__all__ = [
    "Inbox",
    "Lease",
    "Membership",
    "Message",
    "Notice",
    "Notification",
    "Presence",
    "Reaction",
    "Room",
    "Stream",
]
