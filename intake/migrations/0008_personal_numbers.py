from django.db import migrations, models

import helpline.people.sealed


class Migration(migrations.Migration):
    dependencies = [("intake", "0007_the_guard")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="personal_number",
            field=helpline.people.sealed.SealedTextField(blank=True, default=b""),
        ),
        migrations.AddField(
            model_name="secrecydecision",
            name="covers",
            field=models.JSONField(default=dict),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.CheckConstraint(
                name="number_of_person_in_its_place",
                condition=models.Q(personal_number=b"")
                | models.Q(completed_at__isnull=True, voided_at__isnull=True)
                | models.Q(("case__isnull", True), models.Q(("track", "A"), _negated=True)),
            ),
        ),
    ]
