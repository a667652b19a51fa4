"""Fill the demo site: accounts and a few notifications."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from notifications.models import Notice, Notification
from notifications.services import archive, mark_read, notify
from project import accounts
from project.samples import HISTORY

NAMES = {"alice": ("Alice", "Amari"), "bob": ("Bob", "Baker"), accounts.ADMIN: ("", "")}


class Command(BaseCommand):
    """Create the accounts and give the visitors a believable inbox; repeating it changes nothing."""

    help = "Creates admin/admin, alice/alice and bob/bob with a few notifications. Works only where DEBUG is on."

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        """Make what is missing."""
        if not settings.DEBUG:
            raise CommandError("These accounts have known passwords: set DEBUG=on, on a machine of your own.")
        users = {name: self._account(name) for name in (*accounts.VISITORS, accounts.ADMIN)}
        for name in accounts.VISITORS:
            self._fill(users[name], users[next(other for other in accounts.VISITORS if other != name)])
        self.stdout.write("Sign in as alice/alice, bob/bob or, for the admin, admin/admin.")

    def _account(self, name: str) -> User:
        first, last = NAMES[name]
        is_admin = name == accounts.ADMIN
        user, created = get_user_model().objects.get_or_create(
            username=name,
            defaults={"first_name": first, "last_name": last, "is_staff": is_admin, "is_superuser": is_admin},
        )
        if created:
            user.set_password(name)
            user.save(update_fields=["password"])
        return user

    def _fill(self, user: User, other: User) -> None:
        """Send each notification of the history once, and set it back to when it is said to have happened."""
        for entry in HISTORY:
            key = f"demo-{entry.kind}-{entry.hours}"
            if Notification.objects.of(user).filter(dedupe_key=key).exists():
                continue
            actor = other if entry.from_other else None
            notice = notify(user, **entry.content, actor=actor, dedupe_key=key)
            Notice.objects.filter(pk=notice.pk).update(created_at=timezone.now() - timedelta(hours=entry.hours))
            copies = list(Notification.objects.of(user).filter(notice=notice).values_list("pk", flat=True))
            if entry.state == "archived":
                archive(user, copies)
            if entry.state != "new":
                mark_read(user, copies)
