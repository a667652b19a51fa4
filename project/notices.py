"""The demo's kinds: each refers to something, and is told in the language of its reader."""

from typing import Any, Self

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.kinds import Kind, Ref, kind, people

from .models import Order, Recording, Visit


@kind("demo.order", category="orders", level="success")
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


@kind("demo.comment", category="comments", grow=True)
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


@kind("demo.invitation", category="calendar")
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
