"""The task by which a worker of Django's tasks sends what is due; Django has them since 6.0.

Nothing imports this module unless ``NOTIFICATIONS_DELIVERY_TASKS`` names a backend.
"""

from __future__ import annotations

from datetime import datetime

import django
from django.utils import timezone

from .. import tenants
from ..conf import conf
from .couriers import deliver_due

if django.VERSION >= (6, 0):
    from django.tasks import task

    @task(backend=conf.DELIVERY_TASKS or "default")
    def deliver(tenant: str = "") -> None:
        """Send what is due to a tenant's users."""
        tenants.run(tenant, deliver_due)


def enqueue(due: datetime) -> None:
    """Have a worker send what falls due at a time; where the backend cannot wait, only what is due now."""
    found = deliver.using(backend=conf.DELIVERY_TASKS)
    of = [tenant] if (tenant := tenants.current()) else []
    if due <= timezone.now():
        found.enqueue(*of)
    elif found.get_backend().supports_defer:
        found.using(run_after=due).enqueue(*of)
