"""Schedules: quiet hours, digests and languages as each reader wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.module_loading import import_string

from notifications.conf import conf
from notifications.deliveries.digests import DIGEST_GRACE
from notifications.deliveries.readers import reader_of
from notifications.hours import digest_hour, next_hour
from notifications.kinds import After, Kind, kind, registry
from notifications.models import Delivery, Notification, Schedule
from notifications.services import (
    archive,
    aset_schedule,
    clear_schedule,
    deliver_due,
    mark_read,
    mark_seen,
    notify,
    schedule,
    send_digest_now,
    set_preference,
    set_schedule,
    waiting_digests,
)

from .factories import make_user, make_users, stamp
from .sending import PATH, Carrier, Post, carrying

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ALWAYS_QUIET = ["00:00-00:00"]


class Letters(Carrier):
    """Makes no noise."""

    disturbs = False


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


@pytest.fixture
def digest(post: Post) -> Iterator[None]:
    with carrying(DEFAULT="digest"):
        yield


@pytest.fixture
def alarm() -> Iterator[type[Kind]]:
    @kind("test.alarm", urgent=True)
    class Alarm(Kind):
        title: str = "Alarm"

    yield Alarm
    del registry["test.alarm"]


def states(*names: str) -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list(*(names or ("state", "reason"))))


def let_pass(time: timedelta) -> None:
    """Let some time pass for what waits, digests included."""
    waiting = Delivery.objects.filter(due_at__isnull=False)
    waiting.update(due_at=F("due_at") - time)
    for row in waiting.filter(window__isnull=False):
        row.window = (row.window or timezone.now()) - time
        if row.notice_id is None:
            row.key = f"{row.key.partition('2')[0]}of the past {row.pk}"
        row.save(update_fields=["window", "key"])


def quiet_now(minutes: int = 60) -> list[str]:
    """Return quiet hours that have begun, and end in some minutes, by the clock of UTC."""
    now = timezone.now()
    return [f"{now - timedelta(minutes=1):%H:%M}-{now + timedelta(minutes=minutes):%H:%M}"]


class TestSetting:
    def test_nobody_has_a_row_until_they_differ_and_none_when_they_do_no_more(self) -> None:
        alice = make_user()
        assert schedule(alice).own == ()
        set_schedule(alice, time_zone="Asia/Kolkata", quiet_hours=["22:00-07:00"], digest="mon 09:00")
        found = schedule(alice)
        assert (found.time_zone, found.quiet_hours, found.digest) == ("Asia/Kolkata", ["22:00-07:00"], "mon 09:00")
        assert set(found.own) == {"time_zone", "quiet_hours", "digest"}
        set_schedule(alice, time_zone=None, quiet_hours=None)
        assert schedule(alice).digest == "mon 09:00"
        set_schedule(alice, digest=None)
        assert not Schedule.objects.exists()

    def test_no_quiet_hours_are_another_thing_than_those_of_the_site(self, settings: Any) -> None:
        settings.NOTIFICATIONS_QUIET_HOURS = ["22:00-07:00"]
        alice = make_user()
        assert schedule(alice).quiet_hours == ["22:00-07:00"]
        set_schedule(alice, quiet_hours=[])
        assert (schedule(alice).quiet_hours, schedule(alice).own) == ([], ("quiet_hours",))
        clear_schedule(alice)
        assert schedule(alice).quiet_hours == ["22:00-07:00"]

    @pytest.mark.parametrize(
        ("given", "field", "says"),
        [
            ({"time_zone": "Europe/Atlantis"}, "time_zone", "Europe/Berlin"),
            ({"time_zone": "../../etc/passwd"}, "time_zone", "Unknown"),
            ({"time_zone": "Europe"}, "time_zone", "Unknown"),
            ({"time_zone": 7}, "time_zone", "Unknown"),
            ({"language": "xx"}, "language", "en"),
            ({"quiet_hours": ["at night"]}, "quiet_hours", "22:00-07:00"),
            ({"quiet_hours": "22:00-07:00"}, "quiet_hours", "list"),
            ({"quiet_hours": 7}, "quiet_hours", "cannot be"),
            ({"quiet_hours": ALWAYS_QUIET}, "quiet_hours", "Switch off"),
            ({"not_before": datetime(2026, 1, 1)}, "not_before", "time zone"),  # noqa: DTZ001
            ({"not_before": "tomorrow"}, "not_before", "time zone"),
            ({"not_before": datetime(1, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))}, "not_before", "a date and a time"),
            ({"not_before": datetime(9999, 12, 31, tzinfo=UTC)}, "not_before", "9998"),
            ({"digest": "noon"}, "digest", "08:00"),
            ({"digest": "08:00", "category": "no such"}, "category", "Unknown"),
            ({"digest": "08:00", "kind": "no.such"}, "kind", "Unknown"),
        ],
    )
    def test_what_is_wrong_is_refused_with_the_right_way_to_write_it(
        self, given: dict[str, Any], field: str, says: str
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            set_schedule(make_user(), **given)
        assert says in " ".join(caught.value.message_dict[field])
        assert not Schedule.objects.exists()

    def test_what_somebody_else_has_written_into_the_row_is_as_the_site_says(self, post: Post, settings: Any) -> None:
        settings.LANGUAGE_CODE = "en"
        alice = make_user()
        wrong: dict[str, Any] = {"time_zone": "Mars", "language": "xx", "quiet_hours": [7], "digests": {"": "noon"}}
        Schedule.objects.create(user_id=alice.pk, **wrong)
        found = schedule(alice)
        assert (found.time_zone, found.language, found.quiet_hours, found.digest) == ("UTC", "en", [], "08:00")
        Schedule.objects.update(digests=[], quiet_hours="x")
        assert schedule(alice).digest == "08:00"
        notify(alice, "Hello")
        deliver_due()
        assert post.titles() == ["Hello"]

    @pytest.mark.django_db(transaction=True)
    def test_the_twin_does_the_same(self) -> None:
        alice = make_user()
        async_to_sync(aset_schedule)(alice, time_zone="Asia/Kolkata")
        assert schedule(alice).time_zone == "Asia/Kolkata"


class TestReaders:
    def test_the_row_goes_before_the_user_model_and_that_before_the_site(self, settings: Any) -> None:
        settings.LANGUAGE_CODE, settings.LANGUAGES = "en", [("en", "English"), ("de", "German"), ("ar", "Arabic")]
        alice = make_user()
        assert reader_of(alice)[1:] == ("en", "UTC")
        alice.language, alice.time_zone = "ar", ZoneInfo("Asia/Dubai")
        assert reader_of(alice)[1:] == ("ar", "Asia/Dubai")
        set_schedule(alice, time_zone="Europe/Berlin", language="de")
        assert reader_of(alice)[1:] == ("de", "Europe/Berlin")

    def test_a_message_is_in_the_language_that_its_reader_has_chosen(self, post: Post, settings: Any) -> None:
        settings.LANGUAGE_CODE, settings.LANGUAGES = "en", [("en", "English"), ("de", "German")]

        @kind("test.spoken")
        class Spoken(Kind):
            def title(self) -> str:
                return str(translation.get_language())

        try:
            alice, bob = make_user("alice"), make_user("bob")
            set_schedule(alice, language="de", time_zone="Europe/Berlin")
            notify([alice, bob], Spoken())
            deliver_due()
        finally:
            del registry["test.spoken"]
        found = {message.address: (message.title, message.language, message.time_zone) for message in post.arrived}
        assert found == {"alice": ("de", "de", "Europe/Berlin"), "bob": ("en", "en", "UTC")}


class TestQuietHours:
    def test_what_disturbs_waits_for_their_end(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_schedule(alice, quiet_hours=quiet_now())
        notify([alice, bob], "Hello")
        deliver_due()
        assert [message.address for message in post.arrived] == ["bob"]
        [row] = Delivery.objects.filter(recipient=alice)
        assert (row.state, row.reason, row.attempts) == ("waiting", "quiet-hours", 0)
        assert row.due_at is not None
        assert timedelta(minutes=59) < row.due_at - timezone.now() <= timedelta(minutes=60)
        assert row.due_at.second == 0

    def test_it_is_sent_when_they_are_over_unless_it_was_seen(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        for user in (alice, bob):
            set_schedule(user, quiet_hours=quiet_now())
        notify([alice, bob], "Hello")
        stamp(alice, bob)
        deliver_due()
        mark_seen(alice)
        Schedule.objects.update(quiet_hours=[])
        let_pass(timedelta(hours=1))
        deliver_due()
        assert sorted(states("state", "reason", "address")) == [("sent", "", "bob"), ("skipped", "seen", "")]

    def test_whoever_ends_them_gets_at_once_what_waits(self, post: Post) -> None:
        alice = make_user()
        set_schedule(alice, quiet_hours=quiet_now())
        notify(alice, "Hello")
        deliver_due()
        set_schedule(alice, quiet_hours=[])
        deliver_due()
        assert post.titles() == ["Hello"]

    def test_the_sites_hold_for_who_has_none_on_the_clock_of_their_own_zone(self, post: Post, settings: Any) -> None:
        now = timezone.now()
        settings.NOTIFICATIONS_QUIET_HOURS = quiet_now()
        alice, bob = make_user("alice"), make_user("bob")
        set_schedule(alice, time_zone="Asia/Kolkata" if now.hour != 5 else "Asia/Tokyo")
        notify([alice, bob], "Hello")
        deliver_due()
        assert [message.address for message in post.arrived] == ["alice"]

    def test_nothing_disturbs_before_a_time_that_the_user_has_set(self, post: Post) -> None:
        alice = make_user()
        monday = timezone.now() + 3 * DAY
        set_schedule(alice, not_before=monday)
        notify(alice, "Hello")
        deliver_due()
        assert Delivery.objects.get().due_at == monday

    def test_what_is_urgent_passes(self, post: Post, alarm: type[Kind]) -> None:
        alice = make_user()
        set_schedule(alice, quiet_hours=quiet_now(), not_before=timezone.now() + DAY)
        notify(alice, alarm())
        deliver_due()
        assert post.titles() == ["Alarm"]

    def test_a_channel_that_makes_no_noise_does_not_wait(self, post: Post) -> None:
        alice = make_user()
        set_schedule(alice, quiet_hours=quiet_now())
        with carrying(BACKEND=f"{__name__}.Letters"):
            notify(alice, "Hello")
            deliver_due()
        assert post.titles() == ["Hello"]

    @pytest.mark.parametrize(("name", "disturbs"), [("email", False), ("push", True), ("webhook:billing", False)])
    def test_mail_and_webhooks_make_no_noise_and_push_does(self, name: str, disturbs: bool, settings: Any) -> None:
        settings.NOTIFICATIONS_CHANNELS = {name: ""}
        assert import_string(conf.CHANNELS[name].backend).disturbs is disturbs

    def test_hours_that_leave_no_minute_let_nothing_pass(self, post: Post) -> None:
        alice = make_user()
        Schedule.objects.create(user_id=alice.pk, quiet_hours=ALWAYS_QUIET)  # only a row that no check has seen says so
        notify(alice, "Hello")
        deliver_due()
        assert states() == [("skipped", "quiet-hours")]

    def test_what_expires_meanwhile_is_not_sent(self, post: Post) -> None:
        alice = make_user()
        set_schedule(alice, quiet_hours=quiet_now())
        notify(alice, "Hello", expires_at=timezone.now() + timedelta(minutes=5))
        deliver_due()
        set_schedule(alice, quiet_hours=[])
        with pytest.MonkeyPatch.context() as patch:
            later = timezone.now() + timedelta(hours=2)
            patch.setattr("django.utils.timezone.now", lambda: later)
            deliver_due()
        assert states() == [("skipped", "expired")]


class TestDigests:
    @pytest.fixture(autouse=True)
    def digest(self, digest: None) -> None:
        """Let everything come in digests."""

    def test_come_at_the_hour_of_their_reader(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_schedule(alice, time_zone="Asia/Kolkata", digest="mon 09:30")
        notify([alice, bob], "Hello")
        windows = dict(Delivery.objects.filter(notice=None).values_list("recipient", "window"))
        now = timezone.now()
        assert windows[alice.pk] == next_hour(digest_hour("mon 09:30"), ZoneInfo("Asia/Kolkata"), now)
        assert windows[bob.pk] == next_hour(digest_hour("08:00"), ZoneInfo("UTC"), now)

    def test_come_at_the_hour_of_their_category(self, settings: Any) -> None:
        settings.NOTIFICATIONS_CATEGORIES = {"news": "News"}
        settings.NOTIFICATIONS_DIGEST = "12:00"
        alice = make_user()
        set_schedule(alice, digest="sun 18:00", category="news")
        notify(alice, "Hello")
        notify(alice, "News", category="news")
        found = dict(Delivery.objects.filter(notice__isnull=False).values_list("notice__title", "window"))
        zone, now = ZoneInfo("UTC"), timezone.now()
        assert found["Hello"] == next_hour(digest_hour("12:00"), zone, now)
        assert found["News"] == next_hour(digest_hour("sun 18:00"), zone, now)
        assert schedule(alice).digests == {"category:news": "sun 18:00"}

    def test_a_thousand_readers_cost_one_query_more(self) -> None:
        users = make_users(1_000)
        for user in users[:20]:
            set_schedule(user, time_zone="Asia/Kolkata")
        with CaptureQueriesContext(connection) as some:
            notify(users[:10], "Hello")
        with CaptureQueriesContext(connection) as all_of_them:
            notify(users, "Hello")
        asked = [[q for q in found if "carillon_schedule" in q["sql"]] for found in (some, all_of_them)]
        assert [len(found) for found in asked] == [1, 1]

    def test_tell_what_was_seen_but_not_read(self, post: Post) -> None:
        alice = make_user()
        for title in ("Seen", "Read", "Archived"):
            notify(alice, title)
        stamp(alice)
        mark_seen(alice)
        mine = Notification.objects.of(alice)
        mark_read(alice, mine.filter(notice__title="Read").values_list("pk", flat=True))
        archive(alice, mine.filter(notice__title="Archived").values_list("pk", flat=True))
        let_pass(DAY)
        deliver_due()
        assert post.titles() == ["Seen"]

    def test_keep_together_what_is_of_one_category(self, post: Post) -> None:
        alice = make_user()
        for number, category in enumerate(("a", "b", "a", "b")):
            notify(alice, f"{category}{number}", category=category)
        let_pass(DAY)
        deliver_due()
        assert post.titles() == ["b3", "b1", "a2", "a0"]

    def test_wait_for_the_end_of_quiet_hours(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello")
        set_schedule(alice, quiet_hours=quiet_now())
        let_pass(DAY)
        deliver_due()
        assert (post.arrived, set(states())) == ([], {("waiting", "quiet-hours"), ("waiting", "")})
        set_schedule(alice, quiet_hours=[])
        deliver_due()
        assert post.titles() == ["Hello"]

    def test_what_was_switched_off_meanwhile_is_left_out_and_what_was_switched_on_is_told(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        notify([alice, bob], "Hello")
        set_preference(alice, "carrier", "off")
        set_preference(bob, "carrier", "on")
        let_pass(DAY)
        deliver_due()
        assert [message.address for message in post.arrived] == ["bob"]
        assert set(Delivery.objects.filter(recipient=alice).values_list("state", "reason")) == {
            ("skipped", "preference")
        }

    def test_what_waits_by_itself_joins_one_where_its_reader_wants_that_now(self, post: Post) -> None:
        alice = make_user()
        set_preference(alice, "carrier", "on")
        notify(alice, "Hello")
        set_preference(alice, "carrier", "digest")
        deliver_due()
        assert (post.arrived, len(states())) == ([], 2)
        let_pass(DAY)
        deliver_due()
        assert [(message.is_digest, message.title) for message in post.arrived] == [(True, "Hello")]

    def test_another_hour_holds_for_what_waits_too(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello")
        before = set(Delivery.objects.values_list("window", flat=True))
        set_schedule(alice, digest="20:15")
        after = set(Delivery.objects.values_list("window", flat=True))
        assert len(before) == len(after) == 1
        assert before != after
        assert {moment.strftime("%H:%M") for moment in after if moment} == {"20:15"}
        let_pass(DAY)
        deliver_due()
        assert post.titles() == ["Hello"]

    def test_what_comes_when_its_digest_is_over_waits_for_the_next_one(self, post: Post) -> None:
        alice = make_user()
        for title in ("Early", "Late"):
            notify(alice, title)
        late = Delivery.objects.get(notice__title="Late")
        late.delete()
        let_pass(DAY)
        deliver_due()
        window = Delivery.objects.get(notice__title="Early").window
        late.window, late.due_at = window, (window or timezone.now()) + DIGEST_GRACE  # its transaction ends only now
        late.save(force_insert=True)
        let_pass(2 * DAY)
        deliver_due()
        let_pass(2 * DAY)
        deliver_due()
        assert post.titles() == ["Early", "Late"]

    def test_what_is_stored_while_it_is_sent_is_not_lost(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "One")
        let_pass(DAY)
        window = Delivery.objects.get(notice=None).window

        def meanwhile(message: Any) -> None:
            post.clear()
            notify(alice, "Two")
            due = (window or timezone.now()) + DIGEST_GRACE
            Delivery.objects.filter(notice__title="Two").update(window=window, due_at=due)

        post.obstacle = meanwhile
        deliver_due()
        for _ in range(3):
            let_pass(DAY)
            deliver_due()
        assert post.titles() == ["One", "Two"]

    def test_one_that_fails_for_good_says_so_of_all_that_it_tells(self, post: Post) -> None:
        notify(make_user("nobody"), "Hello")
        let_pass(DAY)
        deliver_due()
        assert states() == [("skipped", "no-address")] * 2

    def test_one_that_is_late_by_hours_still_tells_all(self, post: Post) -> None:
        alice = make_user()
        for title in ("One", "Two"):
            notify(alice, title)
        let_pass(2 * DAY)  # beyond the time at which what was left out falls due
        deliver_due()
        assert (len(post.arrived), post.titles()) == (1, ["Two", "One"])
        assert {state for state, _reason in states()} == {"sent"}


class Killed(BaseException):
    """What a killed worker does: nothing more."""


class TestKilledWorkers:
    """A digest goes out under one id, and each of its parts ends once, at whatever step its worker is killed."""

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        ("step", "sent"),
        [
            ("after the claim", 1),
            ("before it is sent", 1),
            ("after it is sent", 2),
            ("at the first note", 2),
            ("between the two notes", 2),
        ],
    )
    def test_at_a_step(self, digest: None, post: Post, step: str, sent: int) -> None:
        alice = make_user()
        for title in ("One", "Two"):
            notify(alice, title)
        let_pass(DAY)
        with pytest.raises(Killed):
            self.work_until(step, post)
        post.clear()
        assert deliver_due() == 0
        let_pass(timedelta(minutes=3))
        for _ in range(3):
            deliver_due()
            let_pass(DAY)
        assert len({message.id for message in post.arrived}) == 1
        assert len(post.arrived) == sent
        assert {state for (state,) in states("state")} == {"sent"}

    def work_until(self, step: str, post: Post) -> None:
        """Send what is due, in a worker that dies at a step."""
        updates = 0

        def die(message: Any) -> None:
            raise Killed

        def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal updates
            if sql.startswith("UPDATE") and "carillon_delivery" in sql:
                updates += 1
                # claim, begin, note of the digest, note of its parts
                if updates == {"at the first note": 3, "between the two notes": 4}.get(step):
                    raise Killed
            if step == "after the claim" and updates and not connection.in_atomic_block:
                raise Killed
            return execute(sql, params, many, context)

        if step == "before it is sent":
            post.obstacle = die
        if step == "after it is sent":
            arrive = Carrier.send

            def send(self: Carrier, message: Any) -> None:
                arrive(self, message)
                raise Killed

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Carrier, "send", send)
                deliver_due()
        with connection.execute_wrapper(watch):
            deliver_due()


class TestAsking:
    @pytest.fixture(autouse=True)
    def digest(self, digest: None) -> None:
        """Let everything come in digests."""

    def test_shows_what_the_next_ones_tell(self) -> None:
        alice = make_user()
        for title in ("One", "Two", "Read"):
            notify(alice, title)
        stamp(alice)
        read = Notification.objects.of(alice).filter(notice__title="Read")
        mark_read(alice, read.values_list("pk", flat=True))
        [found] = waiting_digests(alice)
        assert (found.channel, [item.title for item in found.items]) == ("carrier", ["Two", "One"])
        assert found.at == Delivery.objects.filter(notice=None).get().window
        assert waiting_digests(make_user("bob")) == []

    def test_sends_it_now_and_what_comes_later_at_its_hour(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        notify([alice, bob], "One")
        set_schedule(alice, quiet_hours=quiet_now())
        assert send_digest_now(alice) == 1
        deliver_due()
        assert [(message.address, message.title) for message in post.arrived] == [("alice", "One")]
        notify(alice, "Two")
        set_schedule(alice, quiet_hours=[])
        let_pass(DAY)
        deliver_due()
        assert [part.title for message in post.arrived if message.address == "alice" for part in message.parts] == [
            "One",
            "Two",
        ]

    def test_only_once_a_minute(self) -> None:
        alice = make_user()
        notify(alice, "One")
        send_digest_now(alice)
        notify(alice, "Two")
        with pytest.raises(ValidationError, match="minute"):
            send_digest_now(alice)
        deliver_due()
        Delivery.objects.filter(notice=None, state="sent").update(window=timezone.now() - timedelta(minutes=2))
        assert send_digest_now(alice) == 1

    def test_takes_none_that_a_worker_is_sending(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "One")
        let_pass(DAY)
        asked: list[int] = []
        post.obstacle = lambda message: asked.append(send_digest_now(alice))
        deliver_due()
        assert (asked, post.titles()) == ([0], ["One"])

    def test_with_nothing_to_tell_sends_nothing(self, post: Post) -> None:
        assert send_digest_now(make_user()) == 0
        assert deliver_due() == 0


class TestEscalation:
    @pytest.fixture
    def call(self, post: Post) -> Iterator[type[Kind]]:
        @kind("test.call", channels={"carrier": True, "letters": After(minutes=5, unless_sent="carrier")})
        class Call(Kind):
            title: str = "Call"

        channels = {"carrier": {"BACKEND": PATH}, "letters": {"BACKEND": f"{__name__}.Letters"}}
        with carrying(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.conf.settings.NOTIFICATIONS_CHANNELS", channels)
            yield Call
        del registry["test.call"]

    def test_a_channel_is_needless_where_another_has_sent_it(self, post: Post, call: type[Kind]) -> None:
        notify(make_user(), call())
        deliver_due()
        let_pass(timedelta(minutes=6))
        deliver_due()
        assert sorted(states("channel", "state", "reason")) == [
            ("carrier", "sent", ""),
            ("letters", "skipped", "superseded"),
        ]

    def test_and_is_needed_where_that_was_not_sent_by_then(self, post: Post, call: type[Kind]) -> None:
        alice = make_user()
        set_schedule(alice, quiet_hours=quiet_now())
        notify(alice, call())
        deliver_due()
        let_pass(timedelta(minutes=6))
        deliver_due()
        assert sorted(states("channel", "state", "reason")) == [
            ("carrier", "waiting", "quiet-hours"),
            ("letters", "sent", ""),
        ]

    def test_and_waits_while_that_is_being_sent(self, post: Post, call: type[Kind]) -> None:
        notify(make_user(), call())
        Delivery.objects.filter(channel="carrier").update(state="sending", due_at=timezone.now() + DAY)
        Delivery.objects.filter(channel="letters").update(due_at=timezone.now())
        deliver_due()
        assert sorted(states("channel", "state", "attempts")) == [("carrier", "sending", 0), ("letters", "waiting", 0)]

    def test_names_a_channel(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="channel"):
            After(unless_sent=7)  # type: ignore[arg-type]


def test_a_schedule_goes_with_its_user() -> None:
    alice = make_user()
    set_schedule(alice, time_zone="Europe/Berlin")
    alice.delete()
    assert not Schedule.objects.exists()


def test_a_day_of_the_clock_is_not_confused_with_that_of_utc() -> None:
    """It is Monday in Auckland while it is still Sunday in UTC."""
    sunday = datetime(2026, 1, 18, 20, tzinfo=UTC)
    found = next_hour(digest_hour("mon 09:30"), ZoneInfo("Pacific/Auckland"), sunday)
    assert found == datetime(2026, 1, 18, 20, 30, tzinfo=UTC)
