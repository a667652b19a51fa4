"""End a user's connections."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.utils import timezone

from ..annotations import User, UserKey
from ..models import Inbox
from ..signals import access_revoked
from . import relay
from .transactions import after_commit


def key_of(user: User | UserKey) -> Any:
    """Return the primary key of a user, or the key that is given.

    Raises:
        ValueError: The user was not saved yet.
    """
    pk = getattr(user, "pk", user)
    if pk is None:
        raise ValueError("The user was not saved yet: call save() on the user first.")
    return pk


def revoke_all(user: User | UserKey, reason: str) -> None:
    """End all connections of a user after the commit, as `services.revoke_access` says."""
    pk = key_of(user)
    alias = router.db_for_write(Inbox)

    def revoke() -> None:
        relay.revoke("revoked", owner=str(pk))
        access_revoked.send_robust(sender=get_user_model(), user=pk, feed="", reason=reason)

    with transaction.atomic(using=alias):
        _store(pk, alias)
        after_commit(revoke, alias)


def _store(pk: Any, alias: str) -> None:
    """Note the time, for processes that no message reaches."""
    rows = Inbox.objects.using(alias).filter(user=pk)
    now = timezone.now()
    if not rows.update(revoked_at=now) and get_user_model()._base_manager.using(alias).filter(pk=pk).exists():
        Inbox.objects.using(alias).bulk_create([Inbox(user_id=pk)], ignore_conflicts=True)
        rows.update(revoked_at=now)
