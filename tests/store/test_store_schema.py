"""Migrations and guards: one schema however it came about, and nothing recorded can be changed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import exc

import make
from conformance.sightings import KINDS, Remark
from leadline.core.errors import Invalid, Refused, Tampered, Unavailable
from leadline.core.marking import Tlp
from leadline.store import guards, tables, upgrades
from leadline.store.connections import engine_for, writing
from leadline.store.database import open_database
from leadline.store.records import Records
from leadline.store.sql import SqlStore, open_store

SQLITE_SCHEMA = """
SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'
"""
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       coalesce(l.collname, ''), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
"""
TRIGGERS = """
SELECT tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""
FUNCTIONS = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
POLICIES = """
SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies
UNION ALL SELECT 'none before revision 3', '', '', '', ''
"""
FORCED = "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind = 'r'"
SCHEMA = {
    "sqlite": (SQLITE_SCHEMA,),
    "postgresql": (COLUMNS, INDEXES, CONSTRAINTS, TRIGGERS, FUNCTIONS, POLICIES, FORCED),
}


def unordered(text: str) -> str:
    """A CREATE TABLE with its parts sorted: SQLite writes an added column behind the constraints."""
    if not text.startswith("CREATE TABLE"):
        return text
    head, _, body = text.removesuffix(")").partition("(")
    parts, depth = [""], 0
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return head + ", ".join(sorted(part.strip() for part in parts))


def schema_of(engine: sa.Engine) -> set[tuple[str, ...]]:
    """Tables, columns, indexes, constraints, triggers and functions, without Alembic's own."""
    found: set[tuple[str, ...]] = set()
    with engine.connect() as connection:
        for query in SCHEMA[engine.dialect.name]:
            rows = [tuple(map(str, row)) for row in connection.execute(sa.text(query))]
            assert rows
            found |= {tuple(unordered(" ".join(part.split())) for part in row) for row in rows}
    return {row for row in found if not any("alembic" in part for part in row)}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A bare engine on an empty database."""
    made = engine_for(database_url)
    yield made
    made.dispose()


@pytest.fixture
def filled(database_url: str) -> str:
    """A database that holds state in a compartment, a principal and an act."""
    with opened(database_url) as store, store.write() as tx:
        tx.put("r", Remark("1"), marking=make.marking(Tlp.RED, "alpha"))
        tx.put_principal(make.principal("evaluator"))
        tx.record(make.act(1))
        tx.set_signed(1, tx.log_root(), make.NOW)
    return database_url


def opened(url: str) -> AbstractContextManager[SqlStore]:
    """The store at a URL, closed at the end of the block."""
    return closing(open_store(url, blinder=make.blinders(), kinds=KINDS))


def test_migrations_build_the_schema_that_the_tables_describe(engine: sa.Engine) -> None:
    """Up, down and up again: columns, indexes, checks, triggers and functions equal those from scratch."""
    with writing(engine) as connection:
        tables.create(connection)
    scratch = schema_of(engine)
    with writing(engine) as connection:
        tables.METADATA.drop_all(connection)
        if engine.dialect.name == "postgresql":
            for name in guards.POSTGRESQL_FUNCTIONS:
                connection.exec_driver_sql(f"DROP FUNCTION {name}")
    upgrades.upgrade(engine)
    assert schema_of(engine) == scratch
    with writing(engine) as connection:
        command.downgrade(upgrades.config(connection), "base")
    with engine.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    upgrades.upgrade(engine)
    assert schema_of(engine) == scratch


def test_each_migration_leaves_the_guards_of_the_others(engine: sa.Engine) -> None:
    """Down one by one to the first with an act in the log, and up again: guards and rows stay."""
    script = ScriptDirectory(str(upgrades.MIGRATIONS))
    line = [one.revision for one in script.walk_revisions("base", upgrades.HEAD)]
    upgrades.upgrade(engine)
    seen = {line[0]: schema_of(engine)}
    store = SqlStore(engine, blinder=make.blinders(), records=Records(KINDS))
    with store.write() as tx:
        tx.record(make.act(1))
    for revision in line[1:]:
        with writing(engine) as connection:
            command.downgrade(upgrades.config(connection), revision)
        seen[revision] = schema_of(engine)
        refusal = pytest.raises(exc.DBAPIError, match="append-only")
        with refusal, writing(engine) as connection:
            connection.exec_driver_sql("DELETE FROM act")
    for revision in reversed(line):
        with writing(engine) as connection:
            command.upgrade(upgrades.config(connection), revision)
        assert schema_of(engine) == seen[revision]
    with store.read() as view:
        assert [one.act for one in view.acts()] == [make.act(1)]


def test_migrations_are_one_line() -> None:
    """One base, one head, no branches; and none uses batch mode, which drops triggers."""
    script = ScriptDirectory(str(upgrades.MIGRATIONS))
    assert script.get_heads() == [upgrades.HEAD]
    assert len(script.get_bases()) == 1
    texts = [file.read_text() for file in (upgrades.MIGRATIONS / "versions").glob("r*.py")]
    assert texts
    assert not [text for text in texts if "batch_alter_table" in text]


def test_opening_again_changes_nothing(filled: str) -> None:
    """The second opening finds the same rows."""
    with opened(filled) as store, store.read() as view:
        assert view.get(Remark, "r").marking == make.marking(Tlp.RED, "alpha")
        assert view.log_size() == 1


def test_a_newer_schema_is_refused(filled: str) -> None:
    """An older Leadline does not write into what it does not understand."""
    engine = engine_for(filled)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Refused, match="newer than this Leadline"):
        open_database(filled)


FORBIDDEN = [
    "UPDATE act SET record = blinder",
    "UPDATE act SET leaf = leaf + 1",
    "DELETE FROM act",
    "UPDATE entry SET leaf = leaf + 1",
    "DELETE FROM entry",
    "DELETE FROM tile",
    "UPDATE tile SET n = n + 1",
    "UPDATE head SET size = 0",
    "DELETE FROM head",
    "UPDATE signed SET size = 0",
    "UPDATE signed SET size = 9",
    "UPDATE signed SET root = (SELECT blinder FROM act)",
    "DELETE FROM signed",
]
SQLITE_ONLY = [
    "INSERT OR REPLACE INTO act SELECT leaf, id, kind, about, engagement, blinder, blinder FROM act",
    "INSERT OR REPLACE INTO act SELECT leaf + 1, id, kind, about, engagement, record, blinder FROM act",
    "INSERT OR REPLACE INTO entry SELECT leaf, zeroblob(33) FROM entry",
    "INSERT OR REPLACE INTO tile SELECT level, n, zeroblob(32) FROM tile",
    "INSERT OR REPLACE INTO head SELECT id, 0, root FROM head",
    "INSERT OR REPLACE INTO signed SELECT id, 0, root, at FROM signed",
    "UPDATE tile SET hashes = zeroblob(64)",
]
POSTGRESQL_ONLY = [
    "TRUNCATE act",
    "TRUNCATE entry",
    "TRUNCATE tile",
    "TRUNCATE head",
    "TRUNCATE signed",
    "UPDATE tile SET hashes = decode(repeat('00', 64), 'hex')",
    "SET LOCAL session_replication_role = replica; DELETE FROM act",
    "INSERT INTO act SELECT leaf, 'new', kind, about, engagement, record, blinder FROM act",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_what_is_recorded_cannot_be_changed(filled: str, statement: str) -> None:
    """By nobody who does not first remove a guard."""
    refuse(filled, statement)


@pytest.mark.parametrize("statement", SQLITE_ONLY)
def test_sqlite_cannot_be_talked_round(sqlite_url: str, statement: str) -> None:
    """Replacement by insert is refused too."""
    refuse(fill(sqlite_url), statement)


@pytest.mark.postgres
@pytest.mark.parametrize("statement", POSTGRESQL_ONLY)
def test_postgresql_cannot_be_talked_round(postgres_url: str, statement: str) -> None:
    """Neither by truncation nor in the role of a replica."""
    refuse(fill(postgres_url), statement)


def fill(url: str) -> str:
    """One act in the log."""
    with opened(url) as store, store.write() as tx:
        tx.record(make.act(1))
        tx.set_signed(1, tx.log_root(), make.NOW)
    return url


def refuse(url: str, statement: str) -> None:
    """Run the statement from outside, expect the guard's words, and find everything as it was."""
    engine = engine_for(url)
    refusal = pytest.raises(exc.DBAPIError, match=r"append-only|only grows|duplicate key")
    with refusal, writing(engine) as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
    with opened(url) as store, store.read() as view:
        assert [one.act for one in view.acts()] == [make.act(1)]
        assert len(view.log_files()) == 2


REMOVALS = {
    "sqlite": {name: f"DROP TRIGGER {name}" for name in guards.SQLITE},
    "postgresql": {
        name: f"DROP TRIGGER {name} ON {table}"
        for name, (table, _, _, _) in guards.POSTGRESQL.items()
    },
}
ALTERED = {
    "sqlite": (
        "DROP TRIGGER act_no_delete; "
        "CREATE TRIGGER act_no_delete BEFORE DELETE ON act WHEN 0 BEGIN SELECT 1; END"
    ),
    "postgresql": "ALTER TABLE act DISABLE TRIGGER act_append_only; ",
}


@pytest.mark.parametrize("name", sorted(guards.SQLITE))
def test_sqlite_is_not_served_without_a_guard(sqlite_url: str, name: str) -> None:
    """Start-up names the guard that is gone."""
    not_served(sqlite_url, [REMOVALS["sqlite"][name]], name)


@pytest.mark.postgres
def test_postgresql_is_not_served_without_a_guard(postgres_url: str) -> None:
    """Whichever is removed, disabled, or given another body."""
    open_database(postgres_url).dispose()
    for name, statement in REMOVALS["postgresql"].items():
        engine = engine_for(postgres_url)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
            with pytest.raises(Tampered, match=f"{name}: missing"):
                guards.verify(connection)
        engine.dispose()
    hollow = "CREATE OR REPLACE FUNCTION leadline_append_only() RETURNS trigger LANGUAGE plpgsql "
    for statement, name in (
        ("ALTER TABLE act DISABLE TRIGGER act_append_only", "act_append_only"),
        ("ALTER TABLE act ENABLE TRIGGER act_append_only", "act_append_only"),
        (f"{hollow} AS $$BEGIN RETURN NEW; END$$", "leadline_append_only"),
    ):
        engine = engine_for(postgres_url)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
            with pytest.raises(Tampered, match=f"{name}: altered"):
                guards.verify(connection)
        engine.dispose()
    open_database(postgres_url).dispose()


def test_an_altered_guard_is_noticed(sqlite_url: str) -> None:
    """A trigger of the right name that does nothing is no guard."""
    not_served(sqlite_url, ALTERED["sqlite"].split("; ", 1), "act_no_delete: altered")


def not_served(url: str, statements: list[str], said: str) -> None:
    """Apply the statements from outside and find the database refused."""
    open_database(url).dispose()
    engine = engine_for(url)
    with writing(engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    with pytest.raises(Tampered, match=said):
        open_database(url)


OPEN = "import sys; from leadline.store.database import open_database; open_database(sys.argv[1])"


def test_processes_that_start_together_upgrade_once(database_url: str) -> None:
    """Four processes open one empty database at the same moment; all succeed."""
    running = [
        subprocess.Popen([sys.executable, "-c", OPEN, database_url], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    outcomes = [(process.communicate(timeout=60)[1], process.returncode) for process in running]
    assert outcomes == [(b"", 0)] * 4
    open_database(database_url).dispose()


def test_sqlite_is_set_as_a_record_needs(sqlite_url: str) -> None:
    """WAL, FULL, foreign keys, a wait for the lock, no trusted schema: on every connection."""
    engine = open_database(sqlite_url)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    wanted |= {"busy_timeout": 10000, "trusted_schema": 0}
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "no url",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////nowhere/at/all/x.db",
        "sqlite:////tmp/x.db?mode=ro",
        "mysql://localhost/x",
    ],
)
def test_another_kind_of_database_is_invalid(url: str) -> None:
    """The error names the field and the cure."""
    with pytest.raises(Invalid) as caught:
        open_database(url)
    assert caught.value.field == "database"


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    """With the driver's first line, and without the password."""
    with pytest.raises(Unavailable) as caught:
        open_database("postgresql://leadline:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    """Not swallowed, and not overwritten."""
    file = tmp_path / "x.db"
    file.write_bytes(b"something else" * 100)
    with pytest.raises(Unavailable):
        open_database(f"sqlite:///{file}")
    assert file.read_bytes() == b"something else" * 100
