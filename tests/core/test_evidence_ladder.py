"""The evidence ladder: what joins, what only proposes, what keeps apart, and that all is reversible."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from clearing_values import unhurried
from leadline.core.clearing.evidence import (
    Claim,
    CrossTest,
    EvidenceEdge,
    Picture,
    detail,
    picture,
    read,
    standing,
)
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind

SAME, POSSIBLE, DISTINCT = Claim.SAME, Claim.POSSIBLE, Claim.DISTINCT
FINDINGS = tuple("abcdef")


def edge(
    pair: str, claim: Claim = SAME, rung: int = 2, evidence: str = "e", *, judged: bool = False
) -> EvidenceEdge:
    """Evidence about two findings of one letter each."""
    return EvidenceEdge(pair[0], pair[1], rung, claim, evidence, "p", make.NOW, "r/1", judged)


def added(one: EvidenceEdge) -> Act:
    """The act that enters it."""
    return Act("act", Kind.EVIDENCE_ADDED, one.at, one.by, one.id, "", detail(one))


def back(one: EvidenceEdge) -> Act:
    """The act that takes it back."""
    return Act("act", Kind.EVIDENCE_RETRACTED, one.at, one.by, one.id, "", {})


def joined(seen: Picture) -> list[str]:
    """The clusters as words."""
    return ["".join(members) for members in seen.clusters]


def test_evidence_is_about_two_findings_in_any_order() -> None:
    """One finding twice, a rung that there is not, and a claim that a rung cannot make are refused."""
    assert edge("ba") == edge("ab")
    assert (edge("ab").other("a"), edge("ab").other("b")) == ("b", "a")
    wrong: tuple[tuple[str, Claim, int, str], ...] = (
        ("aa", SAME, 2, "b"),
        ("ab", POSSIBLE, 6, "rung"),
        ("ab", SAME, 5, "claim"),
        ("ab", SAME, 3, "claim"),
        ("ab", DISTINCT, 1, "claim"),
    )
    for pair, claim, rung, field in wrong:
        with pytest.raises(Invalid) as refusal:
            edge(pair, claim, rung)
        assert refusal.value.field == field
    assert edge("ab", SAME, 5, judged=True).judged


def test_an_act_carries_all_of_it() -> None:
    """What is read back from the act is what was entered."""
    one = edge("ab", DISTINCT, judged=True)
    assert read(added(one)) == one
    assert edge("ab", evidence="f").id != one.id
    assert replace(one, by="q").id == one.id, "who and when are not what it says"
    other = Act("act", Kind.CASE_OPENED, make.NOW, "p", "case", "", {})
    assert standing([other, added(one)]) == (one,)


def test_text_and_places_propose_and_never_join() -> None:
    """Rungs 3 to 5 give proposals between clusters; the strongest is named."""
    seen = picture("abc", [edge("ab"), edge("bc", POSSIBLE, 5), edge("ac", POSSIBLE, 3)])
    assert joined(seen) == ["ab", "c"]
    (proposal,) = seen.proposals
    assert (proposal.one, proposal.two, proposal.rung) == (("a", "b"), ("c",), 3)
    assert seen.of("b") == ("a", "b")
    assert seen.of("z") == ("z",)
    assert picture("ab", [edge("ab"), edge("ab", POSSIBLE, 4)]).proposals == ()


def test_a_proof_that_two_are_distinct_is_a_wall() -> None:
    """No proposal crosses it, from whichever member of the clusters it comes."""
    wall = edge("bd", DISTINCT)
    seen = picture("abcd", [edge("ab"), edge("cd"), edge("ac", POSSIBLE, 4), wall])
    assert joined(seen) == ["ab", "cd"]
    assert seen.proposals == ()


def test_a_contradiction_joins_nothing_and_asks_a_person() -> None:
    """Both that they are one and that they are not; nothing else is touched, nor proposed across."""
    edges = [edge("ab"), edge("bc"), edge("ac", DISTINCT), edge("de"), edge("ab", POSSIBLE, 3)]
    seen = picture("abcde", edges)
    assert joined(seen) == ["a", "b", "c", "de"]
    assert seen.proposals == ()
    (doubt,) = seen.doubts
    assert doubt.findings == ("a", "b", "c")
    assert edge("ac", DISTINCT) in doubt.edges


def test_two_identifiers_stop_until_a_person_says_that_they_are_one() -> None:
    """What has a CVE id on both sides is never joined by evidence alone."""
    named = {"a": {"CVE-2030-1"}, "c": {"CVE-2030-2"}}
    edges = [edge("ab"), edge("bc")]
    seen = picture("abc", edges, named)
    assert (joined(seen), len(seen.doubts)) == (["a", "b", "c"], 1)
    assert joined(picture("abc", edges, {"a": {"CVE-2030-1"}})) == ["abc"]
    assert joined(picture("abc", edges, {"a": {"CVE-2030-1"}, "c": {"CVE-2030-1"}})) == ["abc"]
    judged = edge("ac", SAME, judged=True)
    assert joined(picture("abc", [*edges, judged], named)) == ["abc"]


@pytest.mark.parametrize(
    ("a_b", "b_a", "a_ok", "b_ok", "claim"),
    [
        (True, True, True, True, SAME),
        (True, False, True, None, POSSIBLE),
        (False, True, None, True, POSSIBLE),
        (False, False, None, None, DISTINCT),
        (True, True, False, True, None),  # the fix took the feature out
        (True, True, None, True, None),
        (True, True, True, False, None),
        (None, True, None, True, None),
        (False, None, None, None, None),
    ],
)
def test_what_a_cross_test_proves(
    a_b: bool | None,  # noqa: FBT001 -- a row of the table
    b_a: bool | None,  # noqa: FBT001 -- as above
    a_ok: bool | None,  # noqa: FBT001 -- as above
    b_ok: bool | None,  # noqa: FBT001 -- as above
    claim: Claim | None,
) -> None:
    """Each way alone says less; a fix that breaks the tests says nothing."""
    assert CrossTest(a_b, b_a, a_ok, b_ok).claim is claim


pairs = st.sampled_from(["".join(pair) for pair in combinations(FINDINGS, 2)])
claims = st.sampled_from([(SAME, 1), (SAME, 2), (DISTINCT, 2), (POSSIBLE, 3), (POSSIBLE, 5)])
one_edge = st.builds(
    lambda pair, said, judged: edge(pair, said[0], said[1], judged=judged),
    pairs,
    claims,
    st.booleans(),
)
crowds = st.lists(one_edge, max_size=14)
named = st.dictionaries(
    st.sampled_from(FINDINGS), st.sampled_from([{"CVE-1"}, {"CVE-2"}]), max_size=3
)


@unhurried
@given(crowd=crowds, late=one_edge, ids=named, data=st.data())
def test_every_merge_is_reversible_and_no_order_matters(
    crowd: list[EvidenceEdge],
    late: EvidenceEdge,
    ids: dict[str, set[str]],
    data: st.DataObject,
) -> None:
    """Adding and taking back restores the picture exactly; any order of the same acts gives it."""
    before = [added(one) for one in crowd if one.id != late.id]
    first = picture(FINDINGS, standing(before), ids)
    undone = standing([*before, added(late), back(late)])
    assert undone == standing(before)
    assert picture(FINDINGS, undone, ids) == first
    assert standing([*before, back(late)]) == standing(before), "what never stood is not taken back"
    mixed = data.draw(st.permutations(before))
    assert picture(FINDINGS, standing(mixed), ids) == first
    assert sorted(member for held in first.clusters for member in held) == list(FINDINGS)


@unhurried
@given(crowd=crowds, ids=named)
def test_no_cluster_and_no_proposal_crosses_a_wall(
    crowd: list[EvidenceEdge], ids: dict[str, set[str]]
) -> None:
    """Whatever stands: distinct findings are never together, nor proposed to be."""
    seen = picture(FINDINGS, crowd, ids)
    for wall in (one for one in crowd if one.claim is DISTINCT):
        assert all(not {wall.a, wall.b} <= set(members) for members in seen.clusters)
        for proposal in seen.proposals:
            assert {wall.a, wall.b} - set(proposal.one)
            assert {wall.a, wall.b} - set(proposal.two)
            assert not {wall.a, wall.b} <= {*proposal.one, *proposal.two}
    joining = {one for edge_ in crowd if edge_.claim is SAME for one in (edge_.a, edge_.b)}
    assert all(len(members) == 1 or set(members) <= joining for members in seen.clusters)
