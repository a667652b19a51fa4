"""The figures and curves of a broadcast's results."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import TransactionTestCase
from django.utils import timezone

from notifications.audiences import Audience
from notifications.audiences.sizes import Size
from notifications.broadcasts import results
from notifications.inbox import outbox
from notifications.inbox.stream import INBOX
from notifications.models import Broadcast, Notification
from notifications.services import publish_broadcast

from .factories import make_users


class ResultsTests(TransactionTestCase):
    def setUp(self) -> None:
        self.users = make_users(40)
        self.broadcast = publish_broadcast(Broadcast(title="Hello", audience=Audience.of("everyone").dump()))
        outbox.collect(INBOX, [user.pk for user in self.users])
        now = timezone.now()
        Broadcast.objects.update(published_at=now - timedelta(minutes=60))
        self.broadcast.refresh_from_db()
        for number, row in enumerate(Notification.objects.order_by("pk")):
            row.delivered_at = now - timedelta(minutes=60 - number)
            row.seen_at = row.delivered_at if number % 2 else None
            row.save()

    def curve(self, name: str) -> list[float]:
        """Return the heights of a curve, in people."""
        path = results.results(self.broadcast).draw[f"curve-{name}"]
        heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
        return [round(40 * (1 - height / results.HEIGHT), 1) for height in heights]

    def test_curves_rise_with_the_events_and_end_at_the_figures(self) -> None:
        delivered = self.curve("delivered")
        assert len(delivered) == results.POINTS + 1
        assert delivered == sorted(delivered)
        assert delivered[20] == 21  # one a minute, the first at once
        assert delivered[-1] == 40
        assert self.curve("seen")[-1] == 20
        assert set(self.curve("clicked")) == {0}

    def test_of_a_multitude_an_even_sample_is_drawn_and_the_figures_stay_exact(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(results, "SAMPLED", 10)
            delivered = self.curve("delivered")
            found = results.results(self.broadcast)
        assert abs(delivered[20] - 20) <= 4
        assert delivered[-1] == 40
        assert found.text["delivered"] == "40"

    def test_they_cost_two_queries(self) -> None:
        results.results(self.broadcast)  # counts the audience once
        with self.assertNumQueries(2):
            results.results(self.broadcast)

    def test_an_estimated_audience_says_so(self) -> None:
        results.remember_reach(self.broadcast, Size(1_200_000, exact=False))
        found = results.results(self.broadcast)
        assert found.text["delivered-share"] == "0.0 % of about 1,200,000"
        assert "of about 1,200,000 people" in found.text["summary"]

    def test_an_audience_that_is_gone_leaves_the_figures(self) -> None:
        Broadcast.objects.update(audience=Audience.of("vanished").dump())
        found = results.results(Broadcast.objects.get())
        assert found.text["delivered-share"] == "100 %"

    def test_nobody_looks_so_nothing_is_read(self) -> None:
        with self.assertNumQueries(0):
            assert results.refresh() is None

    def test_who_looks_is_told_what_changed_and_only_that(self) -> None:
        told: list[Any] = []
        now = timezone.now()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("notifications.live.relay.connected", lambda stream_type: {str(self.broadcast.pk)})
            patch.setattr(
                "notifications.live.relay.publish_ephemeral_here", lambda key, frame: told.append((key, frame))
            )
            patch.setattr("notifications.broadcasts.results.timezone.now", lambda: now)
            patch.setattr("notifications.broadcasts.results.time.monotonic", lambda: 0.0)  # a look takes no time
            assert results.refresh() == results.PAUSE
            results.refresh()
            Notification.objects.update(read_at=timezone.now())
            results.refresh()
        assert [key.pk for key, _frame in told] == [str(self.broadcast.pk)] * 2
        assert b'"read":"40"' in told[-1][1].data


@pytest.mark.django_db
def test_each_page_is_told_in_its_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("alice")
    broadcast = publish_broadcast(Broadcast(title="Hello", audience=Audience.of("everyone").dump()))
    told: dict[str, bytes] = {}
    keys = [results.key_of(broadcast.pk, language) for language in ("en", "de", None)]
    monkeypatch.setattr("notifications.live.relay.connected", lambda stream_type: {key.pk for key in keys})
    monkeypatch.setattr(
        "notifications.live.relay.publish_ephemeral_here", lambda key, frame: told.update({key.pk: frame.data})
    )
    results.refresh()
    said = {name: ("zugestellt" in data.decode(), "Delivered" in data.decode()) for name, data in told.items()}
    english, german, bare = (key.pk for key in keys)
    assert said == {english: (False, True), german: (True, False), bare: (False, True)}


def test_axes_read_well() -> None:
    assert [results._ceiling(number) for number in (1, 3, 5, 11, 61, 99, 1_234)] == [1, 4, 6, 20, 80, 100, 2_000]
    seconds = (0, 45, 60 * 90, 3600 * 30, 86400 * 9)
    assert [results._passed(passed) for passed in seconds] == ["0", "45 seconds", "90 min", "30.0 h", "9.0 days"]


@pytest.mark.django_db
def test_a_draft_has_no_figures() -> None:
    User.objects.create_user("alice")
    broadcast = Broadcast.objects.create(title="Hello", audience=Audience.of("everyone").dump())
    assert results.figures(broadcast) == results.Figures()
