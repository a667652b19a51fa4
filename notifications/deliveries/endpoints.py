"""Endpoints: add them, change them, rotate their secrets, switch them off and on, test them, and send again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any, Final, TypedDict, Unpack

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User
from ..live.transactions import after_commit, atomic
from ..models import Delivery, Endpoint, Notice
from ..twins import twin
from ..validators import validate_line
from .channels import made_channel
from .retrying import try_again
from .shared import delivery_to
from .waking import wake
from .webhook import Webhooks

SECRET_BYTES: Final = 32
EVENTS_LIMIT: Final = 50  # kinds and categories of one endpoint
SCOPE_LIMIT: Final = 120  # characters
OVERLAP: Final = timedelta(hours=24)  # for which both secrets sign
REPLAY_LIMIT: Final = 1_000  # deliveries that are sent again at once
TEST_KIND: Final = "webhook.test"
State = Delivery.State


class EndpointFields(TypedDict, total=False):
    """What `edit_endpoint` may change."""

    url: str
    description: str
    events: Sequence[str]
    shape: str


def add_endpoint(
    owner: User | Group | None,
    url: str,
    *,
    description: str = "",
    events: Sequence[str] = (),
    shape: str = "standard",
    channel: str = "webhook",
) -> Endpoint:
    """Add an endpoint: an address to which notifications are posted for a program.

    Args:
        owner: A user, whose notifications it gets; a group, for what any of its members gets; or None for all of the
            site's.
        url: Where to post.
        description: What people call it; one line of at most 200 characters.
        events: The kinds and categories of which it is told, as ``"kind:order.shipped"`` and ``"category:orders"``, at
            most 50; none means all.
        shape: ``"standard"``, ``"slack"``, ``"teams"`` or ``"discord"``.
        channel: The channel of ``NOTIFICATIONS_CHANNELS`` to which it belongs.

    Returns:
        The endpoint. Show its owner the `secret` now, and never again.

    Raises:
        ValidationError: A field is not what it must be, or the owner has as many as there may be; nothing is written.
    """
    whose: dict[str, Any] = {"group": owner} if isinstance(owner, Group) else {"user": owner}
    endpoint = Endpoint(**whose, channel=channel, url=url, description=description, shape=shape, events=list(events))
    endpoint.secret = new_secret()
    validate_endpoint(endpoint)
    endpoint.save(force_insert=True)
    return endpoint


aadd_endpoint = twin(add_endpoint)


def edit_endpoint(endpoint: Endpoint, **fields: Unpack[EndpointFields]) -> Endpoint:
    """Change where an endpoint lies, and of what it is told.

    Raises:
        ValidationError: A field is not what it must be, and nothing is written.
    """
    for name, value in fields.items():
        setattr(endpoint, name, list(value) if name == "events" else value)  # type: ignore[call-overload]
    validate_endpoint(endpoint)
    endpoint.save(update_fields=list(fields))
    return endpoint


aedit_endpoint = twin(edit_endpoint)


def rotate_endpoint_secret(endpoint: Endpoint, *, overlap: timedelta = OVERLAP) -> str:
    """Give an endpoint a new secret; the one it had signs too for as long as `overlap`.

    Returns:
        The new secret. Show it to the owner now, and never again.
    """
    secret = new_secret()
    alias = router.db_for_write(Endpoint)
    with atomic(alias):
        had = Endpoint.objects.using(alias).select_for_update().values_list("secret", flat=True).get(pk=endpoint.pk)
        endpoint.secret, endpoint.previous_secret = secret, had
        endpoint.previous_until = timezone.now() + overlap
        endpoint.save(using=alias, update_fields=["secret", "previous_secret", "previous_until"])
    return secret


arotate_endpoint_secret = twin(rotate_endpoint_secret)


def disable_endpoint(endpoint: Endpoint) -> None:
    """Switch an endpoint off: nothing more is stored for it, and what waits is not sent."""
    _switch(endpoint, Endpoint.Stop.HAND, timezone.now())


adisable_endpoint = twin(disable_endpoint)


def enable_endpoint(endpoint: Endpoint) -> None:
    """Switch an endpoint on again. What was not sent meanwhile is sent by `replay_endpoint`."""
    _switch(endpoint, "", None)


aenable_endpoint = twin(enable_endpoint)


def send_test_event(endpoint: Endpoint) -> Delivery:
    """Send an endpoint an event of the type ``notification.v1`` and the kind ``webhook.test``, whatever it wants.

    Returns:
        What was stored; its `state` says what becomes of it.
    """
    alias = router.db_for_write(Delivery)
    with atomic(alias):
        notice = Notice(title=_("This is a test"), kind=TEST_KIND)
        notice.save(using=alias, force_insert=True)
        delivery = delivery_to(endpoint, notice, timezone.now())
        delivery.save(using=alias, force_insert=True)
        after_commit(wake, alias)
    return delivery


asend_test_event = twin(send_test_event)


def replay_endpoint(endpoint: Endpoint, *, since: datetime | None = None) -> int:
    """Send again what an endpoint did not take: under the same ids, so that it can tell what it has had.

    Args:
        endpoint: It must be switched on.
        since: The time from which on; None means as long as deliveries are kept.

    Returns:
        How many are sent again, of the oldest ones first at most a thousand; call it again for more.

    Raises:
        ValidationError: It is switched off.
    """
    if endpoint.stopped:
        raise ValidationError(_("Switch the webhook on first."), code="disabled")
    rows = deliveries_to(endpoint)
    return replay_deliveries(rows if since is None else rows.filter(created_at__gte=since))


areplay_endpoint = twin(replay_endpoint)


def replay_deliveries(deliveries: QuerySet[Delivery]) -> int:
    """Send again those of some deliveries that have failed, or had nowhere to go, as if they had never been tried.

    What was seen, withdrawn or switched off stays as it is.

    Returns:
        How many are sent again, of the oldest ones first at most a thousand.
    """
    alias = router.db_for_write(Delivery)
    nowhere = (Delivery.Reason.NO_ADDRESS, Delivery.Reason.NO_DEVICE, Delivery.Reason.BOUNCED)
    dead = deliveries.using(alias).filter(notice__isnull=False)
    failed = dead.filter(state=State.FAILED) | dead.filter(state=State.SKIPPED, reason__in=nowhere)
    pks = list(failed.order_by("pk").values_list("pk", flat=True)[:REPLAY_LIMIT])
    return try_again(pks)


areplay_deliveries = twin(replay_deliveries)


def deliveries_to(endpoint: Endpoint) -> QuerySet[Delivery]:
    """Return what was, or is to be, sent to an endpoint."""
    rows = Delivery.objects.using(router.db_for_write(Delivery)).filter(
        channel=endpoint.channel, device=str(endpoint.pk)
    )
    whose = rows.filter(recipient__isnull=True)
    return whose if endpoint.user_id is None else whose | rows.filter(recipient=endpoint.user_id)


def new_secret() -> str:
    """Return a secret as Standard Webhooks writes it."""
    return "whsec_" + b64encode(token_bytes(SECRET_BYTES)).decode()


def validate_endpoint(endpoint: Endpoint) -> None:
    """Accept an endpoint as it is to be stored.

    Raises:
        ValidationError: A field is not what it must be; it is named.
    """
    errors: dict[str, Any] = {}
    try:
        endpoint.full_clean(exclude=["url", "events", "secret"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        errors = dict(error.error_dict)
    for name, validate in (("description", _description), ("events", _events)):
        try:
            validate(getattr(endpoint, name))
        except ValidationError as error:
            errors.setdefault(name, error)
    sender = webhooks_named(endpoint.channel)
    if sender is None:
        errors["channel"] = ValidationError(_("No channel of this name sends webhooks."))
    else:
        try:
            sender.destinations.target(endpoint.url)
        except ValueError as error:
            errors["url"] = ValidationError(str(error))
    if errors:
        raise ValidationError(errors)
    if sender is not None and endpoint._state.adding:
        _validate_number(endpoint, sender.limit)


def webhooks_named(name: str) -> Webhooks | None:
    """Return the channel of a name, if it sends webhooks."""
    found = made_channel(name)
    return found if isinstance(found, Webhooks) else None


def _validate_number(endpoint: Endpoint, limit: int) -> None:
    rows = Endpoint.objects.using(router.db_for_write(Endpoint)).filter(channel=endpoint.channel)
    if rows.filter(user=endpoint.user_id, group=endpoint.group_id).count() >= limit:
        message = _("There are %(limit)s webhooks already; delete one of them first.")
        raise ValidationError(message % {"limit": limit}, code="limit")


def _switch(endpoint: Endpoint, why: str, at: datetime | None) -> None:
    endpoint.stopped, endpoint.stopped_at, endpoint.failing_since = why, at, None
    endpoint.save(update_fields=["stopped", "stopped_at", "failing_since"])


def _description(value: str) -> None:
    validate_line(value)


def _events(value: Iterable[Any]) -> None:
    form = _("Name kinds and categories as kind:order.shipped and category:orders, at most %(limit)s of them.")
    events = list(value) if isinstance(value, list | tuple) else None
    if events is None or len(events) > EVENTS_LIMIT or not all(_is_event(event) for event in events):
        raise ValidationError(form % {"limit": EVENTS_LIMIT})


def _is_event(event: object) -> bool:
    if not isinstance(event, str) or len(event) > SCOPE_LIMIT:
        return False
    subject, _colon, name = event.partition(":")
    return subject in ("kind", "category") and bool(name) and name.isprintable()
