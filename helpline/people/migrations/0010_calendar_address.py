"""The secret address of one's own calendar."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import helpline.people.clock


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0009_bound_factors"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField(default=helpline.people.clock.now)),
                ("read_on", models.DateField(null=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_address",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
