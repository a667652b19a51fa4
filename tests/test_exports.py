"""The public surface: what applications import, listed by name, so that nothing comes or goes unseen."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from notifications import services

API = Path(__file__).parent.parent / "docs" / "reference" / "api"

VERBS = [
    "add_endpoint",
    "add_member",
    "archive",
    "archive_all",
    "broadcast",
    "cancel_progress",
    "clear_preference",
    "clear_schedule",
    "create_room",
    "delete_message",
    "deliver_due",
    "disable_endpoint",
    "edit_broadcast",
    "edit_endpoint",
    "edit_message",
    "edit_notice",
    "explain",
    "enable_endpoint",
    "hide_message",
    "import_preferences",
    "mark_all_read",
    "mark_bounced",
    "mark_clicked",
    "mark_object_read",
    "mark_read",
    "mark_room_read",
    "mark_seen",
    "mark_unread",
    "mute",
    "mute_room",
    "notify",
    "open_direct_room",
    "perform_action",
    "pin",
    "post_message",
    "preferences",
    "present_events",
    "prune",
    "prune_deliveries",
    "prune_messages",
    "publish",
    "publish_broadcast",
    "publish_due",
    "publish_many",
    "recall_broadcast",
    "recheck_feed",
    "release_due",
    "remove_member",
    "rename_room",
    "replay_deliveries",
    "replay_endpoint",
    "revoke_access",
    "schedule",
    "send_digest_now",
    "rotate_endpoint_secret",
    "send_test_event",
    "set_preference",
    "set_role",
    "set_schedule",
    "snooze",
    "stop_answer",
    "toggle_reaction",
    "unarchive",
    "undo",
    "unhide_message",
    "unpin",
    "unsnooze",
    "unwatch",
    "waiting_digests",
    "watch",
    "watchers",
    "watching",
    "withdraw",
]

DOORS: dict[str, list[str]] = {
    "annotations": ["LevelName", "Recipients", "User", "UserKey"],
    "asgi": ["Handoff"],
    "audiences": [
        "Audience",
        "Part",
        "Size",
        "Users",
        "audience",
        "everyone",
        "has_field",
        "measure",
        "members",
        "people",
        "registry",
        "staff",
        "validate_audience",
    ],
    "exceptions": [
        "AccessEnded",
        "BadCursor",
        "BadRequest",
        "BroadcastConflict",
        "CarillonError",
        "NotMember",
        "OtherUser",
        "Refused",
        "Stopped",
        "TryLater",
        "Undeliverable",
        "UnknownFeed",
    ],
    "decorators": ["reads_notifications_of"],
    "feeds": ["Latest", "Log", "Nothing", "UnknownFeed", "feed"],
    "deliveries": ["DeliveryChannel", "Message", "Part", "TryLater", "Undeliverable"],
    "kinds": ["After", "Gone", "Kind", "Ref", "Rules", "kind", "people", "registry"],
    "models": [
        "Bounce",
        "Broadcast",
        "Delivery",
        "Endpoint",
        "Feed",
        "FeedEvent",
        "FeedText",
        "Inbox",
        "Lease",
        "Membership",
        "Message",
        "Notice",
        "Notification",
        "Outbox",
        "Preference",
        "Presence",
        "Progress",
        "PushDevice",
        "Reaction",
        "Room",
        "Schedule",
        "Stream",
        "Watch",
    ],
    "preferences": ["Decision", "PreferenceChoice", "Rule"],
    "routing": ["SameOrigin", "websocket_application", "websocket_urlpatterns"],
    "services": ["BroadcastConflict", "NotMember", "answer", "progress", *VERBS, *(f"a{verb}" for verb in VERBS)],
    "signals": ["access_revoked", "broadcast_sent", "notification_delivered", "notification_stored"],
    "testing": ["AsyncOpenPage", "LiveClient", "OpenPage", "Sent", "captured", "make", "run_due", "travel"],
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_shows_what_is_listed_and_nothing_else(door: str) -> None:
    module = importlib.import_module(f"notifications.{door}")
    assert sorted(module.__all__) == sorted(DOORS[door])
    assert all(hasattr(module, name) for name in DOORS[door])


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_an_async_twin_with_the_same_arguments(verb: str) -> None:
    sync, twin = getattr(services, verb), getattr(services, f"a{verb}")
    assert inspect.iscoroutinefunction(twin)
    assert not inspect.iscoroutinefunction(sync)
    assert inspect.signature(twin) == inspect.signature(sync)
    assert (twin.__name__, twin.__module__) == (f"a{verb}", sync.__module__)
    assert str(inspect.getdoc(twin)).endswith(str(inspect.getdoc(sync)))


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_flags_and_details_by_name_and_says_its_types(verb: str) -> None:
    parameters = inspect.signature(getattr(services, verb)).parameters.values()
    optional = [one for one in parameters if one.default is not one.empty and one.name not in POSITIONAL]
    assert all(one.kind is one.KEYWORD_ONLY for one in optional), f"{verb}: {optional}"
    untyped = [one.name for one in parameters if one.annotation in (one.empty, "Any", Any)]
    assert not untyped


# What stands after the subject by habit: `mark_seen(user, cursor)`, `prune(before)`, `watch(user, order, "mentions")`.
POSITIONAL = {"up_to", "before", "using", "level", "what"}


def test_every_function_of_the_verbs_door_is_a_verb_or_a_twin() -> None:
    functions = {name for name, value in vars(services).items() if isinstance(value, FunctionType)}
    assert functions == {*VERBS, *(f"a{verb}" for verb in VERBS)}


@pytest.mark.parametrize("door", [door for door in DOORS if door != "models"])
def test_the_reference_has_a_page_made_from_the_doors_docstrings(door: str) -> None:
    pages = "".join(page.read_text() for page in API.glob("*.md"))
    assert re.search(rf"automodule:: notifications\.{door}$", pages, re.MULTILINE)
