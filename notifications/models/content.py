"""Content: the fields that a notice and a broadcast share."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..validators import (
    BODY_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    validate_line,
    validate_link,
    validate_text,
    validate_texts,
    validate_visible,
)

CONTENT = ("title", "body", "url", "level", "category", "expires_at", "texts")


class Level(models.TextChoices):
    """How a notification is coloured and announced."""

    INFO = "info", _("Information")
    SUCCESS = "success", _("Success")
    WARNING = "warning", _("Warning")
    ERROR = "error", _("Error")


class Content(models.Model):
    """What recipients read. Text is text, never HTML.

    `texts` has the title and the body for readers of other languages: ``{"de": {"title": "…", "body": "…"}}``.
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

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Show the title."""
        return self.title

    def content(self) -> dict[str, Any]:
        """Return the shared fields, by name."""
        return {name: getattr(self, name) for name in CONTENT}
