"""An index and a constraint that every database can have."""

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


class GivenUnique(models.UniqueConstraint):
    """A constraint by which fields are unique, the last of which is null in nearly all rows.

    Nulls are distinct everywhere, so that the constraint is the same on each database; where an index can be partial
    its index has no entries for them, which would be written with each change of a row.
    """

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return what makes the constraint together with its table."""
        return self._made(schema_editor).constraint_sql(model, schema_editor)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that makes the constraint."""
        return self._made(schema_editor).create_sql(model, schema_editor)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that removes it."""
        return self._made(schema_editor).remove_sql(model, schema_editor)

    def _made(self, schema_editor: Any) -> models.UniqueConstraint:
        is_partial = schema_editor.connection.features.supports_partial_indexes
        given = Q((f"{self.fields[-1]}__isnull", False)) if is_partial else None
        return models.UniqueConstraint(fields=self.fields, name=self.name, condition=given)
