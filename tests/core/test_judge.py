"""The prepared judge answers as the slow one does, whatever the statement and the release (A3, A4)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import advisory, statement, unhurried
from leadline.core.clearing.advisory import Statement
from leadline.core.clearing.judge import NOT_AFFECTED, Index, Table
from leadline.core.clearing.product import NONE, Interval, Package, Releases, package
from leadline.core.clearing.reading import CAUTION, Status, read
from leadline.core.clearing.versions import Unparseable, Unsupported, key

# Per scheme: releases in and out of order, equal ones spelled twice, ones that cannot be read.
VERSIONS = {
    "pypi": ["1.0", "1.0.0", "1.0rc1", "1.5", "2.0", "2.0.post1", "2.1.dev3", "10", "odd!", "1.0-bank"],
    "semver": ["1.0.0", "v1.0", "1.0.0-rc.1", "1.5.0", "2.0.0+b", "2.0.0", "10.0.0", "1.0.0.0", "x"],
    "deb": ["1.0-1", "1.0-1+b1", "1:0.5", "1.0~rc1-1", "2.0", "2.0-0ubuntu1", "a b", "é"],
    "maven": ["1", "1.0", "1-1", "1.0.rc", "1.0-rc", "1-sp", "1.1", "2-alpha", "a b"],
    "composer": ["1.0", "1.0.0", "1.0.0-beta", "dev-main", "2.0", "1.0-ALPHA", "1.0-word", "??"],
    "rpm": ["1.0-1", "1:0.9-1", "1.0~rc1-1", "1.0-1.el9", "2.0-1", ""],
    "vms": ["V1.0", "V1.1", "1.0"],
}  # fmt: skip


def releases(pool: list[str]) -> st.SearchStrategy[Releases]:
    """Sets of intervals and lists over a pool; some ends are open, crossed or unreadable."""
    text = st.sampled_from([*pool, ""])
    interval = st.builds(Interval, text, text, st.booleans(), st.booleans())
    listed = st.lists(st.sampled_from([held for held in pool if held]), max_size=3)
    return st.builds(Releases, st.lists(interval, max_size=2).map(tuple), listed.map(tuple))


@st.composite
def statements(draw: st.DrawFn) -> tuple[Statement, list[str]]:
    """A statement of one scheme, and the releases to ask it about."""
    scheme = draw(st.sampled_from(sorted(VERSIONS)))
    pool = VERSIONS[scheme]
    some = st.one_of(st.just(NONE), releases(pool))
    held = Statement(
        package=Package(scheme, "", "thing"),
        affected=draw(releases(pool)),
        fixed=draw(some),
        not_affected=draw(some),
        untested=draw(some),
        complete=draw(st.booleans()),
        doubts=draw(st.sampled_from([(), (), ("odd",)])),
    )
    return held, [*pool, "", " ", f" {pool[0]}", "0", "99"]


@unhurried
@given(drawn=statements())
def test_the_prepared_judge_equals_the_slow_one(drawn: tuple[Statement, list[str]]) -> None:
    """Status, words and question of every release are the same."""
    held, asked = drawn
    table = Table([(0, held)])
    for version in asked:
        ((owner, judged),) = table.judgements(version)
        slow = read(held, version)
        assert (owner, judged) == (0, slow)
        ranks = dict(table.ranks(version))
        assert CAUTION[ranks.get(0, NOT_AFFECTED)] is slow.status


@unhurried
@given(
    drawn=st.lists(statements(), min_size=2, max_size=4), version=st.sampled_from(["1.0", "2", "!"])
)
def test_the_worst_of_several_statements_is_ranked(
    drawn: list[tuple[Statement, list[str]]], version: str
) -> None:
    """Under several orders and for several advisories, each has the more cautious of its answers."""
    held = [replace(one, scheme=one.package.type) for one, _ in drawn]
    table = Table([(number % 2, one) for number, one in enumerate(held)])
    ranks = dict(table.ranks(version))
    for owner in (0, 1):
        worst = min(
            (CAUTION.index(read(one, version).status) for one in held[owner::2]),
            default=NOT_AFFECTED,
        )
        assert ranks.get(owner, NOT_AFFECTED) == worst


def _ordered(scheme: str, version: str) -> bool:
    try:
        found = bool(key(scheme, version))
    except (Unparseable, Unsupported):
        found = False
    return found


@unhurried
@given(
    drawn=statements(),
    junk=st.text("\u2620\u2603 \x00-_", max_size=8).map(lambda text: f"\u2620 \u2620{text}"),
    where=st.sampled_from(["version", "low", "high"]),
)
def test_what_is_made_unreadable_is_never_not_affected(
    drawn: tuple[Statement, list[str]], junk: str, where: str
) -> None:
    """A4: an unreadable release or bound of the affected set leaves no *not affected* but a named one."""
    held, asked = drawn
    spoken = replace(held, not_affected=NONE)
    if where != "version":
        interval = Interval(junk) if where == "low" else Interval(high=junk)
        broken = Releases((*spoken.affected.intervals, interval), spoken.affected.listed)
        spoken = replace(spoken, affected=broken)
    table = Table([(0, spoken)])
    for version in [junk] if where == "version" else asked:
        ((_, judged),) = table.judgements(version)
        assert judged.status is not Status.NOT_AFFECTED


def test_another_release_of_the_distribution_is_not_spoken_of() -> None:
    """Debian 11 and 12 have fixes of their own; without a stated release the worst of them stands."""
    curl = package("deb", "debian", "curl")
    old = Statement(
        curl, Releases((Interval(high="7.74-2"),)), Releases(listed=("7.74-2",)),
        complete=True, branch="11",
    )  # fmt: skip
    new = replace(
        old, affected=Releases((Interval(high="7.88-9"),)), fixed=Releases(listed=("7.88-9",)),
        branch="12",
    )  # fmt: skip
    table = Table([(0, old), (0, new)])
    fixed, affected = CAUTION.index(Status.FIXED), CAUTION.index(Status.AFFECTED)
    assert table.ranks("7.74-2", "11") == ((0, fixed),)
    assert table.ranks("7.74-2", "12") == ((0, affected),)
    assert table.ranks("7.74-2") == ((0, affected),)
    assert len(list(table.judgements("7.74-2", "11"))) == 1


def test_an_index_forgets_what_is_removed() -> None:
    """Adding and removing leaves what was there before; a withdrawn advisory adds nothing."""
    held = advisory()
    (spoken,) = held.packages
    index = Index([held, replace(held, withdrawn=True)])
    table = index.table(spoken)
    assert table is not None
    assert index.table(spoken) is table
    assert dict(table.ranks("5.1.0")) == {0: 0}
    index.add(7, replace(held, flaws=(replace(held.flaws[0], statements=(statement(),)),)))
    again = index.table(spoken)
    assert again is not None
    assert set(dict(again.ranks("5.1.0"))) == {0, 7}
    index.remove(0, [spoken, package("pypi", "", "other")])
    assert list(index.packages) == [spoken]
    index.remove(7, [spoken])
    assert index.table(spoken) is None
    assert list(index.packages) == []


@pytest.mark.parametrize("scheme", sorted(VERSIONS))
def test_each_pool_can_be_asked(scheme: str) -> None:
    """Every scheme but the unknown one has releases of both kinds in its pool."""
    told = {_ordered(scheme, version) for version in VERSIONS[scheme]}
    assert told == ({False} if scheme == "vms" else {True, False})
