"""Fill the demo site: accounts, a few notifications, and two conversations."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from notifications.models import Message, Notice, Notification, Room
from notifications.services import (
    archive,
    create_room,
    mark_read,
    mark_room_read,
    mute_room,
    notify,
    open_direct_room,
    post_message,
    toggle_reaction,
)
from project import accounts
from project.samples import FRIENDS, HISTORY, RINGERS, Line

GROUP = "Sunday ringers"
NAMES = {"alice": ("Alice", "Amari"), "bob": ("Bob", "Baker"), accounts.ADMIN: ("", "")}


class Command(BaseCommand):
    """Create the accounts and give the visitors a believable inbox; repeating it changes nothing."""

    help = "Creates admin/admin, alice/alice and bob/bob with a few notifications. Works only where DEBUG is on."

    def handle(self, **options: Any) -> None:
        """Make what is missing."""
        if not settings.DEBUG:
            raise CommandError("These accounts have known passwords: set DEBUG=on, on a machine of your own.")
        alice, bob = accounts.VISITORS
        with transaction.atomic():
            users = {name: self._account(name) for name in (alice, bob, accounts.ADMIN)}
            self._fill(users[alice], users[bob])
            self._fill(users[bob], users[alice])
        group = Room.objects.filter(name=GROUP).first() or create_room(
            GROUP, by=users[accounts.ADMIN], members=users.values()
        )
        self._converse(group, RINGERS, users)
        self._converse(open_direct_room(users[alice], users[bob]), FRIENDS, users)
        self.stdout.write("Sign in as alice/alice, bob/bob or, for the admin, admin/admin.")

    def _account(self, name: str) -> User:
        first, last = NAMES[name]
        is_admin = name == accounts.ADMIN
        address = f"{name}@example.org"
        user, created = get_user_model().objects.get_or_create(
            username=name,
            defaults={
                "email": address,
                "first_name": first,
                "last_name": last,
                "is_staff": is_admin,
                "is_superuser": is_admin,
            },
        )
        if created:
            user.set_password(name)
        user.email = user.email or address  # of a demo from before it sent e-mails
        user.save(update_fields=["password", "email"])
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

    def _converse(self, room: Room, lines: tuple[Line, ...], users: dict[str, User]) -> None:
        """Post the lines once; the last two of each room are unread for the others."""
        if Message.objects.filter(room=room, kind=Message.Kind.TEXT).exists():
            return
        members = [users[name] for name in {line.author for line in lines}]
        for user in members:
            mute_room(room, by=user)  # old messages ring no bell
        numbers: list[int] = []
        for line in lines:
            reply_to = numbers[line.reply_to - 1] if line.reply_to else None
            message = post_message(room, line.body, by=users[line.author], reply_to=reply_to)
            numbers.append(message.number or 0)
            Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(hours=line.hours))
            for name, emoji in line.reactions:
                toggle_reaction(room, numbers[-1], emoji, by=users[name])
        for user in members:
            mute_room(room, by=user, muted=False)
            mark_room_read(room, by=user, up_to=numbers[-3])
