"""The demo's content: believable notifications of a society of bell ringers."""

from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext, gettext_noop


@dataclass(frozen=True, slots=True)
class Sample:
    """A notification to send; for the history also when it happened, who caused it and what became of it."""

    level: str
    category: str
    kind: str
    title: str
    body: str
    url: str = "/"
    hours: float = 0  # ago
    from_other: bool = False  # else nobody in particular caused it
    state: Literal["new", "read", "archived"] = "new"

    @property
    def content(self) -> dict[str, Any]:
        """The arguments of `notify`, in the active language."""
        text = {"what": gettext(self.title), "body": gettext(self.body) if self.body else ""}
        return {**text, "level": self.level, "category": self.category, "kind": self.kind, "url": self.url}


RECORDING = "Evening changes"  # that visitors watch and comment on

# One for each level: what the buttons of the home page send.
SAMPLES = {
    sample.level: sample
    for sample in (
        Sample(
            "info",
            "calendar",
            "event.moved",
            gettext_noop("Rehearsal moved to Thursday"),
            gettext_noop("The tower is booked on Wednesday; we start at 19:30 as usual."),
        ),
        Sample(
            "success",
            "recordings",
            "recording.ready",
            gettext_noop("Your recording is ready"),
            gettext_noop("“Evening changes, bells 1 to 8” has been mastered and can be downloaded."),
        ),
        Sample(
            "warning",
            "account",
            "storage.low",
            gettext_noop("Storage is almost full"),
            gettext_noop("You have used 9.2 of 10 GB. Older takes can be archived."),
        ),
        Sample(
            "error",
            "recordings",
            "upload.failed",
            gettext_noop("The upload failed"),
            gettext_noop("The connection was lost after 82 %. Nothing was deleted; please try again."),
        ),
    )
}

# Oldest first, as it would have happened.
HISTORY = (
    Sample(
        "info",
        "account",
        "welcome",
        gettext_noop("Welcome to the society"),
        gettext_noop("Glad that you are here."),
        hours=340,
        state="archived",
    ),
    Sample(
        "info",
        "calendar",
        "event.new",
        gettext_noop("Open tower day on 6 December"),
        gettext_noop("Guides are still needed from 14:00."),
        hours=170,
        state="read",
    ),
    Sample("success", "account", "export.done", gettext_noop("Your export is complete"), "", hours=98, state="read"),
    Sample(
        "warning",
        "tower",
        "rope.worn",
        gettext_noop("The rope of bell 5 is worn"),
        gettext_noop("Please do not ring it until it has been replaced."),
        hours=52,
        from_other=True,
        state="read",
    ),
    Sample(
        "info",
        "comments",
        "comment.new",
        gettext_noop("New comment on “Evening changes”"),
        gettext_noop("The second half is the best we have ever rung. Shall we send it to the festival?"),
        hours=26,
        from_other=True,
        state="read",
    ),
    Sample(
        "info",
        "comments",
        "mention",
        gettext_noop("You were mentioned in “Festival”"),
        gettext_noop("Could you look after the programme notes?"),
        hours=5,
        from_other=True,
    ),
    Sample(
        "success",
        "recordings",
        "recording.ready",
        gettext_noop("“Morning bells” is ready"),
        gettext_noop("12 minutes, 48 kHz, stereo."),
        hours=2,
    ),
    Sample(
        "error",
        "account",
        "backup.failed",
        gettext_noop("Last night's backup failed"),
        gettext_noop("We try again at 02:00. You need not do anything."),
        hours=0.6,
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A chat message: its author, text, age in hours, the line it replies to, and its reactions."""

    author: str
    body: str
    hours: float
    reply_to: int | None = None  # counted from 1
    reactions: tuple[tuple[str, str], ...] = ()  # user name, emoji


RINGERS = (
    Line("alice", "The new score for the open tower day is on the shelf in the ringing room.", 49),
    Line("bob", "Thank you! Is it the version with eight bells?", 48.8),
    Line("alice", "Yes, with eight. Bell 5 has a new rope by then.", 48.7, 2, (("bob", "👍"), ("admin", "🎉"))),
    Line("admin", "I have put the tower plan online: https://example.org/tower/plan", 27, None, (("alice", "❤️"),)),
    Line("bob", "Rehearsal on Thursday at 19:30, as usual?", 26.4),
    Line("alice", "19:30. I bring the coffee, @bob brings the cake.", 26.2, None, (("bob", "😂"), ("admin", "👍"))),
    Line("bob", "There will be cake.", 26.1),
    Line("alice", "Could somebody take the guided tour at 15:00?", 1.4),
    Line("bob", "I can, if someone else rings the hour.", 1.2, 8),
    Line("admin", "I ring it.", 0.9, 9, (("alice", "🔔"), ("bob", "🙏"))),
)
FRIENDS = (
    Line("bob", "Have you heard the recording of Sunday?", 22),
    Line("alice", "Just now. The second half is the best that we have ever rung.", 21.6, None, (("bob", "❤️"),)),
    Line("bob", "Shall we send it to the festival?", 21.5),
    Line("alice", "Let us. I write the programme notes tonight, and you look after the form?", 3.1),
    Line("bob", "Done. It wants to know how old the bells are.", 0.7),
    Line("bob", "The oldest is from 1652, is it not?", 0.6),
)
