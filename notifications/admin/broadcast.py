"""The staff's way to send broadcasts: the list, and the form with which they are composed and edited."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..audiences.sizes import Size
from ..broadcasts.publishing import EDITABLE, OUT, WAITING
from ..exceptions import BroadcastConflict
from ..inbox.notify import notify
from ..live.http import user_of
from ..models import Broadcast, Notice, Notification
from ..models.broadcast import BroadcastState, nobody
from ..models.content import CONTENT
from ..preferences.channels import sent
from ..services import edit_broadcast
from .broadcast_pages import BroadcastPages
from .forms import BroadcastForm, zone
from .kinds import said, written
from .people import labelled, without_absent_groups

CONTENT_FIELDS = ("title", "body", "url", "level", "category")
AUDIENCE_FIELDS = ("include_names", "include_groups", "include_users")
EXCEPT_FIELDS = ("exclude_names", "exclude_groups", "exclude_users")
HIDDEN_FIELDS = ("loaded_revision", "timezone")


def group_names(broadcasts: Iterable[Broadcast]) -> dict[int, str]:
    """Return the names of the groups in the audiences of some broadcasts, with one query."""
    pks: set[int] = set()
    for broadcast in broadcasts:
        with suppress(ValidationError):
            audience = broadcast.audience_of()
            pks.update(audience.include.groups, audience.exclude.groups)
    return dict(Group.objects.filter(pk__in=pks).values_list("pk", "name")) if pks else {}


@admin.register(Broadcast)
class BroadcastAdmin(BroadcastPages):
    """Broadcasts: the list, and the form with which they are composed."""

    form = BroadcastForm

    class Media:
        """Of the list too: its times are those of the reader."""

        js = (Script("notifications/admin/times.js", type="module"),)

    list_display = ("link", "state_and_time", "audience_text", "size", "delivered", "read", "author")
    list_per_page = 25
    list_display_links = None
    list_filter = ("state", "level")
    list_select_related = ("author",)
    search_fields = ("title", "body", "category")
    readonly_fields = ("said", "audience_text", "state_and_time")
    ordering = ("-id",)
    actions = None
    show_full_result_count = False

    # Permissions

    def has_change_permission(self, request: HttpRequest, obj: Broadcast | None = None) -> bool:
        """Refuse what was recalled or has expired; what is on its way needs the right to send as well."""
        allowed = super().has_change_permission(request, obj)
        if obj is None or obj.state == BroadcastState.DRAFT:
            return allowed
        closed = obj.state == BroadcastState.RECALLED or (obj.state in OUT and obj.expired)
        return allowed and not closed and self.may_send(request)

    def has_delete_permission(self, request: HttpRequest, obj: Broadcast | None = None) -> bool:
        """Allow it for drafts: what people have got is recalled, never deleted."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.state == BroadcastState.DRAFT)

    # The list

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Name the author, whatever the user model is."""
        return labelled(self.model, super().get_list_display(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Broadcast]:
        """Count for the list, in the same query, who has each broadcast and who read it."""
        rows = super().get_queryset(request)
        if not str(getattr(request.resolver_match, "url_name", "")).endswith("_changelist"):
            return rows
        copies = Notification.objects.filter(notice=OuterRef("notice")).order_by().values("notice")
        counted = {name: Subquery(copies.annotate(n=Count(name)).values("n")) for name in ("pk", "read_at")}
        return rows.annotate(copies=counted["pk"], copies_read=counted["read_at"])

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read the names of all groups in the audiences of the list at once."""
        changelist = super().get_changelist_instance(request)
        names = group_names(changelist.result_list)
        for broadcast in changelist.result_list:
            broadcast.group_names = names
        return changelist

    @admin.display(description=gettext_lazy("audience size"))
    def size(self, broadcast: Broadcast) -> str:
        """Show how many people the audience had when it was counted."""
        return "" if broadcast.reach is None else str(Size(broadcast.reach, broadcast.reach_exact))

    @admin.display(description=gettext_lazy("Delivered"))
    def delivered(self, broadcast: Any) -> str:
        """Show how many people have it."""
        return number_format(broadcast.copies, force_grouping=True) if broadcast.copies else ""

    @admin.display(description=gettext_lazy("Read"))
    def read(self, broadcast: Any) -> str:
        """Show how many of those who have it read it."""
        if not broadcast.copies:
            return ""
        share = number_format(100 * broadcast.copies_read / broadcast.copies, 0)
        return f"{number_format(broadcast.copies_read, force_grouping=True)} ({share}\u00a0%)"

    @admin.display(description=gettext_lazy("what people read"))
    def said(self, broadcast: Broadcast) -> str:
        """Show what a broadcast of a kind says in each language."""
        return said(broadcast)

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def link(self, broadcast: Broadcast) -> str:
        """Lead to the form of a draft, and to the results of everything else."""
        name = "change" if broadcast.state == BroadcastState.DRAFT else "results"
        return format_html('<a href="{}">{}</a>', self._address(name, broadcast), broadcast.title)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_and_time(self, broadcast: Broadcast) -> str:
        """Return the broadcast's state and its time."""
        label = broadcast.get_state_display()
        at = {
            BroadcastState.SCHEDULED: broadcast.publish_at,
            BroadcastState.RECALLED: broadcast.recalled_at,
        }.get(BroadcastState(broadcast.state), broadcast.published_at)
        if at is None:
            return label
        zone_name = timezone.get_current_timezone_name()
        words = f"{timezone.localtime(at):%Y-%m-%d %H:%M} ({zone_name})"  # the page's script knows the reader's own
        return format_html('{}, <time class="carillon-time" datetime="{}">{}</time>', label, at.isoformat(), words)

    # Composing

    @without_absent_groups
    def get_fieldsets(self, request: HttpRequest, obj: Broadcast | None = None) -> Any:
        """Show what may still be changed."""
        content = CONTENT_FIELDS if obj is None or obj.facts is None else ("said",)  # of its facts, which code changes
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return [(None, {"fields": [*content, "audience_text", "publish_at", "expires_at"]})]
        if obj is not None and obj.state in OUT:
            return [(None, {"fields": [*content, "expires_at", *HIDDEN_FIELDS]})]
        users = 3 if self.may_choose_users(request) else 2
        return [
            (None, {"fields": content}),
            (_("Audience"), {"fields": AUDIENCE_FIELDS[:users]}),
            (_("Except"), {"fields": EXCEPT_FIELDS[:users]}),
            *([(_("Channels"), {"fields": ("channels",)})] if sent() or (obj and obj.channels) else []),
            (_("Time"), {"fields": ("publish_at", "expires_at", *HIDDEN_FIELDS)}),
        ]

    def get_form(self, request: HttpRequest, obj: Broadcast | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Let only those name users who may view them."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.may_choose_users = self.may_choose_users(request)
        form.site = self.site_of_users(request)
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """Use the form's own widgets: the admin's would add more scripts."""
        return db_field.formfield(**kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Take the users that the list of users sent along, or the broadcast that is to be duplicated."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        chosen = [pk for pk in str(initial.pop("users", "")).split(",") if pk]
        initial.pop("copy", None)
        if (original := self._original(request)) is not None:
            initial |= written(original) | {"expires_at": None, "audience": self._copied_audience(request, original)}
            initial["channels"] = [name for name in original.channels if name in sent()]
        if not self.may_choose_users(request):
            return {name: value for name, value in initial.items() if not name.endswith("_users")}
        return {**initial, "include_users": self.chosen_users(request, chosen)} if chosen else initial

    def _original(self, request: HttpRequest) -> Broadcast | None:
        """Return the broadcast that is to be duplicated, if the address of the form names one."""
        pk = request.GET.get("copy", "")
        if not self.has_view_permission(request) or not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
            return None
        return Broadcast.objects.filter(pk=pk).first()

    def _copied_audience(self, request: HttpRequest, original: Broadcast) -> dict[str, Any]:
        """Return the audience of a duplicate; nobody where the reader could not see whom it leaves out."""
        try:
            audience = original.audience_of()
        except ValidationError:
            return nobody()
        named = audience.include.users or audience.exclude.users
        return nobody() if named and not self.may_choose_users(request) else audience.dump()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form, or save it: times are read in the time zone that the browser named."""
        broadcast = self.get_object(request, object_id) if object_id else None
        context = {
            "may_send": self.may_send(request),
            "broadcast": broadcast,
            "waiting": broadcast is None or broadcast.state in WAITING,
            "excludes": self._excludes(request, broadcast),
            "count_url": reverse("admin:carillon_broadcast_count", current_app=self.admin_site.name),
            **(extra_context or {}),
        }
        with timezone.override(zone(request.POST.get("timezone", "")) or timezone.get_current_timezone()):
            try:
                return super().changeform_view(request, object_id, form_url, context)
            except BroadcastConflict:
                # Somebody was faster by an instant: now the form finds that out and keeps what was typed.
                return super().changeform_view(request, object_id, form_url, context)

    def _excludes(self, request: HttpRequest, broadcast: Broadcast | None) -> bool:
        """Return whether anybody is excluded, so that the form shows it."""
        typed = any(name.startswith("exclude_") and str(value).strip() for name, value in request.POST.items())
        shown = broadcast or self._original(request)
        return typed or (shown is not None and bool(shown.audience_of().exclude))

    def save_model(self, request: HttpRequest, obj: Broadcast, form: Any, change: bool) -> None:
        """Store a new draft, or change a broadcast through its service."""
        if not change:
            obj.author = request.user  # type: ignore[assignment]
            obj.save(force_insert=True)
            return
        stored = Broadcast.objects.get(pk=obj.pk)
        if stored.revision != form.cleaned_data["loaded_revision"]:
            raise BroadcastConflict(stored.state)
        allowed = EDITABLE if stored.state in WAITING else CONTENT
        names = [name for name in allowed if name in form.fields or name in ("audience", "texts")]
        changed = {name: getattr(obj, name) for name in names if getattr(obj, name) != getattr(stored, name)}
        if changed:
            edit_broadcast(stored, **changed)
            obj.revision = stored.revision

    def response_add(self, request: HttpRequest, obj: Broadcast, post_url_continue: Any = None) -> HttpResponse:
        """Go where the button says."""
        return self._respond(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Broadcast) -> HttpResponse:
        """Go where the button says."""
        return self._respond(request, obj) or super().response_change(request, obj)

    def _respond(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse | None:
        if "_test" in request.POST:
            return self._send_test(request, broadcast)
        if "_review" in request.POST:
            return self._go("review", broadcast)
        if broadcast.state in OUT:
            messages.success(request, _("Saved. Every open tab shows the new version."))
            return self._go("results", broadcast)
        messages.success(request, _("Saved."))
        return self._go("change", broadcast)

    def _send_test(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        content = written(broadcast) | {"expires_at": None}
        texts = content.pop("texts")
        notice = notify(user_of(request), content.pop("title"), **content, kind="broadcast.test")
        Notice.objects.filter(pk=notice.pk).update(texts=texts)  # before the commit, after which it is shown
        self.log_change(request, broadcast, _("Sent to self as a test."))
        messages.success(request, _("Saved and sent to you only. Check your bell."))
        return self._go("change", broadcast)
