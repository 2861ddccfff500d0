"""What is reviewed of the log stays what was drawn, and a review that is signed stays signed."""

import django.contrib.postgres.indexes
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0006_chain")]

    operations = [
        migrations.AddIndex(
            model_name="logentry",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("codes__has_key", "cases")),
                fields=["codes"],
                name="log_by_listed",
                opclasses=["jsonb_path_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="logreviewrow",
            index=models.Index(condition=models.Q(("verdict", "investigate")), fields=["-id"], name="to_investigate"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="logreview",
            trigger=pgtrigger.compiler.Trigger(
                name="signed_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF TG_OP = 'DELETE' OR OLD.signed_at IS NOT NULL THEN\n        RAISE EXCEPTION 'a review that is signed is never changed, and none is removed'\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    IF NEW.signed_at IS NOT NULL AND EXISTS (\n        SELECT 1 FROM public.people_logreviewrow r WHERE r.review_id = NEW.id AND r.verdict = ''\n    ) THEN\n        RAISE EXCEPTION 'review %: rows are left to mark', NEW.id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n",
                    hash="aecdc7d5ff635fbcd0ddc32220f5fa340850f0e9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_signed_stays_de579",
                    table="people_logreview",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="logreviewrow",
            trigger=pgtrigger.compiler.Trigger(
                name="marked_until_signed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND\n        (NEW.review_id, NEW.entry_id, NEW.subject_id, NEW.rules) IS DISTINCT FROM\n        (OLD.review_id, OLD.entry_id, OLD.subject_id, OLD.rules)\n    ) THEN\n        RAISE EXCEPTION 'what is reviewed stays what was drawn' USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    IF NEW.subject_id IS DISTINCT FROM (SELECT e.user_id FROM public.people_logentry e WHERE e.id = NEW.entry_id) THEN\n        RAISE EXCEPTION 'row % is of somebody else', NEW.entry_id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    PERFORM 1 FROM public.people_logreview v WHERE v.id = NEW.review_id AND v.signed_at IS NULL FOR SHARE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'a review that is signed is never changed' USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n",
                    hash="9e045f521ee61e67677d7473190187ea838e8e20",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_marked_until_signed_fbf74",
                    table="people_logreviewrow",
                    when="BEFORE",
                ),
            ),
        ),
    ]
