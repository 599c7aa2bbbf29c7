"""Which pairs of findings a board of groups begins at, for any reader of some of them."""

from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from clearing_values import AT, finding, unhurried
from leadline.core.access import Resource
from leadline.core.clearing.evidence import Claim, EvidenceEdge, Picture, picture
from leadline.core.clearing.pairs import Pair, Seen, pairs, seen

NAMES = "abcde"


def edge(one: str, two: str, claim: Claim, *, judged: bool = False) -> EvidenceEdge:
    """Of the rung that may say so."""
    rung = 3 if claim is Claim.POSSIBLE else 2
    return EvidenceEdge(one, two, rung, claim, "e", "ann", AT, "r", judged)


def everybody(*names: str, **ids: str) -> dict[str, Seen]:
    """Findings that the same people read, some with an identifier."""
    return {one: Seen("all", frozenset({ids[one]} if one in ids else ())) for one in names}


SAME, POSSIBLE, DISTINCT = Claim.SAME, Claim.POSSIBLE, Claim.DISTINCT


def test_what_evidence_settles_is_not_asked() -> None:
    """Directly, or over findings that the same people read; not over what somebody else alone reads."""
    asked = edge("a", "b", POSSIBLE)
    assert pairs(everybody("a", "b"), [asked]).asked == {("a", "b")}
    for claim in (SAME, DISTINCT):
        assert not pairs(everybody("a", "b"), [asked, edge("a", "b", claim)]).asked
    around = [asked, edge("a", "c", SAME), edge("b", "c", SAME)]
    assert not pairs(everybody("a", "b", "c"), around).asked
    hidden = everybody("a", "b") | {"c": Seen("few")}
    assert pairs(hidden, around).asked == {("a", "b")}
    assert pairs(everybody("a", "b"), around).asked == {("a", "b")}
    assert pairs(everybody("b", "c"), around).asked == {("a", "b")}
    mixed = {"a": Seen("one"), "b": Seen("two"), "c": Seen("two")}
    assert not pairs(mixed, around).asked, "who reads both reads what one of them is read by"


def test_what_is_joined_in_doubt_is_asked() -> None:
    """Where evidence contradicts it, or identifiers do and no person whom every reader hears."""
    joined = [edge("a", "b", SAME), edge("b", "c", SAME)]
    assert pairs(everybody(*"abc"), joined) == pairs(everybody(*"abc", a="1", c="1"), joined)
    assert not pairs(everybody(*"abc"), joined).asked
    both = {("a", "b"), ("b", "c")}
    assert pairs(everybody(*"abc"), joined).joined == both
    assert pairs(everybody(*"abc"), [*joined, edge("a", "c", DISTINCT)]).asked == both
    named = everybody(*"abc", a="1", c="2")
    assert pairs(named, joined).asked == both
    word = [edge("a", "b", SAME, judged=True), edge("b", "c", SAME, judged=True)]
    assert not pairs(named, word).asked
    assert pairs(named | {"b": Seen("few")}, word).asked == both


def test_a_finding_is_seen_by_what_rules_read_and_its_published_names() -> None:
    """Not by its own name, nor by identifiers that name no flaw."""
    one = finding(ids=("CVE-2026-1", "GHSA-1"))
    first = seen(one, Resource("finding", "a", case="c"))
    assert first == seen(one, Resource("finding", "b", case="c"))
    assert first != seen(one, Resource("finding", "a", case="d"))
    assert first.ids == {"CVE-2026-1"}


EDGES = st.lists(
    st.builds(
        lambda pair, claim, judged: edge(pair[0], pair[1], claim, judged=judged),
        st.sampled_from(list(combinations(NAMES, 2))),
        st.sampled_from([SAME, SAME, POSSIBLE, POSSIBLE, DISTINCT]),
        st.booleans(),
    ),
    max_size=9,
)
SEEN = st.fixed_dictionaries({
    one: st.builds(
        Seen, st.sampled_from("xyz"), st.sampled_from([(), ("1",), ("2",)]).map(frozenset)
    )
    for one in NAMES
})  # fmt: skip


def begun(shown: Picture) -> set[Pair]:
    """Where what a reader is asked begins."""
    proposals = {min((one.a, one.b) for one in each.edges) for each in shown.proposals}
    doubts = {
        min((one.a, one.b) for one in each.edges if one.claim is SAME) for each in shown.doubts
    }
    return proposals | doubts


@unhurried
@given(known=SEEN, edges=EDGES)
def test_whatever_anybody_is_asked_begins_at_such_a_pair(
    known: dict[str, Seen], edges: list[EvidenceEdge]
) -> None:
    """For readers of every selection of facts, who see the evidence between what they read."""
    made = pairs(known, edges)
    facts = sorted({str(one.facts) for one in known.values()})
    for some in chain.from_iterable(combinations(facts, n) for n in range(1, len(facts) + 1)):
        readable = {one for one, held in known.items() if held.facts in some}
        between = [one for one in edges if {one.a, one.b} <= readable]
        shown = picture(readable, between, {one: known[one].ids for one in readable})
        assert begun(shown) <= made.asked
        joined = {(one.a, one.b) for one in between if one.claim is SAME}
        assert joined <= made.joined
