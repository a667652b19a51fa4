"""The database models, one module per stream_type."""

from .bounce import Bounce
from .broadcast import Broadcast, Outbox
from .chat import Lease, Membership, Message, Presence, Reaction, Room
from .delivery import Delivery
from .device import PushDevice
from .endpoint import Endpoint
from .feed import Feed, FeedEvent, FeedText
from .inbox import Inbox, Notice, Notification
from .preference import Preference
from .progress import Progress
from .schedule import Schedule
from .stream import Stream
from .watch import Watch

__all__ = [
    "Bounce",
    "Broadcast",
    "Delivery",
    "Endpoint",
    "Feed",
    "FeedEvent",
    "FeedText",
    "Inbox",
    "Lease",
    "Membership",
    "Message",
    "Notice",
    "Notification",
    "Outbox",
    "Preference",
    "Presence",
    "Progress",
    "PushDevice",
    "Reaction",
    "Room",
    "Schedule",
    "Stream",
    "Watch",
]
