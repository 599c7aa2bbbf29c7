"""Acts as records: one spelling of every field, and nothing read that was not written so."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, from_record, instant, to_record

AT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
ACT = Act("act-1", Kind.ACCESS_OPENED, AT, "someone", "eng-1", "eng-1", {"regime": "d", "n": 3})


@given(
    kind=st.sampled_from(Kind),
    at=st.datetimes(timezones=st.just(UTC)),
    detail=st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()),
)
def test_every_act_reads_back_as_it_was(
    kind: Kind, at: datetime, detail: dict[str, str | int | bool | None]
) -> None:
    """A record holds all of an act, whatever its kind, time and detail."""
    act = Act("a", kind, at, "who", "what", "eng", detail)
    assert act == from_record(to_record(act))


def test_a_time_is_spelled_in_utc_with_microseconds() -> None:
    """The same moment in another zone has the same spelling; one without a zone has none."""
    assert instant(AT) == "2027-03-01T09:30:00.000000Z"
    assert instant(AT) == instant(AT.astimezone(timezone(timedelta(hours=-5))))
    with pytest.raises(Invalid, match="offset"):
        instant(AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("v", 2, "v"),
        ("id", None, "id"),
        ("kind", "access.granted", "kind/at"),
        ("at", "yesterday", "kind/at"),
        ("actor", 7, "actor"),
        ("detail", "text", "detail"),
    ],
)
def test_a_record_that_is_no_act_is_refused_by_field(
    field: str, value: str | int | None, named: str
) -> None:
    """Another version, an unknown kind, a field of another type: each is named."""
    with pytest.raises(Invalid) as caught:
        from_record(to_record(ACT) | {field: value})
    assert named == caught.value.field
