"""Edges of the store's parts that no port promises."""

from contextlib import closing
from dataclasses import dataclass, field

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event

import make
from conformance.sightings import KINDS, Remark, Sighting
from leadline.core.errors import Invalid, Unavailable
from leadline.store import connections, sql
from leadline.store.database import open_database
from leadline.store.records import Records
from leadline.store.shards import open_executor
from leadline.store.sql import SqlStore, open_store


@dataclass(frozen=True, slots=True)
class Loose:
    """A record that should not be one: bytes and an attribute of any type."""

    content: bytes = b""
    anything: object = None
    made: int = field(default=0, compare=True)


def test_two_records_cannot_share_a_name() -> None:
    """The second would be read as the first."""
    with pytest.raises(Invalid, match="share a name"):
        Records({Remark: "one", Sighting: "one"})


@pytest.mark.parametrize(
    "value",
    [Loose(content=b"\xff"), Loose(anything=(1,)), Loose(anything=lambda: None)],
)
def test_a_value_that_would_come_back_changed_is_refused(value: Loose) -> None:
    """When it is written, not when it is read."""
    with pytest.raises(Invalid, match="Loose"):
        Records({Loose: "loose"}).dump(value)


def test_a_float_that_is_no_number_is_refused() -> None:
    """JSON has no such thing."""
    with pytest.raises(Invalid):
        Records(KINDS).dump(Sighting("x", share=float("nan")))


def test_a_field_of_another_type_than_declared_is_refused() -> None:
    """A number where text is declared does not become text."""
    with pytest.raises(Invalid):
        Records(KINDS).dump(Remark(3))  # type: ignore[arg-type]


def test_a_short_blinder_is_refused(sqlite_url: str) -> None:
    """Nothing is recorded under fewer than 32 bytes."""
    with closing(open_store(sqlite_url, blinder=lambda: b"short", kinds={})) as store:
        with store.write() as tx, pytest.raises(Invalid, match="blinder"):
            tx.record(make.act(1))
        with store.read() as view:
            assert view.log_size() == 0


def test_fresh_blinders_differ() -> None:
    """32 bytes from the system, never the same."""
    made = {sql.fresh_blinder() for _ in range(50)}
    assert len(made) == 50
    assert {len(one) for one in made} == {32}


def test_a_writer_that_cannot_get_the_lock_hears_why(sqlite_url: str) -> None:
    """Unavailable after the wait, here a short one; and the first writer still commits."""
    engine = open_database(sqlite_url)
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 50"))
    engine.dispose()  # so that every connection from here on is a new one
    other = SqlStore(engine, blinder=make.blinders(), records=Records({}))
    with closing(SqlStore(engine, blinder=make.blinders(), records=Records({}))) as store:
        with store.write() as tx:
            tx.record(make.act(1))
            with pytest.raises(Unavailable, match="locked"), other.write():
                pytest.fail("two writers at once")
        with store.read() as view:
            assert view.log_size() == 1


def test_a_note_from_anywhere_can_be_kept(database_url: str) -> None:
    """NUL, lone surrogates and great length, as a crashed program prints them, spoil nothing."""
    with closing(open_executor(database_url)) as table:
        table.submit("job", "eval", {"n": "1"}, total=1)
        held = table.claim("w", now=make.NOW, lease_seconds=1)
        assert held is not None
        assert table.heartbeat(held, now=make.NOW, done=0, note="a\0b\ud800c")
        assert table.shards("job")[0].note == "a\N{REPLACEMENT CHARACTER}b?c"
        table.fail(held, now=make.NOW, error="x" * 10_000, attempts_max=9)
        assert len(table.shards("job")[0].error) == 4000


def test_a_time_without_offset_is_invalid(sqlite_url: str) -> None:
    """A lease cannot be judged by a clock of an unknown zone."""
    with closing(open_executor(sqlite_url)) as table, pytest.raises(Invalid, match="offset"):
        table.claim("w", now=make.NOW.replace(tzinfo=None), lease_seconds=1)


@pytest.mark.postgres
def test_a_connection_that_was_cut_is_found_out(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that rested is asked first, and nobody notices; one used just now costs one answer, and no second."""
    store = open_store(postgres_url, kinds=KINDS)

    def cut() -> None:
        with store.read() as view:
            assert view.principals() == []
            pid = view._connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with closing(store):
        monkeypatch.setattr(connections, "HEARD_SECONDS", 0.0)
        cut()
        with store.read() as view:
            assert view.principals() == []
        monkeypatch.setattr(connections, "HEARD_SECONDS", 60.0)
        cut()
        with pytest.raises(Unavailable, match="try again"), store.read() as view:
            view.principals()
        with store.read() as view:
            assert view.principals() == []
