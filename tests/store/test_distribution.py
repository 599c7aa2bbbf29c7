"""What programs fetch, behind PostgreSQL's second wall, and what a page of it reads on either database."""

from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

import make
from clearing_values import AT
from leadline.app.lines import Shown
from leadline.app.ports import Sought
from leadline.core.access import Tenancy
from leadline.store.sql import SqlStore, open_store
from leadline.wiring.home import KINDS
from leadline.wiring.regimes import library
from store.roles import application
from taxii_world import CASE, OTHER_CASE, draft, numbered, publish

PARTY = Tenancy("ann", "a-project", cases=frozenset({CASE}))
OTHER = Tenancy("ben", "another", cases=frozenset({OTHER_CASE}))
NOBODY = Tenancy("nobody", "")


def opened(url: str) -> SqlStore:
    """The store of an installation."""
    return open_store(url, blinder=make.blinders(), kinds=KINDS, lines=Shown(library))


def met(store: SqlStore, of: Tenancy, case: str) -> int:
    """How many objects somebody gets of a collection when nobody asked the rules first."""
    with store.acting(of).read() as view:
        return len(view.shared(Sought(case)))


@pytest.mark.postgres
def test_behind_the_wall_a_draft_is_for_those_named_alone(postgres_url: str) -> None:
    """Even for a question that forgot the rules; what is public is everybody's, and writing goes on."""
    with closing(opened(postgres_url)) as owner:
        draft(owner, numbered(1), CASE)
        publish(owner, numbered(2))
    with application(postgres_url) as url, closing(opened(url)) as store:
        assert [met(store, one, CASE) for one in (PARTY, OTHER, NOBODY)] == [1, 0, 0]
        assert [met(store, one, "") for one in (PARTY, OTHER, NOBODY)] == [3, 3, 3]
        draft(store.acting(PARTY), numbered(1), CASE, at=AT + timedelta(days=1))
        publish(store.acting(PARTY), numbered(1), at=AT + timedelta(days=2))
        assert met(store, PARTY, CASE) == 0
        assert met(store, NOBODY, "") == 4


def test_a_page_is_read_by_an_index(database_url: str) -> None:
    """Whatever narrows it: nothing is sorted, and no other collection is looked through."""
    with closing(opened(database_url)) as store:
        publish(store, *(numbered(number) for number in range(300)))
        for number in range(300, 600):
            draft(store, numbered(number), f"case-{number}")
        with store._engine.connect() as connection:
            explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("ANALYZE shared"))
            asked = (
                "SELECT * FROM shared WHERE case_id = '' AND added > 5 {} AND NOT EXISTS "
                "(SELECT 1 FROM shared o WHERE o.case_id = shared.case_id AND o.id = shared.id "
                "AND o.version > shared.version) ORDER BY added LIMIT 10"
            )
            for more in ("", "AND type = 'identity'"):
                plan = str(connection.execute(sa.text(f"{explain} {asked.format(more)}")).all())
                assert "TEMP B-TREE" not in plan
                assert "SCAN shared" not in plan
                assert "Seq Scan" not in plan
