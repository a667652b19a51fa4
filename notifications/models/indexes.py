"""An index that every database can have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Q


class NullsIndex(models.Index):
    """An index of the rows in which some columns are null, and some others are not.

    It is a partial one where the database has such; elsewhere those columns stand in it after the first field.
    """

    def __init__(self, *, fields: Sequence[str], nulls: Sequence[str], name: str, given: Sequence[str] = ()) -> None:
        """Index `fields` of the rows whose columns `nulls` are all null, and `given` are not."""
        super().__init__(fields=fields, name=name)
        self.nulls = list(nulls)
        self.given = list(given)

    def deconstruct(self) -> Any:
        """Say how the index is made, for migrations."""
        path, arguments, named = super().deconstruct()
        given = {"given": self.given} if self.given else {}
        return path, arguments, {**named, "nulls": self.nulls, **given}

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        """Return the statement that makes the index."""
        if schema_editor.connection.features.supports_partial_indexes:
            null = {f"{name}__isnull": True for name in self.nulls}
            condition = Q(**null, **{f"{name}__isnull": False for name in self.given})
            made = models.Index(fields=self.fields, name=self.name, condition=condition)
        else:
            made = models.Index(fields=[self.fields[0], *self.nulls, *self.fields[1:]], name=self.name)
        return made.create_sql(model, schema_editor, using, **kwargs)
