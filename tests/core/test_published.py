"""When an advisory may become public, how it changes, and what a case keeps of its passing on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearing_values import AT, advisory
from leadline.core.clearing import published
from leadline.core.clearing.advisory import Revision
from leadline.core.clearing.handover import Handover, continues
from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.marking import Tlp

LATER = AT + timedelta(days=1)
SECOND = Revision("2", LATER, "A range was corrected.")


def test_what_is_published_is_for_everybody_and_final() -> None:
    """The label and the status follow from the act of publication."""
    made = published.public(advisory(tlp=Tlp.AMBER_STRICT))
    assert (made.tlp, made.status) == (Tlp.CLEAR, "final")
    assert published.public(made) == made


@pytest.mark.parametrize(
    "changed",
    [
        {"flaws": ()},
        {"flaws": (replace(advisory().flaws[0], statements=()),)},
        {"revisions": ()},
        {"revisions": (Revision("2", AT, "x"),)},
        {"revisions": (Revision("1", AT.replace(tzinfo=None), "x"),)},
        {"revisions": (Revision("1", LATER, "x"), Revision("2", AT, "y"))},
    ],
)
def test_what_is_incomplete_is_not_published(changed: dict[str, object]) -> None:
    """No package, no history, a history out of order."""
    with pytest.raises(Invalid):
        published.public(advisory(**changed))


def test_an_embargo_is_named_with_its_moment() -> None:
    """Or that none is agreed; and it is no obstacle once it is over."""
    published.check_embargo("case-1", AT, secret=False)
    with pytest.raises(Refused, match="2026-11-01 12:00 UTC"):
        published.check_embargo("case-1", datetime(2026, 11, 1, 12, tzinfo=UTC), secret=True)
    with pytest.raises(Refused, match="no date is agreed"):
        published.check_embargo("case-1", None, secret=True)


def test_a_published_text_changes_by_a_further_revision_only() -> None:
    """The history stays, and a withdrawn one stays withdrawn."""
    before = published.public(advisory())
    after = replace(before, title="Other", revisions=(*before.revisions, SECOND))
    published.check_revision(before, after)
    for wrong in (
        replace(before, title="Other"),
        replace(after, revisions=(Revision("1", AT, "Other."), SECOND)),
        replace(after, withdrawn=True),
    ):
        with pytest.raises(Invalid):
            published.check_revision(before, wrong)
    gone = published.withdrawn(before, LATER, " It was  no flaw. ")
    assert gone.revisions[-1] == Revision("2", LATER, "Withdrawn: It was no flaw.")
    for step in (
        lambda: published.check_revision(gone, after),
        lambda: published.withdrawn(gone, LATER, "again"),
    ):
        with pytest.raises(Refused):
            step()
    for reason in (" ", "x" * (published.REASON_MAX + 1)):
        with pytest.raises(Invalid, match="reason"):
            published.withdrawn(before, LATER, reason)


def test_a_block_that_changed_or_lost_an_entry_is_told_from_one_that_grew() -> None:
    """By the digests alone."""
    held = Handover("h", "case-1", "r", True, "f", ("1", "2"), "", "", Tlp.RED, AT)  # noqa: FBT003 -- received
    continues(held, "f", ("1", "2"))
    continues(held, "f", ("1", "2", "3"))
    for frozen, chain in (("g", ("1", "2")), ("f", ("1",)), ("f", ("1", "3", "2"))):
        with pytest.raises(Tampered):
            continues(held, frozen, chain)
