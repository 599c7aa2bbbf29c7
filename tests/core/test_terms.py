"""Terms name everything they limit, have effect once both signed, and end to the second."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.purpose import PRIORITY, Purpose, Purposes
from leadline.core.engagement.terms import (
    Attempt,
    Disclosure,
    Priority,
    Records,
    Terms,
    against,
    diff,
    follows,
    in_effect,
)
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind
from leadline.formats.canonical import encode

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KNOWN = Purposes(
    (
        Purpose("assessment", "Measuring."),
        Purpose("defence", "Defending."),
        Purpose(PRIORITY, "As both signed."),
        Purpose("weapons", "Weapons.", never=True),
    )
)
ATTEMPT = Attempt("assessment", "lab", frozenset({"evaluator"}))
OWN = replace(ATTEMPT, own=True)


def terms(**fields: object) -> Terms:
    """Terms that cover an assessment for ten days."""
    made = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, START + 10 * DAY)
    return replace(made, **fields)  # type: ignore[arg-type] # fields of terms by name


def with_priority(days: int = 5, **fields: object) -> Terms:
    """Terms with a priority use that both sign."""
    priority = Priority("hospitals only", START + days * DAY)
    return terms(purposes=("assessment", PRIORITY), priority=priority, **fields)


def agreed(party: str, digest: str) -> Act:
    """One party's agreement."""
    detail = {"party": party, "terms": digest}
    return Act("a", Kind.TERMS_AGREED, START, "p", "e", "e", detail)


def why(attempt: Attempt = ATTEMPT, at: datetime = START, **fields: object) -> str:
    """What stands against an attempt."""
    return against(terms(**fields), KNOWN, attempt, at)


def test_terms_cover_what_they_name_and_nothing_else() -> None:
    """The purposes named, by anybody whom the access rules let, until the second of their end."""
    assert why() == ""
    assert "cover assessment, not 'defence'" in why(replace(ATTEMPT, purpose="defence"))
    end = START + 10 * DAY
    assert why(at=end - timedelta(microseconds=1)) == ""
    for late in (timedelta(0), timedelta(seconds=1)):
        assert "expired at 2026-10-11T12:00:00" in why(at=end + late)


def test_a_purpose_of_the_list_is_refused_even_if_the_terms_name_it() -> None:
    """Whoever asks, with terms or without, the developer's own people included."""
    for attempt in (replace(ATTEMPT, purpose="weapons"), replace(OWN, purpose="weapons")):
        for held in (None, terms(), terms(purposes=("assessment", "weapons"))):
            assert "no terms cover the purpose 'weapons'" in against(held, KNOWN, attempt, START)


@pytest.mark.parametrize(
    "word",
    ["Weapons", "WEAPONS", "weapons ", " weapons", "weapon\u017f", "\uff57eapons", "weap\u043ens"],
)
def test_another_spelling_of_a_purpose_of_the_list_is_covered_by_nothing(word: str) -> None:
    """What the vocabulary does not have is no purpose, though terms signed elsewhere name it."""
    held = terms(purposes=("assessment", word))
    for attempt in (replace(ATTEMPT, purpose=word), replace(OWN, purpose=word)):
        assert "is none of assessment, defence" in against(held, KNOWN, attempt, START)


def test_without_terms_nothing_of_anothers_is_used() -> None:
    """One's own is, for any purpose of the vocabulary."""
    assert "no terms are in effect" in against(None, KNOWN, ATTEMPT, START)
    assert against(None, KNOWN, OWN, START) == ""
    unheard = replace(OWN, purpose="unheard-of")
    assert "none of assessment, defence" in against(None, KNOWN, unheard, START)


def test_terms_limit_nothing_of_ones_own() -> None:
    """Neither their purposes, nor their end, nor whom they name."""
    later = START + 20 * DAY
    own = replace(OWN, purpose="defence")
    assert why(own, later, organisations=("another",), roles=("none",)) == ""


def test_a_readers_own_time_ends_to_the_second() -> None:
    """Also the developer's reader, since whoever sent it said until when."""
    for attempt in (ATTEMPT, OWN):
        timed = replace(attempt, until=START + DAY)
        assert why(timed, START + DAY - timedelta(microseconds=1)) == ""
        assert "this reader's time ended" in why(timed, START + DAY)


def test_terms_narrow_who_receives() -> None:
    """By organisation and by role; an agreed partner needs no entry among the organisations."""
    assert "do not name 'lab'" in why(organisations=("office",))
    assert why(organisations=("office", "lab")) == ""
    assert "roles auditor" in why(roles=("auditor",))
    assert why(roles=("auditor", "evaluator")) == ""
    partner = replace(ATTEMPT, partner=True)
    assert why(partner, organisations=("office",)) == ""
    assert "roles auditor" in why(partner, roles=("auditor",))


def test_priority_use_is_what_both_signed_until_its_own_end() -> None:
    """It is a purpose with a scope, in the terms or not at all."""
    attempt = replace(ATTEMPT, purpose=PRIORITY)
    assert against(with_priority(), KNOWN, attempt, START) == ""
    ended = against(with_priority(), KNOWN, attempt, START + 5 * DAY)
    assert "priority use that both parties signed ended" in ended
    assert "cover assessment" in why(attempt)
    for wrong in ({"purposes": ("assessment", PRIORITY)}, {"priority": Priority("s", START)}):
        with pytest.raises(Invalid, match="priority"):
            terms(**wrong)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: terms(purposes=("assessment", "assessment")), "purposes"),
        (lambda: terms(organisations=(" ",)), "organisations"),
        (lambda: terms(purposes=()), "purposes"),
        (lambda: terms(nondisclosure=" "), "nondisclosure"),
        (lambda: terms(retention_days=-1), "retention_days"),
        (lambda: terms(version=0), "version"),
        (lambda: terms(version=2), "version"),
        (lambda: terms(replaces="aa"), "version"),
        (lambda: terms(expires=datetime(2027, 1, 1)), "offset"),  # noqa: DTZ001 -- the missing offset
        (lambda: Priority(" ", START), "scope"),
        (lambda: Priority("s", datetime(2027, 1, 1)), "offset"),  # noqa: DTZ001 -- the missing offset
        (lambda: Records("", "44 USC 3303"), "records"),
        (lambda: Records("GRS 5.1", " "), "records"),
        (lambda: Disclosure("", "trade secrets"), "disclosure"),
        (lambda: Disclosure("4", ""), "disclosure"),
        (lambda: Purposes(()), "purposes"),
        (lambda: Purposes((Purpose("a", "A"), Purpose("a", "B"))), "stands twice"),
        (lambda: KNOWN.check(["weapons"]), "no terms cover"),
        (lambda: KNOWN.check(["wepons"]), "none of assessment"),
        (lambda: terms(retention_days=10**7).destroy_by(START), "retention_days"),
    ],
)
def test_what_cannot_be_agreed_is_refused_by_name(wrong: object, field: str) -> None:
    """Each with the field that is wrong."""
    with pytest.raises(Invalid, match=field):
        wrong()  # type: ignore[operator] # each is a function without parameters


def test_destruction_is_dated_from_the_end() -> None:
    """A day is 24 hours; the vocabulary names what terms can say."""
    assert terms().destroy_by(START) == START + 90 * DAY
    KNOWN.check(("assessment", "defence"))


def test_the_digest_is_that_of_the_canonical_text() -> None:
    """What both sign is what the vault keeps; what was not agreed adds nothing to it."""
    full = with_priority(
        version=2,
        replaces="ab" * 32,
        organisations=("lab",),
        roles=("evaluator",),
        export_rules=("EAR 734.13: say who is abroad",),
        records=Records("GRS 5.1", "44 USC 3303"),
        disclosure=Disclosure("5 USC 552(b)(4)", "trade secrets of the developer"),
    )
    for one in (terms(), full):
        assert sha256(encode(one.to_record())).hexdigest() == one.digest
    assert "records" not in terms().to_record()
    assert len({terms().digest, full.digest, replace(full, export_rules=()).digest}) == 3


def test_a_person_reads_what_changes_before_signing() -> None:
    """What goes, what comes, and nothing that stays."""
    new = with_priority(version=2, replaces=terms().digest, records=Records("GRS 5.1", "44 USC"))
    assert diff(terms(), terms()) == ()
    assert diff(terms(), new) == (
        "+ priority: scope hospitals only; until 2026-10-06T12:00:00.000000Z",
        "- purposes: assessment",
        f"+ purposes: assessment, {PRIORITY}",
        "+ records: schedule GRS 5.1; authority 44 USC",
        f"+ replaces: {terms().digest}",
        "+ version: 2",
    )
    assert len(diff(None, terms())) == len(terms().to_record())
    assert all(line.startswith("- ") for line in diff(new, terms()) if "records" in line)


def test_new_terms_name_those_they_replace() -> None:
    """The very same ones again, or the next version of what is in effect; nothing beside."""
    second = terms(version=2, replaces=terms().digest)
    follows(None, terms())
    follows(terms(), terms())
    follows(terms(), second)
    with pytest.raises(Refused, match="in effect are none"):
        follows(None, second)
    with pytest.raises(Refused, match=terms().digest):
        follows(terms(), replace(second, replaces="cd" * 32))
    with pytest.raises(Refused, match="in effect are terms"):
        follows(second, terms())
    with pytest.raises(Invalid, match="next version is 2"):
        follows(terms(), replace(second, version=3))


def test_terms_have_effect_once_both_signed_the_same() -> None:
    """One side's signature under others changes nothing until the second signs too."""
    acts = [agreed("developer", "t1")]
    assert in_effect(acts) == ""
    acts.append(Act("x", Kind.ANCHOR_SET, START, "p", "e", "e", {}))
    acts.append(agreed("government", "t1"))
    assert in_effect(acts) == "t1"
    acts.append(agreed("government", "t2"))
    assert in_effect(acts) == "t1"
    acts.append(agreed("developer", "t2"))
    assert in_effect(acts) == "t2"


@given(
    st.lists(st.tuples(st.sampled_from(("developer", "government")), st.sampled_from("abc"))),
)
def test_nothing_has_effect_that_one_side_never_signed(signed: list[tuple[str, str]]) -> None:
    """Whatever the order of signatures."""
    found = in_effect([agreed(party, digest) for party, digest in signed])
    if found:
        assert {party for party, digest in signed if digest == found} == {"developer", "government"}


@given(
    st.sampled_from(["weapons", "assessment", "defence", PRIORITY, "x"]),
    st.sampled_from([ATTEMPT, OWN, replace(ATTEMPT, partner=True)]),
    st.integers(-20, 20),
    st.sampled_from([None, terms(purposes=("assessment", "weapons")), with_priority()]),
)
def test_no_circumstance_covers_a_purpose_of_the_list(
    purpose: str, whose: Attempt, days: int, held: Terms | None
) -> None:
    """And what is covered is always named in the terms, where there are any."""
    attempt = replace(whose, purpose=purpose)
    if against(held, KNOWN, attempt, START + days * DAY) == "":
        assert purpose != "weapons"
        assert attempt.own or (held is not None and purpose in held.purposes)


def test_the_record_of_terms_is_plain_json() -> None:
    """Nothing in it but text, numbers, lists and mappings."""
    assert (
        json.loads(json.dumps(with_priority().to_record()))["priority"]["scope"] == "hospitals only"
    )
