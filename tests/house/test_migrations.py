"""The migrations say what the models say."""

from io import StringIO

from django.core.management import call_command


def test_no_migration_is_missing(db):
    out = StringIO()
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=1, stdout=out)
    assert "No changes detected" in out.getvalue()
