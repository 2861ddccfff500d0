"""What a database holds, as it is compared after a restore: each table's rows by number and digest, and all that guards them."""

import re
from typing import Any

KEY_TABLES = ("people_datakey", "people_indexkey")
# Whose rows no backup keeps: who is logged in just now and what is counted against guessing. The tables come back empty.
PASSING_TABLES = ("django_session", "usersessions_usersession", "cache")
NO_ROWS = {"rows": 0, "sha256": ""}
# Text of a row must not depend on who asks. With row_security off a question that would be answered in part is an error.
SAME_TEXT = """
    SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
    SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL row_security = off;
    SET LOCAL search_path = pg_catalog;
"""
TABLES = """
    SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
# Over the digests of all rows, in their own order: whatever the order of the rows, and every column of each.
DIGEST = """
    SELECT count(*), coalesce(encode(sha256(string_agg(one, ''::bytea ORDER BY one)), 'hex'), '')
    FROM (SELECT sha256(convert_to(t::text, 'UTF8')) AS one FROM public."{table}" t) rows
"""
# kind -> a question whose answers are lines; {owner} is the owner of each thing, whatever that role is called.
OBJECTS = {
    "columns": """
        SELECT format('%s.%s %s%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0
          AND NOT a.attisdropped
    """,
    "constraints": """
        SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    """,
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": """
        SELECT format('%s %s', tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t
        JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace
    """,
    "functions": """
        SELECT format('%s %s', oid::regprocedure, md5(pg_get_functiondef(oid))) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
    """,
    "views": """
        SELECT format('%s %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM pg_class c
        WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace
    """,
    "policies": """
        SELECT format('%s %s %s to %s for %s using %s check %s', tablename, policyname, permissive, roles, cmd, qual,
            with_check) FROM pg_policies WHERE schemaname = 'public'
        UNION ALL SELECT format('%s row security%s', relname, CASE WHEN relforcerowsecurity THEN ', forced' ELSE '' END)
        FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace
    """,
    "grants": """
        SELECT format('%s: %s to %s%s', what, privilege_type,
            CASE grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(grantee) END,
            CASE WHEN is_grantable THEN ', to pass on' ELSE '' END)
        FROM (
            SELECT relname::text AS what, relowner AS owner, relacl AS acl FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT format('%s.%s', relname, attname), relowner, attacl FROM pg_attribute
            JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'the schema', nspowner, nspacl FROM pg_namespace WHERE nspname = 'public'
        ) things, aclexplode(acl) WHERE grantee <> owner AND NOT pg_has_role(grantee, owner, 'USAGE')
    """,
}
ROLES = """
    SELECT DISTINCT rolname FROM (
        SELECT (aclexplode(relacl)).grantee AS role FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT (aclexplode(attacl)).grantee FROM pg_attribute
        UNION ALL SELECT (aclexplode(proacl)).grantee FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT (aclexplode(nspacl)).grantee FROM pg_namespace WHERE nspname = 'public'
        UNION ALL SELECT unnest(polroles) FROM pg_policy
    ) named JOIN pg_roles r ON r.oid = role WHERE rolname <> current_user AND rolname NOT LIKE 'pg\\_%' ORDER BY 1
"""
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"

# One and the same list, as PostgreSQL says it of what was typed and of what came out of a dump.
_TEXT = r"'(?:[^']|'')*'::character varying"
TYPED = re.compile(rf"\(ARRAY\[({_TEXT}(?:, {_TEXT})*)\]\)::text\[\]")

Tables = dict[str, dict[str, Any]]


def names_of_tables(cursor: Any) -> list[str]:
    """All tables of ours, in the order of the alphabet."""
    cursor.execute(TABLES)
    return [name for (name,) in cursor.fetchall()]


def tables(cursor: Any, names: list[str]) -> Tables:
    """Table -> how many rows, and a digest of what each of them says."""
    cursor.execute(SAME_TEXT)
    found: Tables = {}
    for name in names:
        cursor.execute(DIGEST.format(table=name))
        rows, digest = cursor.fetchone()
        found[name] = {"rows": rows, "sha256": digest}
    return found


def objects(cursor: Any) -> dict[str, list[str]]:
    """Columns, constraints, indexes, triggers, functions, views, policies and grants, as sorted lines."""
    cursor.execute(SAME_TEXT)
    found = {}
    for kind, question in OBJECTS.items():
        cursor.execute(question)
        found[kind] = sorted(_as_dumped(line) for (line,) in cursor.fetchall())
    return found


def _as_dumped(line: str) -> str:
    return TYPED.sub(lambda typed: f"ARRAY[{re.sub(_TEXT, lambda one: f'({one[0]})::text', typed[1])}]", line)


def sequences(cursor: Any) -> dict[str, int]:
    """Sequence -> the last number that it gave, 0 for none."""
    cursor.execute(SEQUENCES)
    return {name: last or 0 for name, last in cursor.fetchall()}


def roles(cursor: Any) -> list[str]:
    """The roles that must be there before a restore: those that grants and policies name."""
    cursor.execute(ROLES)
    return [name for (name,) in cursor.fetchall()]


def differences(wanted: Tables, found: Tables) -> list[str]:
    """In words, where two pictures of tables differ; nothing where every row is the same."""
    told = [f"{name}: the table is missing" for name in sorted(wanted.keys() - found.keys())]
    told += [f"{name}: a table that was not in the backup" for name in sorted(found.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        was, now = wanted[name], found[name]
        if was["rows"] != now["rows"]:
            told.append(f"{name}: {now['rows']} rows, and the backup says {was['rows']}")
        elif was["sha256"] != now["sha256"]:
            told.append(f"{name}: {now['rows']} rows as in the backup, and at least one of them says something else")
    return told


def changed_objects(wanted: dict[str, list[str]], found: dict[str, list[str]]) -> list[str]:
    """In words, which triggers, grants, policies and so on are missing or came besides."""
    told = []
    for kind, lines in wanted.items():
        now = found.get(kind, [])
        told += [f"{kind}: missing: {line}" for line in sorted(set(lines) - set(now))]
        told += [f"{kind}: not in the backup: {line}" for line in sorted(set(now) - set(lines))]
    return told
