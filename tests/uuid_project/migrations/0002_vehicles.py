from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uuid_project", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Vehicle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50)),
            ],
        ),
        migrations.CreateModel(
            name="Bus",
            fields=[
                (
                    "vehicle_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=models.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="uuid_project.vehicle",
                    ),
                ),
                ("seats", models.PositiveIntegerField()),
            ],
            bases=("uuid_project.vehicle",),
        ),
    ]
