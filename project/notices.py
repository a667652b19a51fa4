"""The demo's kinds of notifications, among which people choose on the page of their settings."""

from django.utils.translation import gettext_lazy as _

from notifications.kinds import Kind, kind


@kind("event.moved", category="calendar", label=_("A rehearsal is moved"))
class RehearsalMoved(Kind):
    title = _("Rehearsal moved to Thursday")
    body = _("The tower is booked on Wednesday; we start at 19:30 as usual.")


@kind("event.new", category="calendar", label=_("A new event"), channels={"toast": False})
class NewEvent(Kind):
    title = _("A new event")


@kind("recording.ready", category="recordings", label=_("A recording is ready"), level="success", when_off="silent")
class RecordingReady(Kind):
    title = _("Your recording is ready")


@kind("upload.failed", category="recordings", label=_("An upload failed"), level="error")
class UploadFailed(Kind):
    title = _("The upload failed")


@kind(
    "storage.low",
    category="account",
    label=_("Your storage is almost full"),
    level="warning",
    required=_("So that no recording is lost."),
)
class StorageLow(Kind):
    title = _("Storage is almost full")
