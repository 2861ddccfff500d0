from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_key_destroyed_at"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("mail__in", ["unknown", "failed"])), fields=["created_at"], name="mail_adrift"
            ),
        ),
    ]
