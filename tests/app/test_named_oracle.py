"""Fixes, evidence and cases from the acts that name them are what they are from all acts, as before."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fakes
import make
from clearing_values import finding
from leadline.app import cases, evidence, fixes
from leadline.app.ports import Reading, Store
from leadline.core.clearing import evidence as core
from leadline.core.clearing.case import in_log_order, texts
from leadline.core.clearing.case import standing as computed
from leadline.core.clearing.contract import lane_of
from leadline.core.clearing.disclosure import Disclosure, text
from leadline.core.clearing.evidence import Claim, EvidenceEdge
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.fix import standings
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS

if TYPE_CHECKING:
    from leadline.app.context import Context

MADE = tuple(finding(title=f"t{n}", ids=(f"CVE-2026-{n}",) if n % 2 else ()) for n in range(6))
FINDINGS = tuple(one.id for one in MADE)
FIXES, CASES = ("fix-1", "fix-2", "fix-3"), ("case-1", "case-2")
ROW = Marking(Tlp.AMBER_STRICT)
ONE = st.sampled_from(FINDINGS)
NUMBERS = iter(range(10**9))
Said = tuple[Kind, str, dict[str, Value]]


def _edge(a: str, b: str, claim: Claim, rung: int, *, judged: bool) -> Said:
    rung = 2 if claim is not Claim.POSSIBLE else rung
    edge = EvidenceEdge(a, b, rung, claim, "e" * 64, "ann", make.NOW, "rule", judged=judged)
    return Kind.EVIDENCE_ADDED, edge.id, core.detail(edge)


EDGES = st.builds(
    lambda pair, claim, rung, judged: _edge(pair[0], pair[1], claim, rung, judged=judged),
    st.lists(ONE, min_size=2, max_size=2, unique=True),
    st.sampled_from(Claim),
    st.integers(2, 5),
    st.booleans(),
)
FIX = st.builds(
    lambda kind, fix, about, case, other, state: (
        kind,
        fix,
        {"finding": about, "case": case, "supersedes": other, "state": state, "where": "w"},
    ),
    st.sampled_from([Kind.FIX_PROPOSED, Kind.FIX_TESTED, Kind.FIX_MOVED]),
    st.sampled_from(FIXES),
    ONE,
    st.sampled_from(["intake", *CASES]),
    st.sampled_from(["", "", *FIXES]),
    st.sampled_from(["merged", "recalled", "sent"]),
)
OTHER = st.one_of(
    st.builds(
        lambda case, some: (Kind.CASE_JOINED, case, {"findings": tuple(some)}),
        st.sampled_from(CASES),
        st.lists(ONE, max_size=2),
    ),
    st.builds(
        lambda case, project: (
            Kind.PARTICIPANT_ADDED,
            case,
            {"party": "party-1", "role": "owner", "project": lane_of(project)},
        ),
        st.sampled_from(CASES),
        st.sampled_from(["p", "q"]),
    ),
    st.builds(lambda project: (Kind.CONTRACT_WRITTEN, project, {}), st.sampled_from(["p", "q"])),
    st.builds(lambda case: (Kind.ADVISORY_PUBLISHED, "a", {"case": case}), st.sampled_from(CASES)),
)
ACTS = st.lists(st.one_of(EDGES, EDGES, FIX, FIX, OTHER), max_size=25)
BACK = st.lists(st.integers(0, 24), max_size=4)


def entered(store: Store, acts: list[Said], back: list[int]) -> None:
    """Record them; what *back* counts of them is retracted at the end."""
    policy = cases.shipped()["leadline-default"]
    with store.write() as tx:
        for one in MADE:
            tx.put(one.id, one, marking=ROW)
        tx.put(policy.digest, policy, marking=ROW)
        chosen: Said = (Kind.DISCLOSURE_CHOSEN, "", {"digest": policy.digest})
        begun: list[Said] = [
            (kind, case, told)
            for case in CASES
            for kind, _, told in ((Kind.CASE_OPENED, "", {}), chosen)
        ]
        taken: list[Said] = [
            (Kind.EVIDENCE_RETRACTED, acts[n][1], {}) for n in back if n < len(acts)
        ]
        for kind, about, detail in (*begun, *acts, *taken):
            number = next(NUMBERS)
            tx.record(Act(f"act-{number}", kind, make.NOW, "ann", about, "", detail))


def all_edges(view: Reading) -> tuple[EvidenceEdge, ...]:
    """The evidence that stands, from every act about any."""
    kinds = {Kind.EVIDENCE_ADDED, Kind.EVIDENCE_RETRACTED}
    return core.standing(one.act for one in view.acts() if one.act.kind in kinds)


def identifiers(view: Reading, ids: set[str]) -> dict[str, frozenset[str]]:
    """The published ids of these findings, by the id they are stored under."""
    return {row.id: frozenset(row.value.ids) for row in view.find(Finding) if row.id in ids}


@pytest.fixture(params=["memory", "sqlite"])
def fresh(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Callable[[], Store], int]]:
    """What makes an empty store, and how many are worth their time."""
    with ExitStack() as held:

        def on_disk() -> Store:
            url = f"sqlite:///{tmp_path / f'{next(NUMBERS)}.db'}"
            return held.enter_context(closing(open_store(url, kinds=KINDS)))

        if request.param == "sqlite":
            yield on_disk, 8
        else:
            yield lambda: fakes.MemoryStore(make.blinders(), KINDS), 40


def test_what_names_is_what_all_acts_say(fresh: tuple[Callable[[], Store], int]) -> None:
    """Fixes of some findings, what is one flaw, why, and where a case stands."""
    opened, examples = fresh

    @settings(max_examples=examples, deadline=None)
    @given(acts=ACTS, back=BACK, asked=st.sets(ONE, min_size=1), hidden=st.sets(ONE, max_size=2))
    def run(acts: list[Said], back: list[int], asked: set[str], hidden: set[str]) -> None:
        store = opened()
        entered(store, acts, back)
        with store.read() as view:
            same_fixes(view, asked)
            whole = core.picture(FINDINGS, all_edges(view), identifiers(view, set(FINDINGS)))
            for one in asked:
                assert evidence.together(view, one) == frozenset(whole.of(one))
            told = {case: from_all_acts(view, case) for case in CASES}
            assert cases.standings_in(view, CASES) == told
            assert {case: cases.standing_in(view, case) for case in CASES} == told
        for one in asked - hidden:
            same_words(store, one, set(FINDINGS) - hidden)

    run()


def same_fixes(view: Reading, asked: set[str]) -> None:
    """Fixes and where each stands, in the same order."""
    every = standings([one.act for one in view.acts()])
    wanted = [(id_, one) for id_, one in every.items() if one.finding in asked]
    assert list(fixes._standings(view, asked).items()) == wanted


def same_words(store: Store, one: str, readable: set[str]) -> None:
    """Why a finding is with others, to somebody who may not read all of them."""

    def decision(_action: object, thing: object) -> SimpleNamespace:
        return SimpleNamespace(allowed=thing.id in readable)  # type: ignore[attr-defined]

    found = evidence.explain(cast("Context", SimpleNamespace(store=store, decision=decision)), one)
    with store.read() as view:
        edges = [each for each in all_edges(view) if {each.a, each.b} <= readable]
        seen = core.picture(readable, edges, identifiers(view, readable))
    cluster = seen.of(one)
    assert found.cluster == cluster
    assert found.edges == tuple(e for e in edges if e.a in cluster or e.b in cluster)
    assert found.proposals == tuple(p for p in seen.proposals if one in (*p.one, *p.two))
    assert found.doubts == tuple(d for d in seen.doubts if one in d.findings)


def from_all_acts(view: Reading, case: str) -> object:
    """Where a case stands, from every act of the installation."""
    found = {one.index: one.act for one in view.acts(about=case)}
    projects = {text(act, "project") for act in found.values()} - {""}
    held = {one for act in found.values() for one in texts(act.detail.get("findings", ()))}
    for one in view.acts():
        beside = one.act.kind in {Kind.ADVISORY_PUBLISHED, Kind.FIX_MOVED}
        ours = text(one.act, "case") == case or text(one.act, "finding") in held
        terms = one.act.kind is Kind.CONTRACT_WRITTEN and lane_of(one.act.about) in projects
        if (beside and ours) or terms:
            found[one.index] = one.act
    chosen = {text(act, "digest") for act in found.values() if act.kind is Kind.DISCLOSURE_CHOSEN}
    known = {digest: view.get(Disclosure, digest).value for digest in chosen}
    return computed(in_log_order(found.items()), known)
