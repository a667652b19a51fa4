"""Indexes: what the models name is in the database, whichever that is."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection, models

pytestmark = pytest.mark.django_db

MODELS = list(apps.get_app_config("carillon").get_models())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_index_and_constraint_of_a_model_is_in_its_table(model: type[models.Model]) -> None:
    named = {index.name for index in model._meta.indexes}
    named |= {one.name for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)}
    with connection.cursor() as cursor:
        made = connection.introspection.get_constraints(cursor, model._meta.db_table)
    assert named <= made.keys()


def test_the_models_use_nothing_that_the_database_passes_over() -> None:
    """Django leaves out what a database lacks, an index of expressions on MariaDB for example, and only warns of it."""
    config = apps.get_app_config("carillon")
    said = checks.run_checks([config], tags=[checks.Tags.models, checks.Tags.database], databases=[DEFAULT_DB_ALIAS])
    assert [one for one in said if one.obj in MODELS] == []
