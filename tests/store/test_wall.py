"""Lists in SQL say what the rules say, on both databases; PostgreSQL's second wall is never narrower.

The application connects as a role that neither owns the tables nor bypasses row-level security; the
server's superuser of the other tests is behind no wall.
"""

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

import make
from access import asking
from conformance.sightings import KINDS, Remark
from leadline.access import cedar
from leadline.core.access import Action, Bounds, Circumstances, Resource, Tenancy
from leadline.core.errors import Denied, NotFound, Tampered
from leadline.core.marking import Tlp
from leadline.store import wall
from leadline.store.connections import engine_for
from leadline.store.sql import SqlStore, open_store
from store.roles import application

KIND = "finding"
POSTGRESQL = pytest.mark.postgres


def filled(url: str, things: list[Resource]) -> SqlStore:
    """A store with one remark for each thing, with its facts beside it."""
    store = open_store(url, blinder=make.blinders(), kinds=KINDS)
    with store.write() as tx:
        for thing in things:
            tx.put(
                thing.id,
                Remark(thing.id),
                marking=thing.marking,
                engagement=thing.engagement,
                org=thing.org,
                bounds=Bounds(thing.case, thing.level, thing.embargo_until, thing.owner),
            )
    return store


def lists_agree(url: str, rows: int, requests: int) -> tuple[int, int]:
    """How many pairs were compared and how many of them were allowed; no difference among them."""
    shipped, chance = cedar.shipped(), random.Random(60)  # noqa: S311 -- repeats from run to run
    things = asking.things(chance, KIND, rows)
    compared = allowed = 0
    with closing(filled(url, things)) as store, store.read() as view:
        for _ in range(requests):
            asked = asking.request(chance)
            action = chance.choice((Action.RECORD_READ, Action.ASSESSMENT_READ))
            clause = shipped.visible(asked.person, action, KIND, asked.given)
            listed = [row.thing(KIND) for row in view.find(Remark, visible=clause)]
            decided = [
                thing
                for thing in things
                if shipped.decide(asked.person, action, thing, asked.given).allowed
            ]
            assert listed == decided
            compared, allowed = compared + rows, allowed + len(listed)
    return compared, allowed


def test_a_list_in_sql_is_what_the_rules_allow(database_url: str) -> None:
    """3,000 pairs of a person and a row: filtered in the database or decided one by one, the same."""
    compared, allowed = lists_agree(database_url, 60, 50)
    assert compared == 3_000
    assert allowed >= compared // 50


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_million_pairs_agree(database_url: str) -> None:
    """The same, half a million pairs on each database."""
    compared, allowed = lists_agree(database_url, 1_000, 500)
    print(f"{compared} pairs, {allowed} allowed")  # noqa: T201 -- shown with -s
    assert compared == 500_000
    assert allowed >= compared // 50


@pytest.fixture
def walled(postgres_url: str) -> Iterator[tuple[str, list[Resource]]]:
    """A filled database, and the URL of the application's role, which owns nothing."""
    things = asking.things(random.Random(5), KIND, 120)  # noqa: S311 -- repeats from run to run
    filled(postgres_url, things).close()
    with application(postgres_url) as url:
        yield url, things


@POSTGRESQL
def test_the_wall_is_never_narrower_than_the_rules(walled: tuple[str, list[Resource]]) -> None:
    """Whatever a person may do, the rows it is done to can be reached; and the wall does hide some."""
    url, things = walled
    shipped, chance = cedar.shipped(), random.Random(61)  # noqa: S311 -- repeats from run to run
    hidden = allowed = 0
    with closing(open_store(url, kinds=KINDS)) as store:
        for _ in range(120):
            asked = asking.request(chance)
            action = chance.choice((Action.RECORD_READ, Action.ASSESSMENT_READ))
            tenancy = shipped.tenancy(asked.person)
            with store.acting(tenancy).read() as view:
                reached = {row.id for row in view.find(Remark)}
            may = {
                thing.id
                for thing in things
                if shipped.decide(asked.person, action, thing, asked.given).allowed
            }
            assert may <= reached
            hidden, allowed = hidden + len(things) - len(reached), allowed + len(may)
    assert hidden > 1_000
    assert allowed > 200


@POSTGRESQL
@pytest.mark.parametrize("said", [None, ""])
def test_nobody_sees_nothing(walled: tuple[str, list[Resource]], said: str | None) -> None:
    """A connection that says nothing, or the empty text, reaches no row and adds none."""
    url, _ = walled
    engine = engine_for(url)
    with engine.begin() as connection:
        for setting in wall.SETTINGS if said is not None else ():
            connection.execute(sa.select(sa.func.set_config(setting, said, sa.true())))
        for table in wall.TABLES:
            found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608 -- own names
            assert found == 0
    add = "INSERT INTO state (kind, id, version, engagement, org, tlp, body) "
    add += "VALUES ('remark', 'new', 1, '', '', 'TLP:CLEAR', '{}')"
    refusal = pytest.raises(exc.ProgrammingError, match="row-level security")
    with refusal, engine.begin() as connection:
        connection.exec_driver_sql(add)
    engine.dispose()


@POSTGRESQL
def test_a_pooled_connection_leaves_no_identity_over(walled: tuple[str, list[Resource]]) -> None:
    """After a commit, after an error and within one shared transaction, the next one is who it says."""
    url, _ = walled
    outsider = Tenancy("somebody", "elsewhere")
    store = open_store(url, kinds=KINDS)
    engine = store._engine
    with store.read() as view:
        everything = len(view.find(Remark))
    with store.acting(outsider).read() as view:
        little = len(view.find(Remark))
    assert little < everything
    with pytest.raises(NotFound), store.write() as tx:
        tx.get(Remark, "absent")
    with store.acting(outsider).write() as tx:
        assert len(tx.find(Remark)) == little
    with store.write() as tx:
        assert len(tx.find(Remark)) == everything
    with engine.connect() as connection:
        for setting in wall.SETTINGS:
            left = connection.exec_driver_sql(f"SELECT current_setting('{setting}', true)")
            assert not left.scalar()
        assert connection.exec_driver_sql("SELECT count(*) FROM state").scalar() == 0
    store.close()


@POSTGRESQL
def test_the_wall_stands_for_changes_too(walled: tuple[str, list[Resource]]) -> None:
    """A row out of reach is neither replaced nor removed; a refusal about it can be recorded."""
    url, things = walled
    store = open_store(url, kinds=KINDS)
    outsider = store.acting(Tenancy("somebody", "elsewhere"))
    with outsider.read() as view:
        reached = {row.id for row in view.find(Remark)}
    far = next(thing for thing in things if thing.id not in reached)
    with pytest.raises(NotFound), outsider.write() as tx:
        tx.remove(Remark, far.id)
    with outsider.write() as tx:
        tx.put(
            "note", Remark("refused"), marking=make.marking(Tlp.RED, "x"), engagement=far.engagement
        )
    with store.read() as view:
        assert view.get(Remark, far.id).version == 1
        assert view.get(Remark, "note").value == Remark("refused")
    store.close()


@POSTGRESQL
def test_a_developer_reaches_the_own_engagement_whatever_its_level(
    walled: tuple[str, list[Resource]],
) -> None:
    """Withdrawal waits for no clearance, so that the wall must not hide an engagement by level."""
    tenancy = cedar.shipped().tenancy(make.developer())
    row = ("engagement", "e9", make.DEVELOPER, "", "", 2, "TLP:RED")
    engine = engine_for(walled[0])
    columns = "kind, engagement, org, case_id, owner, level, tlp"
    asked = (
        f"SELECT {wall.POLICIES['state', 'SELECT'][0]} "  # noqa: S608 -- our own condition
        f"FROM (VALUES (%s, %s, %s, %s, %s, %s, %s)) AS one ({columns})"
    )
    with engine.begin() as connection:
        wall.identify(connection, tenancy)
        assert connection.exec_driver_sql(asked, row).scalar() is True
        assert connection.exec_driver_sql(asked, ("finding", *row[1:])).scalar() is False
    engine.dispose()


DAMAGE = {
    "row-level security of state": "ALTER TABLE state NO FORCE ROW LEVEL SECURITY",
    "row-level security of state_compartment": (
        "ALTER TABLE state_compartment DISABLE ROW LEVEL SECURITY"
    ),
    "policy on state for SELECT": "ALTER POLICY state_select ON state USING (true)",
    "policy on state for DELETE": "DROP POLICY state_delete ON state",
    "policy on state for ALL": "CREATE POLICY more ON state USING (true)",
}


@POSTGRESQL
@pytest.mark.parametrize("place", DAMAGE)
def test_a_breached_wall_stops_start_up(postgres_url: str, place: str) -> None:
    """Whatever of it is missing or altered is named, and nothing is served."""
    open_store(postgres_url, kinds=KINDS).close()
    engine = engine_for(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(DAMAGE[place])
    engine.dispose()
    with pytest.raises(Tampered) as caught:
        open_store(postgres_url, kinds=KINDS)
    assert caught.value.place == place


def test_a_list_that_cannot_be_decided_is_not_served() -> None:
    """A malformed person gets an error, no rows."""
    person = replace(make.principal("auditor"), engagements=None)  # type: ignore[arg-type]
    with pytest.raises(Denied):
        cedar.shipped().visible(person, Action.RECORD_READ, KIND, Circumstances(make.NOW))
