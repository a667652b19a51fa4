"""What applications may hear."""

from django.dispatch import Signal

__all__ = ["access_revoked"]

access_revoked = Signal()
"""`services.revoke_access` ended a user's open connections in every process.

Sent in the process that revoked it, after its commit.

Args:
    sender: The user model.
    user: The primary key of the user.
    reason: Why, in the words of who revoked it; it may be empty.
"""
