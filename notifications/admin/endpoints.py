"""The admin: webhooks, whose secrets are shown once, and what became of what was sent to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..deliveries.endpoints import deliveries_to, validate_endpoint
from ..models import Endpoint
from ..services import (
    add_endpoint,
    disable_endpoint,
    edit_endpoint,
    enable_endpoint,
    replay_endpoint,
    rotate_endpoint_secret,
    send_test_event,
)
from .people import labelled
from .times import when

LATEST_SHOWN = 20  # deliveries, on the page of a webhook
WHOSE = ("user", "group", "channel")  # which stays as it was
SECRETS = frozenset({"secret", "previous_secret", "url"})  # by which no list is filtered

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Endpoint]
    ModelForm = forms.ModelForm[Endpoint]
else:  # generic for type checkers only
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm


class EndpointForm(ModelForm):
    """A webhook, with a line for each kind and category."""

    events = forms.CharField(
        label=gettext_lazy("events"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "ltr"}),
        help_text=gettext_lazy("A line for each: kind:order.shipped, or category:orders. Empty means all."),
    )

    class Meta:
        model = Endpoint
        fields = (*WHOSE, "url", "description", "shape", "events")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show the events as lines."""
        super().__init__(*args, **kwargs)
        self.initial["events"] = "\n".join(self.instance.events)

    def clean_events(self) -> list[str]:
        """Return what the lines name."""
        return [line.strip() for line in self.cleaned_data["events"].splitlines() if line.strip()]

    def _post_clean(self) -> None:
        """Validate as the verbs do."""
        super()._post_clean()  # type: ignore[misc]  # missing from the stubs
        if not self.errors:
            try:
                validate_endpoint(self.instance)
            except ValidationError as invalid:
                self.add_error(None, invalid)


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):
    """Webhooks. Whoever may change them may test them, send again and make new secrets."""

    form = EndpointForm
    list_display = ("__str__", "host", "user", "group", "shape", "stopped", "failing_since")
    list_filter = ("stopped", "shape", "channel")
    list_select_related = ("user", "group")
    search_fields = ("description",)
    ordering = ("-id",)
    raw_id_fields = ("user",)
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse filters by what is secret: with ``?secret__startswith=`` it could be guessed letter by letter."""
        named = lookup.partition("__")[0]
        return named not in SECRETS and super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Name users, whatever their model is."""
        return labelled(self.model, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> tuple[Any, ...]:
        """Show the whole address, which may hold secrets, only to who may change it."""
        where = "url" if self.has_change_permission(request, obj) or obj is None else "host"
        fields = (*WHOSE, where, "description", "shape", "events")
        return fields if obj is None else (*fields, "stopped", "stopped_at", "failing_since", "latest")

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> tuple[Any, ...]:
        """Leave a webhook to whom it was given."""
        return () if obj is None else (*WHOSE, "host", "stopped", "stopped_at", "failing_since", "latest")

    @admin.display(description=gettext_lazy("host"))
    def host(self, endpoint: Endpoint) -> str:
        """Show where it lies, without what is secret."""
        return urlsplit(endpoint.url).hostname or ""

    @admin.display(description=gettext_lazy("latest deliveries"))
    def latest(self, endpoint: Endpoint) -> SafeString:
        """List what became of what was sent last."""
        rows = (
            (when(row.created_at), row.get_state_display(), row.get_reason_display(), row.attempts, row.error)
            for row in deliveries_to(endpoint).order_by("-pk")[:LATEST_SHOWN]
        )
        heads = (_("Time"), _("State"), _("Reason"), _("Attempts"), _("Error"))
        cells = format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads))
        body = format_html_join("", '<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td dir="ltr">{}</td></tr>', rows)
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", cells, body)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        """Store it by the verbs."""
        if change:
            edit_endpoint(obj, url=obj.url, description=obj.description, events=obj.events, shape=obj.shape)
            return
        owner: Any = obj.user if obj.user is not None else obj.group
        what = {"description": obj.description, "events": obj.events, "shape": obj.shape, "channel": obj.channel}
        made = add_endpoint(owner, obj.url, **what)
        obj.pk, obj.secret = made.pk, made.secret
        obj._state.adding = False

    def response_add(self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None) -> Any:
        """Show the secret, this once."""
        return self._secret(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """Add what the buttons do."""
        view = self.admin_site.admin_view(self.do_view)
        return [path("<int:pk>/do/", view, name="carillon_endpoint_do"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Say where the buttons lead."""
        more = {"do_url": "../do/", **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, more)

    def do_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Do what a button says."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        endpoint = Endpoint.objects.filter(pk=pk).first()
        if endpoint is None:
            raise Http404
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        wanted = request.POST.get("do", "")
        if wanted == "rotate":
            rotate_endpoint_secret(endpoint)
            self.log_change(request, endpoint, _("Made a new secret."))
            return self._secret(request, endpoint)
        try:
            done = _do(wanted, endpoint)
        except ValidationError as invalid:
            messages.error(request, " ".join(invalid.messages))
        else:
            self.log_change(request, endpoint, done)
            messages.success(request, done)
        return HttpResponseRedirect(self._page(endpoint))

    def _page(self, endpoint: Endpoint) -> str:
        return reverse("admin:carillon_endpoint_change", args=[endpoint.pk], current_app=self.admin_site.name)

    def _secret(self, request: HttpRequest, endpoint: Endpoint) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": str(endpoint),
            "opts": self.opts,
            "secret": endpoint.secret,
            "until": endpoint.previous_until,
            "back": self._page(endpoint),
        }
        response = TemplateResponse(request, "admin/carillon/endpoint/secret.html", context)
        response["Cache-Control"] = "no-store"
        return response


def _do(wanted: str, endpoint: Endpoint) -> str:
    """Do something with a webhook, and say what was done.

    Raises:
        ValidationError: It cannot be done.
    """
    if wanted == "test":
        send_test_event(endpoint)
        return _("A test is on its way. The list below says what becomes of it.")
    if wanted == "replay":
        number = replay_endpoint(endpoint)
        message = ngettext("%(number)s delivery is sent again.", "%(number)s deliveries are sent again.", number)
        return message % {"number": number}
    if wanted == "disable":
        disable_endpoint(endpoint)
        return _("Switched off.")
    if wanted == "enable":
        enable_endpoint(endpoint)
        return _("Switched on.")
    raise ValidationError(_("Nothing is called so."))
