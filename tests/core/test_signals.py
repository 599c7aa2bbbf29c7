"""What acts say of a case's priority: the newest word counts, unknown takes it back, attacks stay."""

from datetime import UTC, datetime

import pytest

import make
from leadline.core.clearing import signals
from leadline.core.clearing.priority import Attacks, Criticality, Exposure
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, Value

CASE = "case-1"


def said(number: int, **detail: Value) -> Act:
    """An act that tells one thing."""
    return make.act(number, Kind.PRIORITY_SET, engagement="", about=CASE, reason="seen", **detail)


def moved(number: int, move: str) -> Act:
    """The case itself moved."""
    return make.act(number, Kind.CASE_MOVED, engagement="", about=CASE, move=move)


def test_nothing_said_is_nothing_known() -> None:
    """No act, no signal; other acts tell nothing."""
    other = make.act(1, Kind.CASE_OPENED, engagement="", about=CASE)
    assert signals.told(CASE, [other]) == signals.Told()


def test_every_signal_is_read_back() -> None:
    """Scales, counts, moments and the id."""
    told = signals.told(
        CASE,
        [
            said(1, signal="cve", value="CVE-2026-12345"),
            said(2, signal="attacks", value="public-proof"),
            said(3, signal="criticality", value="vital"),
            said(4, signal="exposure", value="open"),
            said(5, signal="dependents", value="12"),
            said(6, signal="capacity", value="0"),
            said(7, signal="detected", value="2026-11-03T15:00:00+00:00"),
            said(8, signal="fix", value="2026-11-04T15:00:00+00:00"),
            said(9, point="ssvc:A:2.0.0", value="Y"),
        ],
    )
    assert (told.cve, told.attacks) == ("CVE-2026-12345", Attacks.PUBLIC_PROOF)
    assert (told.criticality, told.exposure) == (Criticality.VITAL, Exposure.OPEN)
    assert (told.dependents, told.capacity) == (12, 0)
    assert told.detected == datetime(2026, 11, 3, 15, tzinfo=UTC)
    assert told.fix == datetime(2026, 11, 4, 15, tzinfo=UTC)
    answer = told.answers["ssvc:A:2.0.0"]
    assert (answer.value, answer.by, answer.why) == (
        "Y",
        said(1, signal="cve", value="").actor,
        "seen",
    )


def test_the_newest_word_counts_and_unknown_takes_it_back() -> None:
    """Of an input as of a signal."""
    told = signals.told(
        CASE,
        [
            said(1, signal="criticality", value="vital"),
            said(2, signal="criticality", value="ordinary"),
            said(3, signal="exposure", value="open"),
            said(4, signal="exposure", value="unknown"),
            said(5, point="ssvc:A:2.0.0", value="Y"),
            said(6, point="ssvc:A:2.0.0", value="unknown"),
        ],
    )
    assert told.criticality is Criticality.ORDINARY
    assert told.exposure is None
    assert told.answers["ssvc:A:2.0.0"].value is None


@pytest.mark.parametrize(
    ("moves", "word", "expected"),
    [
        (["exploit-public"], None, Attacks.PUBLIC_PROOF),
        (["attacks"], "none", Attacks.SEEN),
        (["exploit-public", "attacks"], None, Attacks.SEEN),
        (["exploit-public"], "seen", Attacks.SEEN),
        (["public"], None, None),
    ],
)
def test_attacks_that_the_case_recorded_are_not_talked_away(
    moves: list[str], word: str | None, expected: Attacks | None
) -> None:
    """The worse of what the case recorded and what a person said."""
    acts = [moved(number, move) for number, move in enumerate(moves, 1)]
    acts += [said(9, signal="attacks", value=word)] if word else []
    assert signals.told(CASE, acts).attacks is expected


def test_an_override_carries_what_its_author_saw() -> None:
    """One without it saw nothing, and so never lowers a case."""
    whole = said(1, outcome="3D", seen=("60D", "3DF"))
    bare = said(2, outcome="FSU")
    first, second = signals.told(CASE, [whole, bare]).overrides
    assert (first.outcome, first.seen, first.reason) == ("3D", ("60D", "3DF"), "seen")
    assert second.seen == ("", "")


@pytest.mark.parametrize(
    ("signal", "value", "kept"),
    [
        ("cve", "cve-2026-12345", "CVE-2026-12345"),
        ("dependents", "007", "7"),
        ("attacks", "seen", "seen"),
        ("fix", "2026-11-03T15:00:00+01:00", "2026-11-03T15:00:00+01:00"),
        ("exposure", "unknown", "unknown"),
    ],
)
def test_a_value_is_kept_in_its_one_spelling(signal: str, value: str, kept: str) -> None:
    """As an act spells it."""
    assert signals.checked(signal, value) == kept


@pytest.mark.parametrize(
    ("signal", "value", "field"),
    [
        ("mood", "bad", "signal"),
        ("cve", "CVE-1", "cve"),
        ("attacks", "many", "attacks"),
        ("dependents", "-1", "dependents"),
        ("capacity", "²", "capacity"),
        ("capacity", "9" * 400, "capacity"),
        ("fix", "tomorrow", "fix"),
        ("detected", "2026-11-03T15:00:00", "detected"),
    ],
)
def test_what_cannot_be_is_named(signal: str, value: str, field: str) -> None:
    """Field and cure; nothing is guessed."""
    with pytest.raises(Invalid) as caught:
        signals.checked(signal, value)
    assert caught.value.field == field
