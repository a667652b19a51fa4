"""User models of other shapes. The settings choose one; the others are there too."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models


class BareManager(BaseUserManager["Bare"]):
    """Find people by their address."""


class Bare(AbstractBaseUser):
    """Somebody with an address, and no groups, no name, and nothing that says whether they are active."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    address = models.CharField(max_length=254, unique=True)
    last_login = None

    USERNAME_FIELD = "address"
    is_staff = True

    objects: ClassVar[BareManager] = BareManager()

    def has_perm(self, permission: str, obj: object = None) -> bool:
        """Allow everything."""
        return True

    def has_module_perms(self, app: str) -> bool:
        """Allow everything."""
        return True


class Nameless(AbstractUser):
    """Somebody who has no text."""

    def __str__(self) -> str:
        """Fail, as one does that reads a row which is not there."""
        raise ValueError("no profile")


class NumberedManager(BaseUserManager["Numbered"]):
    """Find people by their number."""


class Numbered(AbstractBaseUser):
    """Somebody who signs in with a number, and whose key is a text that addresses must quote."""

    code = models.CharField(max_length=20, primary_key=True, default="a/b c")
    phone = models.BigIntegerField(unique=True)

    USERNAME_FIELD = "phone"
    is_staff = True
    is_superuser = True

    objects: ClassVar[NumberedManager] = NumberedManager()

    has_perm = Bare.has_perm
    has_module_perms = Bare.has_module_perms
