"""Content: the fields that a notice and a broadcast share."""

from __future__ import annotations

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..validators import (
    BODY_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    validate_data,
    validate_line,
    validate_link,
    validate_text,
    validate_texts,
    validate_visible,
)

CONTENT = ("title", "body", "url", "level", "category", "expires_at", "texts")
OF_KIND = ("kind", "data", "version", "facts", "about_model", "about_key")  # what a declared kind has besides


class Level(models.TextChoices):
    """How a notification is coloured and announced."""

    INFO = "info", _("Information")
    SUCCESS = "success", _("Success")
    WARNING = "warning", _("Warning")
    ERROR = "error", _("Error")


class Content(models.Model):
    """What recipients read. Text is text, never HTML.

    `texts` has the title and the body for readers of other languages: ``{"de": {"title": "…", "body": "…"}}``.

    One of a declared kind has `facts`, of the kind's `version`; its title, body, link and level are then what is shown
    where they cannot be rendered. The instance that it is about is named without a foreign key into the site's tables:
    by the label of its model, in small letters, and its primary key as text.
    """

    title = models.CharField(_("title"), max_length=TITLE_LENGTH, validators=[validate_line, validate_visible])
    body = models.TextField(
        _("body"), blank=True, default="", validators=[MaxLengthValidator(BODY_LENGTH), validate_text]
    )
    url = models.CharField(_("link"), max_length=URL_LENGTH, blank=True, default="", validators=[validate_link])
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.INFO)
    category = models.CharField(_("category"), max_length=100, blank=True, default="", validators=[validate_line])
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    texts = models.JSONField(_("texts in other languages"), null=True, blank=True, validators=[validate_texts])
    kind = models.CharField(_("kind"), max_length=100, blank=True, default="", validators=[validate_line])
    data = models.JSONField(_("data"), blank=True, default=dict, encoder=DjangoJSONEncoder, validators=[validate_data])
    version = models.PositiveSmallIntegerField(_("version of the facts"), null=True, blank=True, editable=False)
    facts = models.JSONField(_("facts"), null=True, blank=True, encoder=DjangoJSONEncoder, editable=False)
    about_model = models.CharField(_("about a"), max_length=100, blank=True, default="", editable=False)
    about_key = models.CharField(_("with the key"), max_length=200, blank=True, default="", editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Show the title."""
        return self.title

    def content(self) -> dict[str, Any]:
        """Return the shared fields, by name."""
        return {name: getattr(self, name) for name in CONTENT}
