"""What is posted: bounded, and to Slack, Teams and Discord in the form that each of them documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from notifications.deliveries.messages import Message, Part
from notifications.deliveries.shapes import DIGEST_BYTES, SHAPES

HOSTILE = "<!channel> <@U1> *bold* [link](https://evil.example) @everyone `code` & | ~x~"


def part(**changes: Any) -> Part:
    given: dict[str, Any] = {
        "notice": 1,
        "kind": "order.shipped",
        "category": "orders",
        "level": "warning",
        "title": "Order 7",
        "body": "On its way",
        "url": "https://shop.example/notifications/open/1/",
        "target": "https://shop.example/orders/7/",
        "actor": "",
        "events": 1,
        "created_at": datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
        "about": "",
        "data": {},
        "item": 1,
        "group": "",
        "expires_at": None,
        "facts": None,
        "version": 1,
    }
    return Part(**{**given, **changes})


def written(shape: str, *parts: Part, is_digest: bool = False, language: str = "en") -> bytes:
    """Return what is posted of a message in a shape."""
    message = Message(
        id="1.2",
        user=None,
        channel="webhook",
        device="1",
        address="1",
        language=language,
        time_zone="UTC",
        parts=parts or (part(),),
        is_digest=is_digest,
        attempt=1,
    )
    return SHAPES[shape](message)


def posted(shape: str, *parts: Part, **more: Any) -> Any:
    """Return what is posted of a message, as a program reads it."""
    return json.loads(written(shape, *parts, **more))


def test_slack_gets_blocks_of_plain_text_with_a_button() -> None:
    assert posted("slack") == {
        "text": "Order 7",
        "blocks": [
            {
                "type": "section",
                "text": {"type": "plain_text", "text": "Order 7\nOn its way", "emoji": False},
                "accessory": {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Open"},
                    "url": "https://shop.example/orders/7/",
                },
            }
        ],
    }


def test_teams_gets_an_adaptive_card() -> None:
    assert posted("teams") == {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        {
                            "type": "RichTextBlock",
                            "inlines": [{"type": "TextRun", "text": "Order 7", "weight": "Bolder"}],
                        },
                        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "On its way"}]},
                    ],
                    "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://shop.example/orders/7/"}],
                },
            }
        ],
    }


def test_discord_gets_an_embed() -> None:
    assert posted("discord") == {
        "content": "",
        "embeds": [
            {
                "title": "Order 7",
                "description": "On its way",
                "color": 0xD97706,
                "timestamp": "2026-11-26T09:30:00Z",
                "url": "https://shop.example/orders/7/",
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def test_what_people_write_mentions_nobody_and_has_no_form() -> None:
    hostile = part(title=HOSTILE, body=HOSTILE, target="")
    assert posted("slack", hostile)["text"].startswith("&lt;!channel&gt; &lt;@U1&gt;")
    assert {block["text"]["type"] for block in posted("slack", hostile)["blocks"]} == {"plain_text"}
    card = posted("teams", hostile)["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    embed = posted("discord", hostile)["embeds"][0]
    assert r"\@everyone" in embed["title"]
    assert r"\[link\]\(https\://evil\.example\)" in embed["description"]
    assert "url" not in embed


def test_the_button_speaks_the_language_of_the_reader() -> None:
    [block] = posted("slack", language="de")["blocks"]
    assert block["accessory"]["text"]["text"] == "Öffnen"


@pytest.mark.parametrize("letter", ["x", "*", "\N{BELL}", '"'])
@pytest.mark.parametrize("number", [1, 2, 100])
class TestLimits:
    """What each reader takes, whatever people write."""

    def parts(self, letter: str, number: int) -> list[Part]:
        return [part(title=letter * 200, body=letter * 4_000) for _ in range(number)]

    def test_of_slack(self, letter: str, number: int) -> None:
        said = posted("slack", *self.parts(letter, number), is_digest=number > 1)
        assert len(said["blocks"]) <= 50
        assert all(len(block["text"]["text"]) <= 3_000 for block in said["blocks"])

    def test_of_teams(self, letter: str, number: int) -> None:
        assert len(written("teams", *self.parts(letter, number), is_digest=number > 1)) <= 28 * 1024

    def test_of_discord(self, letter: str, number: int) -> None:
        said = posted("discord", *self.parts(letter, number), is_digest=number > 1)
        embeds = said["embeds"]
        assert len(embeds) <= 10
        assert said["content"] == ("90 more notifications" if number == 100 else "")
        assert all(len(embed["title"]) <= 256 and len(embed["description"]) <= 4_096 for embed in embeds)
        assert sum(len(embed["title"]) + len(embed["description"]) for embed in embeds) <= 6_000


def test_a_digest_of_much_says_how_many_are_left_out() -> None:
    parts = [part(data={"text": "x" * 8_000})] * 100
    assert len(written("standard", *parts, is_digest=True)) < DIGEST_BYTES + 1_000
    said = posted("standard", *parts, is_digest=True)
    told = len(said["data"]["notifications"])
    assert 10 < told < 100
    assert said["data"]["more"] == 100 - told
    assert said["type"] == "digest.v1"


def test_facts_of_a_version_are_of_a_type_of_their_own() -> None:
    assert posted("standard", part(facts={"order": 7}, version=2))["type"] == "order.shipped.v2"
    assert posted("standard", part(facts=None))["type"] == "notification.v1"
