"""The database's own refusals: acts and log entries are never changed, the log never shrinks.

Nor does the size of the largest head that was signed, which may not exceed the log's own.

Triggers hold on every connection, ours or not. SQLite's `INSERT OR REPLACE` deletes the old row
without firing a delete trigger, so an insert over an existing key is refused as well; PostgreSQL's
triggers are enabled ALWAYS, so that a replication role does not skip them. `verify` compares what the
database holds with what stands here, and a store is only opened when they are equal.

What triggers cannot stop is an owner who drops them; `verify` and the log's signed checkpoints are
what notices.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from leadline.core.errors import Tampered

SQLITE = {
    "act_no_update": "BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
    "act_no_delete": "BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
    "act_no_replace": (
        "BEFORE INSERT ON act WHEN EXISTS "
        "(SELECT 1 FROM act WHERE leaf = NEW.leaf OR id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'act is append-only'); END"
    ),
    "entry_no_update": (
        "BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END"
    ),
    "entry_no_delete": (
        "BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END"
    ),
    "entry_no_replace": (
        "BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE leaf = NEW.leaf) "
        "BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END"
    ),
    "tile_only_grows": (
        "BEFORE UPDATE ON tile WHEN NEW.level <> OLD.level OR NEW.n <> OLD.n "
        "OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes "
        "BEGIN SELECT RAISE(ABORT, 'tile only grows'); END"
    ),
    "tile_no_delete": "BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'tile only grows'); END",
    "tile_no_replace": (
        "BEFORE INSERT ON tile WHEN EXISTS "
        "(SELECT 1 FROM tile WHERE level = NEW.level AND n = NEW.n) "
        "BEGIN SELECT RAISE(ABORT, 'tile only grows'); END"
    ),
    "head_only_grows": (
        "BEFORE UPDATE ON head WHEN NEW.id <> OLD.id OR NEW.size < OLD.size "
        "BEGIN SELECT RAISE(ABORT, 'head only grows'); END"
    ),
    "head_no_delete": "BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'head only grows'); END",
    "head_no_replace": (
        "BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head) "
        "BEGIN SELECT RAISE(ABORT, 'head only grows'); END"
    ),
    "signed_only_grows": (
        "BEFORE UPDATE ON signed WHEN NEW.id <> OLD.id OR NEW.size < OLD.size "
        "OR (NEW.size = OLD.size AND NEW.root <> OLD.root) "
        "OR NEW.size > (SELECT size FROM head) "
        "BEGIN SELECT RAISE(ABORT, 'signed only grows'); END"
    ),
    "signed_no_delete": (
        "BEFORE DELETE ON signed BEGIN SELECT RAISE(ABORT, 'signed only grows'); END"
    ),
    "signed_no_replace": (
        "BEFORE INSERT ON signed WHEN EXISTS (SELECT 1 FROM signed) "
        "OR NEW.size > (SELECT size FROM head) "
        "BEGIN SELECT RAISE(ABORT, 'signed only grows'); END"
    ),
}

POSTGRESQL_FUNCTIONS = {
    "leadline_append_only": (
        "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END"
    ),
    "leadline_tile_grows": (
        "BEGIN IF NEW.level <> OLD.level OR NEW.n <> OLD.n "
        "OR substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) <> OLD.hashes "
        "THEN RAISE EXCEPTION USING MESSAGE = 'tile only grows'; END IF; RETURN NEW; END"
    ),
    "leadline_head_grows": (
        "BEGIN IF NEW.id <> OLD.id OR NEW.size < OLD.size "
        "THEN RAISE EXCEPTION USING MESSAGE = 'head only grows'; END IF; RETURN NEW; END"
    ),
    "leadline_signed_grows": (
        "BEGIN IF NEW.size > (SELECT size FROM head) OR (TG_OP = 'UPDATE' AND (NEW.id <> OLD.id "
        "OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root))) "
        "THEN RAISE EXCEPTION USING MESSAGE = 'signed only grows'; END IF; RETURN NEW; END"
    ),
}

_REFUSE, _TILE, _HEAD, _SIGNED = POSTGRESQL_FUNCTIONS
POSTGRESQL = {  # spelled as `pg_get_triggerdef` spells them
    "act_append_only": ("act", "BEFORE DELETE OR UPDATE", "ROW", _REFUSE),
    "act_no_truncate": ("act", "BEFORE TRUNCATE", "STATEMENT", _REFUSE),
    "entry_append_only": ("entry", "BEFORE DELETE OR UPDATE", "ROW", _REFUSE),
    "entry_no_truncate": ("entry", "BEFORE TRUNCATE", "STATEMENT", _REFUSE),
    "tile_only_grows": ("tile", "BEFORE UPDATE", "ROW", _TILE),
    "tile_no_delete": ("tile", "BEFORE DELETE", "ROW", _REFUSE),
    "tile_no_truncate": ("tile", "BEFORE TRUNCATE", "STATEMENT", _REFUSE),
    "head_only_grows": ("head", "BEFORE UPDATE", "ROW", _HEAD),
    "head_no_delete": ("head", "BEFORE DELETE", "ROW", _REFUSE),
    "head_no_truncate": ("head", "BEFORE TRUNCATE", "STATEMENT", _REFUSE),
    "signed_only_grows": ("signed", "BEFORE INSERT OR UPDATE", "ROW", _SIGNED),
    "signed_no_delete": ("signed", "BEFORE DELETE", "ROW", _REFUSE),
    "signed_no_truncate": ("signed", "BEFORE TRUNCATE", "STATEMENT", _REFUSE),
}
ALWAYS = "A"  # pg_trigger.tgenabled of a trigger that no session setting skips


def statements(dialect: str) -> Sequence[str]:
    """The statements that put every guard in place on an empty schema."""
    if dialect == "sqlite":
        return [f"CREATE TRIGGER {name} {body}" for name, body in SQLITE.items()]
    functions = [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
        for name, body in POSTGRESQL_FUNCTIONS.items()
    ]
    triggers = [
        f"CREATE TRIGGER {name} {moment} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
        for name, (table, moment, each, function) in POSTGRESQL.items()
    ]
    always = [
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
        for name, (table, _, _, _) in POSTGRESQL.items()
    ]
    return [*functions, *triggers, *always]


def verify(connection: sa.Connection) -> None:
    """Return if every guard is present and unaltered.

    Raises: Tampered, naming the guard: the database must not be served from.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    found = _on_sqlite(connection) if on_sqlite else _on_postgresql(connection)
    expected = _expected_sqlite() if on_sqlite else _expected_postgresql()
    for name, definition in expected.items():
        if found.get(name) != definition:
            state = "altered" if name in found else "missing"
            raise Tampered(
                f"database guard {name}",
                f"{state}; what it protects may have been changed: restore a checked backup",
            )


def _expected_sqlite() -> dict[str, str]:
    return dict(zip(SQLITE, statements("sqlite"), strict=True))


def _on_sqlite(connection: sa.Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {row.name: row.sql for row in rows}


def _expected_postgresql() -> dict[str, str]:
    triggers = {
        name: f"{ALWAYS} CREATE TRIGGER {name} {moment} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        for name, (table, moment, each, function) in POSTGRESQL.items()
    }
    return triggers | POSTGRESQL_FUNCTIONS


def _on_postgresql(connection: sa.Connection) -> dict[str, str]:
    triggers = connection.exec_driver_sql(
        "SELECT t.tgname AS name, "
        "t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid, true) AS definition "
        "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)"
    )
    functions = connection.exec_driver_sql(
        "SELECT proname AS name, prosrc AS definition FROM pg_proc WHERE pg_function_is_visible(oid) "
        "AND prorettype = 'trigger'::regtype AND starts_with(proname, 'leadline_')"
    )
    return {row.name: row.definition for row in (*triggers, *functions)}
