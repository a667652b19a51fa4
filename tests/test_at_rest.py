"""A connect of whoever has missed nothing, for whom nothing waits: one look says so."""

from __future__ import annotations

from unittest.mock import patch

from django.db import OperationalError
from django.test import TransactionTestCase

from notifications.inbox.stream import INBOX
from notifications.live.replay import catch_up
from notifications.models import Inbox, Notification
from notifications.services import broadcast, notify
from tests.factories import make_user


class AtRestTests(TransactionTestCase):
    def setUp(self) -> None:
        self.user = make_user("alice")
        notify(self.user, "Hello")
        self.position = catch_up(INBOX, self.user.pk, None).to

    def test_one_query_tells_that_nothing_was_missed(self) -> None:
        with self.assertNumQueries(1):
            batch = catch_up(INBOX, self.user.pk, self.position)
        assert (batch.start, batch.to, batch.frames) == (self.position, self.position, ())

    def test_what_nobody_has_stamped_is_no_rest(self) -> None:
        Notification.objects.update(modseq=None)
        batch = catch_up(INBOX, self.user.pk, self.position)
        assert batch.to.modseq == self.position.modseq + 1
        assert INBOX.at_rest(self.user.pk) == (batch.to, 0)

    def test_a_broadcast_that_waits_is_no_rest(self) -> None:
        broadcast("To all", to="everyone")
        assert INBOX.at_rest(self.user.pk) is None
        assert len(catch_up(INBOX, self.user.pk, self.position).frames) == 1
        assert INBOX.at_rest(self.user.pk) is not None

    def test_who_collects_while_somebody_holds_a_lock_is_told_and_nothing_is_logged(self) -> None:
        broadcast("To all", to="everyone")
        locked = OperationalError("database is locked")
        with patch("notifications.inbox.outbox._remember", side_effect=locked), self.assertNoLogs(level="INFO"):
            batch = catch_up(INBOX, self.user.pk, self.position)
        assert len(batch.frames) == 1
        assert INBOX.at_rest(self.user.pk) is None, "whoever comes next tries again"
        catch_up(INBOX, self.user.pk, batch.to)
        assert INBOX.at_rest(self.user.pk) is not None

    def test_who_has_no_inbox_yet_gets_one(self) -> None:
        Inbox.objects.all().delete()
        assert INBOX.at_rest(self.user.pk) is None
        assert catch_up(INBOX, self.user.pk, None).to.epoch
