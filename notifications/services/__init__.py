"""The verbs: the only writers of Carillon's tables, each with an async twin.

Every verb joins the caller's transaction and announces itself after commit.
"""

from .notify import anotify, notify
from .prune import aprune, prune
from .states import (
    aarchive,
    amark_all_read,
    amark_read,
    amark_seen,
    amark_unread,
    archive,
    aunarchive,
    mark_all_read,
    mark_read,
    mark_seen,
    mark_unread,
    unarchive,
)

__all__ = [
    "aarchive",
    "amark_all_read",
    "amark_read",
    "amark_seen",
    "amark_unread",
    "anotify",
    "aprune",
    "archive",
    "aunarchive",
    "mark_all_read",
    "mark_read",
    "mark_seen",
    "mark_unread",
    "notify",
    "prune",
    "unarchive",
]
