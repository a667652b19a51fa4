"""Bounces: addresses that refuse messages for good get no more, until their user has another one."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.utils import timezone

from ..models import Bounce, Delivery
from ..models.delivery import ERROR_LENGTH
from ..twins import twin
from ..validators import storable
from .addresses import email_field

EMAIL = "email"
_MESSAGE_ID = re.compile(r"(?:<carillon\.)?([0-9]{1,18})\.[0-9]+(?:@.*>)?")


def mark_bounced(address: str, *, detail: str = "", message_id: str = "", channel: str = EMAIL) -> int:
    """Say that an e-mail address refuses messages for good: its users get none there until they have another one.

    Call it where your provider tells you of a hard bounce. With django-anymail it is called for you.

    Args:
        address: The address, in capitals or not.
        detail: What the other side said, for the admin.
        message_id: The message that bounced, by its ``Message-ID`` or `Message.id`, where you know it: its delivery
            counts as not sent.
        channel: The channel, if it is not called ``"email"``.

    Returns:
        How many users have this address.
    """
    address, detail = address.strip(), storable(detail)
    alias = router.db_for_write(Bounce)
    pks = [user.pk for user in users_of(address)]
    for pk in pks:
        store_bounce(pk, channel, address, detail)
    if found := _MESSAGE_ID.fullmatch(message_id.strip()):
        rows = Delivery.objects.using(alias).filter(pk=int(found[1]), recipient__in=pks, channel=channel)
        rows.filter(state=Delivery.State.SENT).update(
            state=Delivery.State.SKIPPED, reason=Delivery.Reason.BOUNCED, error=detail[:ERROR_LENGTH]
        )
    return len(pks)


amark_bounced = twin(mark_bounced)


def users_of(address: str) -> list[Any]:
    """Return the users who have an e-mail address, in capitals or not."""
    model = get_user_model()
    if not address or storable(address) != address or not hasattr(model, email_field()):
        return []
    users = model._base_manager.using(router.db_for_write(Bounce))
    return list(users.filter(**{f"{email_field()}__iexact": address}))


def store_bounce(user: Any, channel: str, address: str, detail: str) -> None:
    """Store that the address of a user, by primary key, refuses messages for good."""
    alias = router.db_for_write(Bounce)
    target = connections[alias].features.supports_update_conflicts_with_target
    unique: dict[str, Any] = {"unique_fields": ["user", "channel"]} if target else {}
    row = Bounce(
        user_id=user,
        channel=channel,
        address=address,
        detail=storable(detail)[:ERROR_LENGTH],
        bounced_at=timezone.now(),
    )
    fields = ["address", "detail", "bounced_at"]
    Bounce.objects.using(alias).bulk_create([row], update_conflicts=True, update_fields=fields, **unique)


def bounce_of(user: Any, channel: str, address: str) -> Bounce | None:
    """Return what is known of a user's address refusing messages; None while it takes them."""
    alias = router.db_for_write(Bounce)
    return Bounce.objects.using(alias).filter(user=user.pk, channel=channel, address__iexact=address).first()
