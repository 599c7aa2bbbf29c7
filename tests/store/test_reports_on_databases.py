"""Reports on both databases: what is there already is noticed through the second wall, too."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from clearing_world import clearing_world, name_for
from desk_world import DeskWorld
from leadline.app import cases, contracts, reports
from leadline.app.context import Context
from leadline.core.clearing.report import Draft, Receipt, Stage
from leadline.core.errors import NotFound
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from reporting import reported, terms


@pytest.fixture
def world(database_url: str) -> Iterator[DeskWorld]:
    """The clearinghouse on a database."""
    made, store = clearing_world(), open_store(database_url, kinds=KINDS)
    with made.store.read() as view, store.write() as tx:
        for person in view.principals():
            tx.put_principal(person)
    made.store = store
    yield made
    store.close()


def walled(world: DeskWorld, who: str) -> Context:
    """That person, with a store that reaches what the person may reach."""
    ctx = world.at(who)
    return replace(ctx, store=ctx.store.acting(ctx.access.tenancy(ctx.principal)))


def taken(ctx: Context, draft: Draft) -> Receipt:
    """The receipt of one report."""
    return reports.submit(ctx, draft.finding, draft.proof, draft.raw)


def test_reports_behind_the_wall(world: DeskWorld) -> None:
    """Handed in twice, by two, opened as a case; each person reaches the own part."""
    contracts.add(walled(world, "maintainer"), terms(), b"file")
    draft, other = reported(), reported(title="other words")
    finder, second = walled(world, "finder"), walled(world, "other-finder")
    first = taken(finder, draft)
    again = taken(finder, draft)
    assert (again.known, again.index) == (True, first.index)
    same, twin = taken(second, draft), taken(second, other)
    assert (same.known, twin.stage) == (True, Stage.DUPLICATE)
    id_ = draft.finding.id
    assert reports.state(second, id_).stage is Stage.SCREENED  # which it handed in as well
    with pytest.raises(NotFound):
        reports.state(walled(world, "downstream"), id_)
    screener = walled(world, "screener")
    assert reports.proof(screener, id_) == reports.proof(finder, id_) == b"proof"
    for stage in (Stage.DEDUPLICATED, Stage.REPRODUCING, Stage.CONFIRMED, Stage.SCORED):
        reports.move(screener, id_, stage, "on it goes")
    reports.move(screener, id_, Stage.QUEUED, "on it goes")
    case = cases.open_case(screener, [id_], title="Overflow", policy="leadline-default")
    assert reports.state(finder, id_).case == case
    name_for(world, "maintainer", case)
    assert reports.proof(walled(world, "maintainer"), id_) == b"proof"
    assert reports.proof(finder, id_) == b"proof"
