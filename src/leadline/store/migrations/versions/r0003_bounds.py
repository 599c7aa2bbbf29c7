"""What else access rules read stands in columns of its own, and PostgreSQL raises its second wall.

A migration is history: it repeats names and statements instead of importing them, and is not edited
once released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
POSTGRESQL = (
    "CREATE FUNCTION leadline_identity() RETURNS jsonb LANGUAGE sql STABLE AS $$SELECT NULLIF(current_setting('leadline.identity', true), '')::jsonb$$",
    "CREATE FUNCTION leadline_reaches(jsonb, text, text, text, text, text, bigint, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT $1 IS NOT NULL AND (($3 = '' AND $5 = '') OR ($6 <> '' AND $6 = $1->>'person') OR (($2 = 'engagement' OR $7 <= ($1->>'clearance')::bigint) AND (jsonb_exists($1->'engagements', $3) OR jsonb_exists($1->'cases', $5) OR ($4 <> '' AND $4 = $1->>'org') OR jsonb_exists($1->'labels', $8))))$$",
    "ALTER TABLE state ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE state FORCE ROW LEVEL SECURITY",
    "ALTER TABLE state_compartment ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE state_compartment FORCE ROW LEVEL SECURITY",
    "CREATE POLICY state_select ON state FOR SELECT USING (leadline_reaches(( SELECT leadline_identity() AS leadline_identity), kind, engagement, org, case_id, owner, level, tlp))",
    "CREATE POLICY state_insert ON state FOR INSERT WITH CHECK ((( SELECT leadline_identity() AS leadline_identity) IS NOT NULL))",
    "CREATE POLICY state_update ON state FOR UPDATE USING (leadline_reaches(( SELECT leadline_identity() AS leadline_identity), kind, engagement, org, case_id, owner, level, tlp)) WITH CHECK ((( SELECT leadline_identity() AS leadline_identity) IS NOT NULL))",
    "CREATE POLICY state_delete ON state FOR DELETE USING (leadline_reaches(( SELECT leadline_identity() AS leadline_identity), kind, engagement, org, case_id, owner, level, tlp))",
    "CREATE POLICY state_compartment_select ON state_compartment FOR SELECT USING ((EXISTS ( SELECT 1 FROM state s WHERE ((s.kind = state_compartment.kind) AND (s.id = state_compartment.id)))))",
    "CREATE POLICY state_compartment_insert ON state_compartment FOR INSERT WITH CHECK ((( SELECT leadline_identity() AS leadline_identity) IS NOT NULL))",
    "CREATE POLICY state_compartment_update ON state_compartment FOR UPDATE USING ((EXISTS ( SELECT 1 FROM state s WHERE ((s.kind = state_compartment.kind) AND (s.id = state_compartment.id))))) WITH CHECK ((( SELECT leadline_identity() AS leadline_identity) IS NOT NULL))",
    "CREATE POLICY state_compartment_delete ON state_compartment FOR DELETE USING ((EXISTS ( SELECT 1 FROM state s WHERE ((s.kind = state_compartment.kind) AND (s.id = state_compartment.id)))))",
)


def upgrade() -> None:
    """Columns with a default, so that no table is built anew and no trigger is lost."""
    for name in ("case_id", "owner"):
        op.add_column("state", sa.Column(name, TEXT, nullable=False, server_default=""))
    for name in ("level", "embargo_until"):
        op.add_column("state", sa.Column(name, COUNT, nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.execute(sa.text(statement))


def downgrade() -> None:
    """As before; for tests."""
    if op.get_bind().dialect.name == "postgresql":
        for table in ("state_compartment", "state"):
            for command in ("select", "insert", "update", "delete"):
                op.execute(sa.text(f"DROP POLICY {table}_{command} ON {table}"))
            op.execute(sa.text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
            op.execute(sa.text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
        arguments = "jsonb, text, text, text, text, text, bigint, text"
        op.execute(sa.text(f"DROP FUNCTION leadline_reaches({arguments})"))
        op.execute(sa.text("DROP FUNCTION leadline_identity()"))
    for name in ("embargo_until", "level", "owner", "case_id"):
        op.drop_column("state", name)
