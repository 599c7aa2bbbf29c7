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

PERSON, ORG, CLEARANCE = "leadline.person", "leadline.org", "leadline.clearance"
ENGAGEMENTS, CASES, LABELS = "leadline.engagements", "leadline.cases", "leadline.labels"
SETTINGS = (PERSON, ORG, CLEARANCE, ENGAGEMENTS, CASES, LABELS)  # an empty clearance is nobody
TOLD_MAX = 256
INSTALLATION = Tenancy(
    "", "", clearance=2**31 - 1, labels=frozenset(label.value for label in Tlp)
)  # the store itself, when no person acts through it

# Spelled as PostgreSQL's catalogue spells them, but for white space. What a transaction says is read once
# for each question: each bracket with SELECT is a value by the time the rows are tried. A function of the
# row, or names in a list, cost twenty times as much for each row. Each thing said is a setting of its own:
# read out of one text, some hundred names were taken apart anew for every bracket.


def _said(setting: str) -> str:
    return f"current_setting('{setting}'::text, true)"


def _value(setting: str) -> str:
    return f"( SELECT {_said(setting)} AS current_setting)"


_CLEARANCE = f"( SELECT (NULLIF({_said(CLEARANCE)}, ''::text))::bigint AS \"nullif\")"


def _named(names: str, column: str) -> str:
    held = f"( SELECT (NULLIF({_said(names)}, ''::text))::jsonb AS \"nullif\")"
    return f"jsonb_exists({held}, {column})"


_SOMEBODY = f"({_value(CLEARANCE)} <> ''::text)"
_REACHED = (
    f"({_SOMEBODY} AND (((engagement = ''::text) AND (case_id = ''::text)) "
    f"OR ((owner <> ''::text) AND (owner = {_value(PERSON)})) "
    f"OR (((kind = 'engagement'::text) OR (level <= {_CLEARANCE})) AND ("
    f"{_named(CASES, 'case_id')} OR {_named(ENGAGEMENTS, 'engagement')} "
    f"OR ((org <> ''::text) AND (org = {_value(ORG)})) OR {_named(LABELS, 'tlp')}))))"
)
_SHARED = (
    f"({_SOMEBODY} AND ((case_id = ''::text) "
    f"OR {_named(CASES, 'case_id')} OR {_named(LABELS, 'tlp')}))"
)
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
    return [*on, *policies]


def _name(table: str, command: str) -> str:
    return f"{table}_{command.lower()}"


def identify(connection: sa.Connection, tenancy: Tenancy) -> None:
    """Say whose transaction this is, until it ends."""
    if connection.dialect.name == "sqlite":
        return
    connection.exec_driver_sql(_SAY, _told(tenancy))


_SAY = "SELECT " + ", ".join(f"set_config('{setting}', %s, true)" for setting in SETTINGS)


@lru_cache(maxsize=TOLD_MAX)
def _told(tenancy: Tenancy) -> tuple[str, ...]:
    """Whose transaction it is, setting by setting: the same texts for the same person and names."""
    names = (tenancy.engagements, tenancy.cases, tenancy.labels)
    return (
        tenancy.person,
        tenancy.org,
        str(tenancy.clearance),
        *(json.dumps(dict.fromkeys(sorted(held), 1)) for held in names),
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
