"""The Django application: label, default key type, signals and checks."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Carillon's application.

    The label is ``carillon``, not ``notifications``: tables, migrations and permissions then never
    collide with the older packages that install the same import name.
    """

    name = "notifications"
    label = "carillon"
    verbose_name = _("Notifications")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, listen for sign-out and find what all apps declare."""
        from . import checks, receivers  # noqa: F401  # importing the checks registers them
        from .broadcasts import subjects as broadcast_subjects  # noqa: F401  # applies the rules of kinds
        from .deliveries import (  # noqa: F401  # periodic tasks, what is stored with copies
            anymail_events,
            broadcasts,
            couriers,
            enqueueing,  # it is woken
            planning,
            shared,
        )
        from .deliveries import checks as delivery_checks  # noqa: F401
        from .deliveries.failures import declare_if_used
        from .inbox import (
            subjects,
            verification,  # noqa: F401  # a periodic task
        )
        from .kinds import checks as kind_checks  # noqa: F401
        from .preferences import checks as preference_checks  # noqa: F401

        receivers.connect()
        anymail_events.listen()
        declare_if_used()
        autodiscover_modules("audiences", "feeds", "notices")
        subjects.connect()
