"""There is a recording to watch and to comment on."""

from typing import Any

from django.db import migrations

from project.samples import RECORDING


def record(apps: Any, schema_editor: Any) -> None:
    """Make it, unless somebody has."""
    recordings = apps.get_model("project", "Recording").objects.using(schema_editor.connection.alias)
    recordings.get_or_create(name=RECORDING)


class Migration(migrations.Migration):
    dependencies = [("project", "0001_initial")]

    operations = [migrations.RunPython(record, migrations.RunPython.noop)]
