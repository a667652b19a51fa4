"""The admin: what is sent beyond the site and what became of it, with the actions “try again” and “give up”."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Max, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..deliveries.explaining_words import rule_label
from ..deliveries.retrying import give_up, retriable, try_again, waiting
from ..live.chunks import chunks
from ..live.http import user_of
from ..models import Delivery, Notice
from ..preferences.channels import channels
from .bounds import within_reach
from .explanations import explanation_table
from .inbox import ReadOnlyAdmin
from .times import when

FOUND_LIMIT = 100  # users, and notices, by whom a search finds deliveries
HITS_LIMIT = 1_000  # deliveries, the newest ones, that a search finds by each of those ways
SEARCHED_LIMIT = 100_000  # deliveries, the newest ones, whose addresses and errors are searched
CHANGED_AT_ONCE = 100  # deliveries in one transaction
CHANGED_LIMIT = 1_000  # deliveries by one action
ERROR_SHOWN = 80  # characters of an error in the list


class ChannelFilter(admin.SimpleListFilter):
    """The filter by channel; it offers those that the site knows, for which no table has to be read."""

    title = gettext_lazy("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer all channels that leave the site."""
        return [(name, one.label) for name, one in channels().items() if name not in ("bell", "toast")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Keep the deliveries by the chosen channel, also by one that is gone."""
        name = self.value()
        return queryset.filter(channel=name) if name else queryset


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries. It is read-only but for the two actions, which need the permission to change deliveries."""

    class Media:
        css = {"all": ["notifications/admin/moderation.css"]}  # as Django names it

    has_reach = False
    list_display = ("told", "recipient", "channel", "outcome", "attempts", "problem", "time")
    list_filter = ("state", ChannelFilter, "reason", ("error", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("notice", "recipient")
    search_fields = ("address",)
    search_help_text = gettext_lazy("User name, title, and, of the newest ones, address and error.")
    ordering = ("-id",)
    sortable_by = ()
    actions = ("try_again", "give_up")
    fields = (
        "about", "recipient", "channel", "device", "state", "why", "rule_text", "address", "attempts", "error",
        "created_at", "due_at", "window", "ended_at", "clicked_at", "explanation",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Find deliveries through a bounded number of users and notices, and by address and error among the newest."""
        term = search_term.strip()
        if not term:
            return queryset, False
        users = get_user_model()._base_manager.filter(**{f"{get_user_model().USERNAME_FIELD}__icontains": term})
        notices = within_reach(Notice.objects.all()).filter(title__icontains=term).order_by("-pk")
        newest = Delivery.objects.aggregate(pk=Max("pk"))["pk"] or 0
        # One by one, for a database that is asked for all at once reads every row of which one may hold.
        ways = (
            Q(recipient__in=list(users.values_list("pk", flat=True)[:FOUND_LIMIT])),
            Q(notice__in=list(notices.values_list("pk", flat=True)[:FOUND_LIMIT])),
            Q(pk__gt=newest - SEARCHED_LIMIT) & (Q(address__icontains=term) | Q(error__icontains=term)),
        )
        rows = queryset.select_related(None).order_by("-pk")
        found = {pk for way in ways for pk in rows.filter(way).values_list("pk", flat=True)[:HITS_LIMIT]}
        return queryset.filter(pk__in=found), False

    # Columns and fields

    @admin.display(description=gettext_lazy("title"))
    def told(self, delivery: Delivery) -> str:
        """Show what it tells of."""
        return _("Digest") if delivery.notice is None else delivery.notice.title

    @admin.display(description=gettext_lazy("notice"))
    def about(self, delivery: Delivery) -> str:
        """Lead to what it tells of."""
        if delivery.notice is None:
            return _("Digest")
        address = reverse("admin:carillon_notice_change", args=[delivery.notice_id], current_app=self.admin_site.name)
        return format_html('<a href="{}"><bdi>{}</bdi></a>', address, delivery.notice.title)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, delivery: Delivery) -> str:
        """Say why it was not sent, or waits."""
        return delivery.get_reason_display() if delivery.reason else ""

    @admin.display(description=gettext_lazy("state"))
    def outcome(self, delivery: Delivery) -> str:
        """Say what became of it, and why."""
        return " · ".join(filter(None, [delivery.get_state_display(), self.why(delivery)]))

    @admin.display(description=gettext_lazy("ended, or due"))
    def time(self, delivery: Delivery) -> str:
        """Show when it ended or, while it waits, when it is due."""
        at = delivery.ended_at or delivery.due_at or delivery.window
        return when(at) if at else ""

    @admin.display(description=gettext_lazy("error"))
    def problem(self, delivery: Delivery) -> str:
        """Show the beginning of the error."""
        text = delivery.error
        return text if len(text) <= ERROR_SHOWN else f"{text[: ERROR_SHOWN - 1]}…"

    @admin.display(description=gettext_lazy("rule"))
    def rule_text(self, delivery: Delivery) -> str:
        """Name the rule that wanted it."""
        return rule_label(delivery.rule)

    @admin.display(description=gettext_lazy("explanation"))
    def explanation(self, delivery: Delivery) -> str:
        """Explain by which channels the recipient got the notification."""
        if delivery.notice is None or delivery.recipient is None:
            return ""
        return explanation_table(delivery.recipient, delivery.notice, self.admin_site.name)

    # Actions

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Allow the actions with the permission to change deliveries."""
        return request.user.has_perm("carillon.change_delivery")

    @admin.action(description=gettext_lazy("Try again"), permissions=["send"])
    def try_again(self, request: HttpRequest, chosen: models.QuerySet[Delivery]) -> None:
        """Have what failed, was skipped or waits sent now; whether it is still wanted is decided again."""
        found = self._found(request, retriable(chosen))
        if found is None:
            return
        number = sum(try_again([one.pk for one in part]) for part in chunks(found, CHANGED_AT_ONCE))
        text = ngettext("%d delivery is tried again.", "%d deliveries are tried again.", number)
        self._say(request, found, text % number, _("Tried again."))

    @admin.action(description=gettext_lazy("Give up"), permissions=["send"])
    def give_up(self, request: HttpRequest, chosen: models.QuerySet[Delivery]) -> None:
        """End what waits."""
        found = self._found(request, waiting(chosen))
        if found is None:
            return
        number = sum(give_up([one.pk for one in part]) for part in chunks(found, CHANGED_AT_ONCE))
        text = ngettext("%d delivery was given up.", "%d deliveries were given up.", number)
        self._say(request, found, text % number, _("Given up."))

    def _found(self, request: HttpRequest, rows: models.QuerySet[Delivery]) -> list[Delivery] | None:
        """Return the deliveries; None where they are too many, of which staff are told."""
        found = list(rows.select_related(None).order_by("pk")[: CHANGED_LIMIT + 1])
        if len(found) <= CHANGED_LIMIT:
            return found
        message = _("At most %(limit)s deliveries can be changed at a time.") % {"limit": CHANGED_LIMIT}
        self.message_user(request, message, messages.ERROR)
        return None

    def _say(self, request: HttpRequest, changed: list[Delivery], text: str, entry: str) -> None:
        if changed:
            LogEntry.objects.log_actions(user_of(request).pk, changed, CHANGE, entry)
        self.message_user(request, text, messages.SUCCESS if changed else messages.INFO)
