"""Adding evidence, taking it back, cross-testing and explaining, at a desk with everybody."""

from dataclasses import dataclass, field, replace

import pytest

from clearing_values import finding
from clearing_world import INTAKE, acts_about, clearing_world
from desk_world import DeskWorld
from leadline.app import evidence
from leadline.app.evidence import Fixed
from leadline.core.access import Bounds
from leadline.core.clearing.crash import Crash, Frame
from leadline.core.clearing.evidence import Claim, EvidenceEdge
from leadline.core.clearing.finding import Finding
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind

CASE = Marking(Tlp.AMBER_STRICT)


def entered(world: DeskWorld, name: str, *, case: str = INTAKE, line: int = 7, **more: str) -> str:
    """A finding of a case with its crash, as validation leaves them."""
    made = replace(finding(), title=name, ids=(), **more)  # type: ignore[arg-type] # names real fields
    frames = (Frame("take", "a.c", line), Frame("walk", "b.c", 3))
    crash = Crash(name, "heap-buffer-overflow", frames, f"{name}{line}", "app")
    with world.store.write() as tx:
        tx.put(made.id, made, marking=CASE, bounds=Bounds(case=case, owner="finder"))
        tx.put(f"{made.id}/crash", crash, marking=CASE, bounds=Bounds(case=case))
    return made.id


@dataclass
class Table:
    """A cross-tester that answers from a table and counts what it was asked."""

    silent: set[tuple[str, str]]
    broken: set[str] = field(default_factory=set)
    passing: bool = True
    asked: int = 0

    def silenced(self, finding: str, fix: str) -> bool | None:
        """As the table has it."""
        self.asked += 1
        return None if fix in self.broken else (finding, fix) in self.silent

    def tests_pass(self, fix: str) -> bool | None:
        """Of every fix alike."""
        return self.passing


def test_a_person_says_that_two_are_one_and_takes_it_back() -> None:
    """The word is an act with a digest; the picture follows it both ways; nothing is lost."""
    world = clearing_world()
    a, b = entered(world, "a"), entered(world, "b", line=9)
    me = world.at("screener")
    edge = evidence.confirm(me, a, b, Claim.SAME, "one missing check, two inputs")
    assert set(evidence.explain(me, a).cluster) == {a, b}
    assert [act.kind for act in acts_about(world, edge.id)] == [Kind.EVIDENCE_ADDED]
    with pytest.raises(Refused, match="stands already"):
        evidence.add_edge(me, edge)
    evidence.retract(me, edge.id, "the second has another cause")
    assert evidence.explain(me, a).cluster == (a,)
    with pytest.raises(NotFound, match="no evidence"):
        evidence.retract(me, edge.id, "again")
    assert evidence.confirm(me, a, b, Claim.DISTINCT, "two causes").claim is Claim.DISTINCT


def test_what_cannot_be_said_changes_nothing() -> None:
    """No reasons, no decision, no finding, no right: no act about evidence comes of it."""
    world = clearing_world()
    a, b = entered(world, "a"), entered(world, "b")
    me = world.at("screener")
    for claim, words, problem in (
        (Claim.SAME, " ", "say why"),
        (Claim.SAME, "x" * 5000, "at most"),
        (Claim.POSSIBLE, "perhaps", "a person decides"),
    ):
        with pytest.raises(Invalid, match=problem):
            evidence.confirm(me, a, b, claim, words)
    with pytest.raises(NotFound):
        evidence.confirm(me, a, "f" * 64, Claim.SAME, "one")
    with pytest.raises(Denied):
        evidence.confirm(world.at("finder"), a, b, Claim.SAME, "one")
    for person in (
        "maintainer",
        "bank",
    ):  # who may know of neither: ids are digests of what was found
        before, told = len(world.acts()), list[tuple[str, int]]()
        for one in (a, f"{a[:-1]}{'1' if a[-1] == '0' else '0'}"):
            with pytest.raises(NotFound) as refused:
                evidence.confirm(world.at(person), one, b, Claim.SAME, "one")
            told.append((str(refused.value).replace(one, "ID"), len(world.acts()) - before))
            before = len(world.acts())
        assert told[0] == told[1]
    with pytest.raises(Denied):
        evidence.regroup(world.at("finder"))
    assert world.acts(Kind.EVIDENCE_ADDED, Kind.EVIDENCE_RETRACTED) == []
    edge = evidence.confirm(me, a, b, Claim.SAME, "one")
    with pytest.raises(Denied):
        evidence.retract(world.at("finder"), edge.id, "not mine")
    with pytest.raises(Invalid, match="say why"):
        evidence.retract(me, edge.id, " ")
    assert len(world.acts(Kind.EVIDENCE_ADDED, Kind.EVIDENCE_RETRACTED)) == 1


def test_rules_run_over_history_and_do_not_overrule_a_person() -> None:
    """Places propose; a second run adds nothing; what a person took back stays back."""
    world = clearing_world()
    a, b = entered(world, "a"), entered(world, "b")
    c = entered(world, "c", line=99)
    me = world.at("screener")
    first = evidence.regroup(me)
    (edge,) = first.added
    assert ({edge.a, edge.b}, edge.claim, edge.rung) == ({a, b}, Claim.POSSIBLE, 3)
    assert first.picture.of(a) == (a,), "nothing is merged by a place"
    assert len(evidence.explain(me, a).proposals) == 1
    again = evidence.regroup(me)
    assert (again.added, again.retracted) == ((), ())
    evidence.retract(me, edge.id, "two checks on one line")
    assert evidence.regroup(me).added == ()
    old = EvidenceEdge(a, c, 3, Claim.POSSIBLE, "d", "screener", world.now, "crash-places/1")
    evidence.add_edge(me, old)
    assert evidence.regroup(me).retracted == (old,), "an older rule's proposal is taken back"


def test_identical_evidence_joins_by_itself() -> None:
    """Rung 1: one proof, one build, one report, handed in under two titles."""
    world = clearing_world()
    a, b = entered(world, "a"), entered(world, "b")
    with world.store.write() as tx:
        for id_ in (a, b):
            row = tx.get(Crash, f"{id_}/crash")
            tx.put(row.id, replace(row.value, text="t"), marking=CASE, expect=row.version)
    done = evidence.regroup(world.at("screener"))
    assert {edge.rung for edge in done.added} == {1, 3}
    assert set(done.picture.of(a)) == {a, b}
    with world.store.read() as view:
        assert evidence.together(view, a) == {a, b}


def test_fixes_are_tried_on_each_other_within_one_file_and_once() -> None:
    """Both ways is one flaw; one way only may be; neither is proved apart; a broken run says nothing."""
    world = clearing_world()
    ids = [entered(world, name) for name in "abcd"]
    files = (("x.c",), ("x.c",), ("x.c", "y.c"), ("z.c",))
    fixed = [Fixed(id_, f"f{n}", f"p{n}", f"d{n}", files[n]) for n, id_ in enumerate(ids)]
    silent = {(ids[1], "f0"), (ids[0], "f1"), (ids[2], "f0")}
    me, table = world.at("screener"), Table(silent)
    made = evidence.cross_test(me, table, fixed)
    said = {frozenset((edge.a, edge.b)): edge.claim for edge in made}
    assert said[frozenset(ids[:2])] is Claim.SAME
    assert said[frozenset((ids[0], ids[2]))] is Claim.POSSIBLE
    assert said[frozenset(ids[1:3])] is Claim.DISTINCT
    assert len(said) == 3, "the fourth is in another file"
    asked = table.asked
    assert evidence.cross_test(me, table, fixed) == ()
    assert table.asked == asked, "what was tried is not tried again"
    with pytest.raises(Denied):
        evidence.cross_test(world.at("finder"), table, fixed)


def test_a_run_that_broke_down_or_failing_tests_prove_nothing() -> None:
    """Nothing is entered, so that it can be tried again."""
    world = clearing_world()
    a, b = entered(world, "a"), entered(world, "b")
    fixed = [Fixed(a, "fa", "p", "d", ("x.c",)), Fixed(b, "fb", "q", "e", ("x.c",))]
    both = {(a, "fb"), (b, "fa")}
    me = world.at("screener")
    assert evidence.cross_test(me, Table(both, {"fa"}), fixed) == ()
    assert evidence.cross_test(me, Table(both, passing=False), fixed) == ()
    assert len(evidence.cross_test(me, Table(both), fixed)) == 1


def test_a_reader_sees_no_evidence_about_findings_of_others() -> None:
    """A finder sees the own finding alone; a stranger none."""
    world = clearing_world()
    a, b = entered(world, "a"), entered(world, "b")
    evidence.confirm(world.at("screener"), a, b, Claim.SAME, "one")
    with world.store.write() as tx:
        row = tx.get(type(finding()), b)
        tx.put(b, row.value, marking=CASE, bounds=Bounds(case=INTAKE), expect=row.version)
    seen = evidence.explain(world.at("finder"), a)
    assert (seen.cluster, seen.edges) == ((a,), ())
    with pytest.raises(NotFound):
        evidence.explain(world.at("other-finder"), a)


def test_a_rule_says_again_what_a_later_report_had_changed() -> None:
    """Two are proposed, a third comes between and leaves for a case: the two are proposed as before."""
    world = clearing_world()
    ids = [entered(world, name) for name in ("a", "b", "c")]
    first, between, last = sorted(ids)

    def move(case: str) -> None:
        with world.store.write() as tx:
            for kind, id_ in ((Finding, between), (Crash, f"{between}/crash")):
                row = tx.get(kind, id_)
                bounds = replace(row.bounds, case=case)
                tx.put(id_, row.value, marking=row.marking, bounds=bounds, expect=row.version)

    me = world.at("screener")
    move("case-1")
    evidence.regroup(me)
    move(INTAKE)
    evidence.regroup(me)
    move("case-1")
    evidence.regroup(me)
    (proposal,) = evidence.explain(me, first).proposals
    assert {*proposal.one, *proposal.two} == {first, last}
