"""The admin: what was sent and what became of it, and the staff's way to send broadcasts."""

from .broadcast import BroadcastAdmin
from .inbox import NoticeAdmin, NotificationAdmin
from .users import notify_selected

__all__ = ["BroadcastAdmin", "NoticeAdmin", "NotificationAdmin", "notify_selected"]
