"""The demo's kinds: some refer to something, and people choose among all of them on the page of their settings."""

from typing import Any, Self

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.kinds import After, Kind, Ref, kind, people

from .models import Order, Recording, Visit


@kind(
    "demo.order",
    category="orders",
    level="success",
    label=gettext_lazy("An order is on its way"),
    channels={"email": True},
)
class OrderSent(Kind):
    """An order has left the foundry."""

    order: Ref[Order]

    @classmethod
    def sample(cls) -> Self:
        return cls(order=Order(pk=1, name="Handbell in C"))

    def title(self) -> str:
        return _("“%(order)s” is on its way") % {"order": self.order}

    def body(self) -> str:
        return _("It left the foundry today.")

    def url(self) -> str:
        return self.order.get_absolute_url()


@kind("demo.comment", category="comments", label=gettext_lazy("A comment on a recording"), grow=True)
class RecordingCommented(Kind):
    """Comments on a recording: one item for all of them."""

    recording: Ref[Recording]

    @classmethod
    def sample(cls) -> Self:
        return cls(recording=Recording(pk=1, name="Evening changes"))

    def group(self) -> str:
        return f"recording:{self.recording.pk}"

    def title(self) -> str:
        values = {"people": people(self.actors, self.count), "recording": self.recording}
        return _("%(people)s commented on “%(recording)s”") % values

    def url(self) -> str:
        return self.recording.get_absolute_url()


@kind(
    "demo.invitation",
    category="calendar",
    label=gettext_lazy("An invitation"),
    channels={"email": After(minutes=1)},
)
class Invited(Kind):
    """An invitation, which is answered on the spot."""

    visit: Ref[Visit]

    @classmethod
    def sample(cls) -> Self:
        return cls(visit=Visit(pk=1, name="St Mary, 6 December"))

    def title(self) -> str:
        return _("Will you come to “%(visit)s”?") % {"visit": self.visit}


@Invited.action("approve", label=gettext_lazy("Approve"), done=gettext_lazy("Approved"), style="primary")
def approve(made: Any, user: User) -> None:
    """Take part; the demo keeps no list, so the outcome alone remains."""


@Invited.action("reject", label=gettext_lazy("Reject"), done=gettext_lazy("Rejected"), style="danger")
def reject(made: Any, user: User) -> None:
    """Stay at home."""


@kind("event.moved", category="calendar", label=gettext_lazy("A rehearsal is moved"))
class RehearsalMoved(Kind):
    title = gettext_lazy("Rehearsal moved to Thursday")
    body = gettext_lazy("The tower is booked on Wednesday; we start at 19:30 as usual.")


@kind("event.new", category="calendar", label=gettext_lazy("A new event"), channels={"toast": False})
class NewEvent(Kind):
    title = gettext_lazy("A new event")


@kind(
    "recording.ready",
    category="recordings",
    label=gettext_lazy("A recording is ready"),
    level="success",
    when_off="silent",
)
class RecordingReady(Kind):
    title = gettext_lazy("Your recording is ready")


@kind("upload.failed", category="recordings", label=gettext_lazy("An upload failed"), level="error")
class UploadFailed(Kind):
    title = gettext_lazy("The upload failed")


@kind(
    "storage.low",
    category="account",
    label=gettext_lazy("Your storage is almost full"),
    level="warning",
    required=gettext_lazy("So that no recording is lost."),
)
class StorageLow(Kind):
    title = gettext_lazy("Storage is almost full")
