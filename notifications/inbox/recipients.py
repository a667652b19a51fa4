"""The recipients named by ``to=``: a user, an iterable or queryset of users, or a group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import models, router

from ..annotations import Recipients
from ..audiences import has_field
from ..kinds.references import key_of
from ..live.chunks import chunks
from ..models import Inbox

RECIPIENT_CHUNK = 1_000  # recipients stored by one pass; memory holds no more of a queryset


def recipient_chunks(to: Recipients) -> Iterator[list[Any]]:
    """Yield the primary keys of the users that `to` means, in order, `RECIPIENT_CHUNK` at a time.

    Raises:
        TypeError: `to` is none of the things it may be.
        ValueError: A user has not been saved yet.
    """
    for chunk in chunks(_keys(to), RECIPIENT_CHUNK):
        # Sorted, so that two sends of one dedupe key cannot wait for each other in a circle.
        yield sorted(set(chunk))


def _keys(to: Recipients) -> Iterable[Any]:
    user_model = get_user_model()
    if isinstance(to, user_model):
        return [recipient_key(to)]
    if isinstance(to, Group):
        if not has_field("groups"):
            raise TypeError(f"`to` is a group, but {user_model.__name__} has no groups: it lacks PermissionsMixin.")
        to = user_model._default_manager.using(router.db_for_write(Inbox)).filter(groups=to)
    if isinstance(to, models.QuerySet):
        if not issubclass(to.model, user_model):
            raise TypeError(f"`to` is a queryset of {to.model.__name__}; it must hold users ({user_model.__name__}).")
        ordered = to if to.query.is_sliced else to.order_by("pk")
        return ordered.values_list("pk", flat=True).iterator(chunk_size=RECIPIENT_CHUNK)
    if isinstance(to, Iterable) and not isinstance(to, str | bytes | dict):
        return map(recipient_key, to)
    raise TypeError(f"`to` must be a user, an iterable or queryset of users, or a group, not {type(to).__name__}.")


def recipient_key(user: object) -> Any:
    """Return the primary key of a user.

    Raises:
        TypeError: It is not a user.
        ValueError: The user was not saved yet.
    """
    user_model = get_user_model()
    if not isinstance(user, user_model):
        raise TypeError(f"`to` holds {type(user).__name__}; each recipient must be a {user_model.__name__}.")
    pk = key_of(user, user_model)
    if pk is None:
        raise ValueError("A recipient has not been saved yet: call save() on the user before notifying.")
    return pk
