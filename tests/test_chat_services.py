"""What the chat's verbs store, whom they refuse, and that races leave one room, one message and no gap."""

from __future__ import annotations

import json
import uuid
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import msgspec
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from notifications import services
from notifications.chat import messages
from notifications.chat.mentions import mentioned
from notifications.chat.reading import list_rooms
from notifications.chat.rooms import membership
from notifications.chat.stream import ROOM, history, message_item
from notifications.inbox import reading
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.live.streams import Read
from notifications.models import Inbox, Membership, Message, Notice, Notification, Room
from notifications.services import NotMember, post_message
from notifications.testing import captured
from tests.factories import make_user, make_users
from tests.threads import together


def said(room: Room) -> list[tuple[int | None, str]]:
    """Return what was said in a room: number and text, in order."""
    return list(Message.objects.filter(room=room, kind="text").order_by("number").values_list("number", "body"))


class RoomTest(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob, self.carol = make_user("alice"), make_user("bob"), make_user("carol")

    def group(self, *members: Any) -> Room:
        return services.create_room("Project", by=self.alice, members=members)


class DirectRoomTests(RoomTest):
    def test_two_people_have_one_room_whoever_opens_it(self) -> None:
        room = services.open_direct_room(self.alice, self.bob)
        assert services.open_direct_room(self.bob, self.alice) == room
        assert set(room.memberships.values_list("user", flat=True)) == {self.alice.pk, self.bob.pk}

    def test_two_who_open_it_at_the_same_moment_get_the_same(self) -> None:
        opened = together(
            *[lambda: services.open_direct_room(self.alice, self.bob)] * 3,
            *[lambda: services.open_direct_room(self.bob, self.alice)] * 3,
        )
        assert len({room.pk for room in opened}) == 1
        assert Membership.objects.count() == 2

    def test_nobody_talks_to_themselves(self) -> None:
        with self.assertRaises(ValueError):
            services.open_direct_room(self.alice, self.alice)

    def test_nobody_joins_leaves_or_renames_it(self) -> None:
        room = services.open_direct_room(self.alice, self.bob)
        for change in (
            lambda: services.add_member(room, self.carol),
            lambda: services.remove_member(room, self.bob),
            lambda: services.rename_room(room, "Ours"),
        ):
            with self.assertRaises(ValidationError):
                change()


class GroupRoomTests(RoomTest):
    def test_the_creator_moderates(self) -> None:
        room = self.group(self.bob, self.alice)
        roles = dict(room.memberships.values_list("user__username", "role"))
        assert roles == {"alice": "moderator", "bob": "member"}

    def test_who_comes_and_goes_is_told_in_the_history(self) -> None:
        room = self.group()
        services.add_member(room, self.bob, by=self.alice)
        services.rename_room(room, "Release", by=self.alice)
        services.set_role(room, self.bob, "moderator", by=self.alice)
        services.remove_member(room, self.bob, by=self.bob)
        events = Message.objects.filter(room=room).order_by("number")
        assert list(events.values_list("number", "kind", "subject__username", "body")) == [
            (1, "joined", "bob", ""),
            (2, "renamed", None, "Release"),
            (3, "role", "bob", "moderator"),
            (4, "left", "bob", ""),
        ]

    def test_a_member_who_is_added_again_keeps_their_place(self) -> None:
        room = self.group(self.bob)
        services.add_member(room, self.bob, role="moderator")
        assert membership(room, self.bob).role == "member"
        assert not Message.objects.exists()

    def test_wrong_names_and_roles_are_refused_and_nothing_is_stored(self) -> None:
        for name in ("", " ", "x" * 201, "a\x00b"):
            with self.subTest(name=name), self.assertRaises(ValidationError):
                services.create_room(name, by=self.alice)
        assert not Room.objects.exists()
        with self.assertRaises(ValidationError):
            services.add_member(self.group(), self.bob, role="king")

    def test_members_are_counted_when_somebody_comes_or_goes_and_not_with_each_message(self) -> None:
        room = services.create_room("Project", by=self.alice)
        counts: list[tuple[int, Any]] = [
            (0, lambda: services.rename_room(room, "Another", by=self.alice)),
            (0, lambda: post_message(room, "hello", by=self.alice)),
            (1, lambda: services.add_member(room, self.bob, by=self.alice)),
            (1, lambda: services.remove_member(room, self.bob, by=self.alice)),
        ]
        for joins in (False, True):  # a transaction of the caller's
            for number, change in counts:
                with (
                    self.subTest(number=number, joins=joins),
                    CaptureQueriesContext(connection) as queries,
                    transaction.atomic() if joins else nullcontext(),
                ):
                    change()
                assert sum('"size" = ' in query["sql"].replace("`", '"') for query in queries) == number


class PostTests(RoomTest):
    def setUp(self) -> None:
        super().setUp()
        self.room = self.group(self.bob)

    def test_a_message_has_its_number_when_the_call_returns(self) -> None:
        assert [post_message(self.room, text, by=self.alice).number for text in "abc"] == [1, 2, 3]
        assert said(self.room) == [(1, "a"), (2, "b"), (3, "c")]

    def test_numbers_have_no_gaps_when_many_talk_at_once(self) -> None:
        def talk() -> list[int | None]:
            return [post_message(self.room, "x", by=self.bob).number for _ in range(5)]

        numbers = [number for found in together(*[talk] * 6) for number in found]
        assert sorted(map(int, filter(None, numbers))) == list(range(1, 31))

    def test_a_repeated_post_returns_the_first(self) -> None:
        name = uuid.uuid4()
        first = post_message(self.room, "once", by=self.alice, client_id=name)
        assert post_message(self.room, "once", by=self.alice, client_id=name) == first
        post_message(self.room, "next", by=self.alice)
        assert said(self.room) == [(1, "once"), (2, "next")]

    def test_one_id_of_two_authors_is_two_messages(self) -> None:
        name = uuid.uuid4()
        post_message(self.room, "mine", by=self.alice, client_id=name)
        assert post_message(self.room, "mine too", by=self.bob, client_id=name).number == 2

    def test_two_posts_of_one_id_at_the_same_moment_store_one(self) -> None:
        name = uuid.uuid4()
        posted = together(*[lambda: post_message(self.room, "once", by=self.alice, client_id=name)] * 5)
        assert {message.number for message in posted} == {1}
        assert post_message(self.room, "next", by=self.alice).number == 2

    def test_inside_a_transaction_the_number_comes_after_commit(self) -> None:
        with transaction.atomic():
            message = post_message(self.room, "with my work", by=self.alice)
            assert message.number is None
            assert history(self.room.pk).messages == []
        assert said(self.room) == [(1, "with my work")]

    def test_a_rollback_leaves_no_gap(self) -> None:
        with transaction.atomic():
            post_message(self.room, "never", by=self.alice)
            transaction.set_rollback(True)
        assert post_message(self.room, "first", by=self.alice).number == 1

    def test_several_posts_of_one_transaction_keep_their_order(self) -> None:
        with transaction.atomic():
            for text in "abc":
                post_message(self.room, text, by=self.alice)
        assert said(self.room) == [(1, "a"), (2, "b"), (3, "c")]

    def test_a_repeated_post_inside_a_transaction_spares_the_callers_work(self) -> None:
        name = uuid.uuid4()
        first = post_message(self.room, "once", by=self.alice, client_id=name)
        with transaction.atomic():
            make_user("dave")
            assert post_message(self.room, "once", by=self.alice, client_id=name) == first
            services.add_member(self.room, self.carol)
        assert Membership.objects.filter(user=self.carol).exists()

    def test_a_transaction_that_posts_holds_up_nobody_in_the_room(self) -> None:
        if connection.vendor == "sqlite":
            return  # one writer at a time is SQLite's own rule

        def other() -> int | None:
            return post_message(self.room, "meanwhile", by=self.bob).number

        with transaction.atomic():
            post_message(self.room, "slow work", by=self.alice)
            assert together(other) == [1]
        assert said(self.room) == [(1, "meanwhile"), (2, "slow work")]

    def test_who_is_removed_while_their_message_waits_for_the_room_says_nothing_more(self) -> None:
        number = ROOM.number

        def removed_first(message: Message) -> None:
            Membership.objects.filter(room=self.room, user=self.bob).delete()
            number(message)

        with patch.object(ROOM, "number", removed_first), self.assertRaises(NotMember):
            post_message(self.room, "And another thing", by=self.bob)
        assert said(self.room) == []
        assert post_message(self.room, "Next", by=self.alice).number == self.room.last_number + 1

    def test_what_is_empty_too_long_or_no_text_is_refused(self) -> None:
        for body in ("", " \n", "x" * 4_001, "a\x00", "\ud800"):
            with self.subTest(body=body[:9]), self.assertRaises(ValidationError):
                post_message(self.room, body, by=self.alice)

    def test_a_reply_is_to_a_message_of_the_same_room(self) -> None:
        elsewhere = services.create_room("Other", by=self.alice)
        post_message(elsewhere, "secret", by=self.alice)
        with self.assertRaises(ValidationError):
            post_message(self.room, "what?", by=self.alice, reply_to=1)
        post_message(self.room, "here", by=self.alice)
        assert post_message(self.room, "yes", by=self.bob, reply_to=1).reply_to == 1

    def test_strangers_can_do_nothing(self) -> None:
        post_message(self.room, "hello", by=self.alice)
        for attempt in (
            lambda: post_message(self.room, "hi", by=self.carol),
            lambda: services.edit_message(self.room, 1, "ha", by=self.carol),
            lambda: services.delete_message(self.room, 1, by=self.carol),
            lambda: services.toggle_reaction(self.room, 1, "👍", by=self.carol),
            lambda: services.mark_room_read(self.room, by=self.carol),
            lambda: services.mute_room(self.room, by=self.carol),
            lambda: post_message(987_654, "hi", by=self.carol),
        ):
            with self.assertRaises(NotMember):
                attempt()
        assert said(self.room) == [(1, "hello")]


class ChangeTests(RoomTest):
    def setUp(self) -> None:
        super().setUp()
        self.room = self.group(self.bob)
        post_message(self.room, "helo", by=self.bob)

    def item(self) -> Any:
        return message_item(Message.objects.with_people().get(room=self.room, number=1))

    def test_an_edit_moves_the_version_and_not_the_number(self) -> None:
        services.edit_message(self.room, 1, "hello", by=self.bob)
        assert (self.item().body, self.item().version, bool(self.item().edited_at)) == ("hello", 2, True)

    def test_nobody_edits_what_another_said(self) -> None:
        with self.assertRaises(PermissionDenied):
            services.edit_message(self.room, 1, "hello", by=self.alice)

    def test_what_its_author_deletes_is_erased(self) -> None:
        services.toggle_reaction(self.room, 1, "👍", by=self.alice)
        services.delete_message(self.room, 1, by=self.bob)
        services.delete_message(self.room, 1, by=self.bob)
        assert (self.item().deleted, self.item().body, self.item().reactions) == ("author", "", [])
        assert said(self.room) == [(1, "")]

    def test_a_moderator_hides_what_another_said_and_staff_can_still_read_it(self) -> None:
        services.delete_message(self.room, 1, by=self.alice)
        assert (self.item().deleted, self.item().body) == ("moderator", "")
        assert said(self.room) == [(1, "helo")]
        services.unhide_message(Message.objects.get())
        assert (self.item().deleted, self.item().body) == (None, "helo")

    def test_a_member_deletes_only_their_own(self) -> None:
        post_message(self.room, "mine", by=self.alice)
        with self.assertRaises(PermissionDenied):
            services.delete_message(self.room, 2, by=self.bob)

    def test_what_is_deleted_cannot_be_edited_or_reacted_to(self) -> None:
        services.delete_message(self.room, 1, by=self.bob)
        with self.assertRaises(Message.DoesNotExist):
            services.edit_message(self.room, 1, "again", by=self.bob)
        with self.assertRaises(Message.DoesNotExist):
            services.toggle_reaction(self.room, 1, "👍", by=self.bob)

    def test_what_is_deleted_between_the_look_and_the_change_stays_erased(self) -> None:
        validate = messages._validate

        def deleted_meanwhile(message: Message) -> None:
            services.delete_message(self.room, 1, by=self.bob)
            validate(message)

        meanwhile = patch("notifications.chat.messages._validate", deleted_meanwhile)
        with meanwhile, self.assertRaises(Message.DoesNotExist):
            services.edit_message(self.room, 1, "again", by=self.bob)
        assert said(self.room) == [(1, "")]
        assert not Notice.objects.exclude(body="").exists()

    def test_events_belong_to_nobody(self) -> None:
        services.add_member(self.room, self.carol, by=self.alice)
        with self.assertRaises(PermissionDenied):
            services.edit_message(self.room, 2, "never", by=self.alice)
        with self.assertRaises(PermissionDenied):
            services.delete_message(self.room, 2, by=self.alice)

    def test_a_reaction_is_put_and_taken_away(self) -> None:
        assert services.toggle_reaction(self.room, 1, "👍", by=self.alice)
        assert services.toggle_reaction(self.room, 1, "👍", by=self.bob)
        (reaction,) = self.item().reactions
        assert (reaction.emoji, reaction.count, reaction.users) == ("👍", 2, [self.alice.pk, self.bob.pk])
        assert not services.toggle_reaction(self.room, 1, "👍", by=self.alice)
        assert self.item().reactions[0].users == [self.bob.pk]

    def test_togglings_at_the_same_moment_are_put_in_order(self) -> None:
        results = together(*[lambda: services.toggle_reaction(self.room, 1, "👍", by=self.alice)] * 4)
        assert sorted(results) == [False, False, True, True]
        assert self.item().reactions == []

    def test_reactions_are_emoji_and_have_a_limit(self) -> None:
        for emoji in ("", "a b", "thumb", "x" * 33, "\x00"):
            with self.subTest(emoji=emoji), self.assertRaises(ValidationError):
                services.toggle_reaction(self.room, 1, emoji, by=self.alice)
        if connection.vendor == "mysql":
            return  # its usual collation takes every emoji for the same one
        for n in range(20):
            services.toggle_reaction(self.room, 1, chr(0x1F600 + n), by=self.alice)
        with self.assertRaises(ValidationError):
            services.toggle_reaction(self.room, 1, "👍", by=self.bob)


class ReadTests(RoomTest):
    def setUp(self) -> None:
        super().setUp()
        self.room = self.group(self.bob)
        for text in "abc":
            post_message(self.room, text, by=self.alice)

    def test_reading_never_goes_back_or_beyond_the_end(self) -> None:
        marks = [services.mark_room_read(self.room, by=self.bob, up_to=up_to) for up_to in (2, 1, 99, None)]
        assert marks == [2, 2, 3, 3]

    def test_who_speaks_has_read_what_was_said_before(self) -> None:
        post_message(self.room, "d", by=self.bob)
        assert membership(self.room, self.bob).last_read == 4

    def test_pages_go_both_ways_and_end(self) -> None:
        def numbers(**asked: Any) -> tuple[list[int], int | None, int | None]:
            page = history(self.room.pk, **asked)
            return [msgspec.json.decode(raw)["number"] for raw in page.messages], page.before, page.after

        for text in "defg":
            post_message(self.room, text, by=self.alice)
        assert numbers(limit=3) == ([5, 6, 7], 5, None)
        assert numbers(limit=3, before=5) == ([2, 3, 4], 2, 4)
        assert numbers(limit=3, before=2) == ([1], None, 1)
        assert numbers(limit=3, after=4) == ([5, 6, 7], 5, None)
        assert numbers(limit=3, after=0) == ([1, 2, 3], None, 3)
        assert numbers(before=1) == ([], None, None)
        with self.assertRaises(ValidationError):
            numbers(before=3, after=1)
        with self.assertRaises(ValidationError):
            numbers(limit=101)

    def test_a_page_of_long_messages_fits_into_a_frame(self) -> None:
        for _ in range(20):
            post_message(self.room, "é" * 4_000, by=self.alice)
        page = history(self.room.pk)
        assert sum(map(len, page.messages)) <= 33_000
        assert page.before == 23 - len(page.messages) + 1

    def test_the_list_of_rooms_costs_the_same_however_many_there_are(self) -> None:
        def read() -> None:
            with self.assertNumQueries(7):
                list_rooms(self.alice, limit=100)

        read()
        for n, other in enumerate(make_users(30)):
            room = services.create_room(f"Room {n}", by=self.alice, members=[other])
            post_message(room, "hi", by=other)
        read()

    def test_the_most_recently_active_room_comes_first_and_pages_follow(self) -> None:
        others = [services.create_room(f"Room {n}", by=self.alice) for n in range(4)]
        post_message(others[1], "up", by=self.alice)
        page = list_rooms(self.alice, limit=2)
        assert page.rooms[0].info.id == others[1].pk
        seen = [room.info.id for room in page.rooms]
        while page.next:
            page = list_rooms(self.alice, page.next, limit=2)
            seen += [room.info.id for room in page.rooms]
        assert sorted(seen) == sorted([self.room.pk, *[room.pk for room in others]])
        assert list_rooms(self.carol).rooms == []
        for nonsense in ("nonsense", "0001-01-01T00:00:00+14:00.5", "9999-12-31T23:59:59-14:00.5"):
            with self.subTest(before=nonsense), self.assertRaises(ValidationError):
                list_rooms(self.alice, nonsense)

    def test_a_stream_of_changes_tells_new_edited_and_deleted_alike(self) -> None:
        start = Position(Room.objects.get().epoch, 3)
        services.edit_message(self.room, 1, "A", by=self.alice)
        post_message(self.room, "d", by=self.alice)
        batch = changes_since(ROOM, {self.room.pk: start})[self.room.pk]
        (frame,) = batch.frames
        assert frame.name == "message"
        assert batch.to.modseq == 5
        assert frame.cursor == f"room-{self.room.pk}={start.epoch}.5"

    def test_a_read_that_finds_no_message_moves_its_reader(self) -> None:
        start = Position(Room.objects.get().epoch, 3)
        services.edit_message(self.room, 1, "A", by=self.alice)
        Message.objects.filter(number=1).touch()  # it changes once more, and waits for its position
        batch = changes_since(ROOM, {self.room.pk: start})[self.room.pk]
        # The next frame begins here: without this one, who is told of reactions would have a hole before them.
        (frame,) = batch.frames
        told = json.loads(frame.data)
        assert (told["from"], told["to"], told["messages"]) == (ROOM.cursor(self.room.pk, start), frame.cursor, [])
        assert batch.to.modseq == 4

    def test_a_text_is_told_although_a_reaction_waits_for_its_position_just_then(self) -> None:
        start = Position(Room.objects.get().epoch, 3)
        services.edit_message(self.room, 1, "A", by=self.alice)
        post_message(self.room, "d", by=self.alice)
        for number in (1, 4):
            Message.objects.get(number=number).reactions.create(user=self.bob, emoji="👍")
            Message.objects.filter(number=number).touch_reactions()
        whole, to = self.read(start)
        assert [(one["body"], one["version"], len(one["reactions"])) for one in whole["messages"]] == [
            ("A", 4, 1),
            ("d", 5, 1),
        ]
        assert to.modseq == 5
        sequence(ROOM, [self.room.pk])
        alone, to = self.read(to)
        assert alone["messages"] == []
        assert [(one["number"], one["version"]) for one in alone["reactions"]] == [(1, 6), (4, 6)]
        assert self.read(Position(start.epoch, 5))[0] == alone

    def test_a_text_is_told_although_a_reaction_gets_its_position_while_it_is_read(self) -> None:
        start, to = (Position(Room.objects.get().epoch, modseq) for modseq in (3, 4))
        services.edit_message(self.room, 1, "A", by=self.alice)
        services.toggle_reaction(self.room, 1, "👍", by=self.bob)
        batch = ROOM.changes([Read(self.room.pk, start, to, [])])[self.room.pk]  # it waited when rows were read
        [message] = json.loads(batch.frames[0].data)["messages"]
        assert (message["body"], message["version"]) == ("A", 4)
        assert batch.to == to

    def test_who_lacks_nothing_but_reactions_is_told_no_text_again(self) -> None:
        to = Position(Room.objects.get().epoch, 3)
        Message.objects.filter(number=1).touch_reactions()
        batch = ROOM.changes([Read(self.room.pk, Position(to.epoch, 2), to, [])])[self.room.pk]
        assert json.loads(batch.frames[0].data)["messages"] == []

    def test_where_too_much_waits_because_of_reactions_a_reader_starts_afresh(self) -> None:
        start, to = (Position(Room.objects.get().epoch, modseq) for modseq in (2, 3))
        Message.objects.touch_reactions()
        with patch.object(ROOM, "resume_limit", 2):
            batch = ROOM.changes([Read(self.room.pk, start, to, [])])[self.room.pk]
        [frame] = batch.frames
        assert frame.name == "reset"
        assert [one["body"] for one in json.loads(frame.data)["messages"]] == ["a", "b", "c"]

    def read(self, start: Position) -> tuple[Any, Position]:
        """Return the one frame that continues a reader, and where it is then."""
        batch = changes_since(ROOM, {self.room.pk: start})[self.room.pk]
        [frame] = batch.frames
        return json.loads(frame.data), batch.to


class AlertTests(RoomTest):
    def setUp(self) -> None:
        super().setUp()
        self.room = self.group(self.bob, self.carol)

    def alerts(self, user: Any) -> list[str]:
        return list(Notification.objects.of(user).unread().values_list("notice__title", flat=True))

    def test_a_message_to_members_who_are_away_notifies_each_once_until_they_read_it(self) -> None:
        post_message(self.room, "one", by=self.alice)
        post_message(self.room, "two", by=self.alice)
        assert self.alerts(self.bob) == self.alerts(self.carol) == ["alice in Project"]
        assert self.alerts(self.alice) == []
        services.mark_room_read(self.room, by=self.bob)
        assert self.alerts(self.bob) == []
        post_message(self.room, "three", by=self.alice)
        assert self.alerts(self.bob) == ["alice in Project"]
        assert Notification.objects.of(self.carol).count() == 1

    def test_who_answers_has_read_it_and_is_notified_of_the_next(self) -> None:
        post_message(self.room, "@bob one", by=self.alice)
        post_message(self.room, "two", by=self.bob)
        assert self.alerts(self.bob) == []
        assert self.alerts(self.carol) == ["alice in Project"]
        post_message(self.room, "@bob three", by=self.alice)
        assert self.alerts(self.bob) == ["alice mentioned you in Project"]

    def test_a_notification_that_was_read_in_the_bell_makes_room_for_the_next(self) -> None:
        post_message(self.room, "one", by=self.alice)
        services.mark_all_read(self.bob)
        post_message(self.room, "two", by=self.alice)
        assert Notification.objects.of(self.bob).count() == 2

    def test_a_muted_room_notifies_nobody_who_muted_it(self) -> None:
        services.mute_room(self.room, by=self.bob)
        post_message(self.room, "@bob one", by=self.alice)
        assert self.alerts(self.bob) == []
        services.mute_room(self.room, by=self.bob, muted=False)
        post_message(self.room, "@bob two", by=self.alice)
        assert self.alerts(self.bob) == ["alice mentioned you in Project"]

    def test_only_members_can_be_mentioned(self) -> None:
        stranger = make_user("mallory")
        post_message(self.room, "@mallory @alice @bob.", by=self.alice)
        assert self.alerts(stranger) == self.alerts(self.alice) == []
        assert self.alerts(self.bob) == ["alice mentioned you in Project"]

    def bells(self, user: Any) -> list[str]:
        """Return the texts that the bell shows, and that the inbox streamed what changed them."""
        assert not Notification.objects.filter(modseq=None).exists()
        return [item.body for item in reading.page(user).items]

    def test_what_is_edited_deleted_or_hidden_is_so_in_the_bell_too(self) -> None:
        message = post_message(self.room, "@bob the pasword is x", by=self.alice)
        post_message(self.room, "another", by=self.alice)
        services.edit_message(self.room, 1, "@bob the password is y", by=self.alice)
        assert self.bells(self.bob) == self.bells(self.carol) == ["@bob the password is y"]
        services.hide_message(message, by=self.carol)
        assert self.bells(self.bob) == self.bells(self.carol) == []
        services.unhide_message(message)
        assert self.bells(self.bob) == ["@bob the password is y"]
        services.delete_message(self.room, 1, by=self.alice)
        assert self.bells(self.bob) == []
        assert not Notice.objects.exclude(body="").exists()
        post_message(self.room, "next", by=self.alice)
        assert self.bells(self.bob) == self.bells(self.carol) == ["next"]

    def test_who_has_left_keeps_what_they_were_told_and_is_told_of_no_edit(self) -> None:
        services.add_member(self.room, self.carol)
        message = post_message(self.room, "@bob @carol first", by=self.alice)
        services.remove_member(self.room, self.bob)
        before = Inbox.objects.get(user=self.bob).head
        for text in ("second", "third"):
            services.edit_message(self.room, 1, text, by=self.alice)
        assert (self.bells(self.bob), self.bells(self.carol)) == (["@bob @carol first"], ["third"])
        assert Inbox.objects.get(user=self.bob).head == before
        services.hide_message(message, by=self.carol)
        assert self.bells(self.bob) == self.bells(self.carol) == []
        services.unhide_message(message)
        assert (self.bells(self.bob), self.bells(self.carol)) == ([], ["third"])
        assert Notice.objects.count() == 2

    def test_in_a_direct_room_the_title_is_the_name(self) -> None:
        post_message(services.open_direct_room(self.alice, self.bob), "hi", by=self.alice)
        assert self.alerts(self.bob) == ["alice"]

    def test_a_rolled_back_message_notifies_nobody(self) -> None:
        with transaction.atomic():
            post_message(self.room, "@bob", by=self.alice)
            transaction.set_rollback(True)
        assert self.alerts(self.bob) == []

    def test_posts_at_the_same_moment_notify_once(self) -> None:
        together(*[lambda: post_message(self.room, "x", by=self.alice)] * 4)
        assert self.alerts(self.bob) == ["alice in Project"]

    def test_names_end_where_a_sentence_goes_on(self) -> None:
        for text, names in {
            "@bob": {"bob"},
            "(@bob), @carol!": {"bob", "carol"},
            "@bob.smith.": {"bob.smith", "bob.smith."},
            "mail bob@example.org": set(),
            "@ bob": set(),
            "": set(),
        }.items():
            with self.subTest(text=text):
                assert mentioned(text) == names

    def test_a_name_is_the_same_however_its_letters_were_typed(self) -> None:
        if connection.vendor == "mysql":
            self.skipTest("MariaDB's usual collation takes the two names for one.")
        jose, plain = make_user("jos\u00e9"), make_user("jose")
        for user in (jose, plain):
            services.add_member(self.room, user)
        for text in ("@jose\u0301, look", "@\uff4a\uff4fs\u00e9 look", "@jos\u00e9"):
            with self.subTest(text=text):
                services.mark_room_read(self.room, by=jose)
                with captured() as sent:
                    post_message(self.room, text, by=self.alice)
                sent.assert_notified(jose, "alice mentioned you in Project")
                assert "mentioned" not in "".join(notice.title for notice in sent.to(plain))
