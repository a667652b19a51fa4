"""What goes to other processes is joined, and bounded: by message, and by what waits."""

from __future__ import annotations

from notifications.live.messages import Hints, Message, Sweep
from notifications.live.outgoing import MESSAGE_LIMIT, STREAM_LIMIT, STREAMS, Outgoing


class Note(Message, frozen=True, tag="note"):
    number: int


def hints(*moved: tuple[str, int]) -> Hints:
    return Hints([("inbox", pk, to) for pk, to in moved])


def waiting(*messages: Message) -> Outgoing:
    outgoing = Outgoing()
    for message in messages:
        outgoing.add(message)
    return outgoing


def test_hints_are_joined_and_the_last_position_of_a_stream_is_told() -> None:
    outgoing = waiting(hints(("1", 7)), Note(1), hints(("2", 3), ("1", 9)), hints(("1", 8)), Note(2))
    assert outgoing.take() == [hints(("1", 9), ("2", 3)), Note(1), Note(2)]
    assert outgoing.take() == []


def test_a_message_names_a_bounded_number_of_streams() -> None:
    outgoing = waiting(*(hints((str(number), 1)) for number in range(2 * STREAMS + 1)))
    assert outgoing.streams == 2 * STREAMS + 1
    assert [len(message.moved) for message in outgoing.take() if isinstance(message, Hints)] == [STREAMS, STREAMS, 1]


def test_too_much_becomes_one_request_to_compare() -> None:
    for flood in ([hints((str(number), 1)) for number in range(STREAM_LIMIT + 1)], [Note(1)] * (MESSAGE_LIMIT + 1)):
        outgoing = waiting(*flood)
        outgoing.add(Note(2))
        assert outgoing.take() == [Sweep(), Note(2)]


def test_what_could_not_be_sent_becomes_one_too() -> None:
    outgoing = waiting(Note(1))
    outgoing.take()
    outgoing.lose()
    outgoing.add(hints(("1", 7)))
    assert outgoing.take() == [Sweep(), hints(("1", 7))]


def test_hints_of_one_tenant_are_not_joined_with_those_of_another() -> None:
    ours, theirs = Hints([("inbox", "1", 7)], tenant="ours"), Hints([("inbox", "1", 9)], tenant="theirs")
    later = Hints([("inbox", "1", 8)], tenant="ours")
    assert waiting(ours, theirs, later).take() == [later, theirs]
