"""What the queue keeps of a report, what an act names, and that far-off queues change no place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

import make
from clearing_values import unhurried
from leadline.core.clearing.act_names import NAME_MAX, names
from leadline.core.clearing.contract import Contract, lane_of
from leadline.core.clearing.pacing import WEEK, Delivered, Waiting, connected, schedule
from leadline.core.clearing.queue import EARLY, again, changes, entry
from leadline.core.clearing.report import Stage
from leadline.core.record.act import Kind
from reporting import terms

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
PEOPLE = ("Ada", "Bob", "Eve")
PROJECTS = ("p", "q", "r", "s")


def test_an_act_names_what_its_details_refer_to() -> None:
    """Ids and digests; neither intake, nor text that is too long or holds a NUL, nor what it is about."""
    held = make.act(
        1, Kind.FIX_PROPOSED, about="fix-2", finding="f", case="intake", supersedes="fix-1", n=3
    )
    assert names(held) == {"f", "fix-1"}
    odd = make.act(
        2, Kind.EVIDENCE_ADDED, a="x" * NAME_MAX, b="x" * (NAME_MAX + 1), evidence="a\0b"
    )
    assert names(odd) == {"x" * NAME_MAX}
    assert names(make.act(3, Kind.CONTRACT_WRITTEN, about="bsdiff4")) == {lane_of("bsdiff4")}
    assert names(make.act(4)) == set()


def test_an_entry_is_what_the_acts_of_a_report_say() -> None:
    """None for what was recorded by an assessment, or only committed to."""
    first = make.act(
        1, Kind.FINDING_SUBMITTED, about="f", lane="l", state="screened", severity="high"
    )
    moved = make.act(2, Kind.FINDING_MOVED, about="f", state="case", case="case-1")
    recorded = make.act(3, Kind.FINDING_RECORDED, about="f")
    found = entry([first, moved])
    assert found is not None
    assert (found.finding, found.lane, found.stage, found.case) == ("f", "l", Stage.CASE, "case-1")
    assert entry([recorded]) is None
    assert [changes(one) for one in (first, moved, recorded)] == ["f", "f", ""]
    assert changes(make.act(4, Kind.FINDING_SUBMITTED, about=f"{EARLY}aa")) == ""


def test_who_handed_in_what_was_there_already() -> None:
    """All but whoever brought it first; everybody, where an assessment had recorded it before."""
    came = [
        replace(make.act(n, Kind.FINDING_SUBMITTED, about="f"), actor=who)
        for n, who in enumerate(("ann", "bob", "ann", "eve"))
    ]
    moved = make.act(5, Kind.FINDING_MOVED, about="f")
    recorded = replace(make.act(6, Kind.FINDING_RECORDED, about="f"), actor="ann")
    assert again([*came, moved]) == {"bob", "eve"}
    assert again([came[0], recorded]) == set()
    assert again([recorded, *came]) == {"ann", "bob", "eve"}
    assert again([moved]) == set()


CONTRACTS = st.lists(
    st.builds(
        lambda project, people, week, most, paused: terms(
            project,
            maintainers=tuple(people),
            per_week=week,
            max_open=most,
            paused=paused,
            paused_until=NOW + timedelta(days=2) if paused else None,
        ),
        st.sampled_from(PROJECTS),
        st.lists(st.sampled_from(PEOPLE), unique=True, max_size=2),
        st.integers(1, 3),
        st.integers(1, 3),
        st.booleans(),
    ),
    unique_by=lambda one: one.project,
    max_size=4,
)
LANES = st.sampled_from([lane_of(one) for one in (*PROJECTS, "nobody's", "person Ada")])
MOMENTS = st.integers(-20 * 24, 0).map(lambda hours: NOW + timedelta(hours=hours))
WAITING = st.lists(
    st.builds(
        Waiting,
        st.integers(0, 99).map("f{:02}".format),
        LANES,
        MOMENTS,
        st.integers(0, 3),
        st.sampled_from(["", "", "attacked"]),
        ready=st.booleans(),
    ),
    unique_by=lambda one: one.finding,
    max_size=14,
)
DELIVERED = st.lists(st.builds(Delivered, LANES, MOMENTS, st.booleans()), max_size=14)


@unhurried
@given(CONTRACTS, WAITING, DELIVERED, st.sets(LANES, max_size=2))
def test_places_need_no_queue_that_is_not_connected(
    contracts: list[Contract], waiting: list[Waiting], delivered: list[Delivered], asked: set[str]
) -> None:
    """Nor what left for a case a week ago or before, but for how many cases of it are open."""
    whole = schedule(contracts, waiting, delivered, NOW)
    held = connected(contracts, asked)
    assert asked <= held
    opened = dict[str, int]()
    for one in delivered:
        opened[one.lane] = opened.get(one.lane, 0) + one.open
    late = [
        Delivered(one.lane, one.at, open=False)
        for one in delivered
        if one.lane in held and one.at > NOW - WEEK
    ]
    part = schedule(contracts, [one for one in waiting if one.lane in held], late, NOW, opened)
    assert part == {id_: slot for id_, slot in whole.items() if id_ in part}
    assert set(part) == {one.finding for one in waiting if one.lane in held}
