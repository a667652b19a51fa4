"""Broadcasts by channels: deliveries to a whole audience, made in batches just ahead of sending."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone, translation

from notifications.audiences import Audience, audience, has_field, registry
from notifications.broadcasts import results
from notifications.deliveries import broadcasts, waking
from notifications.deliveries.broadcasts import take_turn, walk_some
from notifications.deliveries.clicks import note_click
from notifications.deliveries.planning import store_by
from notifications.inbox import outbox
from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.live.frames import frame
from notifications.models import Broadcast, Delivery, Notice, Notification
from notifications.services import (
    broadcast,
    deliver_due,
    edit_broadcast,
    mark_seen,
    publish_due,
    recall_broadcast,
    set_preference,
)

from .factories import make_user, make_users
from .sending import PATH, Carrier, Post, carrying
from .threads import together

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying(DEFAULT="off"):
        yield Carrier.post


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches of three, one a turn."""
    monkeypatch.setattr(broadcasts, "BATCH", 3)
    monkeypatch.setattr(broadcasts, "STEPS", 1)


def send(title: str = "Maintenance", to: Any = "everyone", **fields: Any) -> Broadcast:
    return broadcast(title, to=to, channels=["carrier"], **fields)


def addresses(post: Post) -> list[str]:
    return [message.address for message in post.arrived]


def let_leases_run_out() -> None:
    Broadcast.objects.filter(walk_at__isnull=False).update(walk_at=F("walk_at") - HOUR)


class TestSending:
    def test_reaches_the_whole_audience_beyond_the_site(self, post: Post) -> None:
        make_user("alice"), make_user("bob", is_active=False), make_user("carol")
        send(body="Tonight", url="/status/")
        deliver_due()
        assert {(message.address, message.title, message.body) for message in post.arrived} == {
            ("alice", "Maintenance", "Tonight"),
            ("carol", "Maintenance", "Tonight"),
        }
        assert len(post.arrived) == 2
        assert not Notification.objects.exists()  # it is collected when they next visit

    def test_one_without_channels_is_sent_by_none(self, post: Post) -> None:
        make_user()
        with carrying(DEFAULT="on"):
            broadcast("Hello", to="everyone")
            deliver_due()
        assert post.arrived == []

    def test_who_has_switched_it_off_gets_none(self, post: Post) -> None:
        alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
        with override_settings(NOTIFICATIONS_CATEGORIES={"operations": ""}):
            set_preference(alice, "carrier", "off", category="operations")
            set_preference(bob, "carrier", "off")
            set_preference(bob, "carrier", "on", category="operations")
        send(category="operations")
        send("Other")
        deliver_due()
        assert sorted((message.address, message.title) for message in post.arrived) == [
            ("alice", "Other"),
            ("bob", "Maintenance"),
            ("carol", "Maintenance"),
            ("carol", "Other"),
        ]
        assert carol.pk in Delivery.objects.filter(rule="broadcast").values_list("recipient", flat=True)

    def test_who_wants_digests_gets_it_in_one(self, post: Post) -> None:
        alice = make_user()
        set_preference(alice, "carrier", "digest")
        send()
        deliver_due()
        assert post.arrived == []
        Delivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
        deliver_due()
        [message] = post.arrived
        assert (message.is_digest, post.titles()) == (True, ["Maintenance"])

    @pytest.mark.django_db(transaction=True)
    def test_who_has_seen_it_by_then_gets_none(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        send()
        walk_some()
        for user in (alice, bob):
            outbox.collect(INBOX, [user.pk])
        mark_seen(alice, page(alice).cursor)
        deliver_due()
        assert addresses(post) == ["bob"]
        assert Delivery.objects.get(recipient=alice).reason == "seen"

    def test_who_switches_it_off_before_it_is_sent_gets_none(self, post: Post) -> None:
        alice = make_user()
        send()
        walk_some()
        set_preference(alice, "carrier", "off")
        deliver_due()
        assert Delivery.objects.values_list("state", "reason", "rule").get() == ("skipped", "preference", "everything")

    @pytest.mark.skipif(not has_field("date_joined"), reason="The user model does not say when somebody joined.")
    def test_who_joined_later_gets_none(self, post: Post) -> None:
        make_user("alice")
        send()
        make_user("bob")
        deliver_due()
        assert addresses(post) == ["alice"]

    def test_a_scheduled_one_is_sent_when_it_is_due(self, post: Post) -> None:
        make_user()
        send(publish_at=timezone.now() + HOUR)
        deliver_due()
        assert post.arrived == []
        Broadcast.objects.update(publish_at=timezone.now())
        publish_due()
        deliver_due()
        assert post.titles() == ["Maintenance"]

    def test_the_channels_can_be_changed_until_it_is_sent(self, post: Post) -> None:
        make_user()
        scheduled = send(publish_at=timezone.now() + HOUR)
        edit_broadcast(scheduled, channels=[])
        edit_broadcast(scheduled, channels=["carrier"])
        sent = send()
        with pytest.raises(ValidationError, match="channels"):
            edit_broadcast(sent, channels=[])

    def test_wakes_whoever_sends_after_the_commit(self, post: Post, django_capture_on_commit_callbacks: Any) -> None:
        make_user()
        woken: list[Any] = []
        end = waking.register(woken.append)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                broadcast("Only here", to="everyone")
                sent = send()
                assert woken == []
        finally:
            end()
        assert woken == [sent.walk_at]

    def test_a_channel_by_which_nothing_is_sent_is_refused(self, post: Post) -> None:
        with pytest.raises(ValidationError, match=r"Nothing is sent by “pigeon”\. Channels: carrier\."):
            broadcast("Hello", to="everyone", channels=["pigeon"])
        with pytest.raises(TypeError, match="channels="):
            broadcast("Hello", to="everyone", channels="carrier")
        assert not Broadcast.objects.exists()

    def test_the_command_names_channels(self, post: Post) -> None:
        make_user()
        call_command("broadcast", "Hello", audience=["everyone"], channel=["carrier"], verbosity=0)
        deliver_due()
        assert post.titles() == ["Hello"]
        with pytest.raises(CommandError, match="--channel: Nothing is sent by “pigeon”"):
            call_command("broadcast", "Hello", audience=["everyone"], channel=["pigeon"])


@pytest.mark.usefixtures("small_batches")
class TestWalking:
    def test_goes_on_batch_by_batch_until_all_have_it(self, post: Post) -> None:
        make_users(7)
        send()
        made = []
        while walk_some():
            made.append(Delivery.objects.count())
        assert made == [3, 6, 7]
        assert Broadcast.objects.values_list("walked", "walk_at").get() == ({}, None)
        deliver_due()
        assert len(set(addresses(post))) == len(addresses(post)) == 7

    def test_costs_the_same_for_every_batch(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        costs = []
        for size in (10, 1_000):
            monkeypatch.setattr(broadcasts, "BATCH", size)
            make_users(size, f"of {size}: ")
            send(to=Audience.of("everyone"))
            with CaptureQueriesContext(connection) as queries:
                assert walk_some() == 1
            costs.append(len([one for one in queries if "INSERT" not in one["sql"]]))
            Broadcast.objects.update(walk_at=None)
        assert costs[0] == costs[1] <= 12

    def test_a_killed_worker_leaves_nothing_out_and_doubles_nothing(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_users(7)
        send()
        walk_some()
        store = store_by

        def killed(*args: Any) -> None:
            store(*args)
            raise KeyboardInterrupt  # before its commit

        with monkeypatch.context() as patch:
            patch.setattr(broadcasts, "store_by", killed)
            with pytest.raises(KeyboardInterrupt):
                walk_some()
        assert Delivery.objects.count() == 3
        assert walk_some() == 0  # until its lease has run out
        let_leases_run_out()
        while walk_some():
            pass
        assert Delivery.objects.count() == 7

    def test_who_has_lost_the_lease_stores_nothing(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        make_users(7)
        send()
        members = broadcasts._members

        def slow(*args: Any) -> Any:
            found = members(*args)
            monkeypatch.setattr(broadcasts, "_members", members)
            let_leases_run_out()
            walk_some()  # another worker takes over, and makes the same batch
            return found

        monkeypatch.setattr(broadcasts, "_members", slow)
        walk_some()
        assert Delivery.objects.count() == 3
        assert Broadcast.objects.get().walked == {"carrier": str(Delivery.objects.latest("pk").recipient_id)}

    @pytest.mark.django_db(transaction=True)
    def test_several_workers_leave_nothing_out_and_double_nothing(self, post: Post) -> None:
        make_users(40)
        for title in ("One", "Two", "Three"):
            send(title)

        def work() -> None:
            while Broadcast.objects.filter(walk_at__isnull=False).exists():
                walk_some()

        together(work, work, work, work)
        assert Delivery.objects.count() == 3 * 40
        deliver_due()
        assert len({message.id for message in post.arrived}) == len(post.arrived) == 3 * 40

    @pytest.mark.parametrize("over", ["recalled", "expired"])
    def test_ends_with_the_broadcast(self, post: Post, over: str) -> None:
        make_users(7)
        sent = send(expires_at=timezone.now() + HOUR)
        walk_some()
        if over == "recalled":
            recall_broadcast(sent)
        else:
            Broadcast.objects.update(expires_at=timezone.now())
            Notice.objects.update(expires_at=timezone.now())
        assert walk_some() == 0
        assert Broadcast.objects.get().walk_at is None
        deliver_due()
        assert post.arrived == []
        reason = {"recalled": "withdrawn", "expired": "expired"}[over]
        assert list(Delivery.objects.values_list("state", "reason")) == [("skipped", reason)] * 3

    def test_is_not_far_ahead_of_what_is_sent(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(broadcasts, "STEPS", 10)
        monkeypatch.setattr(broadcasts, "AHEAD", 4)
        make_users(20)
        send()
        walk_some()
        assert walk_some() == 0
        assert Delivery.objects.count() == 6
        let_leases_run_out()
        deliver_due()
        assert len(post.arrived) == 20

    def test_a_channel_that_is_slow_holds_up_no_other(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(broadcasts, "STEPS", 10)
        monkeypatch.setattr(broadcasts, "AHEAD", 4)
        make_users(8)
        both = {name: {"BACKEND": PATH} for name in ("slow", "fast")}
        with override_settings(NOTIFICATIONS_CHANNELS=both):
            broadcast("Hello", to="everyone", channels=["slow", "fast"])
            walk_some()
            for _turn in range(3):
                Delivery.objects.filter(channel="fast", due_at__isnull=False).update(state="sent", due_at=None)
                let_leases_run_out()
                walk_some()
        assert {name: Delivery.objects.filter(channel=name).count() for name in both} == {"slow": 6, "fast": 8}

    def test_an_audience_that_is_gone_is_waited_for_during_a_deploy_and_not_for_ever(self, post: Post) -> None:
        make_user()
        audience("Few", name="test-few")(lambda users: users)
        few = registry["test-few"]
        send(to="test-few")
        del registry["test-few"]
        assert walk_some() == 0
        assert Broadcast.objects.get().walk_at is not None
        registry["test-few"] = few
        try:
            let_leases_run_out()
            assert walk_some() == 1
        finally:
            del registry["test-few"]
        Broadcast.objects.update(
            walk_at=timezone.now(), walked={"carrier": ""}, published_at=timezone.now() - timedelta(days=2)
        )
        assert walk_some() == 0
        assert Broadcast.objects.get().walk_at is None

    def test_a_turn_says_when_the_next_one_is_wanted(self, post: Post) -> None:
        make_users(4)
        assert take_turn() == broadcasts.SWEEP
        send()
        assert take_turn() == broadcasts.SOON
        assert take_turn() == broadcasts.SOON
        assert take_turn() == broadcasts.SWEEP

    def test_a_site_that_sends_nothing_asks_nothing(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            assert take_turn() is None
        assert len(queries) == 0


class TestAdmin:
    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(make_user("admin", is_staff=True, is_superuser=True))
        return client

    def form(self, **changes: Any) -> dict[str, Any]:
        return {"title": "Hello", "level": "info", "include_names": ["everyone"], "_review": "yes"} | changes

    def address(self, name: str, *args: Any) -> str:
        return reverse(f"admin:carillon_broadcast_{name}", args=args)

    def test_the_form_offers_what_is_sent_and_stores_what_was_chosen(self, post: Post, staff: Client) -> None:
        page = staff.get(self.address("add")).content.decode()
        assert 'name="channels" value="carrier"' in page
        staff.post(self.address("add"), self.form(channels=["carrier"]))
        made = Broadcast.objects.get()
        assert made.channels == ["carrier"]
        review = staff.get(self.address("review", made.pk)).content.decode()
        assert "Also by</dt><dd>carrier" in review
        staff.post(self.address("change", made.pk), self.form(loaded_revision=made.revision))
        assert Broadcast.objects.get().channels == []

    def test_a_site_that_sends_nothing_offers_nothing(self, staff: Client) -> None:
        assert b'name="channels"' not in staff.get(self.address("add")).content

    def test_a_channel_that_is_gone_is_named_and_refused(self, post: Post, staff: Client) -> None:
        made = Broadcast.objects.create(title="Hello", audience=Audience.of("everyone").dump(), channels=["pigeon"])
        page = staff.get(self.address("change", made.pk)).content.decode()
        assert "“pigeon” (no longer exists)" in page
        data = self.form(channels=["pigeon"], loaded_revision=made.revision)
        answer = staff.post(self.address("change", made.pk), data)
        assert "Nothing is sent by “pigeon”" in answer.content.decode()

    def test_a_duplicate_is_sent_the_same_way(self, post: Post, staff: Client) -> None:
        make_user()
        page = staff.get(self.address("add"), {"copy": send().pk}).content.decode()
        assert re.search(r'name="channels" value="carrier"[^>]* checked', page)

    def test_the_results_say_what_became_of_it_by_channel(self, post: Post, staff: Client) -> None:
        make_users(6)
        sent = send()
        walk_some()
        made = list(Delivery.objects.order_by("pk"))
        outcomes = [("sent", ""), ("sent", ""), ("failed", ""), ("skipped", "seen"), ("skipped", "bounced")]
        for delivery, (state, reason) in zip(made, outcomes, strict=False):
            Delivery.objects.filter(pk=delivery.pk).update(state=state, reason=reason, due_at=None)
        Delivery.objects.filter(pk=made[0].pk).update(clicked_at=timezone.now())
        sent.refresh_from_db()
        found = results.results(sent).text
        columns = ("waiting", "sent", "clicked", "bounced", "failed", "skipped", "reasons")
        assert [found[f"by-carrier-{name}"] for name in columns] == [
            "2", "2", "1", "1", "1", "1", "the recipient has seen it: 1",
        ]  # fmt: skip
        page = staff.get(self.address("results", sent.pk)).content.decode()
        assert '<td id="by-carrier-sent">2</td>' in page
        assert "the recipient has seen it: 1" in page

    def test_the_results_cost_one_query_for_all_channels(self, post: Post) -> None:
        make_user()
        sent = send()
        results.results(sent)  # counts the audience once
        with CaptureQueriesContext(connection) as queries:
            results.results(sent)
        assert len([one for one in queries if "carillon_delivery" in one["sql"]]) == 1
        assert len(queries) == 3

    @pytest.mark.parametrize("language", ["en", "de", "ar"])
    def test_the_results_can_be_sent_in_every_language(self, post: Post, language: str) -> None:
        make_user()
        sent = send()
        deliver_due()
        with translation.override(language):
            assert b'"by-carrier-sent":"1"' in frame(results.results(sent)).data

    def test_the_results_say_that_more_is_to_come(self, post: Post, small_batches: None) -> None:
        make_users(7)
        send()
        walk_some()
        assert results.results(Broadcast.objects.get()).text["walking"]
        while walk_some():
            pass
        assert results.results(Broadcast.objects.get()).text["walking"] == ""


def test_a_click_counts_once_for_its_channel(post: Post) -> None:
    alice = make_user()
    sent = send()
    deliver_due()
    assert [note_click(alice, sent.notice_id, name) for name in ("carrier", "carrier", "email")] == [True, False, False]
    assert results.results(Broadcast.objects.get()).text["by-carrier-clicked"] == "1"
