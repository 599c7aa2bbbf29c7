"""Ranges and lists: what they hold, what they do not, and what nobody can tell."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from univers.version_range import VersionRange
from univers.versions import PypiVersion

from clearing_values import unhurried
from leadline.core.clearing.product import Interval, Releases
from leadline.core.clearing.versions.ranges import (
    Answer,
    Constraint,
    Event,
    OsvRange,
    Vers,
    judge,
    osv_intervals,
    releases,
)
from leadline.formats import vers

A, N, U = Answer.AFFECTED, Answer.NOT_AFFECTED, Answer.UNKNOWN


def osv(text: str, *, commits: bool = False) -> OsvRange:
    """A range from words such as ``introduced 1``, separated by commas."""
    events = (part.split() for part in text.split(", ") if part)
    return OsvRange(tuple(Event(kind, version) for kind, version in events), commits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "version", "answer"),
    [
        ("introduced 0, fixed 1.0", "0.0.dev0", A),
        ("introduced 0, fixed 1.0", "1.0rc1", A),
        ("introduced 0, fixed 1.0", "1.0.0", N),
        ("introduced 0, last_affected 1.0", "1.0.0", A),
        ("introduced 0, last_affected 1.0", "1.0.post1", N),
        ("introduced 2.0", "1.9", N),
        ("introduced 2.0", "9!1", A),
        ("introduced 0", "odd!", A),
        ("introduced 0, fixed 1, introduced 2, fixed 3", "1.5", N),
        ("fixed 3, introduced 2, fixed 1, introduced 0", "2.5", A),
        ("introduced 1, introduced 2, fixed 3", "1.5", A),
        ("introduced 0, fixed 1, fixed 2", "1.5", N),
        ("introduced 0, introduced 0, fixed 2", "1.5", A),
        ("introduced 2, fixed 1", "3", A),
        ("introduced 0, fixed 1", "odd!", U),
        ("introduced odd!, fixed 1", "0.5", U),
        ("introduced 1, fixed 1.0", "0.5", U),
        ("fixed 1", "0.5", U),
        ("", "0.5", U),
        ("introduced 0, limit 2", "1", A),
        ("introduced 0, limit 2", "2", N),
        ("introduced 0, limit 2, limit 3", "2.5", A),
        ("introduced 0, limit odd!", "2", U),
        ("introduced 0, limit odd!, limit 3", "2", A),
        ("introduced 0, limit *", "2", A),
        ("introduced 3, limit 2", "2", N),
    ],
)
def test_osv_ranges(text: str, version: str, answer: Answer) -> None:
    """As the schema evaluates them; what cannot be ordered or contradicts itself is unknown."""
    assert judge("pypi", version, ranges=[osv(text)]) is answer


@pytest.mark.parametrize(
    ("text", "version", "answer"),
    [
        ("vers:pypi/1.2.3|>=2.0.0|<5.0.0", "1.2.3", A),
        ("vers:pypi/1.2.3|>=2.0.0|<5.0.0", "1.2.4", N),
        ("vers:pypi/1.2.3|>=2.0.0|<5.0.0", "2", A),
        ("vers:pypi/1.2.3|>=2.0.0|<5.0.0", "5", N),
        ("vers:pypi/<=1|>3", "1.0", A),
        ("vers:pypi/<=1|>3", "3", N),
        ("vers:pypi/<=1|>3", "4", A),
        ("vers:pypi/>=1|!=1.5|<2", "1.5.0", N),
        ("vers:pypi/>=1|!=1.5|<2", "1.6", A),
        ("vers:pypi/!=1.5", "1.6", A),
        ("vers:pypi/!=1.5", "1.5", N),
        ("vers:pypi/1|2", "3", N),
        ("vers:pypi/*", "odd!", A),
        ("vers:all/*", "odd!", A),
        ("vers:none/*", "1", N),
        ("vers:none/*", "odd!", U),
        ("vers:pypi/1|2", "odd!", U),
        ("vers:pypi/odd~", "odd~", A),
        ("vers:pypi/odd~|2", "3", U),
        ("vers:pypi/odd~|2", "2.0", A),
        ("vers:pypi/!=odd~", "3", U),
        ("vers:pypi/!=odd~", "odd~", U),
        ("vers:pypi/>=1|!=1.5|!=odd~", "1.5", U),
        ("vers:pypi/1|!=2", "3", N),
        ("vers:pypi/1|!=1.0", "1", A),
        ("vers:pypi/1|!=1.0", "2", U),
        ("vers:pypi/>=1|!=1.0", "2", U),
        ("vers:pypi/1|1.0", "2", N),
        ("vers:pypi/>=1|>=2", "3", U),
        ("vers:pypi/<1|<2", "0.5", U),
        ("vers:pypi/>=1|<1.0", "0.5", U),
        ("vers:pypi/>=odd~", "0.5", U),
        ("vers:generic/>=1", "2", U),
    ],
)
def test_vers_ranges(text: str, version: str, answer: Answer) -> None:
    """As the specification tells; needless, equal or unordered bounds are unknown."""
    assert judge("pypi", version, ranges=[vers.parse(text)]) is answer


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("vers:all/*", Releases((Interval(),))),
        ("vers:none/*", Releases()),
        ("vers:pypi/2|1", Releases(listed=("2", "1"))),
        ("vers:pypi/<2|1|>=3", Releases((Interval("", "2"), Interval("3")), ("1",))),
        (
            "vers:pypi/>=1|!=1.5|<=2",
            Releases((Interval("1", "1.5"), Interval("1.5", "2", False, True))),  # noqa: FBT003 -- two open ends
        ),
        (
            "vers:pypi/!=1|!=2",
            Releases((Interval("", "1"), Interval("1", "2", False), Interval("2", "", False))),  # noqa: FBT003
        ),
        ("vers:pypi/!=1|<2|!=3", Releases((Interval("", "1"), Interval("1", "2", False)))),  # noqa: FBT003
        ("vers:pypi/1|!=2", Releases(listed=("1",))),
    ],
)
def test_a_vers_range_is_a_set_of_releases(text: str, held: Releases) -> None:
    """Each ``!=`` cuts the interval it lies in, and nothing where it lies in none."""
    assert releases(vers.parse(text)) == held


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("vers:pypi/1|odd~", "'=odd~': .*PEP 440"),
        ("vers:pypi/!=odd~", "'!=odd~'"),
        ("vers:generic/>=1", "'>=1': .*generic"),
        ("vers:pypi/>=1|>=2", "'>=2' changes nothing"),
        ("vers:pypi/<1|<2", "'<2' changes nothing"),
        ("vers:pypi/>2|<1", "do not stand in the order"),
        ("vers:pypi/>=1|!=1.0|<2", "'>=1' and '!=1.0' name one version"),
        ("vers:maven/>=2.9.0.RC1|<2.9.0-1", "no order between them"),
    ],
)
def test_what_is_no_set_of_releases_says_which_constraint(text: str, problem: str) -> None:
    """In words that a reader of the advisory can check."""
    found = releases(vers.parse(text))
    assert isinstance(found, str)
    assert re.search(problem, found)


SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
PLAIN = ["0.1", "0.5", "1", "1.5rc1", "1.5", "2", "3.0", "4", "5.post1"]


@unhurried
@given(signs=st.lists(st.none() | SIGNS, min_size=len(PLAIN), max_size=len(PLAIN)))
def test_ranges_hold_what_another_implementation_holds(signs: list[str | None]) -> None:
    """Whatever is understood is in the range for `univers` if and only if it is for us."""
    told = "|".join(f"{sign}{version}" for sign, version in zip(signs, PLAIN, strict=True) if sign)
    holes = {sign for sign in signs if sign} == {"!="} and told.count("!=") > 1
    if not told or holes or isinstance(releases(vers.parse(f"vers:pypi/{told}")), str):
        return  # of holes alone `univers` takes no release in, unless there is just one
    theirs = VersionRange.from_string(f"vers:pypi/{told}")  # type: ignore[no-untyped-call]
    for version in [*PLAIN, "0", "0.2", "1.4", "1.7", "2.5", "3.5", "4.5", "8"]:
        ours = judge("pypi", version, ranges=[vers.parse(f"vers:pypi/{told}")])
        assert (ours is A) == (PypiVersion(version) in theirs), (told, version)
        assert ours is not U


def test_a_star_stands_alone() -> None:
    """Beside other constraints it means nothing that is known."""
    held = Vers("pypi", (Constraint("*"), Constraint("<", "1")))
    assert judge("pypi", "0.5", ranges=[held]) is U


@pytest.mark.parametrize(
    ("version", "answer"),
    [("1.0", A), ("1.5", A), ("3.0", A), ("odd!", U), ("1.0-bank", A), ("4.0", N)],
)
def test_ranges_and_lists_are_a_union(version: str, answer: Answer) -> None:
    """One part that holds the release is enough."""
    held = judge(
        "pypi",
        version,
        ranges=[osv("introduced 1, fixed 2"), vers.parse("vers:pypi/>=2.5|<3.5")],
        listed=["1.0", "1.0-bank"],
    )
    assert held is answer


def test_one_part_that_is_not_understood_leaves_the_answer_open() -> None:
    """Commits without their repository, or nothing at all, say nothing."""
    assert judge("pypi", "1", ranges=[osv("introduced 0", commits=True)]) is U
    assert judge("pypi", "1", ranges=[osv("", commits=True)], listed=["1.0"]) is A
    assert judge("pypi", "1") is U
    assert judge("vms", "1", listed=["2"]) is U
    assert judge("pypi", "odd!", ranges=[osv("introduced 0, fixed 1")], listed=["2"]) is U


def test_composer_ranges_follow_the_resolver() -> None:
    """1.0 and 1.0.0 are one release to Composer's resolver; a branch is none."""
    assert judge("composer", "1.0.0", ranges=[osv("introduced 0, last_affected 1.0")]) is A
    assert judge("composer", "1.0", ranges=[osv("introduced 1.0.0, fixed 2")]) is A
    assert judge("composer", "v1.0-BETA", ranges=[osv("introduced 0, fixed 1.0")]) is A
    assert judge("composer", "dev-main", ranges=[osv("introduced 1.0, fixed 2")]) is U


def test_where_releases_of_maven_disagree_the_answer_is_unknown() -> None:
    """A bound beside which a release has no place."""
    held = [osv("introduced 2.0, fixed 2.9.0.RC1")]
    assert judge("maven", "2.9.0-1", ranges=held) is U
    assert judge("maven", "2.8", ranges=held) is A
    assert judge("maven", "2.9.0-1", listed=["2.9.0.RC1"]) is U


def test_events_become_intervals() -> None:
    """Pairs of a beginning and the next end; an inverted pair never appears."""
    held = osv("introduced 0, last_affected 1, introduced 2")
    assert osv_intervals("pypi", held.events) == (
        Interval("", "1", high_included=True),
        Interval("2"),
    )


VERSIONS = ["0.5", "1", "1.0", "1.5rc1", "2", "3.0", "4", "odd!", "1-bank"]
events = st.builds(
    Event,
    st.sampled_from(["introduced", "fixed", "last_affected", "limit"]),
    st.sampled_from([*VERSIONS, "0"]),
)
bounds = st.builds(
    Constraint, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.sampled_from(VERSIONS)
)
spans = st.lists(
    st.builds(OsvRange, st.lists(events, max_size=4).map(tuple), st.booleans())
    | st.builds(Vers, st.sampled_from(["pypi", "deb"]), st.lists(bounds, max_size=4).map(tuple)),
    max_size=3,
)


@unhurried
@given(ranges=spans, version=st.sampled_from(VERSIONS), index=st.integers(0, 9))
def test_making_a_part_unreadable_never_gives_not_affected(
    ranges: list[OsvRange | Vers], version: str, index: int
) -> None:
    """Spoil one bound, or the release: the answer may open, and never says not affected."""
    if not ranges:
        return
    assert judge("pypi", "odd!!", ranges=ranges) is not N
    spoilt = ranges[index % len(ranges)]
    unread: OsvRange | Vers
    if isinstance(spoilt, Vers):
        unread = Vers(spoilt.scheme, (*spoilt.constraints, Constraint(">", "garbled!")))
    else:
        unread = OsvRange((*spoilt.events, Event("fixed", "garbled!")))
    without = [held for held in ranges if held is not spoilt]
    answer = judge("pypi", version, ranges=[*without, unread])
    assert answer is not N


@unhurried
@given(ranges=spans, version=st.sampled_from(VERSIONS), more=spans)
def test_more_ranges_never_take_a_release_out(
    ranges: list[OsvRange | Vers], version: str, more: list[OsvRange | Vers]
) -> None:
    """Several ranges are a union: what one holds stays affected."""
    if judge("pypi", version, ranges=ranges) is A:
        assert judge("pypi", version, ranges=[*ranges, *more]) is A
