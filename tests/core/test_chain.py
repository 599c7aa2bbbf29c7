"""Findings that need others: what is left of a chain once a link is fixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.chain import Link, check_acyclic, effective
from leadline.core.errors import Invalid


@st.composite
def chains(draw: st.DrawFn) -> list[Link]:
    """Up to eight findings, each of which needs only earlier ones and some that nobody knows."""
    found = list[Link]()
    for number in range(draw(st.integers(1, 8))):
        known = [one.id for one in found] + ["unknown"]
        sets = draw(st.lists(st.lists(st.sampled_from(known), min_size=1, max_size=3), max_size=3))
        reach = draw(st.integers(0, 3))
        alone = draw(st.integers(0, reach))
        found.append(Link(str(number), tuple(tuple(one) for one in sets), reach, alone))
    return found


def whole(links: list[Link], fixed: set[str], id_: str) -> bool:
    """The plain meaning, by recursion: not fixed, and of every set one member is whole."""
    by_id = {one.id: one for one in links}
    if id_ in fixed:
        return False
    needs = by_id[id_].needs if id_ in by_id else ()
    return all(any(whole(links, fixed, one) for one in any_of) for any_of in needs)


@unhurried
@given(chains(), st.sets(st.sampled_from([*"01234567", "unknown"])))
def test_the_answer_is_the_plain_meaning(links: list[Link], fixed: set[str]) -> None:
    """Each finding once, with a reason, the worst first."""
    found = effective(links, fixed)
    assert {one.id for one in found} == {one.id for one in links}
    for one in found:
        assert one.whole == whole(links, fixed, one.id)
        assert one.why
    assert [one.rank for one in found] == sorted((one.rank for one in found), reverse=True)


@unhurried
@given(chains(), st.sets(st.sampled_from("01234567")), st.sampled_from("01234567"))
def test_fixing_one_more_makes_nothing_worse(links: list[Link], fixed: set[str], more: str) -> None:
    """No rank rises, nothing that was cut becomes whole, and what does not need it stays as it was."""
    before = {one.id: one for one in effective(links, fixed)}
    after = {one.id: one for one in effective(links, fixed | {more})}
    for id_, one in after.items():
        assert one.rank <= before[id_].rank
        assert before[id_].whole or not one.whole


def test_a_cut_chain_falls_back_and_says_why() -> None:
    """One of two ways is enough; without any way, what needs the chain is cut as well."""
    links = [
        Link("leak", (), 1, 1),
        Link("write", (), 2, 2),
        Link("escape", (("leak", "write"),), 3, 0),
        Link("worm", (("escape",),), 3, 1),
    ]
    assert [one.id for one in effective(links, ())] == ["escape", "worm", "write", "leak"]
    held = {one.id: one for one in effective(links, {"leak"})}
    assert held["escape"].why == "its chain holds without leak"
    assert held["leak"].why == "fixed"
    cut = {one.id: one for one in effective(links, {"leak", "write"})}
    assert (cut["escape"].rank, cut["worm"].rank) == (0, 1)
    assert "nothing is left of leak, write" in cut["escape"].why
    assert "escape (itself cut)" in cut["worm"].why
    assert "needs no other" in held["write"].why
    assert "whole chain is open" in held["worm"].why


@pytest.mark.parametrize(
    "links",
    [
        [Link("a", (("a",),))],
        [Link("a", (("b",),)), Link("b", (("c",),)), Link("c", (("x", "a"),))],
    ],
)
def test_a_cycle_is_refused_with_its_members(links: list[Link]) -> None:
    """A finding cannot need itself."""
    with pytest.raises(Invalid, match="a needs"):
        effective(links, ())


def test_what_says_nothing_is_refused() -> None:
    """Two of one id, and one of nothing."""
    with pytest.raises(Invalid, match="same id"):
        effective([Link("a"), Link("a")], ())
    with pytest.raises(Invalid, match="one of nothing"):
        effective([Link("a", ((),))], ())


def test_long_chains_and_diamonds_are_no_cycle() -> None:
    """Ten thousand links deep, without recursion."""
    deep = [Link(str(n), ((str(n - 1),),) if n else ()) for n in range(10_000)]
    check_acyclic(deep)
    assert not any(one.whole for one in effective(deep, {"0"}))
    check_acyclic(
        [Link("d", (("b",), ("c",))), Link("b", (("a",),)), Link("c", (("a",),)), Link("a")]
    )
