"""The application's database role runs and owns nothing: what it may do with each table, set after every migration."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

IS_SCHEMA_OURS = "SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'public'"


def grant_application_role(using: str, **_: Any) -> None:
    """Grant to the role of `default` what it needs. Runs as the owner; harmless when run again."""
    role = str(settings.APP_ROLE)
    connection = connections[using]
    with connection.cursor() as cursor:
        quoted = connection.ops.quote_name(role)
        cursor.execute("SELECT current_user, 1 FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
        if not found or found[0] == role:
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        # No table of its own: one of the same name would stand before ours in what a trigger looks up.
        database = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {quoted}")
        cursor.execute(IS_SCHEMA_OURS)  # the same of a schema that an older server made, where anybody may create
        if cursor.fetchone()[0]:
            cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        there = set(connection.introspection.table_names(cursor))
        for model in apps.get_models():
            if getattr(model, "append_only", False) and model._meta.db_table in there:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {quoted}")
                if getattr(model, "disposable", False):  # a trigger asks for the approved disposal
                    cursor.execute(f"GRANT DELETE ON {table} TO {quoted}")
            if getattr(model, "read_only", False) and model._meta.db_table in there:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM {quoted}")
