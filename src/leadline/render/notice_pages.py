"""An operator's page: what a flaw touches in its own house and what to do, or what to ask the maker.

The first sheet is enough to act on; what follows it says the same at more length. Only what the
notices themselves hold is shown: the reader's own components, never another operator's.
"""

from collections.abc import Sequence
from datetime import datetime

from leadline.core.clearing.notice import Line, Notice, OpenLine, Questions
from leadline.core.clearing.product import Operator
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.render.document import Block, Bullets, Column, Document, Facts, Prose, Section, Table
from leadline.render.words import moment

NOTHING = (
    "No advisory of this assessment names a component of your list. That says nothing about flaws"
    " that other advisories name."
)


def operator_document(
    operator: Operator, notices: Sequence[Notice], questions: Sequence[Questions], at: datetime
) -> Document:
    """Everything one operator is told: its notices, its open lines, or that there is neither.

    Raises: Invalid, if a notice or a page of questions is for somebody else.
    """
    pages: tuple[Notice | Questions, ...] = (*notices, *questions)
    if any(page.operator != operator for page in pages):
        raise Invalid("notices", f"are for {operator.name} alone")
    labels = [page.tlp for page in pages]
    return Document(
        title=_title(notices, questions),
        kicker=_addressed(operator),
        marking=max(labels, key=lambda tlp: tlp.strictness, default=Tlp.GREEN).value,
        record=operator.name,
        at=at,
        closing=(
            f"Written by Leadline on {moment(at)}. It names only components of your own list."
            f"{' Each signed advisory is authoritative.' if notices else ''}"
        ),
        cover=_cover(notices, questions, operator),
        sections=_following(notices, questions),
    )


def notice_document(notice: Notice, at: datetime) -> Document:
    """The one-page notice of one advisory for one operator."""
    return operator_document(notice.operator, (notice,), (), at)


def questions_document(questions: Questions, at: datetime) -> Document:
    """The page of an operator about whose lines nothing can be said yet: *unknown*, and what to ask."""
    return operator_document(questions.operator, (), (questions,), at)


def _title(notices: Sequence[Notice], questions: Sequence[Questions]) -> str:
    if len(notices) > 1:
        return f"{len(notices)} advisories touch what you run"
    pages: tuple[Notice | Questions, ...] = (*notices, *questions)
    return pages[0].heading if pages else "Nothing on your list is named"


def _addressed(operator: Operator) -> str:
    named = not operator.sample or "sample" in operator.name.casefold()
    return f"For {operator.name}{'' if named else ' (sample, invented)'}"


def _cover(
    notices: Sequence[Notice], questions: Sequence[Questions], operator: Operator
) -> tuple[Section, ...]:
    if len(notices) > 1:
        return _tonight(notices)
    if notices:
        return _sheet(notices[0])
    return _asking(questions) or (
        Section("nothing", "What this means", (Prose(NOTHING), Prose(operator.contact))),
    )


def _following(notices: Sequence[Notice], questions: Sequence[Questions]) -> tuple[Section, ...]:
    """Several notices at length; then the open lines, which have the first sheet if nothing else does."""
    several = notices if len(notices) > 1 else ()
    return (
        *(
            Section(f"notice-{number}", notice.heading, _at_length(notice))
            for number, notice in enumerate(several, start=1)
        ),
        *(_asking(questions) if notices else ()),
    )


def _sheet(notice: Notice) -> tuple[Section, ...]:
    unknown = (Section("unknown", "Unknown, and what to ask", _unknown(notice)),)
    return (
        Section("touches", "What it touches", (Prose(notice.touches),)),
        Section("where", "Where you have it", (_line_table(notice.affected),)),
        Section("tonight", "What to do", (Bullets(notice.actions, ordered=True),), framed=True),
        Section("check", "How to see that it worked", (Bullets(notice.checks),)),
        *(unknown if notice.unknown else ()),
        Section("whom", "Whom to ask, and about what", (Prose(notice.whom), _about(notice))),
    )


def _tonight(notices: Sequence[Notice]) -> tuple[Section, ...]:
    """One row for each advisory, complete enough to act on without turning the page."""
    table = Table(
        caption="One row for each advisory that touches something you run",
        columns=(
            Column("Where you have it"),
            Column("What to do"),
            Column("How to see that it worked"),
        ),
        rows=tuple(
            (
                "; ".join(_placed(line) for line in notice.affected),
                notice.actions[0],
                " ".join(notice.checks),
            )
            for notice in notices
        ),
    )
    shared = [step for step in notices[0].actions[1:] if all(step in n.actions for n in notices)]
    whom = dict.fromkeys(notice.whom for notice in notices)
    return (
        Section("tonight", "What to do tonight", (table,)),
        Section("always", "For each of them", (Bullets(tuple(shared)),), framed=True),
        Section("whom", "Whom to ask", tuple(Prose(words) for words in whom)),
    )


def _asking(questions: Sequence[Questions]) -> tuple[Section, ...]:
    return tuple(
        section
        for number, page in enumerate(questions, start=1)
        for section in (
            Section(
                f"meaning-{number}", "What unknown means", (Prose(page.explanation),), framed=True
            ),
            Section(f"lines-{number}", page.heading, (_open_table(page.lines, "Line by line"),)),
            Section(f"asked-{number}", "Whom to ask about these lines", (Prose(page.whom),)),
        )
    )


def _at_length(notice: Notice) -> tuple[Block, ...]:
    return (
        Prose(notice.touches),
        _line_table(notice.affected),
        Bullets(notice.actions, ordered=True),
        Prose("How to see that it worked:"),
        Bullets(notice.checks),
        *_unknown(notice),
        _about(notice),
    )


def _about(notice: Notice) -> Facts:
    due = (("Due", notice.due),) if notice.due else ()
    found = notice.found_by or "not stated in the advisory"
    return Facts((("Advisory", notice.advisory), ("Found by", found), *due))


def _unknown(notice: Notice) -> tuple[Block, ...]:
    if not notice.unknown:
        return ()
    return (_open_table(notice.unknown, "Lines about which nothing can be said yet"),)


def _placed(line: Line) -> str:
    return f"{line.component} {line.installed} ({line.where})"


def _line_table(lines: Sequence[Line]) -> Table:
    return Table(
        caption="Your components with this flaw",
        columns=(Column("Where"), Column("Component"), Column("Installed release")),
        rows=tuple((line.where, line.component, line.installed) for line in lines),
    )


def _open_table(lines: Sequence[OpenLine], caption: str) -> Table:
    return Table(
        caption=caption,
        columns=(
            Column("Where"),
            Column("Component"),
            Column("Installed"),
            Column("Status"),
            Column("What to ask"),
        ),
        rows=tuple(
            (
                held.line.where,
                held.line.component,
                held.line.installed,
                f"{held.status.value}: {held.why}",
                held.ask,
            )
            for held in lines
        ),
    )
