"""What the demo's notifications are about."""

from typing import Any, ClassVar

from django.db import models
from django.urls import reverse


class Thing(models.Model):
    """Something with a name and a page."""

    name = models.CharField(max_length=100, unique=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("home")


class Order(Thing):
    """What was ordered of the foundry."""

    class Meta:
        app_label = "project"


class Recording(Thing):
    """What people comment on, and watch."""

    class Meta:
        app_label = "project"

    def get_absolute_url(self) -> str:
        return reverse("recording", args=[self.pk])


class Visit(Thing):
    """What people are invited to."""

    class Meta:
        app_label = "project"


class Letter(models.Model):
    """An e-mail that the demo has sent: it stays here, for there is no mail server."""

    address = models.CharField(max_length=320, db_index=True)
    sender = models.CharField(max_length=320)
    subject = models.CharField(max_length=500)
    text = models.TextField()
    html = models.TextField()
    unsubscribe = models.CharField(max_length=2000)  # the address of the header `List-Unsubscribe`
    sent_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "project"

    def __str__(self) -> str:
        return self.subject
