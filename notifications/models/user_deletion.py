"""The deletion of a user at the moment in which other transactions store what refers to them.

Django deletes what refers to a user first and the user last, with one statement each. What is stored in between refers
to nobody in the end, and the deletion fails with an `IntegrityError`: where many are notified, that is not rare. It is
whoever comes later that can be told: `notify` tries again, and finds that the user is gone.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connections, models


def lock_deleted(instance: Any, using: str, **kwargs: Any) -> None:
    """Lock a user who is about to be deleted, in databases that check foreign keys at once: who refers to them waits.

    Not where they are checked at the commit: there many transactions end with the user's row, and would wait for a
    deletion that waits for them.
    """
    features = connections[using].features
    if features.has_select_for_update and not features.can_defer_constraint_checks:
        users = get_user_model()._base_manager.using(using)
        list(users.select_for_update().filter(pk=instance.pk).values_list("pk"))


def delete_late_references(instance: Any, using: str, **kwargs: Any) -> None:
    """Delete what others have stored since Django looked, in databases that check foreign keys at the commit.

    The user's row is deleted already, so nobody can commit any more what refers to it. It costs one query.
    """
    if not connections[using].features.can_defer_constraint_checks:
        return
    fields = _references()
    rows = [
        field.model._base_manager.using(using).order_by().filter(**{field.attname: instance.pk}) for field in fields
    ]
    first, *others = [
        found.annotate(place=models.Value(place, models.IntegerField())).values_list("place")
        for place, found in enumerate(rows)
    ]
    for place in {place for (place,) in first.union(*others, all=True)}:
        if fields[place].remote_field.on_delete is models.SET_NULL:
            rows[place].update(**{fields[place].name: None})
        else:
            rows[place].delete()


def _references() -> list[Any]:
    """Return the foreign keys of our models to users that the database enforces."""
    user = get_user_model()
    return [
        field
        for model in apps.get_app_config("carillon").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is user and field.db_constraint  # type: ignore[attr-defined]
    ]
