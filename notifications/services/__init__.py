"""The verbs: the only writers of Carillon's tables, each with an async twin.

Every verb joins the caller's transaction and announces itself after commit.
"""

from .broadcast import (
    BroadcastConflict,
    aedit_broadcast,
    apublish_broadcast,
    apublish_due,
    arecall_broadcast,
    edit_broadcast,
    publish_broadcast,
    publish_due,
    recall_broadcast,
)
from .notify import anotify, notify
from .prune import aprune, prune
from .states import (
    aarchive,
    amark_all_read,
    amark_clicked,
    amark_read,
    amark_seen,
    amark_unread,
    archive,
    aunarchive,
    mark_all_read,
    mark_clicked,
    mark_read,
    mark_seen,
    mark_unread,
    unarchive,
)

__all__ = [
    "BroadcastConflict",
    "aarchive",
    "aedit_broadcast",
    "amark_all_read",
    "amark_clicked",
    "amark_read",
    "amark_seen",
    "amark_unread",
    "anotify",
    "aprune",
    "apublish_broadcast",
    "apublish_due",
    "archive",
    "arecall_broadcast",
    "aunarchive",
    "edit_broadcast",
    "mark_all_read",
    "mark_clicked",
    "mark_read",
    "mark_seen",
    "mark_unread",
    "notify",
    "prune",
    "publish_broadcast",
    "publish_due",
    "recall_broadcast",
    "unarchive",
]
