"""PostgreSQL row-level security: a second wall below the access rules, for tenancy only.

A transaction says whose it is, in a setting that ends with it; the policies let it reach the rows of
that person's engagements, cases and organisation, those under labels that its side may see, and what
belongs to no engagement at all. Unset and empty are nobody. The wall is wider than the access rules, so
that it never hides what they allow, and knows nothing of actions. What a transaction adds is not
walled: a refusal is recorded by the very person who was refused.

The wall holds for any role that is neither a superuser nor has BYPASSRLS, the owner of the tables
included. SQLite has no such thing; there all access goes through this store.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa

from leadline.core.access import Tenancy
from leadline.core.errors import Tampered
from leadline.core.marking import Tlp

SETTING = "leadline.identity"
TOLD_MAX = 256
INSTALLATION = Tenancy(
    "", "", clearance=2**31 - 1, labels=frozenset(label.value for label in Tlp)
)  # the store itself, when no person acts through it

FUNCTIONS = {
    "leadline_identity": (
        "() RETURNS jsonb LANGUAGE sql STABLE",
        f"SELECT NULLIF(current_setting('{SETTING}', true), '')::jsonb",
    ),
}
# Spelled as PostgreSQL's catalogue spells them, but for white space. What a transaction says is read once
# for each question: each bracket with SELECT is a value by the time the rows are tried. A function of the
# row, or names in a list within a list, cost twenty times as much for each row.
_IDENTITY = "( SELECT leadline_identity() AS leadline_identity)"
_PERSON = "( SELECT (leadline_identity() ->> 'person'::text))"
_ORG = "( SELECT (leadline_identity() ->> 'org'::text))"
_CLEARANCE = "( SELECT ((leadline_identity() ->> 'clearance'::text))::bigint AS int8)"


def _named(names: str, column: str) -> str:
    return f"jsonb_exists({_IDENTITY}, ('{names}:'::text || {column}))"


_REACHED = (
    f"(({_IDENTITY} IS NOT NULL) AND (((engagement = ''::text) AND (case_id = ''::text)) "
    f"OR ((owner <> ''::text) AND (owner = {_PERSON})) "
    f"OR (((kind = 'engagement'::text) OR (level <= {_CLEARANCE})) AND ("
    f"{_named('case', 'case_id')} OR {_named('engagement', 'engagement')} "
    f"OR ((org <> ''::text) AND (org = {_ORG})) OR {_named('label', 'tlp')}))))"
)
_SHARED = (
    f"(({_IDENTITY} IS NOT NULL) AND ((case_id = ''::text) "
    f"OR {_named('case', 'case_id')} OR {_named('label', 'tlp')}))"
)
_SOMEBODY = f"({_IDENTITY} IS NOT NULL)"
_PARENT = (
    "(EXISTS ( SELECT 1 FROM state s "
    "WHERE ((s.kind = state_compartment.kind) AND (s.id = state_compartment.id))))"
)
# Which rows a command finds, and which it may leave behind.
POLICIES = {
    (table, command): ("" if command == "INSERT" else rows, new)
    for table, rows in (
        ("state", _REACHED),
        ("state_compartment", _PARENT),
        ("listing", _REACHED),
        ("shared", _SHARED),
    )
    for command, new in (
        ("SELECT", ""),
        ("INSERT", _SOMEBODY),
        ("UPDATE", _SOMEBODY),
        ("DELETE", ""),
    )
}
TABLES = ("state", "state_compartment", "listing", "shared")


def statements(dialect: str) -> Sequence[str]:
    """The statements that raise the wall on a schema without one; none on SQLite."""
    if dialect == "sqlite":
        return []
    functions = [
        f"CREATE FUNCTION {name}{head} AS $${body}$$" for name, (head, body) in FUNCTIONS.items()
    ]
    on = [
        f"ALTER TABLE {table} {word} ROW LEVEL SECURITY"
        for table in TABLES
        for word in ("ENABLE", "FORCE")
    ]
    policies = [
        f"CREATE POLICY {_name(*place)} ON {place[0]} FOR {place[1]}"
        + (f" USING ({rows})" if rows else "")
        + (f" WITH CHECK ({new})" if new else "")
        for place, (rows, new) in POLICIES.items()
    ]
    return [*functions, *on, *policies]


def _name(table: str, command: str) -> str:
    return f"{table}_{command.lower()}"


def identify(connection: sa.Connection, tenancy: Tenancy) -> None:
    """Say whose transaction this is, until it ends."""
    if connection.dialect.name == "sqlite":
        return
    connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (SETTING, _told(tenancy)))


@lru_cache(maxsize=TOLD_MAX)
def _told(tenancy: Tenancy) -> str:
    """Whose transaction it is, as the database reads it: the same text for the same person and names."""
    names = {
        "engagement": tenancy.engagements,
        "case": tenancy.cases,
        "label": tenancy.labels,
    }
    return json.dumps(
        {"person": tenancy.person, "org": tenancy.org, "clearance": tenancy.clearance}
        | {f"{of}:{name}": 1 for of, held in names.items() for name in sorted(held)}
    )


def verify(connection: sa.Connection) -> None:
    """Return if the wall stands as it was raised.

    Raises: Tampered, naming what is missing or altered.
    """
    if connection.dialect.name == "sqlite":
        return
    walled = connection.exec_driver_sql(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity "
        "AND pg_table_is_visible(oid)"
    )
    for table in sorted(set(TABLES) - set(walled.scalars())):
        raise Tampered(f"row-level security of {table}", "off; restore a checked backup")
    rows = connection.exec_driver_sql(
        "SELECT tablename, cmd, policyname, permissive || roles::text AS reach, "
        "coalesce(qual, '') AS qual, coalesce(with_check, '') AS with_check "
        "FROM pg_policies WHERE schemaname = current_schema()"
    )
    found = {
        (row.tablename, row.cmd): tuple(" ".join(part.split()) for part in tuple(row)[2:])
        for row in rows
    }
    for place in sorted(set(POLICIES) | set(found)):
        due = POLICIES.get(place)
        if due is None or found.get(place) != (_name(*place), "PERMISSIVE{public}", *due):
            raise Tampered(f"policy on {place[0]} for {place[1]}", "missing, altered or foreign")
    bodies = connection.exec_driver_sql(
        "SELECT proname, prosrc FROM pg_proc WHERE pg_function_is_visible(oid)"
    )
    present = {row.proname: row.prosrc for row in bodies}
    for name, (_, body) in FUNCTIONS.items():
        if present.get(name) != body:
            raise Tampered(f"database function {name}", "missing or altered")
