"""Examples of a regime: stories, answers and events with what follows, in terms that a lawyer can check.

They stand beside the regime's file under its name, ``ID.examples.toml``. Each kind of entry tests one
part of the file: `[[example]]` access and its end, `[[window]]` the days alone, `[[coverage]]` what
applies, `[[report]]` reports and their clocks, `[[task]]` dated tasks, `[[duty]]` duties and the day
they begin, `[[words]]` what an entry says in words.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from leadline.core.engagement.clock import EndedBy
from leadline.core.engagement.coverage import Answers, Verdict
from leadline.core.engagement.engagement import State
from leadline.core.engagement.obligation import Asked, Occurrence
from leadline.core.engagement.regime import Event, Party
from leadline.core.errors import Invalid
from leadline.formats.questions_toml import read_answers
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
    INFORMATION_ASKED = "information.asked"
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
    """A story of one engagement with its outcome."""

    says: str
    steps: tuple[Step, ...]
    expected: Expected


@dataclass(frozen=True, slots=True)
class WindowExample:
    """Days alone, also of a text that was never in force: what the anchor and the opening give."""

    says: str
    anchor: datetime
    earliest: datetime
    latest: datetime | None
    opened: datetime | None
    lasts_until: datetime | None


@dataclass(frozen=True, slots=True)
class CoverageExample:
    """Answers, what follows on a day, and parts of its reasons; *classes* None is not asked."""

    says: str
    on: date
    answers: Answers
    verdict: Verdict
    otherwise: Verdict | None
    because: tuple[str, ...]
    classes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Due:
    """One report due: rule, recipient, and when; None stands for words without a number."""

    rule: str
    to: str
    due: datetime | None
    number: int
    keep_until: datetime | None


@dataclass(frozen=True, slots=True)
class ReportExample:
    """What happened, and every report that is due by then; *classes* None is unknown."""

    says: str
    asked_at: datetime
    classes: frozenset[str] | None
    events: tuple[Occurrence, ...]
    asked: tuple[Asked, ...]
    due: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class TaskExample:
    """A dated task: counted from *begins* it falls on *due*."""

    says: str
    task: str
    begins: date
    due: date


@dataclass(frozen=True, slots=True)
class DutyExample:
    """On a day: parts of the duties that have begun, and of those that have not."""

    says: str
    on: date
    begun: tuple[str, ...]
    not_yet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordsExample:
    """What one entry says; *of* names it, such as ``window`` or ``reports.critical-incident``."""

    of: str
    has: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """All examples of one file, by kind."""

    regime: str
    stories: tuple[Example, ...] = ()
    windows: tuple[WindowExample, ...] = ()
    coverage: tuple[CoverageExample, ...] = ()
    reports: tuple[ReportExample, ...] = ()
    tasks: tuple[TaskExample, ...] = ()
    duties: tuple[DutyExample, ...] = ()
    words: tuple[WordsExample, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        kinds = (self.stories, self.windows, self.coverage, self.reports, self.tasks, self.duties)
        return sum(map(len, kinds)) + len(self.words)


YEARS = range(1900, 3000)  # far from both ends of the calendar, so that no sum falls off it
_TIMES = {
    Did.ANCHOR_SET: "anchor",
    Did.TERMS_AGREED: "expires",
    Did.ACCESS_EXTENDED: "until",
}


def load_examples(content: bytes, file: str) -> Examples:
    """The examples of one regime.

    Raises: Invalid, naming file and key, as `regime_toml.load_regime`; also for a file without any.
    """
    root = open_table(content, file)
    found = Examples(
        root.text("regime"),
        tuple(_example(table) for table in root.tables("example")),
        tuple(_window(table) for table in root.tables("window")),
        tuple(_coverage(table) for table in root.tables("coverage")),
        tuple(_report(table) for table in root.tables("report")),
        tuple(_task(table) for table in root.tables("task")),
        tuple(_duty(table) for table in root.tables("duty")),
        tuple(_words(table) for table in root.tables("words")),
    )
    if not found.count:
        raise root.wrong("example", "give at least one [[example]], or of another kind")
    root.done()
    return found


def _example(table: Table) -> Example:
    expect = table.table("expect")
    expected = Expected(
        _moment(expect, "opens_not_before"),
        _moment(expect, "ends"),
        expect.choice("ended_by", EndedBy) if "ended_by" in expect else None,
        _time(expect, "asked_at"),
        expect.choice("state", State),
    )
    expect.done()
    steps = tuple(_step(one) for one in table.tables("act"))
    if not steps:
        raise table.wrong("act", "a story has at least one [[example.act]]")
    example = Example(table.text("says"), steps, expected)
    table.done()
    return example


def _step(table: Table) -> Step:
    did = table.choice("did", Did)
    step = Step(
        _time(table, "at"),
        party(table, "by"),
        did,
        _time(table, _TIMES[did]) if did in _TIMES else None,
        table.text("refused") if "refused" in table else "",
    )
    table.done()
    return step


def _time(table: Table, name: str) -> datetime:
    found = table.moment(name)
    if found.year not in YEARS:
        raise table.wrong(name, _beyond(found.year))
    return found


def _day(table: Table, name: str) -> date:
    found = table.value(name, date)
    if found.year not in YEARS:
        raise table.wrong(name, _beyond(found.year))
    return found


def _beyond(year: int) -> str:
    return f"the year {year} is not from {YEARS[0]} to {YEARS[-1]}"


def _moment(table: Table, name: str) -> datetime | None:
    return _time(table, name) if name in table else None


def _window(table: Table) -> WindowExample:
    found = WindowExample(
        table.text("says"),
        _time(table, "anchor"),
        _time(table, "earliest"),
        _moment(table, "latest"),
        _moment(table, "opened"),
        _moment(table, "lasts_until"),
    )
    table.done()
    return found


def _coverage(table: Table) -> CoverageExample:
    answers = table.table("answers")
    found = CoverageExample(
        table.text("says"),
        _day(table, "on"),
        read_answers(answers),
        table.choice("verdict", Verdict),
        table.choice("otherwise", Verdict) if "otherwise" in table else None,
        table.texts("because"),
        _classes(table),
    )
    answers.done()
    table.done()
    return found


def _classes(table: Table) -> frozenset[str] | None:
    return frozenset(table.texts("classes")) if "classes" in table else None


def _report(table: Table) -> ReportExample:
    found = ReportExample(
        table.text("says"),
        _time(table, "asked_at"),
        _classes(table),
        tuple(_event(one, number) for number, one in enumerate(table.tables("event"), 1)),
        tuple(_asked(one) for one in table.tables("asked")),
        tuple(_due(one) for one in table.tables("due")),
    )
    table.done()
    return found


def _event(table: Table, number: int) -> Occurrence:
    event, at, known = table.choice("event", Event), _time(table, "at"), _moment(table, "known_at")
    categories = frozenset(table.texts("categories"))
    about = table.text("about") if "about" in table else "it"
    who = party(table, "who") if "who" in table else "developer"
    table.done()
    try:
        return Occurrence(f"e{number}", event, at, known, categories, about=about, party=who)
    except Invalid as error:
        raise table.wrong(error.field, error.problem) from error


def _asked(table: Table) -> Asked:
    asked, answered = _time(table, "asked"), _moment(table, "answered")
    regime = table.text("regime")
    table.done()
    try:
        return Asked(regime, asked, answered)
    except Invalid as error:
        raise table.wrong(error.field, error.problem) from error


def _due(table: Table) -> Due:
    found = Due(
        table.text("rule"),
        table.text("to"),
        _moment(table, "due"),
        table.optional("number", int) or 1,
        _moment(table, "keep_until"),
    )
    table.done()
    return found


def _task(table: Table) -> TaskExample:
    found = TaskExample(
        table.text("says"),
        table.text("task"),
        _day(table, "begins"),
        _day(table, "due"),
    )
    table.done()
    return found


def _duty(table: Table) -> DutyExample:
    found = DutyExample(
        table.text("says"), _day(table, "on"), table.texts("begun"), table.texts("not_yet")
    )
    table.done()
    return found


def _words(table: Table) -> WordsExample:
    found = WordsExample(table.text("of"), table.texts("has"))
    if not found.has:
        raise table.wrong("has", "quote at least one part of the entry's words")
    table.done()
    return found
