"""The abstract stream: a counter with an identity."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from django.db import models, router, transaction
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from .django_internals import write_database

EPOCH_LENGTH = 8

E = TypeVar("E", bound=models.Model)

# Entries were deleted, in a transaction that may still be open: the sender is their model, `streams` are the primary
# keys of their streams, and `using` is the database. Not for applications, which have Django's signals.
entries_deleted = Signal()


def new_epoch() -> str:
    """Return a random name for one life of a stream: eight lower-case hexadecimal digits."""
    return secrets.token_hex(EPOCH_LENGTH // 2)


class Stream(models.Model):
    """A counter that stamps the changes of its entries, in the order in which they became visible.

    `head` is the latest position, `floor` the highest one that was pruned, and `epoch` changes when the
    stream is recreated, so that an earlier stream's cursor is recognised.
    """

    epoch = models.CharField(_("epoch"), max_length=EPOCH_LENGTH, default=new_epoch, editable=False)
    head = models.BigIntegerField(_("head"), default=0, editable=False)
    floor = models.BigIntegerField(_("floor"), default=0, editable=False)

    objects: ClassVar[models.Manager[Stream]]

    class Meta:
        abstract = True


class EntryQuerySet(models.QuerySet[E]):
    """Entries of streams. Whoever deletes some tells the streams' readers."""

    stream_field: ClassVar[str]  # the column with the primary key of an entry's stream

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows as Django does, and have the readers of their streams begin anew."""
        with self.deletion():
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    @contextmanager
    def deletion(self) -> Iterator[None]:
        """Say that the block has deleted these rows.

        After the commit the readers of their streams get a fresh snapshot: nobody remembers what there was, so they
        could not be told what to forget.
        """
        using = write_database(self)
        with transaction.atomic(using=using):
            streams = set(self.using(using).order_by().values_list(self.stream_field, flat=True))
            yield
            entries_deleted.send(self.model, streams=streams, using=using)


class Entry(models.Model):
    """A row of a stream that tells the stream's readers when it is deleted by itself."""

    class Meta:
        abstract = True

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the row as Django does, and have the readers of its stream begin anew."""
        using = using or router.db_for_write(type(self), instance=self)
        rows: Any = type(self)._default_manager.using(using)
        with rows.filter(pk=self.pk).deletion():
            return super().delete(using, keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]
