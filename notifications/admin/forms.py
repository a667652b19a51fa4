"""The form with which staff compose a broadcast."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sized
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..audiences import Audience, Part, has_field, registry
from ..broadcasts.publishing import WAITING, validate_broadcast
from ..inbox.actors import normalize_username
from ..languages import site_languages
from ..live.frames import json_key
from ..models import Broadcast
from ..models.broadcast import BroadcastState
from ..preferences.channels import channels, sent
from .people import label

NAMED_LIMIT = 1_000  # users named one by one; more of them are a group or an audience

LOCAL = "%Y-%m-%dT%H:%M"  # what <input type="datetime-local"> carries

PARTS = ("include", "exclude")


class LocalDateTime(forms.DateTimeInput):
    """A native picker of date and time; the page's script shows the moment in the reader's own time zone."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        """Use the format that the picker knows."""
        super().__init__(format=LOCAL)


def _names() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=gettext_lazy("Audiences"), required=False, widget=forms.CheckboxSelectMultiple
    )


class ChosenField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of rows; a number that no database can hold is that of no row."""

    def clean(self, value: Any) -> Any:
        """Return the chosen rows."""
        try:
            return super().clean(value)
        except OverflowError as error:  # SQLite's driver takes no more than 64 bits
            params = {"value": ", ".join(map(str, value))}
            raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", params) from error


def _groups() -> Any:
    groups = Group.objects.order_by("name")
    return ChosenField(groups, label=gettext_lazy("Groups"), required=False, widget=forms.CheckboxSelectMultiple)


class UsersSelect(AutocompleteSelectMultiple):
    """The admin's autocompletion, which shows a wrong value again without asking the database for it."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """Return the chosen options."""
        return super().optgroups(name, [one for one in value if _is_key(one)], attr)


class UsersField(ChosenField):
    """A choice of users, with the admin's autocompletion."""

    def __init__(self, site: admin.AdminSite, **kwargs: Any) -> None:
        """Find users through the admin of a site; the author of a broadcast tells it which model they are of."""
        widget = UsersSelect(Broadcast._meta.get_field("author"), site)
        super().__init__(get_user_model()._default_manager.all(), required=False, widget=widget, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        """Return the text for a user, whatever their model does."""
        return label(obj)

    def clean(self, value: Any) -> Any:
        """Return the keys of the chosen users."""
        _refuse_multitude(value or ())
        chosen = {str(user.pk): json_key(user.pk) for user in super().clean(value)}
        return [chosen[key] for key in dict.fromkeys(map(str, value or ())) if key in chosen]


def _users() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Selected users"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Usernames, separated by commas or line breaks."),
    )


class AudienceForm(forms.Form):
    """The audience: audiences, groups and selected users, and the same for exclusions."""

    may_choose_users = False  # whoever may not view users learns of none, neither by name nor by counting
    site: admin.AdminSite | None = None  # where users are found by autocompletion; without it they are named

    include_names = _names()
    include_groups = _groups()
    include_users = _users()
    exclude_names = _names()
    exclude_groups = _groups()
    exclude_users = _users()

    def offer(self, stored: Audience) -> None:
        """Fill in the choices and what is stored; a stored name that no app registers is shown as such."""
        for part in PARTS:
            chosen: Part = getattr(stored, part)
            gone = [
                (name, _("“%(name)s” (no longer exists)") % {"name": name})
                for name in chosen.names
                if name not in registry
            ]
            names: Any = self.fields[f"{part}_names"]
            names.choices = [*((named.name, named.label) for named in registry.values()), *gone]
            self.initial.setdefault(f"{part}_names", list(chosen.names))
            self.initial.setdefault(f"{part}_groups", list(chosen.groups))
            if self.may_choose_users and self.site is not None:
                self.fields[f"{part}_users"] = UsersField(self.site, label=self.fields[f"{part}_users"].label)
                self.initial.setdefault(f"{part}_users", list(chosen.users))
            elif self.may_choose_users:
                self.initial.setdefault(f"{part}_users", "\n".join(user_names(chosen.users)))
            if not has_field("groups"):
                del self.fields[f"{part}_groups"]
            if not self.may_choose_users:
                del self.fields[f"{part}_users"]
        self._stored = stored

    def audience(self) -> Audience:
        """Return what was chosen; only after validation."""
        return Audience(*(self._part(part) for part in PARTS))

    def clean_include_users(self) -> list[Any]:
        """Find the users by name, unless they were chosen."""
        return _users_of(self.cleaned_data["include_users"])

    def clean_exclude_users(self) -> list[Any]:
        """Find the users by name, unless they were chosen."""
        return _users_of(self.cleaned_data["exclude_users"])

    def _part(self, part: str) -> Part:
        names = self.cleaned_data.get(f"{part}_names") or []
        groups = self.cleaned_data.get(f"{part}_groups") or []
        kept = () if self.may_choose_users else getattr(self._stored, part).users
        users = self.cleaned_data.get(f"{part}_users") or kept
        return Part(tuple(names), tuple(group.pk for group in groups), tuple(users))


class CountForm(AudienceForm):
    """The part of the form that the page sends while composing, to count the audience."""

    def __init__(
        self, *args: Any, may_choose_users: bool = False, site: admin.AdminSite | None = None, **kwargs: Any
    ) -> None:
        """Offer what is registered."""
        super().__init__(*args, **kwargs)
        self.may_choose_users = may_choose_users
        self.site = site
        self.offer(Audience())


class BroadcastForm(forms.ModelForm, AudienceForm):  # type: ignore[type-arg]
    """A broadcast's content, audience and times.

    Input is never lost: if somebody else has saved another version, that is an error, which a second
    attempt overrides, and times are read in the time zone of the user's browser.
    """

    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Also send by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Everybody in the audience gets it this way too, unless they have switched that off."),
    )
    loaded_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    timezone = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Broadcast
        fields = ("title", "body", "url", "level", "category", "publish_at", "expires_at")
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "body": forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
            "url": forms.TextInput(attrs={"placeholder": "/news/, https://…", "autocomplete": "off", "dir": "ltr"}),
            "level": forms.RadioSelect,
            "category": forms.TextInput(attrs={"autocomplete": "off"}),
            "publish_at": LocalDateTime,
            "expires_at": LocalDateTime,
        }
        help_texts = {
            "title": gettext_lazy("What happened, in one line."),
            "url": gettext_lazy("Where a click leads: a path on this site or an http(s) URL."),
            "category": gettext_lazy("A keyword people can filter by, for example “maintenance”."),
            "publish_at": gettext_lazy("Leave empty to send immediately."),
            "expires_at": gettext_lazy("After this time nobody sees it any more. Leave empty to keep it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the audiences as long as they may still be changed."""
        super().__init__(*args, **kwargs)
        if "level" in self.fields:
            self.fields["level"].required = False
        self.initial["loaded_revision"] = self.instance.revision
        self.initial["timezone"] = timezone.get_current_timezone_name()
        for name in ("publish_at", "expires_at"):
            if name in self.fields and (at := getattr(self.instance, name)) is not None and not self.is_bound:
                self.fields[name].widget.attrs["data-at"] = at.isoformat()
        if self.instance.state in WAITING:
            stored = Audience.parse(self.initial.pop("audience", self.instance.audience))
            self.offer(stored)
            self._offer_channels(self.initial.pop("channels", None) or self.instance.channels)
        else:
            for name in [*AudienceForm.base_fields, "channels", "publish_at"]:
                self.fields.pop(name, None)

        if "title" in self.fields:
            self._offer_languages(self.initial.pop("texts", None) or self.instance.texts or {})

    def _offer_channels(self, stored: list[str]) -> None:
        """Fill in the channels that are sent; a stored one that is not any more is shown as such."""
        known = channels()
        names = sent()
        gone = [(name, _("“%(name)s” (no longer exists)") % {"name": name}) for name in stored if name not in names]
        field: Any = self.fields["channels"]
        field.choices = [*((name, known[name].label) for name in names), *gone]
        self.initial["channels"] = list(stored)
        if not field.choices:
            del self.fields["channels"]

    def _offer_languages(self, stored: dict[str, dict[str, str]]) -> None:
        """Add a title and a body for each of the site's languages but its own, whose are the broadcast's."""
        for code in list(site_languages())[1:]:
            for part in ("title", "body"):
                model_field: Any = Broadcast._meta.get_field(part)
                field = model_field.formfield(required=False)
                rows = {"rows": 4} if part == "body" else {"autocomplete": "off"}
                widget = forms.Textarea if part == "body" else forms.TextInput
                field.widget = widget(attrs={**rows, "dir": "auto", "lang": code})
                self.fields[f"{part}_{code}"] = field
                self.initial[f"{part}_{code}"] = stored.get(code, {}).get(part, "")

    @property
    def languages(self) -> list[dict[str, Any]]:
        """Return the site's languages with the fields of each but its own, which is the first; none if there is one."""
        named = site_languages()
        if len(named) < 2 or "title" not in self.fields:
            return []
        fields = {code: [self[f"{part}_{code}"] for part in ("title", "body")] for code in list(named)[1:]}
        return [{"code": code, "name": name, "fields": fields.get(code, [])} for code, name in named.items()]

    def _texts(self) -> dict[str, dict[str, str]] | None:
        """Return what was written in other languages; a body needs a title."""
        texts: dict[str, dict[str, str]] = {}
        for language in self.languages[1:]:
            code = language["code"]
            title, body = (self.cleaned_data.get(f"{part}_{code}") or "" for part in ("title", "body"))
            if title:
                texts[code] = {"title": title, "body": body}
            elif body and f"title_{code}" not in self.errors:
                self.add_error(f"title_{code}", forms.Field.default_error_messages["required"])
        return texts or None

    @property
    def zone_name(self) -> str:
        """Return the time zone of the times in the fields; a form that comes back has that of its reader."""
        typed = zone(self.data.get(self.add_prefix("timezone")) or "") if self.is_bound else None
        return str(typed or timezone.get_current_timezone_name())

    def clean_level(self) -> str:
        """Take a form without a level as information."""
        return self.cleaned_data.get("level") or "info"

    def _post_clean(self) -> None:
        """Check the broadcast as the services will, and that nobody else has changed it."""
        super()._post_clean()  # type: ignore[misc]
        if self.instance.state in WAITING and not any(name.startswith(PARTS) for name in self.errors):
            self.instance.audience = self.audience().dump()
        if "channels" in self.cleaned_data:
            self.instance.channels = self.cleaned_data["channels"]
        if "title" in self.fields:
            self.instance.texts = self._texts()
        try:
            validate_broadcast(self.instance)
        except ValidationError as error:
            for name, messages in error.error_dict.items():
                self._explain({"audience": "include_names"}.get(name, name), messages)
        self._check_revision()

    def _explain(self, name: str, messages: Any) -> None:
        if name in self.errors or any(part.startswith(PARTS) for part in self.errors if name == "include_names"):
            return  # the field already has an error
        self.add_error(name if name in self.fields else None, messages)

    def _check_revision(self) -> None:
        if self.instance.pk is None:
            return
        now = Broadcast.objects.filter(pk=self.instance.pk).values_list("revision", "title", "state").first()
        if now is None or now[0] == self.cleaned_data.get("loaded_revision"):
            return
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("loaded_revision")] = str(now[0])  # type: ignore[index]
        message = _(
            "Someone else has changed this broadcast: its title is now “%(title)s” and its state is %(state)s. "
            "Nothing was saved; your changes are still here. Save again to overwrite their version."
        )
        self.add_error(None, message % {"title": now[1], "state": BroadcastState(now[2]).label})


def zone(name: str) -> ZoneInfo | None:
    """Return the time zone that the browser sent, if it exists."""
    return ZoneInfo(name) if name in available_timezones() else None


def user_names(pks: Iterable[Any]) -> list[str]:
    """Return the names by which the users with some primary keys sign in."""
    users = get_user_model()
    found = users._default_manager.filter(pk__in=list(pks)).order_by(users.USERNAME_FIELD)
    return list(found.values_list(users.USERNAME_FIELD, flat=True))


def _users_of(value: Any) -> list[Any]:
    return _find_users(value) if isinstance(value, str) else value


def _is_key(value: Any) -> bool:
    try:
        key = get_user_model()._meta.pk.to_python(value)
    except ValidationError:
        return False
    return not isinstance(key, int) or abs(key) < 2**63


def _refuse_multitude(users: Sized) -> None:
    if len(users) > NAMED_LIMIT:
        message = _("You entered %(number)s users; the limit is %(limit)s. Use a group or an audience instead.")
        raise ValidationError(message % {"number": len(users), "limit": NAMED_LIMIT})


def _find_users(text: str) -> list[Any]:
    """Return the keys of the users whose names `text` lists.

    Raises:
        ValidationError: A name is nobody's, or there are too many.
    """
    names = list(dict.fromkeys(map(normalize_username, filter(None, map(str.strip, re.split(r"[,\n]", text))))))
    _refuse_multitude(names)
    users = get_user_model()
    found: dict[str, Any] = {}
    rows = users._default_manager.filter(**{f"{users.USERNAME_FIELD}__in": names})
    for name, pk in rows.values_list(users.USERNAME_FIELD, "pk"):
        found[name] = json_key(pk)
    if unknown := [name for name in names if name not in found]:
        raise ValidationError(_("No user named %(names)s.") % {"names": ", ".join(f"“{name}”" for name in unknown)})
    return [found[name] for name in names]
