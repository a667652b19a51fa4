"""The tenants and their domains, which all share."""

from __future__ import annotations

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Town(TenantMixin):  # type: ignore[misc]  # the package has no types
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "towns"

    def __str__(self) -> str:
        return str(self.name)


class Domain(DomainMixin):  # type: ignore[misc]
    class Meta:
        app_label = "towns"

    def __str__(self) -> str:
        return str(self.domain)
