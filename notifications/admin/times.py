"""Times on the admin's pages."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import is_aware, localtime


def when(moment: datetime) -> SafeString:
    """Show a moment in the page's time zone."""
    shown = localtime(moment) if is_aware(moment) else moment
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), localize(shown))
