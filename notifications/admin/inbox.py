"""The admin: what was sent, to whom, and what became of it. Read-only: the services are the only writers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..inbox.withdrawal import withdraw
from ..live.http import user_of
from ..models import Broadcast, Notice, Notification
from ..models.inbox import SCHEDULED
from .bounds import LISTED_LIMIT, BoundedPaginator, is_list, is_narrowed, newest_first, reach_of, within_reach
from .emails import EmailPreviews
from .explanations import explanation_table, figures_table
from .kinds import said
from .notification_states import LABELS, StateFilter, with_states
from .people import labelled
from .times import when

RECALLED_AT_ONCE = 20  # notices by one action; each may have a million recipients

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:  # generic for type checkers only
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """A read-only admin: view, search and filter, at a price that does not grow with the table."""

    paginator = BoundedPaginator
    show_full_result_count = False  # counting millions of rows takes longer than showing a page
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    list_per_page = 50
    has_reach: ClassVar[bool] = True  # else what is searched, filtered or put in another order is bounded otherwise

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Of a list that is searched, filtered or in another order keep the newest rows."""
        rows = super().get_queryset(request)
        if is_narrowed(request):
            return within_reach(rows) if self.has_reach else rows
        return newest_first(rows) if is_list(request) and self.ordering == ("-id",) else rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Say how many rows a list has at most, and how many are looked at."""
        bounds = {"counted": LISTED_LIMIT, "reach": reach_of(self.model) if self.has_reach else 0}
        return super().changelist_view(request, {**bounds, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Name users, whatever their model is."""
        return labelled(self.model, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Name users, whatever their model is."""
        return labelled(self.model, super().get_fields(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: a user's copies go with the user, which asks for no permission of ours."""
        return False


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Contents, each stored once. It is read-only but for recalling, which needs the permission to delete notices."""

    list_display = ("title", "level", "category", "kind", "actor", "created_at", "expires_at", "recalled_at")
    list_filter = ("level", "created_at", ("recalled_at", admin.EmptyFieldListFilter))
    list_select_related = ("actor",)
    search_fields = ("title", "body", "kind", "category")
    ordering = ("-id",)
    fields = (
        "title", "body", "url", "level", "category", "kind", "data", "actor", "created_at", "expires_at",
        "recalled_at", "recalled_by", "reached", "by_channels",
    )  # fmt: skip
    actions = ("recall",)

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["notifications/admin/moderation.css"]}

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Show of a declared kind its facts and what it says in each language, and what a notice is about."""
        fields = super().get_fields(request, obj)
        if not isinstance(obj, Notice):
            return fields
        more = ["said", "facts", "version"] if obj.facts is not None else []
        more += [name for name in ("texts", "about_model", "about_key", "other_actor") if getattr(obj, name)]
        return [*fields[:6], *more, *fields[6:]]

    def get_urls(self) -> list[URLPattern]:
        """Add the previews of e-mails."""
        return [*EmailPreviews(self).urls(), *super().get_urls()]

    def has_recall_permission(self, request: HttpRequest) -> bool:
        """Allow recalling with the permission to delete notices."""
        return request.user.has_perm("carillon.delete_notice")

    @admin.display(description=gettext_lazy("recipients"))
    def reached(self, notice: Notice) -> str:
        """Show how many people have it, and how many of them read it."""
        figures = {name: number_format(value, force_grouping=True) for name, value in _figures([notice]).items()}
        return _("%(copies)s; %(read)s have read it") % figures

    @admin.display(description=gettext_lazy("by other channels"))
    def by_channels(self, notice: Notice) -> str:
        """Show what each channel made of it."""
        return figures_table(notice, self.admin_site.name)

    @admin.display(description=gettext_lazy("what people read"))
    def said(self, notice: Notice) -> str:
        """Show the rendering in each of the site's languages, or say why what was stored is shown."""
        return said(notice)

    @admin.action(description=gettext_lazy("Recall from every inbox…"), permissions=["recall"])
    def recall(self, request: HttpRequest, chosen: models.QuerySet[Notice]) -> HttpResponseBase | None:
        """Ask once more, and withdraw the chosen notices."""
        notices = list(chosen.filter(recalled_at=None)[: RECALLED_AT_ONCE + 1])
        if len(notices) > RECALLED_AT_ONCE:
            message = _("At most %(limit)s notices can be recalled at a time.") % {"limit": RECALLED_AT_ONCE}
            self.message_user(request, message, messages.ERROR)
            return None
        if Broadcast.objects.filter(notice__in=notices).exists():
            self.message_user(request, _("A broadcast is recalled on its own page."), messages.ERROR)
            return None
        if notices and "confirmed" not in request.POST:
            return self._ask(request, notices)
        for notice in notices:
            withdraw(notice, by=user_of(request))
            self.log_change(request, notice, _("Recalled."))
        text = ngettext("%d notification was recalled.", "%d notifications were recalled.", len(notices))
        self.message_user(request, text % len(notices), messages.SUCCESS if notices else messages.INFO)
        return None

    def _ask(self, request: HttpRequest, notices: list[Notice]) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Recall"),
            "opts": self.opts,
            "notices": notices,
            "figures": _figures(notices),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/carillon/notice/recall.html", context)


def _figures(notices: Sequence[Notice]) -> dict[str, int]:
    """Count the copies of some notices that people have, and those that were read, with one query."""
    copies = Notification.objects.filter(notice__in=notices).exclude(folded_into=SCHEDULED)
    return copies.aggregate(copies=models.Count("pk"), read=models.Count("read_at"))


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Copies, one for each recipient."""

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["notifications/admin/moderation.css"]}

    list_display = ("title", "recipient", "state", "created_at", "seen_at", "read_at")
    list_filter: ClassVar[list[Any]] = [
        StateFilter,
        ("seen_at", admin.EmptyFieldListFilter),
        ("read_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ("notice", "recipient")
    ordering = ("-id",)
    fields = (
        "title", "recipient", "state", "created_at", "delivered_at", "seen_at", "read_at", "clicked_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Find out in which state each is, in the same query."""
        return with_states(super().get_queryset(request))

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Show when it was archived, or comes back, only where that is true; addresses only to who may see them."""
        more = {"archived": ["archived_at"], "muted": ["archived_at"], "snoozed": ["snoozed_until"]}
        in_full = any(request.user.has_perm(f"carillon.{verb}_delivery") for verb in ("view", "change"))
        shown = "explanation" if in_full else "outline"
        return [*super().get_fields(request, obj), *more.get(getattr(obj, "state", ""), []), shown]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the title and the recipient's user name, whatever the user model calls it."""
        return ("sought_title", "sought_name")

    def get_search_results(self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str) -> Any:
        """Ask each row for its title and its name: joined, PostgreSQL reads all notices, and all users, for them."""
        users = get_user_model()._default_manager.filter(pk=OuterRef("recipient_id"))
        sought = {
            "sought_title": Subquery(Notice.objects.filter(pk=OuterRef("notice_id")).values("title")),
            "sought_name": Subquery(users.values(get_user_model().USERNAME_FIELD)),
        }
        return super().get_search_results(request, queryset.alias(**sought), search_term)

    @admin.display(description=Notice._meta.get_field("title").verbose_name, ordering="notice__title")
    def title(self, notification: Notification) -> str:
        """Show the notice's title."""
        return notification.notice.title

    @admin.display(description=gettext_lazy("explanation"))
    def explanation(self, notification: Notification) -> str:
        """Explain by which channels the recipient got it, and by which not."""
        return explanation_table(notification.recipient, notification.notice, self.admin_site.name)

    @admin.display(description=gettext_lazy("explanation"))
    def outline(self, notification: Notification) -> str:
        """Explain it to who may not view deliveries: they hold addresses."""
        return explanation_table(notification.recipient, notification.notice, self.admin_site.name, in_full=False)

    @admin.display(description=gettext_lazy("state"))
    def state(self, notification: Any) -> str:
        """Say what it is to its recipient; one that has joined an item leads there."""
        label = LABELS[notification.state]
        if notification.state != "joined":
            return str(label)
        site = self.admin_site.name
        item = reverse("admin:carillon_notification_change", args=[notification.folded_into], current_app=site)
        return format_html('<a href="{}">{}</a>', item, label)

    @admin.display(description=Notice._meta.get_field("created_at").verbose_name, ordering="notice__created_at")
    def created_at(self, notification: Notification) -> str:
        """Show when the notice was made."""
        return when(notification.notice.created_at)
