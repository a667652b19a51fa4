"""A user model that shares as little as possible with Django's own."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class PersonManager(BaseUserManager["Person"]):
    """Find people by their address."""


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with an address; there is no user name, and no method that returns a full name."""

    uid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.CharField(max_length=254, unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects: ClassVar[PersonManager] = PersonManager()


class Vehicle(models.Model):
    """Something that others are derived from."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        """Name it."""
        return self.name


class Bus(Vehicle):
    """Something that has a table of its own beside that of what it is derived from."""

    seats = models.PositiveIntegerField()
