"""Files of terms and of partners read strictly, and what is written reads back as the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.partner import Partner, Stage
from leadline.core.engagement.purpose import PRIORITY
from leadline.core.engagement.terms import Disclosure, Priority, Records, Terms
from leadline.core.errors import Invalid
from leadline.formats import partner_toml, terms_toml
from leadline.formats.partner_toml import load_partner
from leadline.formats.terms_toml import load_terms, write_terms

END = datetime(2026, 10, 1, 12, tzinfo=UTC)
SHORT = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, END)
FULL = replace(
    SHORT,
    purposes=("assessment", PRIORITY),
    version=2,
    replaces="ab" * 32,
    organisations=("lab",),
    roles=("evaluator",),
    export_rules=('EAR "734.13"',),
    records=Records("GRS 5.1", "44 USC 3303"),
    disclosure=Disclosure("5 USC 552(b)(4)", "trade secrets"),
    priority=Priority("hospitals only", END),
)
PARTNER = """
organisation = "a-utility"
tier = "early access"
targets = ["pkg:generic/pump@1"]
expires = 2026-10-01T12:00:00Z
[[stages]]
capabilities = ["api"]
credits = 10
uses_a_day = 3
"""
WORDS = st.text(min_size=1, max_size=40).filter(lambda text: bool(text.strip()))


@pytest.mark.parametrize("terms", [SHORT, FULL])
def test_written_terms_read_back_as_the_same(terms: Terms) -> None:
    """To the digest that both parties sign."""
    again = load_terms(write_terms(terms).encode(), "terms.toml")
    assert again == terms
    assert again.digest == terms.digest


@given(WORDS, WORDS)
def test_any_words_survive_the_file(words: str, more: str) -> None:
    """Quotes, control characters and other scripts included."""
    terms = replace(SHORT, use=words, export_rules=(more,))
    assert load_terms(write_terms(terms).encode(), "terms.toml") == terms


def changed(old: str, new: str) -> bytes:
    """The written terms with one thing changed."""
    text = write_terms(FULL)
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "confidentiality"),
        (b"\xff\xfe", "no TOML"),
        (b"#" * (terms_toml.BYTES_MAX + 1), "larger"),
        (changed("retention_days = 90", "retention_days = 90.5"), "retention_days"),
        (changed("retention_days = 90", "retention_days = 90\nsecret = 1"), "secret"),
        (changed('schedule = "GRS 5.1"', 'schedule = "GRS 5.1"\nextra = 1'), "extra"),
        (
            changed("expires = 2026-10-01T12:00:00.000000Z", "expires = 2026-10-01T12:00:00"),
            "offset",
        ),
        (
            changed("expires = 2026-10-01T12:00:00.000000Z", "expires = 2026-02-30T12:00:00Z"),
            "TOML",
        ),
        (changed("version = 2", "version = 0"), "version"),
        (changed('["assessment", "government-priority"]', '"assessment"'), "purposes"),
    ],
)
def test_other_terms_are_refused_by_name(content: bytes, told: str) -> None:
    """Each with the key."""
    with pytest.raises(Invalid, match=told):
        load_terms(content, "terms.toml")


def test_a_partner_is_what_its_file_says() -> None:
    """And proposed by whoever brings it."""
    found = load_partner(PARTNER.encode(), "partner.toml", "developer")
    stages = (Stage(("api",), 10, 3),)
    targets = ("pkg:generic/pump@1",)
    assert found == Partner("a-utility", "early access", targets, stages, END, "developer")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("credits = 10", "credits = 10.0", "credits"),
        ("credits = 10", "credits = true", "credits"),
        ("credits = 10", "credits = -1", "credits"),
        ("uses_a_day = 3", "uses_a_day = 3\nprice = 1", "price"),
        ('tier = "early access"', 'tier = "early access"\nowner = "x"', "owner"),
        ('targets = ["pkg:generic/pump@1"]', "targets = []", "targets"),
        ("[[stages]]", "[stages]", "stages"),
        ("2026-10-01T12:00:00Z", "2027-02-29T12:00:00Z", "TOML"),
        ('organisation = "a-utility"', "", "organisation"),
    ],
)
def test_another_partner_file_is_refused_by_name(old: str, new: str, told: str) -> None:
    """Each with the key."""
    assert old in PARTNER
    with pytest.raises(Invalid, match=told):
        load_partner(PARTNER.replace(old, new).encode(), "partner.toml", "government")


def test_a_partner_file_has_a_largest_size() -> None:
    """Beyond it nothing is read."""
    with pytest.raises(Invalid, match="larger"):
        load_partner(b"#" * (partner_toml.BYTES_MAX + 1), "partner.toml", "government")
