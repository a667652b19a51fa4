"""The pages of a broadcast besides its form: review and send, results, recall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any
from unicodedata import decimal

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from ..audiences.sizes import Size
from ..broadcasts import results
from ..broadcasts.channel_results import COLUMNS_OF_CHANNELS
from ..broadcasts.publishing import OUT, WAITING, validate_broadcast
from ..exceptions import BroadcastConflict
from ..live import connections, frames, sessions
from ..live.connections import Admission
from ..live.cursor import Position
from ..live.http import answer, can_hold, error, handoff, hold_open
from ..models import Broadcast
from ..models.broadcast import BroadcastState
from ..preferences.channels import channels
from ..services import publish_broadcast, recall_broadcast
from . import users
from .forms import CountForm, user_names

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Broadcast]
else:  # generic for type checkers only
    ModelAdmin = admin.ModelAdmin


class BroadcastPages(ModelAdmin):
    """Sending, results and recall of a broadcast. Each page checks its own permission."""

    type_number_above = 1_000  # people; sending to more requires typing the number

    def may_send(self, request: HttpRequest) -> bool:
        """Return whether the user may send broadcasts, and edit those that were sent."""
        return request.user.has_perm("carillon.send_broadcast")

    def may_recall(self, request: HttpRequest) -> bool:
        """Return whether the user may recall broadcasts."""
        return request.user.has_perm("carillon.recall_broadcast")

    def may_choose_users(self, request: HttpRequest) -> bool:
        """Return whether the reader may name users, and so learn who is there and who belongs to an audience."""
        meta = get_user_model()._meta
        names = [get_permission_codename(action, meta) for action in ("view", "change")]
        return any(request.user.has_perm(f"{meta.app_label}.{name}") for name in names)

    def site_of_users(self, request: HttpRequest) -> admin.AdminSite | None:
        """Return the site whose autocompletion finds users for the reader, if it does."""
        model = get_user_model()
        if not self.may_choose_users(request) or not self.admin_site.is_registered(model):
            return None
        users_admin = self.admin_site.get_model_admin(model)
        found = users_admin.get_search_fields(request) and users_admin.has_view_permission(request)
        return self.admin_site if found else None

    def chosen_users(self, request: HttpRequest, pks: Sequence[str]) -> Any:
        """Return users as the form takes them: by primary key where it completes them, else by name."""
        model = get_user_model()
        try:
            found = list(model._default_manager.filter(pk__in=pks).values_list("pk", flat=True))
        except (ValueError, OverflowError, ValidationError):  # somebody wrote the address by hand
            return ""
        return found if self.site_of_users(request) else "\n".join(user_names(found))

    @admin.display(description=gettext_lazy("audience"))
    def audience_text(self, broadcast: Broadcast) -> str:
        """Describe the audience."""
        try:
            return broadcast.audience_of().describe(getattr(broadcast, "group_names", None))
        except ValidationError:
            return _("unreadable")

    def get_urls(self) -> list[URLPattern]:
        """Add review, results and recall; and put the action on the list of users."""
        users.offer(self.admin_site)
        return [
            path("count/", self._page(self.count_view), name="carillon_broadcast_count"),
            path("<int:pk>/review/", self._page(self.review_view), name="carillon_broadcast_review"),
            path("<int:pk>/results/", self._page(self.results_view), name="carillon_broadcast_results"),
            path("<int:pk>/results/live/", handoff(self._page(self.live_view)), name="carillon_broadcast_live"),
            path("<int:pk>/results/now/", self._page(self.now_view), name="carillon_broadcast_now"),
            path("<int:pk>/recall/", self._page(self.recall_view), name="carillon_broadcast_recall"),
            *super().get_urls(),
        ]

    def _page(self, view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
        page = self.admin_site.admin_view(view)
        update_wrapper(page, view)
        return page

    def count_view(self, request: HttpRequest) -> HttpResponseBase:
        """Return how many people the audience in the form has."""
        if request.method != "POST":
            return JsonResponse({"text": _("Submit the form with POST.")}, status=405)
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        site = self.site_of_users(request)
        form = CountForm(request.POST, may_choose_users=self.may_choose_users(request), site=site)
        if not form.is_valid():
            problems = [str(message) for messages_ in form.errors.values() for message in messages_]
            return JsonResponse({"text": " ".join(problems), "number": None})
        try:
            chosen = form.audience()
            chosen.validate()
        except ValidationError as invalid:
            return JsonResponse({"text": " ".join(invalid.messages), "number": None})
        size = chosen.size()
        return JsonResponse({"text": self._reaches(size), "number": size.number, "exact": size.exact})

    def _reaches(self, size: Size) -> str:
        if not size.number:
            return _("Currently reaches nobody.")
        text = _("Reaches %(people)s.") % {"people": size}
        return text if size.exact else _("%(text)s Estimated from a random sample.") % {"text": text}

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Show a last time what goes to whom, and send it when that is confirmed."""
        broadcast = self._broadcast(request, pk)
        if not self.may_send(request):
            raise PermissionDenied
        if broadcast.state not in WAITING:
            messages.info(request, _("This broadcast has already been sent."))
            return self._go("results", broadcast)
        try:
            validate_broadcast(broadcast)
        except ValidationError as invalid:
            messages.error(request, " ".join(invalid.messages))
            return self._go("change", broadcast)
        size = broadcast.audience_of().size()
        typed = request.POST.get("number", "")
        problem = self._send(request, broadcast, size, typed) if request.method == "POST" else ""
        if isinstance(problem, HttpResponse):
            return problem
        context = {"size": size, "to_type": self._to_type(size), "typed": typed, "problem": problem}
        return self._render(request, "review", broadcast, _("Review and send"), context)

    def _to_type(self, size: Size) -> int | None:
        return size.number if size.number > self.type_number_above else None

    def _send(self, request: HttpRequest, broadcast: Broadcast, size: Size, typed: str) -> HttpResponse | str:
        """Send what was confirmed; return why not."""
        if not size.number:
            return _("This audience is currently empty. Go back and choose another one.")
        confirmed = request.POST.get("confirmed", "")
        if self._to_type(size) and _digits(typed) != confirmed:
            return _("Type the number of people to confirm.")
        if request.POST.get("revision") != str(broadcast.revision):
            return _(
                "Someone changed this broadcast while you were reviewing it. "
                "This is the current version; please review it again."
            )
        try:
            publish_broadcast(broadcast)
        except BroadcastConflict:
            messages.info(request, _("This broadcast has already been sent."))
            return self._go("results", broadcast)
        results.remember_reach(broadcast, size)
        if broadcast.state == BroadcastState.SCHEDULED:
            self.log_change(request, broadcast, _("Scheduled for %(people)s.") % {"people": size})
            messages.success(request, _("Scheduled. It will be sent automatically."))
        else:
            self.log_change(request, broadcast, _("Sent to %(people)s.") % {"people": size})
        return self._go("results", broadcast)

    def results_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Show a broadcast's results; the page's script keeps them live."""
        broadcast = self._broadcast(request, pk)
        if broadcast.state == BroadcastState.DRAFT:
            return self._go("change", broadcast)
        found = results.results(broadcast)
        context = {
            "results": found,
            "series": [
                (
                    name,
                    label,
                    found.text[name],
                    found.text[f"{name}-share"],
                    found.bars[name],
                    found.draw[f"curve-{name}"],
                )
                for name, label in SERIES_LABELS.items()
            ],
            "columns": [(name, at, found.text[name]) for name, at in results.grid()["columns"]],
            "rows": [(name, at, found.text[name]) for name, at in results.grid()["rows"]],
            "channels": self._channel_rows(broadcast, found),
            "deliveries_url": self._deliveries_url(request, broadcast),
            "channel_columns": COLUMNS_OF_CHANNELS.values(),
            "width": results.WIDTH,
            "height": results.HEIGHT,
        }
        return self._render(request, "results", broadcast, _("Results"), context)

    def _channel_rows(self, broadcast: Broadcast, found: results.Results) -> list[Any]:
        """Return for each channel its label, its cells as ids and words, and the id and words of the reasons."""
        known = channels()
        return [
            (
                known[name].label if name in known else name,
                [(key, found.text[key]) for column in COLUMNS_OF_CHANNELS if (key := f"by-{name}-{column}")],
                (f"by-{name}-reasons", found.text[f"by-{name}-reasons"]),
            )
            for name in broadcast.channels
        ]

    def _deliveries_url(self, request: HttpRequest, broadcast: Broadcast) -> str:
        """Return where its deliveries are listed; empty for whoever may not see them."""
        if not (request.user.has_perm("carillon.view_delivery") or request.user.has_perm("carillon.change_delivery")):
            return ""
        address = reverse("admin:carillon_delivery_changelist", current_app=self.admin_site.name)
        return f"{address}?notice={broadcast.notice_id}"

    def live_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Stream the results, through the same lane as every event stream."""
        broadcast = self._broadcast(request, pk)
        if not can_hold(request):
            return error(501, "no-streaming", _("This server cannot stream (WSGI); fetch now/ instead."))
        first = frames.frame(results.results(broadcast))
        key = results.key_of(pk, get_language())
        identity = sessions.identity(request.user, getattr(request, "session", None))
        admission = Admission(key, Position("", 0), (first,), identity)
        return hold_open(request, admission, connections.iterate, "text/event-stream; charset=utf-8")

    def now_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Answer with the results once, for pages that cannot hold a stream."""
        return answer(results.results(self._broadcast(request, pk)))

    def recall_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Take a broadcast back when that is confirmed."""
        broadcast = self._broadcast(request, pk)
        if not self.may_recall(request):
            raise PermissionDenied
        scheduled = broadcast.state == BroadcastState.SCHEDULED
        if broadcast.state not in (BroadcastState.SCHEDULED, *OUT):
            messages.info(request, _("There is nothing to recall."))
            return self._go("results", broadcast)
        if request.method != "POST":
            context = {"scheduled": scheduled, "figures": results.figures(broadcast)}
            return self._render(request, "recall", broadcast, _("Recall"), context)
        try:
            recall_broadcast(broadcast)
        except BroadcastConflict:
            messages.error(request, _("Someone has changed this broadcast in the meantime. Please review it again."))
            return self._go("results", broadcast)
        if scheduled:
            self.log_change(request, broadcast, _("Schedule cancelled."))
            messages.success(request, _("It will not be sent and is a draft again."))
        else:
            self.log_change(request, broadcast, _("Recalled."))
            messages.success(request, _("Recalled. It has been removed from every inbox."))
        return self._go("results", broadcast)

    def _broadcast(self, request: HttpRequest, pk: int) -> Broadcast:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Broadcast.objects.filter(pk=pk).first()
        if found is None:
            raise Http404(_("Broadcast not found."))
        return found

    def _address(self, name: str, broadcast: Broadcast) -> str:
        site = self.admin_site.name
        return reverse(f"admin:carillon_broadcast_{name}", args=[broadcast.pk], current_app=site)

    def _go(self, name: str, broadcast: Broadcast) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._address(name, broadcast))

    def _render(
        self, request: HttpRequest, name: str, broadcast: Broadcast, title: str, context: dict[str, Any]
    ) -> TemplateResponse:
        known = channels()
        whole = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "broadcast": broadcast,
            "audience": self.audience_text(broadcast),
            "sent_by": ", ".join(str(known[name].label) if name in known else name for name in broadcast.channels),
            "may_send": self.may_send(request),
            "may_recall": self.may_recall(request),
            "may_change": self.has_change_permission(request, broadcast),
            "may_add": self.has_add_permission(request),
            **context,
        }
        return TemplateResponse(request, f"admin/carillon/broadcast/{name}.html", whole)


SERIES_LABELS = {
    "delivered": gettext_lazy("Delivered"),
    "seen": gettext_lazy("Seen"),
    "read": gettext_lazy("Read"),
    "clicked": gettext_lazy("Clicked"),
}


def _digits(text: str) -> str:
    """Return the digits of a number as people type it: 1,000,000 or 1.000.000 or ١٬٠٠٠٬٠٠٠."""
    return "".join(str(decimal(character)) for character in text if character.isdecimal())
