# Broadcasts: the outbox, and how far each inbox has collected it.

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import notifications.audiences
import notifications.models.broadcast
import notifications.models.stream
import notifications.validators


class Migration(migrations.Migration):
    dependencies = [
        ("carillon", "0002_chat"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Outbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "epoch",
                    models.CharField(
                        default=notifications.models.stream.new_epoch,
                        editable=False,
                        max_length=8,
                        verbose_name="epoch",
                    ),
                ),
                ("head", models.BigIntegerField(default=0, editable=False, verbose_name="head")),
                ("floor", models.BigIntegerField(default=0, editable=False, verbose_name="floor")),
            ],
            options={
                "verbose_name": "outbox",
                "verbose_name_plural": "outboxes",
            },
        ),
        migrations.AddField(
            model_name="inbox",
            name="collected",
            field=models.BigIntegerField(default=0, editable=False, verbose_name="broadcasts collected"),
        ),
        migrations.AddField(
            model_name="notification",
            name="delivered_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="delivered at"),
        ),
        migrations.CreateModel(
            name="Broadcast",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "title",
                    models.CharField(
                        max_length=200, validators=[notifications.validators.validate_text], verbose_name="title"
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        blank=True,
                        default="",
                        validators=[
                            django.core.validators.MaxLengthValidator(4000),
                            notifications.validators.validate_text,
                        ],
                        verbose_name="body",
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=2000,
                        validators=[notifications.validators.validate_link],
                        verbose_name="link",
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("info", "Information"),
                            ("success", "Success"),
                            ("warning", "Warning"),
                            ("error", "Error"),
                        ],
                        default="info",
                        max_length=10,
                        verbose_name="level",
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=100,
                        validators=[notifications.validators.validate_text],
                        verbose_name="category",
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                (
                    "audience",
                    models.JSONField(
                        default=notifications.models.broadcast.nobody,
                        validators=[notifications.audiences.validate_audience],
                        verbose_name="audience",
                    ),
                ),
                ("publish_at", models.DateTimeField(blank=True, null=True, verbose_name="send at")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("scheduled", "Scheduled"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("recalled", "Recalled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "problem",
                    models.CharField(blank=True, default="", editable=False, max_length=500, verbose_name="problem"),
                ),
                ("revision", models.PositiveIntegerField(default=0, editable=False, verbose_name="revision")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created at"),
                ),
                ("published_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="sent at")),
                (
                    "recalled_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="recalled at"),
                ),
                (
                    "reach",
                    models.PositiveBigIntegerField(blank=True, editable=False, null=True, verbose_name="audience size"),
                ),
                (
                    "reach_exact",
                    models.BooleanField(default=False, editable=False, verbose_name="audience size is exact"),
                ),
                ("modseq", models.BigIntegerField(editable=False, null=True, verbose_name="position")),
                ("arrival", models.BigIntegerField(editable=False, null=True, verbose_name="arrival")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "notice",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="carillon.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "outbox",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="carillon.outbox",
                        verbose_name="outbox",
                    ),
                ),
            ],
            options={
                "verbose_name": "broadcast",
                "verbose_name_plural": "broadcasts",
                "ordering": ["-id"],
                "permissions": [
                    ("send_broadcast", "Can send broadcasts"),
                    ("recall_broadcast", "Can recall broadcasts"),
                ],
                "indexes": [
                    models.Index(models.F("outbox"), models.F("modseq"), name="carillon_posted"),
                    models.Index(models.F("arrival"), name="carillon_published"),
                    models.Index(models.F("state"), models.F("publish_at"), name="carillon_due"),
                ],
            },
        ),
    ]
