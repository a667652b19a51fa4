"""The abstract stream: a counter with an identity."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

EPOCH_LENGTH = 8


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
