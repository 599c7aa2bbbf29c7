"""When something may be destroyed, and what a hold has to say."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.errors import Invalid
from leadline.core.vaulting import (
    EVIDENCED,
    NO_SCHEDULE,
    OWNERS,
    Basis,
    Hold,
    Owner,
    kept,
    placed,
)

LEGAL = Hold("hold-1", make.ENGAGEMENT, None, Basis.LEGAL_HOLD, "a court", make.NOW, "person-0001")
UNTIL = make.NOW + timedelta(days=30)
SCHEDULE = replace(
    LEGAL,
    id="hold-2",
    owner="agency",
    basis=Basis.RECORDS_SCHEDULE,
    authority="schedule 020",
    until=UNTIL,
)
HOLDS = st.lists(
    st.builds(
        Hold,
        id=st.text("abc", min_size=1, max_size=3),
        engagement=st.just(make.ENGAGEMENT),
        owner=st.sampled_from([None, *OWNERS]),
        basis=st.sampled_from(Basis),
        authority=st.just("somebody"),
        placed=st.just(make.NOW),
        by=st.just("person-0001"),
        until=st.sampled_from([None, UNTIL]),
        lifted=st.sampled_from([None, make.NOW]),
    ),
    max_size=5,
)
TIMES = st.sampled_from([make.NOW, UNTIL - timedelta(microseconds=1), UNTIL])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"authority": ""}, "authority"),
        ({"authority": " \t"}, "authority"),
        ({"basis": Basis.RECORDS_SCHEDULE}, "until"),
        ({"until": UNTIL}, "until"),
    ],
)
def test_a_hold_that_says_too_little_is_invalid(changes: dict[str, object], field: str) -> None:
    """The field is named."""
    with pytest.raises(Invalid) as told:
        placed(replace(LEGAL, **changes))  # type: ignore[arg-type]
    assert told.value.field == field


def test_a_hold_that_says_enough_is_placed() -> None:
    """As it is."""
    assert placed(LEGAL) == LEGAL
    assert placed(SCHEDULE) == SCHEDULE


@pytest.mark.parametrize("owner", OWNERS)
def test_a_legal_hold_keeps_both_sides_material_and_names_the_authority(owner: Owner) -> None:
    """Until it is lifted."""
    assert any("a court" in reason for reason in kept(owner, [LEGAL, SCHEDULE], UNTIL))
    lifted = replace(LEGAL, lifted=make.NOW)
    assert kept(owner, [lifted, SCHEDULE], UNTIL) == ()


def test_agency_records_need_a_schedule_that_has_run_out() -> None:
    """To the instant."""
    assert kept("agency", [], make.NOW) == (NO_SCHEDULE,)
    (reason,) = kept("agency", [SCHEDULE], UNTIL - timedelta(microseconds=1))
    assert "schedule 020" in reason
    assert "2027-03-31" in reason
    assert kept("agency", [SCHEDULE], UNTIL) == ()


def test_developer_material_needs_none() -> None:
    """And an agency schedule does not keep it."""
    assert kept("developer", [SCHEDULE], make.NOW) == ()


@given(holds=HOLDS, owner=st.sampled_from(OWNERS), at=TIMES)
def test_a_further_standing_hold_never_frees_anything(
    holds: list[Hold], owner: Owner, at: datetime
) -> None:
    """Whatever stands already; and one reason is given for each that stands."""
    more = kept(owner, [*holds, LEGAL], at)
    assert more
    standing = [one for one in holds if one.owner in {None, owner} and one.stands(at)]
    assert len([reason for reason in more if reason != NO_SCHEDULE]) == len(standing) + 1


@given(holds=HOLDS, at=TIMES)
def test_holds_of_one_side_say_nothing_of_the_other(holds: list[Hold], at: datetime) -> None:
    """The developer's answer does not depend on what covers the agency alone."""
    common = [one for one in holds if one.owner != "agency"]
    assert kept("developer", holds, at) == kept("developer", common, at)


def test_the_receipts_words_claim_no_proof() -> None:
    """Evidenced, with what it does not show."""
    assert EVIDENCED.startswith("Evidenced deletion")
    assert "does not show that no copy" in EVIDENCED
