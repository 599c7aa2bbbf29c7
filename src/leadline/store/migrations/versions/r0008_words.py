"""Lists are quick behind PostgreSQL's wall: words in a table of their own, policies without a function.

Row-level security lets no index of words be used on a walled table, and a function of each row cost more than
everything else about it. The words are filled when the store is opened (`leadline.store.listing`): a
migration knows no records. SQLite has neither. A migration is history: it repeats names and statements
instead of importing them, and is not edited once released.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

IDENTITY = "( SELECT leadline_identity() AS leadline_identity)"
REACHED = (
    f"(({IDENTITY} IS NOT NULL) AND (((engagement = ''::text) AND (case_id = ''::text)) "
    "OR ((owner <> ''::text) AND (owner = ( SELECT (leadline_identity() ->> 'person'::text)))) "
    "OR (((kind = 'engagement'::text) OR (level <= ( SELECT ((leadline_identity() ->> 'clearance'::text))::bigint AS int8))) AND ("
    f"jsonb_exists({IDENTITY}, ('case:'::text || case_id)) "
    f"OR jsonb_exists({IDENTITY}, ('engagement:'::text || engagement)) "
    "OR ((org <> ''::text) AND (org = ( SELECT (leadline_identity() ->> 'org'::text)))) "
    f"OR jsonb_exists({IDENTITY}, ('label:'::text || tlp))))))"
)
BEFORE = f"leadline_reaches({IDENTITY}, kind, engagement, org, case_id, owner, level, tlp)"
ARGUMENTS = "jsonb, text, text, text, text, text, bigint, text"
FUNCTION = (
    f"CREATE FUNCTION leadline_reaches({ARGUMENTS}) RETURNS boolean LANGUAGE sql IMMUTABLE AS "
    "$$SELECT $1 IS NOT NULL AND (($3 = '' AND $5 = '') OR ($6 <> '' AND $6 = $1->>'person') OR (($2 = 'engagement' OR $7 <= ($1->>'clearance')::bigint) AND (jsonb_exists($1->'engagements', $3) OR jsonb_exists($1->'cases', $5) OR ($4 <> '' AND $4 = $1->>'org') OR jsonb_exists($1->'labels', $8))))$$"
)
WORDS = (
    "DROP INDEX ix_listing_words",
    (
        "CREATE TABLE listing_words (seq bigint NOT NULL CONSTRAINT pk_listing_words PRIMARY KEY "
        "CONSTRAINT fk_listing_words_listing REFERENCES listing (seq) ON DELETE CASCADE, "
        "words tsvector NOT NULL)"
    ),
    "CREATE INDEX ix_listing_words_words ON listing_words USING gin (words)",
    "DELETE FROM listed",
)
NO_WORDS = (
    "DROP TABLE listing_words",
    "CREATE INDEX ix_listing_words ON listing USING gin (array_to_tsvector(string_to_array(words, ' ')))",
)


def _policies(rows: str) -> tuple[str, ...]:
    return tuple(
        f"ALTER POLICY {table}_{command} ON {table} USING ({rows})"
        for table in ("state", "listing")
        for command in ("select", "update", "delete")
    )


def _say(*statements: str) -> None:
    for statement in statements if op.get_bind().dialect.name == "postgresql" else ():
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    """One new table in the place of an index; other conditions in the same policies."""
    _say(*WORDS, *_policies(REACHED), f"DROP FUNCTION leadline_reaches({ARGUMENTS})")


def downgrade() -> None:
    """As before; for tests."""
    _say(FUNCTION, *_policies(BEFORE), *NO_WORDS)
