"""The dated register as a page: what stands out first, each row marked in words, then kind by kind."""

from datetime import date, datetime

from leadline.core.engagement.register import Entry, Register, Standing, midnight
from leadline.core.marking import Tlp
from leadline.render.document import Column, Document, Panel, Panels, Prose, Section, Table
from leadline.render.words import day as day_of
from leadline.render.words import moment

CONFIDENCE = {
    "P": "primary text",
    "2+": "two sources agree",
    "1": "one source",
    "?": "sources conflict, or inferred",
    "B": "background, not checked",
}
NOTHING = "Nothing stands out: no entry is overdue, unproved, expired or without a citation."


def dated_register(register: Register, day: date, at: datetime, marking: Tlp) -> Document:
    """The page of *register* as it stands on *day*; *marking* is the strictest of what it shows."""
    out = register.standing_out(day)
    counts = [
        Panel(word, str(sum(mark in one.marks for one in out)), f"on {_day(day)}")
        for mark in ("overdue", "unproved", "expired", "without citation")
        for word in (mark.capitalize(),)
    ]
    first = Table(
        "What somebody should look at, gravest first",
        (Column("Entry"), Column("Why"), Column("What it is"), Column("Authority"), Column("Due")),
        tuple(
            (
                one.entry.id,
                ", ".join(one.marks),
                one.entry.title,
                one.entry.authority,
                _day(one.entry.due) if one.entry.due else "",
            )
            for one in out
        ),
    )
    sections = [
        _section(register, kind, day)
        for kind in sorted(register.kinds)
        if any(one.kind == kind for one in register.entries)
    ]
    return Document(
        title="Dated register",
        kicker=f"As it stands on {_day(day)}",
        marking=marking.value,
        record="Dated register",
        at=at,
        closing=f"Written by Leadline on {moment(at)}. Days are calendar days.",
        cover=(
            Section(
                "standing-out",
                "What stands out",
                (Panels(tuple(counts)), first if out else Prose(NOTHING, strong=True)),
            ),
        ),
        sections=tuple(sections),
    )


def effect(standing: Standing) -> str:
    """In words whether an entry has effect, why not, and what is outside it."""
    told = "in effect" if standing.in_effect else f"no effect: {'; '.join(standing.why)}"
    for one in standing.exempt:
        told += f"; not for {one.scope} (until {one.until or 'further notice'}, {one.by})"
    return told


def proof(register: Register, entry: Entry) -> str:
    """In words what evidence there is."""
    wanted = register.kinds[entry.kind].evidence
    if entry.evidence:
        return "; ".join(f"{one.what} ({one.at:%Y-%m-%d}, {one.by})" for one in entry.evidence)
    return "none yet" if wanted else "none wanted"


def _section(register: Register, kind: str, day: date) -> Section:
    told = register.kinds[kind]
    entries = [one for one in register.entries if one.kind == kind]
    entries.sort(key=lambda one: (not register.marks(one, day), one.since, one.id))
    columns = ("Entry", "Marked", "What it is", "Authority and scope", "Days", "Effect")
    table = Table(
        "What stands out first, then by first day",
        tuple(Column(label) for label in (*columns, "Evidence", "Source")),
        tuple(_row(register, one, day) for one in entries),
    )
    wanted = f" Evidence wanted: {told.evidence}." if told.evidence else ""
    return Section(kind, told.title, (Prose(f"{told.words}{wanted}"), table))


def _day(of: date) -> str:
    """A day that no line breaks."""
    return day_of(midnight(of)).replace(" ", "\u00a0")


def _row(register: Register, entry: Entry, day: date) -> tuple[str, ...]:
    days = [f"from {_day(entry.since)}"]
    ends = (("until", entry.until), ("due", entry.due), ("done", entry.done))
    days += [f"{name} {_day(found)}" for name, found in ends if found is not None]
    source = f"{entry.cites or 'none'}; {CONFIDENCE[entry.confidence]}"
    about = f"{entry.title}{f', version {entry.version}' if entry.version else ''}"
    return (
        entry.id,
        ", ".join(register.marks(entry, day)),
        f"{about}. {entry.note}" if entry.note else about,
        f"{entry.authority}: {entry.scope}",
        ", ".join(days),
        effect(register.standing(entry.id, day)),
        proof(register, entry),
        source,
    )
