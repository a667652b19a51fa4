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
