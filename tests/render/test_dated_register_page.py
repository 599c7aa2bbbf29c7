"""The page of the dated register: what stands out first, and every reason in words."""

from datetime import UTC, date, datetime

from leadline.core.engagement.register import Entry, Proof, Register, Relation
from leadline.core.marking import Tlp
from leadline.render.dated_register import NOTHING, dated_register, effect
from leadline.render.document import Prose, Table
from leadline.render.html import html
from leadline.wiring.register import kinds

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAY = date(2026, 10, 1)
PROOF = Proof("aa", "the waiver", AT, "officer")
DESIGNATION = Entry(
    "designation",
    "supply-chain-designation",
    "A company <script> is designated",
    date(2026, 3, 1),
    "a department",
    "all purchases",
    cites="a notice",
    confidence="2+",
)
WAIVER = Entry(
    "waiver",
    "waiver",
    "One programme may go on",
    date(2026, 4, 1),
    "an under secretary",
    "one contract",
    until=date(2026, 12, 1),
    cites="a memorandum",
    confidence="1",
    relates=(Relation("waives", "designation"),),
    evidence=(PROOF,),
)
TEXT = Entry(
    "text",
    "working-group-procedure",
    "How the group meets",
    date(2026, 9, 1),
    "the group",
    "its meetings",
    version="2",
)


def test_nothing_stands_out_in_words() -> None:
    """And a scope that is outside says by which entry, until when."""
    register = Register(kinds(), (DESIGNATION, WAIVER))
    page = dated_register(register, DAY, AT, Tlp.CLEAR)
    assert Prose(NOTHING, strong=True) in page.cover[0].blocks
    assert [section.id for section in page.sections] == ["supply-chain-designation", "waiver"]
    told = "in effect; not for one contract (until 2026-12-01, waiver)"
    assert effect(register.standing("designation", DAY)) == told
    text = html(page)
    assert told in text
    assert "the waiver (2026-10-01, officer)" in text
    assert "&lt;script&gt;" in text
    assert page == dated_register(register, DAY, AT, Tlp.CLEAR)


def test_a_mark_is_a_word_and_comes_first() -> None:
    """In the list of what stands out, and in the table of its kind."""
    proved = Entry(
        "a-text", "working-group-procedure", "Another", date(2026, 8, 1), "g", "m",
        version="1", cites="c", evidence=(PROOF,),
    )  # fmt: skip
    register = Register(kinds(), (proved, TEXT))
    page = dated_register(register, DAY, AT, Tlp.CLEAR)
    first = page.cover[0].blocks[1]
    assert isinstance(first, Table)
    assert [row[:2] for row in first.rows] == [("text", "unproved, without citation")]
    table = page.sections[0].blocks[1]
    assert isinstance(table, Table)
    assert [(row[0], row[1]) for row in table.rows] == [
        ("text", "unproved, without citation"),
        ("a-text", ""),
    ]
    assert table.rows[0][2] == "How the group meets, version 2"
