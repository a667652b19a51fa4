"""What is one emoji, what can be seen, and names that turn no sentence around."""

from __future__ import annotations

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from notifications import services
from notifications.bidi import isolate
from notifications.models import Notice, Notification, Room
from notifications.services import create_room, notify, post_message
from notifications.validators import is_visible, validate_emoji
from tests.factories import make_user

EMOJI = {
    "a face": "😀",
    "a heart as a picture": "❤️",
    "a heart as it is": "❤",
    "a hand with a skin tone": "👍🏽",
    "several people": "👨‍👩‍👧‍👦",
    "a kiss": "👩🏻‍❤️‍💋‍👨🏿",
    "a person's work": "🧑🏾‍🚒",
    "a rainbow flag": "🏳️‍🌈",
    "a country": "🇩🇪",
    "Wales": "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "a key": "#️⃣",
    "information": "ℹ️",
    "an arrow": "↔️",
    "of a later version of Unicode": "\U0001fabf",
}
NONE = {
    "nothing": "",
    "a word": "yes",
    "a letter": "é",
    "a digit": "1",
    "two": "😀😀",
    "an emoji and a word": "😀a",
    "a space": " ",
    "one with a space": "😀 ",
    "an override": "\u202e😀",
    "an isolate": "\u2066😀\u2069",
    "a joiner alone": "\u200d",
    "a joiner at the end": "😀\u200d",
    "a selector alone": "\ufe0f",
    "a picture of a letter": "a\ufe0f",
    "half a flag": "🇩",
    "three halves": "🇩🇪🇩",
    "five joined": "\u200d".join("👩👩👩👩👩"),
    "a tag that does not end": "\U0001f3f4\U000e0067",
    "a tag on something else": "😀\U000e0067\U000e007f",
    "the null character": "\x00",
    "half a surrogate pair": "\ud83d",
    "a sign of arithmetic": "+",
}
INVISIBLE = {
    "spaces": " \t\n\u00a0\u2003\u3000",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "turns": "\u200e\u200f\u202a\u202e\u2066\u2069\u061c",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "Braille without dots": "\u2800",
    "selectors": "\ufe0f\ufe0e\U000e0100",
    "tags": "\U000e0067\U000e007f",
    "soft hyphens and joiners of letters": "\u00ad\u034f",
    "vowels that are not written": "\u17b4\u17b5\u180e",
    "a note without a sound": "\U0001d159",
}


@pytest.mark.parametrize("emoji", EMOJI.values(), ids=EMOJI)
def test_an_emoji(emoji: str) -> None:
    validate_emoji(emoji)


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_no_emoji(text: str) -> None:
    with pytest.raises(ValidationError):
        validate_emoji(text)


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
@pytest.mark.django_db
def test_what_nobody_can_see_is_no_message_no_title_and_no_name(text: str) -> None:
    alice = make_user("alice")
    room = create_room("Project", by=alice)
    for refused in (
        lambda: notify(alice, text),
        lambda: create_room(text, by=alice),
        lambda: services.rename_room(room, text, by=alice),
        lambda: post_message(room, text, by=alice),
    ):
        with pytest.raises(ValidationError):
            refused()
    assert (Notice.objects.count(), Room.objects.count()) == (0, 1)
    post_message(room, f"{text}seen{text}", by=alice)


def test_whatever_has_a_shape_can_be_seen() -> None:
    for text in ("x", ".", "日", "\u0301", "א", "\ue000", "\U0001fabf", "😀", "\u2066x\u2069", "\u1161", "\u2801"):
        assert is_visible(text), unicodedata.name(text[0], text)


def test_a_name_stands_alone_where_it_may_be_written_the_other_way() -> None:
    table = [
        ("en", "Alice", "Alice"),
        ("en", "Ann-Marie (2)", "Ann-Marie (2)"),
        ("en", "אבי", "\u2068אבי\u2069"),
        ("ar", "Alice", "\u2068Alice\u2069"),
        ("en", "\u202eecilA", "ecilA"),
        ("ar", "a\u2069b", "\u2068ab\u2069"),
    ]
    for language, name, shown in table:
        with translation.override(language):
            assert isolate(name) == shown


@pytest.mark.django_db
def test_a_title_closes_what_a_name_opens_also_where_it_is_cut() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    room = create_room("א" * 200, by=alice, members=[bob])
    post_message(room, "@bob look", by=alice)
    title = Notification.objects.get().notice.title
    assert len(title) == 200
    assert (title.count("\u2068"), title[-1]) == (1, "\u2069")
