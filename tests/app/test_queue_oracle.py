"""The queue from its projection is the queue from all acts, as it was computed before there was one."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import fakes
import make
from conformance.conftest import POSTGRESQL
from leadline.app import queueing
from leadline.app.contracts import on_file
from leadline.app.ports import Reading, Store
from leadline.app.queueing import FIXED, OUT, Queue
from leadline.core.clearing.chain import Link, effective
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.fix import RECALLED
from leadline.core.clearing.pacing import Delivered, Slot, Waiting, schedule
from leadline.core.clearing.queue import EARLY, STEPS, again, entry
from leadline.core.clearing.report import Stage, Standing, standing
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind
from leadline.store.connections import engine_for, writing
from leadline.store.sql import open_store
from leadline.store.tables import CLAIMED, NAMED, PROJECTED, QUEUE
from leadline.wiring.home import KINDS
from reporting import terms

if TYPE_CHECKING:
    from leadline.app.context import Context

FINDINGS = [f"f{n}" for n in range(7)]
CASES, FIXES = ("case-1", "case-2"), ("fix-1", "fix-2")
PROJECTS = ("p", "q", "r")
CONTRACTS = (
    terms("p", maintainers=("Ada",), per_week=1, max_open=1),
    terms("q", maintainers=("Ada", "Bob"), per_week=2),
)
LANES = [*(one.lane for one in CONTRACTS), "nobody's"]
NUMBERS = iter(range(10**9))


@dataclass(frozen=True)
class Said:
    """An act to record: what it is about and says, so many hours after the first."""

    kind: Kind
    about: str
    hours: int
    detail: Mapping[str, object]


def said(
    kind: Kind, about: st.SearchStrategy[str], **detail: st.SearchStrategy
) -> st.SearchStrategy:
    """Acts of one kind."""
    return st.builds(
        Said, st.just(kind), about, st.integers(0, 400), st.fixed_dictionaries({}, optional=detail)
    )


FINDING, CASE = st.sampled_from(FINDINGS), st.sampled_from(CASES)
STAGES = st.sampled_from([one.value for one in Stage])


def needs(number: int) -> st.SearchStrategy:
    """What a finding builds on: earlier ones alone, as digests have it."""
    if not number:
        return st.just(())
    any_of = st.lists(st.sampled_from(FINDINGS[:number]), min_size=1, max_size=2).map(tuple)
    return st.lists(any_of, max_size=2).map(tuple)


SUBMITTED = st.integers(0, len(FINDINGS) - 1).flatmap(
    lambda number: said(
        Kind.FINDING_SUBMITTED,
        st.just(FINDINGS[number]),
        lane=st.sampled_from(LANES),
        state=STAGES,
        severity=st.sampled_from([one.value for one in Severity]),
        needs=needs(number),
    )
)
ACTS = st.lists(
    st.one_of(
        SUBMITTED,
        SUBMITTED,
        said(Kind.FINDING_SUBMITTED, st.just(f"{EARLY}aa")),
        said(Kind.FINDING_RECORDED, FINDING),
        said(
            Kind.FINDING_MOVED,
            FINDING,
            state=STAGES,
            case=CASE,
            lane=st.sampled_from(LANES),
            urgent=st.sampled_from(["", "attacked"]),
        ),
        said(Kind.FINDING_REPLAYED, FINDING, verdict=st.sampled_from(["flaky", "confirmed"])),
        said(Kind.FINDING_WITHDRAWN, FINDING),
        said(
            Kind.FIX_MOVED,
            st.sampled_from(FIXES),
            finding=FINDING,
            state=st.sampled_from([*FIXED, RECALLED, "sent"]),
        ),
        said(Kind.CASE_MOVED, CASE, move=st.sampled_from([*OUT, "attacks"])),
        said(Kind.CASE_CLOSED, CASE),
    ),
    max_size=30,
)


def recorded(store: Store, acts: list[Said]) -> None:
    """Enter acts, some in one block and some in another."""
    for begin in range(0, len(acts), 3):
        with store.write() as tx:
            for one in acts[begin : begin + 3]:
                at = make.NOW + timedelta(hours=one.hours)
                who = f"act-{next(NUMBERS)}"
                tx.record(Act(who, one.kind, at, "ann", one.about, "", one.detail))  # type: ignore[arg-type]


def from_all_acts(view: Reading, now: datetime) -> Queue:
    """The whole queue, from every act of the installation."""
    opened = [one for one in view.acts() if one.act.kind in STEPS]
    by_finding = defaultdict[str, list[Act]](list)
    leaves = dict[str, int]()
    for held in opened:
        if not held.act.about.startswith(EARLY):
            by_finding[held.act.about].append(held.act)
            leaves.setdefault(held.act.about, held.index)
    found = {id_: standing(acts) for id_, acts in by_finding.items()}
    stands = {id_: one for id_, one in found.items() if one is not None}
    closed = {one.act.about for one in view.acts(kind=Kind.CASE_CLOSED)}
    waits = [one for one in stands.values() if one.stage.waits]
    gone = {one.finding for one in stands.values() if one.stage is Stage.ALREADY_FIXED}
    ranks = {one.id: one.rank for one in effective(links(waits), gone | fixed(view, stands))}
    left = [
        Delivered(one.lane, one.steps[-1].at, one.case not in closed)
        for one in stands.values()
        if one.stage is Stage.CASE
    ]
    queue = [
        Waiting(
            *(one.finding, one.lane, one.at, ranks[one.finding], one.urgent),
            ready=bool(one.urgent) or one.stage is Stage.QUEUED,
        )
        for one in waits
    ]
    lanes = dict[str, tuple[int, datetime]]()
    for each in queue:
        count, oldest = lanes.get(each.lane, (0, each.since))
        lanes[each.lane] = (count + 1, min(oldest, each.since))
    return Queue(stands, leaves, schedule(tuple(on_file(view)), queue, left, now), lanes)


def links(waits: list[Standing]) -> list[Link]:
    """Those that wait, with what they build on."""
    ranks = {one.finding: Severity(one.severity or "unknown").rank for one in waits}
    return [
        Link(one.finding, one.needs, ranks[one.finding], 0 if one.needs else ranks[one.finding])
        for one in waits
    ]


def fixed(view: Reading, stands: Mapping[str, Standing]) -> set[str]:
    """What is fixed, by every act about a fix or a case."""
    out: dict[str, str] = {}
    for act in (one.act for one in view.acts(kind=Kind.FIX_MOVED)):
        if act.detail.get("state") in FIXED:
            out[act.about] = str(act.detail.get("finding", ""))
        elif act.detail.get("state") == RECALLED:
            out.pop(act.about, None)
    moves = (one.act for one in view.acts(kind=Kind.CASE_MOVED))
    mended = {act.about for act in moves if act.detail.get("move") in OUT}
    return {*out.values(), *(id_ for id_, one in stands.items() if one.case in mended)}


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[Store, str]]:
    """An empty store of each kind, and where it is."""
    if request.param == "memory":
        yield fakes.MemoryStore(make.blinders(), KINDS), ""
        return
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url = request.getfixturevalue(name)
    store = open_store(url, blinder=make.blinders(), kinds=KINDS)
    yield store, url
    store.close()


def check(store: Store, asked: set[str], now: datetime) -> Mapping[str, Slot]:
    """Raise unless what is told of these is what all acts say; answers their slots."""
    ctx = cast("Context", SimpleNamespace(store=store, now=now))
    found = queueing.queued(ctx, asked)
    with store.read() as view:
        whole = from_all_acts(view, now)
    known = asked & set(whole.stands)
    assert found.stands == {id_: whole.stands[id_] for id_ in known}
    assert found.leaves == {id_: whole.leaves[id_] for id_ in known}
    assert {id_: found.slots.get(id_) for id_ in asked} == {i: whole.slots.get(i) for i in asked}
    assert found.slots == {id_: whole.slots[id_] for id_ in found.slots}
    lanes = {one.lane for one in found.stands.values()}
    assert {one: found.lanes.get(one) for one in lanes} == {o: whole.lanes.get(o) for o in lanes}
    return found.slots


def renamed(acts: list[Said], number: int) -> list[Said]:
    """The same of other findings, cases and fixes; the queues are the same for all."""

    def other(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(other(one) for one in value)
        return f"{value}-{number}" if value in {*FINDINGS, *CASES, *FIXES} else value

    return [
        replace(
            one, about=str(other(one.about)), detail={n: other(v) for n, v in one.detail.items()}
        )
        for one in acts
    ]


def test_the_projection_is_the_computation_from_all_acts(opened: tuple[Store, str]) -> None:
    """For any findings at any moment, whatever was recorded in blocks of several acts; made again, too."""
    store, url = opened
    with store.write() as tx:
        for one in CONTRACTS:
            tx.put(one.project, one, marking=Marking(Tlp.CLEAR))
    held, slots = set[str](), dict[str, Slot]()

    @settings(max_examples=15 if url else 60, deadline=None)
    @given(acts=ACTS, asked=st.sets(FINDING, min_size=1), hours=st.integers(0, 500))
    def run(acts: list[Said], asked: set[str], hours: int) -> None:
        number = next(NUMBERS)
        recorded(store, renamed(acts, number))
        some = {f"{one}-{number}" for one in asked}
        slots.update(check(store, some, make.NOW + timedelta(hours=hours)))
        held.update(some)

    run()
    assert slots
    if url:
        engine = engine_for(url)
        with writing(engine) as connection:
            connection.execute(sa.delete(PROJECTED))
            connection.execute(sa.delete(NAMED))
            connection.execute(sa.update(QUEUE).values(lane="an earlier version's"))
        engine.dispose()
        with closing(open_store(url, kinds=KINDS)) as reopened:
            check(reopened, held, make.NOW + timedelta(hours=300))


PEOPLE = ("ann", "bob", "eve")
HANDING = st.lists(
    st.tuples(
        st.sampled_from([Kind.FINDING_SUBMITTED, Kind.FINDING_SUBMITTED, Kind.FINDING_RECORDED]),
        st.integers(0, 5),
        st.sampled_from(PEOPLE),
        st.sampled_from(["screened", "duplicate"]),
    ),
    max_size=15,
)


def test_what_somebody_handed_in_again_is_found_by_its_person(opened: tuple[Store, str]) -> None:
    """As all acts say, at each stage, in order and from any place on; made again, too."""
    store, url = opened

    def check_all(at: Store) -> int:
        with at.read() as view:
            by_finding = defaultdict[str, list[Act]](list)
            for one in view.acts():
                by_finding[one.act.about].append(one.act)
            held = {id_: (again(acts), entry(acts)) for id_, acts in by_finding.items()}
            for person in PEOPLE:
                for stages in (frozenset(Stage), frozenset({Stage.DUPLICATE})):
                    mine = sorted(
                        id_
                        for id_, (late, made) in held.items()
                        if person in late and made is not None and made.stage in stages
                    )
                    assert view.claimed(person, stages, "", 10**6) == mine
                    assert view.claimed(person, stages, mine[0] if mine else "z", 2) == mine[1:3]
        return sum(len(late) for late, _ in held.values())

    @settings(max_examples=10 if url else 30, deadline=None)
    @given(came=HANDING)
    def run(came: list[tuple[Kind, int, str, str]]) -> None:
        number = next(NUMBERS)
        for kind, finding, person, state in came:
            with store.write() as tx:
                id_, told = f"f{finding}-{number}", {"state": state, "lane": "l"}
                tx.record(Act(f"act-{next(NUMBERS)}", kind, make.NOW, person, id_, "", told))
        check_all(store)

    run()
    assert check_all(store)
    if url:
        engine = engine_for(url)
        with writing(engine) as connection:
            connection.execute(sa.delete(PROJECTED))
            connection.execute(sa.delete(CLAIMED))
        engine.dispose()
        with closing(open_store(url, kinds=KINDS)) as reopened:
            check_all(reopened)
