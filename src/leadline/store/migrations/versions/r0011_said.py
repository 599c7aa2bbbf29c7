"""What a transaction says of itself stands in settings of its own, and PostgreSQL's policies read those.

Before, all of it was one text, and for a person of some hundred cases each bracket of a policy took it apart
anew. SQLite has no such wall. A migration is history: it repeats names and statements instead of importing
them, and is not edited once released.
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def _value(name: str) -> str:
    return f"( SELECT current_setting('leadline.{name}'::text, true) AS current_setting)"


def _typed(name: str, kind: str) -> str:
    said = f"NULLIF(current_setting('leadline.{name}'::text, true), ''::text)"
    return f'( SELECT ({said})::{kind} AS "nullif")'


def _named(names: str, column: str) -> str:
    return f"jsonb_exists({_typed(names, 'jsonb')}, {column})"


SOMEBODY = f"({_value('clearance')} <> ''::text)"
REACHED = (
    f"({SOMEBODY} AND (((engagement = ''::text) AND (case_id = ''::text)) "
    f"OR ((owner <> ''::text) AND (owner = {_value('person')})) "
    f"OR (((kind = 'engagement'::text) OR (level <= {_typed('clearance', 'bigint')})) AND ("
    f"{_named('cases', 'case_id')} OR {_named('engagements', 'engagement')} "
    f"OR ((org <> ''::text) AND (org = {_value('org')})) OR {_named('labels', 'tlp')}))))"
)
SHARED = (
    f"({SOMEBODY} AND ((case_id = ''::text) "
    f"OR {_named('cases', 'case_id')} OR {_named('labels', 'tlp')}))"
)

IDENTITY = "( SELECT leadline_identity() AS leadline_identity)"
SOMEBODY_BEFORE = f"({IDENTITY} IS NOT NULL)"
REACHED_BEFORE = (
    f"({SOMEBODY_BEFORE} AND (((engagement = ''::text) AND (case_id = ''::text)) "
    "OR ((owner <> ''::text) AND (owner = ( SELECT (leadline_identity() ->> 'person'::text)))) "
    "OR (((kind = 'engagement'::text) OR (level <= ( SELECT ((leadline_identity() ->> 'clearance'::text))::bigint AS int8))) AND ("
    f"jsonb_exists({IDENTITY}, ('case:'::text || case_id)) "
    f"OR jsonb_exists({IDENTITY}, ('engagement:'::text || engagement)) "
    "OR ((org <> ''::text) AND (org = ( SELECT (leadline_identity() ->> 'org'::text)))) "
    f"OR jsonb_exists({IDENTITY}, ('label:'::text || tlp))))))"
)
SHARED_BEFORE = (
    f"({SOMEBODY_BEFORE} AND ((case_id = ''::text) "
    f"OR jsonb_exists({IDENTITY}, ('case:'::text || case_id)) "
    f"OR jsonb_exists({IDENTITY}, ('label:'::text || tlp))))"
)
FUNCTION = (
    "CREATE FUNCTION leadline_identity() RETURNS jsonb LANGUAGE sql STABLE AS "
    "$$SELECT NULLIF(current_setting('leadline.identity', true), '')::jsonb$$"
)


def _policies(reached: str, shared: str, somebody: str) -> tuple[str, ...]:
    rows = {"state": reached, "listing": reached, "shared": shared}
    return (
        *(
            f"ALTER POLICY {table}_{command} ON {table} USING ({which})"
            for table, which in rows.items()
            for command in ("select", "update", "delete")
        ),
        *(
            f"ALTER POLICY {table}_{command} ON {table} WITH CHECK ({somebody})"
            for table in (*rows, "state_compartment")
            for command in ("insert", "update")
        ),
    )


def _say(*statements: str) -> None:
    for statement in statements if op.get_bind().dialect.name == "postgresql" else ():
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    """Other conditions in the same policies."""
    _say(*_policies(REACHED, SHARED, SOMEBODY), "DROP FUNCTION leadline_identity()")


def downgrade() -> None:
    """As before; for tests."""
    _say(FUNCTION, *_policies(REACHED_BEFORE, SHARED_BEFORE, SOMEBODY_BEFORE))
