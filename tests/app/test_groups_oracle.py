"""The board of groups, cut in the database, is the board from all findings and all evidence, as before."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import fakes
import make
from clearing_values import finding
from conformance.conftest import POSTGRESQL
from leadline.app import evidence
from leadline.app.evidence import Overview
from leadline.app.lines import Shown
from leadline.app.ports import Ask, Reading, Store
from leadline.core.access import Bounds, Principal, Tenancy
from leadline.core.clause import Clause, Fact, Not, admits, every, one_of, some
from leadline.core.clearing import evidence as core
from leadline.core.clearing.evidence import Claim, EvidenceEdge, Picture
from leadline.core.clearing.finding import Finding
from leadline.core.errors import Invalid
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value
from leadline.store.connections import engine_for, writing
from leadline.store.sql import open_store
from leadline.store.tables import ASKED, JOINED, PROJECTED
from leadline.wiring.desk import library
from leadline.wiring.home import KINDS
from store.roles import application

if TYPE_CHECKING:
    from leadline.app.context import Context

MANY = 7
ROW = Marking(Tlp.RED)  # so that no label lets anybody reach it
NUMBERS = iter(range(10**9))
LINES = Shown(library)
NUMBER = st.integers(0, MANY - 1)
PLACE = st.tuples(st.sampled_from("xy"), st.sampled_from("mno"))  # case and owner
EDGE = st.tuples(
    st.lists(NUMBER, min_size=2, max_size=2, unique=True),
    st.sampled_from([Claim.SAME, Claim.SAME, Claim.POSSIBLE, Claim.POSSIBLE, Claim.DISTINCT]),
    st.booleans(),
)
STEP = st.one_of(
    EDGE, EDGE, EDGE, EDGE, st.integers(0, 30), st.tuples(st.just("to"), NUMBER, PLACE)
)
WORLD = st.tuples(
    st.lists(st.tuples(PLACE, st.integers(0, 2)), min_size=MANY, max_size=MANY),
    st.lists(STEP, max_size=25),
    st.tuples(st.sets(st.sampled_from("xy")), st.sets(st.sampled_from("mno"))),
)

Sketch = tuple[
    list[tuple[tuple[str, str], int]], list[Any], tuple[set[str], set[str]]
]  # findings, steps, who is named


@dataclass(frozen=True)
class Reader:
    """Somebody named for some cases, who handed in some findings."""

    clause: Clause
    tenancy: Tenancy

    def at(self, store: Store) -> "Context":
        """As use cases are told of a person."""
        access = SimpleNamespace(visible=lambda *_: self.clause)
        return cast(
            "Context",
            SimpleNamespace(
                store=store.acting(self.tenancy),
                now=make.NOW,
                principal=cast("Principal", SimpleNamespace(id=self.tenancy.person)),
                assurance=0,
                suspended=False,
                access=access,
                decision=lambda _, thing: SimpleNamespace(allowed=admits(self.clause, thing)),
            ),
        )


def entered(store: Store, world: Sketch, number: int) -> list[Reader]:
    """Enter findings, evidence and what changes of both, in blocks; answers those who read of it."""
    places, steps, (cases, owners) = world
    made = [
        finding(title=f"t{number}-{n}", ids=() if not ids else (f"CVE-2026-{ids}", "GHSA-1"))
        for n, (_, ids) in enumerate(places)
    ]
    with store.write() as tx:
        for one, (place, _) in zip(made, places, strict=True):
            tx.put(one.id, one, marking=ROW, bounds=bounds(place, number))
    added, size = list[str](), 1 + number % 4
    for begin in range(0, len(steps), size):
        with store.write() as tx:
            for step in steps[begin : begin + size]:
                if isinstance(step, int):
                    if added:
                        say(tx, Kind.EVIDENCE_RETRACTED, added[step % len(added)], {})
                elif step[0] == "to":
                    row = tx.get(Finding, made[step[1]].id)
                    to = replace(row.bounds, case=bounds(step[2], number).case)
                    tx.put(row.id, row.value, marking=ROW, bounds=to, expect=row.version)
                else:
                    pair, claim, judged = step
                    a, b = (made[one].id for one in pair)
                    rung = 3 if claim is Claim.POSSIBLE else 2
                    edge = EvidenceEdge(a, b, rung, claim, "e" * 64, "ann", make.NOW, "r", judged)
                    say(tx, Kind.EVIDENCE_ADDED, edge.id, core.detail(edge))
                    added.append(edge.id)
    mine = {f"case-{one}-{number}" for one in cases}
    by = {f"{one}-{number}" for one in owners}
    return [
        reader(mine, set()),
        *(reader(mine, {one}) for one in sorted(by)),
        reader({f"case-{one}-{number}" for one in "xy"}, set()),
        reader(mine, {"m-" + str(number)}, walking=True),
        reader({f"case-{one}-{number}" for one in "xy"}, set(), walking=True),
    ]


def bounds(place: tuple[str, str], number: int) -> Bounds:
    """Of a case and an owner of this example alone."""
    return Bounds(case=f"case-{place[0]}-{number}", owner=f"{place[1]}-{number}")


def reader(cases: set[str], owners: set[str], *, walking: bool = False) -> Reader:
    """Who reads these; *walking*: by a rule that does not say of what few things."""
    clause = some([one_of(Fact.CASE, cases), one_of(Fact.OWNER, owners)])
    if walking:
        clause = Not(
            every(
                [Not(one_of(Fact.CASE, cases or {"-"})), Not(one_of(Fact.OWNER, owners or {"-"}))]
            )
        )
    person = next(iter(owners), "nobody")
    return Reader(clause, Tenancy(person, "", cases=frozenset(cases)))


def say(tx: Reading, kind: Kind, about: str, detail: dict[str, Value]) -> None:
    """Record an act of Ann's."""
    tx.record(Act(f"act-{next(NUMBERS)}", kind, make.NOW, "ann", about, "", detail))  # type: ignore[attr-defined]


def from_everything(view: Reading, clause: Clause) -> Picture:
    """What the reader is shown, from every finding and every act about evidence."""
    readable = {row.id: row.value for row in view.find(Finding, visible=clause)}
    kinds = {Kind.EVIDENCE_ADDED, Kind.EVIDENCE_RETRACTED}
    stand = core.standing(one.act for one in view.acts() if one.act.kind in kinds)
    edges = [one for one in stand if {one.a, one.b} <= set(readable)]
    ids = {
        one.id: frozenset(name for name in one.ids if name.startswith("CVE-"))
        for one in readable.values()
    }
    return core.picture(readable, edges, ids)


def whole(ctx: "Context", ask: Ask, limit: int) -> list[Overview]:
    """Every part, one after the other."""
    parts, cursor = list[Overview](), ""
    while True:
        parts.append(evidence.overview(ctx, ask, cursor, limit))
        if parts[-1].next is None:
            return parts
        cursor = parts[-1].next


def check(ctx: "Context", seen: Picture, limit: int) -> int:
    """Raise unless the parts are what is seen, each thing once; answers how much was seen."""
    asked, joined = whole(ctx, Ask.ASKED, limit), whole(ctx, Ask.JOINED, limit)
    proposals = [one for part in asked for one in part.picture.proposals]
    assert sorted(map(repr, proposals)) == sorted(map(repr, seen.proposals))
    doubts = [one for part in asked for one in part.picture.doubts]
    assert sorted(map(repr, doubts)) == sorted(map(repr, seen.doubts))
    held = [one for part in joined for one in part.picture.clusters]
    assert sorted(held) == sorted(one for one in seen.clusters if len(one) > 1)
    places = [min((e.a, e.b) for e in one.edges) for one in proposals]
    assert places == sorted(places)
    for part in asked:
        assert len(part.picture.proposals) + len(part.picture.doubts) <= limit
        assert {e.id for one in part.picture.proposals for e in one.edges} <= {
            e.id for e in part.edges
        }
    for part in (*asked, *joined):
        named = {id_ for cluster in part.picture.clusters for id_ in cluster}
        assert set(part.findings) == named
    return len(proposals) + len(doubts) + len(held)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[Store, str]]:
    """An empty store of each kind, and where it is; PostgreSQL by a role that its wall holds for."""
    if request.param == "memory":
        yield fakes.MemoryStore(make.blinders(), KINDS, LINES), ""
        return
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_url")
        with closing(open_store(url, blinder=make.blinders(), kinds=KINDS, lines=LINES)) as store:
            yield store, url
        return
    url = request.getfixturevalue("postgres_url")
    open_store(url, blinder=make.blinders(), kinds=KINDS, lines=LINES).close()
    with (
        application(url) as served,
        closing(open_store(served, blinder=make.blinders(), kinds=KINDS, lines=LINES)) as store,
    ):
        yield store, served


def test_the_board_is_the_one_from_all_findings(opened: tuple[Store, str]) -> None:
    """For anybody, in parts of any length, however findings and evidence came and went; made again, too."""
    store, url = opened
    readers, shown = list[Reader](), list[int]()

    @settings(max_examples=20 if url else 40, deadline=None)
    @given(world=WORLD, limit=st.sampled_from([1, 2, 100]))
    def run(world: Sketch, limit: int) -> None:
        some_ = entered(store, world, next(NUMBERS))
        readers.extend(some_)
        for one in some_:
            with store.read() as view:
                seen = from_everything(view, one.clause)
            shown.append(check(one.at(store), seen, limit))

    run()
    assert any(shown)
    if url:
        engine = engine_for(url)
        with writing(engine) as connection:
            connection.execute(sa.delete(PROJECTED))
            connection.execute(sa.delete(JOINED))
            connection.execute(sa.insert(ASKED), {"a": "an earlier", "b": "version's"})
        engine.dispose()
        with closing(open_store(url, kinds=KINDS, lines=LINES)) as again:
            for one in readers[:: 1 + len(readers) // 20]:
                with again.read() as view:
                    seen = from_everything(view, one.clause)
                check(one.at(again), seen, 3)


def chain(
    store: Store, number: int, many: int, claim: Claim
) -> tuple[list[str], Callable[[], None]]:
    """Findings of which evidence connects each with the next; and what joins all of them with the first."""
    made = sorted(
        (finding(title=f"chain {number} {n}", ids=()) for n in range(many)), key=lambda one: one.id
    )
    ids = [one.id for one in made]

    def said(pairs: Iterator[tuple[str, str]], claim: Claim) -> None:
        with store.write() as tx:
            for a, b in pairs:
                rung = 3 if claim is Claim.POSSIBLE else 2
                edge = EvidenceEdge(a, b, rung, claim, "e" * 64, "ann", make.NOW, "r", judged=True)
                say(tx, Kind.EVIDENCE_ADDED, edge.id, core.detail(edge))

    with store.write() as tx:
        for one in made:
            tx.put(one.id, one, marking=ROW, bounds=bounds(("x", "m"), number))
    said(pairwise(ids), claim)
    return ids, lambda: said(((ids[0], id_) for id_ in ids[2:]), Claim.SAME)


def test_what_is_settled_is_asked_no_more_and_costs_nothing(opened: tuple[Store, str]) -> None:
    """Proposals between findings that other evidence joins, read by the same people, leave the table."""
    store, _ = opened
    number = next(NUMBERS)
    ids, join = chain(store, number, 12, Claim.POSSIBLE)
    me = reader({f"case-x-{number}"}, set()).at(store)
    assert sum(len(one.picture.proposals) for one in whole(me, Ask.ASKED, 5)) == 11
    with store.read() as view:
        assert len(view.pairs(Ask.ASKED, me.access.visible(), ("", ""), 99)) == 11  # type: ignore[call-arg]
    join()
    with store.read() as view:
        left = view.pairs(Ask.ASKED, me.access.visible(), ("", ""), 99)  # type: ignore[call-arg]
    assert left == [(ids[0], ids[1]), (ids[1], ids[2])]
    (one,) = whole(me, Ask.JOINED, 5)
    assert one.picture.clusters == ((ids[0], *ids[2:]),)


def test_a_part_ends_before_everything_was_looked_at(
    opened: tuple[Store, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that finds nothing says where to go on; what is asked about later is not lost."""
    store, _ = opened
    number = next(NUMBERS)
    monkeypatch.setattr(evidence, "LOOKED_MAX", 2)
    chain(store, number, 7, Claim.POSSIBLE)
    parts = whole(reader({f"case-x-{number}"}, set()).at(store), Ask.ASKED, 100)
    assert [len(one.picture.proposals) for one in parts] == [2, 2, 2]


@pytest.mark.parametrize("cursor", ["x", ".", "a.", ".b", "a.b\0", "ä.b"])
def test_a_place_that_no_board_gave_out_is_refused(cursor: str) -> None:
    """As is a part without end."""
    me = reader(set(), set()).at(fakes.MemoryStore(make.blinders(), KINDS, LINES))
    with pytest.raises(Invalid, match="cursor"):
        evidence.overview(me, Ask.ASKED, cursor)
    for limit in (0, 201):
        with pytest.raises(Invalid, match="limit"):
            evidence.overview(me, Ask.ASKED, "", limit)
