"""Database routers of the kinds that sites have."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


class Replica:
    """Read from the replica and write to the primary; sessions are kept in the primary, as sites with a replica do."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return where a query goes that names no database."""
        return "default" if model._meta.app_label == "sessions" else "replica"

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return where changes go."""
        return "default"

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Both hold the same rows."""
        return True
