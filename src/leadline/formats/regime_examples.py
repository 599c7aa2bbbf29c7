"""Examples of a regime: stories, answers and events with what follows, in terms that a lawyer can check.

They stand beside the regime's file under its name, ``ID.examples.toml``.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.engagement.clock import EndedBy
from leadline.core.engagement.engagement import State
from leadline.core.engagement.regime import Party
from leadline.formats.regime_toml import party
from leadline.formats.toml_table import Table, open_table


class Did(StrEnum):
    """What a party does in an example, in the words of the record."""

    INQUIRY_LODGED = "inquiry.lodged"
    ANCHOR_SET = "anchor.set"
    TERMS_AGREED = "terms.agreed"
    ACCESS_OPENED = "access.opened"
    ACCESS_EXTENDED = "access.extended"
    ACCESS_ENDED = "access.ended"
    ENGAGEMENT_ENDED = "engagement.ended"
    ENGAGEMENT_WITHDRAWN = "engagement.withdrawn"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done in an example. *time* is the anchor, the expiry or the extension's end.

    *refused* is a part of the refusal's words, empty where the act is recorded.
    """

    at: datetime
    by: Party
    did: Did
    time: datetime | None
    refused: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The dates and the word that follow; None where there is no such date."""

    opens_not_before: datetime | None
    ends: datetime | None
    ended_by: EndedBy | None
    asked_at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Example:
    """A story with its outcome, in terms that a lawyer can check against the text."""

    says: str
    steps: tuple[Step, ...]
    expected: Expected


_TIMES = {
    Did.ANCHOR_SET: "anchor",
    Did.TERMS_AGREED: "expires",
    Did.ACCESS_EXTENDED: "until",
}


def load_examples(content: bytes, file: str) -> tuple[str, tuple[Example, ...]]:
    """The id of the regime that the examples are of, and the examples.

    Raises: Invalid, naming file and key, as `regime_toml.load_regime`.
    """
    root = open_table(content, file)
    regime = root.text("regime")
    examples = tuple(_example(table) for table in root.tables("example"))
    if not examples:
        raise root.wrong("example", "give at least one [[example]]")
    root.done()
    return regime, examples


def _example(table: Table) -> Example:
    expect = table.table("expect")
    expected = Expected(
        expect.moment("opens_not_before") if "opens_not_before" in expect else None,
        expect.moment("ends") if "ends" in expect else None,
        expect.choice("ended_by", EndedBy) if "ended_by" in expect else None,
        expect.moment("asked_at"),
        expect.choice("state", State),
    )
    expect.done()
    example = Example(
        table.text("says"), tuple(_step(one) for one in table.tables("act")), expected
    )
    table.done()
    return example


def _step(table: Table) -> Step:
    did = table.choice("did", Did)
    step = Step(
        table.moment("at"),
        party(table, "by"),
        did,
        table.moment(_TIMES[did]) if did in _TIMES else None,
        table.text("refused") if "refused" in table else "",
    )
    table.done()
    return step
