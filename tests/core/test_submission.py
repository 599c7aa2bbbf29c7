"""Submission packs: what is there, what is not, and what a text says of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

import make
from leadline.core.engagement.inquiry import UNKNOWN
from leadline.core.engagement.regime import PackPart
from leadline.core.engagement.submission import (
    SAID,
    Fact,
    Origin,
    Part,
    Piece,
    Presence,
    Row,
    Submission,
    completeness,
    retention,
)
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid
from leadline.wiring.regimes import library

CARD = Piece(Part.MODEL_CARD, "card.md", "a" * 64, 9, Origin.HUGGING_FACE_CARD)
EO = library().newest("us-eo-14409")
CITED = EO.sources[0]


def named(*parts: str) -> tuple[PackPart, ...]:
    """What a regime file may say of a pack."""
    return tuple(PackPart(part, f"speaks of {part}", CITED.id) for part in parts)


def test_each_text_names_its_parts_and_where_they_stand() -> None:
    """Present, absent and unknown with the citation; what no text names follows."""
    regime = replace(EO, pack=named("model-card", "red-team-results", "compute-statement"))
    pack = Submission(unknown=frozenset({Part.RED_TEAM})).holding(CARD)
    pack = pack.saying(Fact.CONTACT, "a person")
    assert completeness((regime,), pack) == (
        Row(Part.MODEL_CARD, Presence.PRESENT, EO.id, "speaks of model-card", CITED.citation),
        Row(Part.RED_TEAM, Presence.UNKNOWN, EO.id, "speaks of red-team-results", CITED.citation),
        Row(Part.COMPUTE, Presence.ABSENT, EO.id, "speaks of compute-statement", CITED.citation),
        Row(Part.CONTACT, Presence.PRESENT),
    )
    assert completeness((replace(EO, pack=()),), Submission()) == ()


def test_every_text_that_ships_names_parts_that_a_pack_has() -> None:
    """With its words and the place where it says so."""
    texts = library().texts
    rows = completeness(texts, Submission())
    assert {row.regime for row in rows} >= {"us-eo-14409", "ca-sb53", "eu-ai-act-gpai"}
    assert all(row.presence is Presence.ABSENT and row.words and row.citation for row in rows)
    assert len(rows) == sum(len(text.pack) for text in texts)


def test_a_part_that_no_pack_has_is_a_fault_of_the_regime_file() -> None:
    """It is named with the regime."""
    with pytest.raises(Invalid, match="no part of a pack") as told:
        completeness((replace(EO, pack=named("weights")),), Submission())
    assert told.value.field == EO.id


@pytest.mark.parametrize("part", SAID)
def test_a_part_made_of_facts_needs_each_of_them(part: Part) -> None:
    """Absent without one, unknown with one unknown, present with all."""
    pack = Submission()
    assert pack.state(part) is Presence.ABSENT
    for fact in SAID[part]:
        assert pack.state(part) is Presence.ABSENT
        assert pack.saying(fact, UNKNOWN).state(part) is Presence.UNKNOWN
        good = {
            Fact.VARIANT: "both",
            Fact.RETENTION_DAYS: "90",
            Fact.TRAINING_OPERATIONS: "3e25",
        }
        pack = pack.saying(fact, good.get(fact, "2027-01-15"))
    assert pack.state(part) is Presence.PRESENT


def test_a_file_replaces_one_of_its_name_and_ends_not_knowing() -> None:
    """The part is no longer unknown; two files of one name are refused."""
    pack = Submission(unknown=frozenset({Part.MODEL_CARD})).holding(CARD)
    newer = replace(CARD, digest="b" * 64)
    assert pack.holding(newer).pieces == (newer,)
    assert not pack.unknown
    with pytest.raises(Invalid, match="stands twice"):
        Submission(pieces=(CARD, newer))
    with pytest.raises(Invalid, match="one spelling"):
        Submission({Fact.MODEL: " m"})


def test_the_manifest_holds_every_fact_and_digest() -> None:
    """In one order, whatever the order they came in."""
    other = replace(CARD, file="a.md", part=Part.SYSTEM_CARD)
    one, two = (
        Submission({Fact.MODEL: "m"}, pieces, frozenset({Part.RED_TEAM}))
        for pieces in ((CARD, other), (other, CARD))
    )
    assert one.to_record() == two.to_record()
    assert one.to_record()["facts"] == {"model": "m"}
    assert one.to_record()["unknown"] == ("red-team-results",)


def test_retention_is_compared_with_the_terms() -> None:
    """Equal days say nothing; a difference, or no days, is said in words."""
    until = make.NOW + timedelta(days=60)
    terms = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, until)
    pack = Submission()
    assert "names no days" in retention(pack, terms)
    assert "30 days of retention, the terms 90" in retention(
        pack.saying(Fact.RETENTION_DAYS, "30"), terms
    )
    assert retention(pack.saying(Fact.RETENTION_DAYS, "090"), terms) == ""
