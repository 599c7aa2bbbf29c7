"""Reports on both databases: what is there already is noticed through the second wall, too."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from clearing_world import clearing_world, name_for
from desk_world import DeskWorld
from leadline.app import case_view, cases, contracts, fixes, people, reports
from leadline.app.cases import NewParty
from leadline.app.context import Context
from leadline.app.ports import Opened
from leadline.core.clearing.case_words import Move, Role
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.report import Draft, Receipt, Stage
from leadline.core.errors import NotFound
from leadline.core.record.act import Kind
from leadline.store import sql
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from reporting import reported, terms
from store.roles import application


@pytest.fixture
def world(database_url: str) -> Iterator[DeskWorld]:
    """The clearinghouse on a database, on PostgreSQL as a role that is behind the second wall."""
    made = clearing_world()
    open_store(database_url, kinds=KINDS).close()
    with ExitStack() as held:
        on_postgresql = database_url.startswith("postgresql")
        url = held.enter_context(application(database_url)) if on_postgresql else database_url
        store = held.enter_context(closing(open_store(url, kinds=KINDS)))
        with made.store.read() as view, store.write() as tx:
            for person in view.principals():
                tx.put_principal(person)
        made.store = store
        yield made


def walled(world: DeskWorld, who: str) -> Context:
    """That person with what it was granted, and a store that reaches what the person may reach."""
    ctx = world.at(who)
    with world.store.read() as view:
        ctx = replace(ctx, principal=people.present(view, ctx.principal, ctx.now))
    return replace(ctx, store=ctx.store.acting(ctx.access.tenancy(ctx.principal)))


def taken(ctx: Context, draft: Draft) -> Receipt:
    """The receipt of one report."""
    return reports.submit(ctx, draft.finding, draft.proof, draft.raw)


def test_what_doubles_goes_on_behind_the_wall(world: DeskWorld) -> None:
    """Though whoever takes a report back reaches neither the row of the other, nor, shared, of its own."""
    draft = reported()
    finder, second = walled(world, "finder"), walled(world, "other-finder")
    one = taken(finder, draft).finding
    taken(second, draft)
    double, last = (reported(title=f"other words {number}") for number in range(2))
    assert taken(second, double).stage is taken(finder, last).stage is Stage.DUPLICATE
    reports.withdraw(finder, one)
    assert reports.state(second, double.finding.id).stage is Stage.DUPLICATE  # it has a finder left
    reports.withdraw(second, one)
    assert reports.state(second, double.finding.id).stage is Stage.SCREENED
    assert reports.state(finder, last.finding.id).stage is Stage.DUPLICATE
    reports.withdraw(second, double.finding.id)
    assert reports.state(finder, last.finding.id).stage is Stage.SCREENED


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


def test_readers_of_a_part_of_a_case_behind_the_wall(world: DeskWorld) -> None:
    """Whoever is named for the outer part alone sees that; once it is public, anybody sees what is."""
    draft = reported()
    taken(walled(world, "finder"), draft)
    screener = walled(world, "screener")
    id_ = draft.finding.id
    case = cases.open_case(screener, [id_], title="Overflow", policy="leadline-default")
    screener = walled(world, "screener")
    vendor = NewParty(Role.DOWNSTREAM, "A vendor", "security@vendor.example", person="downstream")
    cases.add_party(screener, case, vendor)
    for person in ("finder", "downstream"):
        ctx = walled(world, person)
        assert ctx.principal.cases == {case + cases.OUTER}
        seen = case_view.view(ctx, case)
        assert (seen.case, seen.title) == (case, "")
        assert case_view.listed(ctx) == (seen,)
        own = [one.id for one in seen.findings]
        assert own == ([id_] if person == "finder" else [])
        assert [one.role for one in seen.parties] == [
            person if person == "finder" else "downstream"
        ]
    stranger = walled(world, "bank")
    assert case_view.listed(stranger) == ()
    told = set[str]()
    for one in (case, "case-that-is-not-there"):
        with pytest.raises(NotFound) as refused:
            case_view.public(stranger, one)
        told.add(str(refused.value))
    assert len(told) == 1
    cases.move(screener, case, Moved(Move.PUBLIC))
    assert case_view.public(stranger, case).title == "Overflow"


def test_a_case_is_read_without_the_notices_that_name_it(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty thousand operators may have been told of it: their notices are on record beside it, not in it."""
    draft = reported()
    taken(walled(world, "finder"), draft)
    case = cases.open_case(
        walled(world, "screener"), [draft.finding.id], title="Overflow", policy="leadline-default"
    )
    ctx = walled(world, "screener")
    read, opened = list[object](), sql._opened

    def counted(row: sql._OpenedRow) -> Opened:
        found = opened(row)
        read.append(found.act.kind)
        return found

    with ctx.store.write() as tx:
        for n in range(30):
            tx.record(ctx.act(Kind.NOTICE_SENT, f"notice-{n}", "", case=case, operator=f"{n}"))
    monkeypatch.setattr(sql, "_opened", counted)
    assert case_view.view(ctx, case).title == "Overflow"
    assert [one.case for one in case_view.listed(ctx)] == [case]
    assert fixes.board(ctx, case).places
    assert read
    assert Kind.NOTICE_SENT not in read
