"""The public register as a page: counts by kind and month, and what is counted but not named."""

from datetime import datetime

from leadline.core.marking import Tlp
from leadline.core.record.register import Register
from leadline.render.document import Column, Document, Facts, Prose, Section, Table
from leadline.render.words import moment


def register_document(counts: Register, witnesses: str, at: datetime) -> Document:
    """The page of *counts*; *witnesses* says who vouches for the order of the log."""
    kinds = sorted({kind for month in counts.months for kind in month.acts})
    columns = (
        Column("Act"),
        *(Column(month.month, number=True) for month in counts.months),
    )
    rows = [(kind, *(str(month.acts.get(kind, 0)) for month in counts.months)) for kind in kinds]
    rows += [
        ("withheld", *(str(month.withheld) for month in counts.months)),
        ("cover", *(str(month.cover) for month in counts.months)),
        ("leaves of the log", *(str(month.total) for month in counts.months)),
    ]
    facts = Facts(
        (
            ("Acts named by kind", str(counts.opened)),
            ("Acts withheld, counted only", str(counts.withheld)),
            ("Cover leaves", str(counts.cover)),
            ("Leaves of the signed log", str(counts.size)),
            ("Who vouches for the order", witnesses),
        )
    )
    note = Prose(
        "The counts add up to the leaves of the log. A log proves order and that nothing was taken "
        "out; it does not prove that every act was entered."
    )
    return Document(
        title="Public register",
        kicker="Acts by kind and month",
        marking=Tlp.CLEAR.value,
        record="Public register",
        at=at,
        closing=f"Written by Leadline on {moment(at)}.",
        cover=(
            Section("counts", "Counts", (facts, note)),
            Section("months", "By month", (Table("Acts by kind and month", columns, tuple(rows)),)),
        ),
    )
