"""The admin: what was sent and what became of it, broadcasts by staff, and the moderation of the chat."""

from .bounces import BounceAdmin
from .broadcast import BroadcastAdmin
from .chat import MembershipAdmin, MessageAdmin, RoomAdmin
from .deliveries import DeliveryAdmin
from .endpoints import EndpointAdmin
from .inbox import NoticeAdmin, NotificationAdmin
from .users import notify_selected

__all__ = [
    "BounceAdmin",
    "BroadcastAdmin",
    "DeliveryAdmin",
    "EndpointAdmin",
    "MembershipAdmin",
    "MessageAdmin",
    "NoticeAdmin",
    "NotificationAdmin",
    "RoomAdmin",
    "notify_selected",
]
