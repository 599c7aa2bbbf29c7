"""What applies to a developer, as a page: what does, what does not and why, what an answer would settle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time

from leadline.core.engagement.coverage import Answer, Answers, Applies, Reason, Verdict, plain
from leadline.core.engagement.regime import Fact
from leadline.core.marking import Tlp
from leadline.formats.questions_toml import Question
from leadline.render.document import Bullets, Command, Document, Facts, Prose, Section
from leadline.render.regime_words import CONFIDENCE, STATUS, day_of

NOT_KNOWN = "I don't know"
NOTHING_KEPT = (
    "Your answers were read and forgotten: nothing is stored, and nothing is sent. This page is no legal"
    " advice; each line names the clause that a lawyer can check."
)
_NUMBERS = {Fact.TRAINING_OPERATIONS, Fact.YEARLY_REVENUE}
_NONE = "Nothing, by your answers."
_GROUPS = (
    ("applies", "What applies to you", {Verdict.YES}, "Nothing today, by your answers."),
    ("not", "What does not apply to you, and why", {Verdict.NO, Verdict.OUTSIDE}, _NONE),
    ("unknown", "Not known yet, and which answer would settle it", {Verdict.UNKNOWN}, _NONE),
    ("open", "Open to you, if you wish; nothing follows if you do not", {Verdict.OPEN}, _NONE),
)


def applies_document(
    found: Sequence[Applies], answers: Answers, questions: Iterable[Question], day: date
) -> Document:
    """The page of *found*, which is what each text says to *answers* on *day*."""
    asked = {one.fact: one for one in questions}
    sections = []
    for id_, heading, verdicts, nothing in _GROUPS:
        lines = [line for one in found if one.verdict in verdicts for line in _told(one, asked)]
        if id_ == "not":
            lines += [line for one in found if _over(one, day) for line in _told(one, asked)]
        block = Bullets(tuple(lines)) if lines else Prose(nothing)
        sections.append(Section(id_, heading, (block,)))
    later = [line for one in found if _later(one, day) for line in _told(one, asked)]
    if later:
        sections.insert(1, Section("later", "What has no effect yet", (Bullets(tuple(later)),)))
    given = tuple((one.text, _given(answers.to(one.fact), one)) for one in asked.values())
    return Document(
        title="What applies to you",
        kicker=f"As of {day_of(day)}",
        marking=Tlp.CLEAR.value,
        record=f"As of {day_of(day)}",
        at=datetime.combine(day, time(), UTC),
        closing=NOTHING_KEPT,
        cover=(*sections, Section("answers", "Your answers", (Facts(given),)), _next()),
    )


_WORD = {
    Verdict.YES: "yes",
    Verdict.NO: "no",
    Verdict.UNKNOWN: "not known yet",
    Verdict.OPEN: "you may take part",
    Verdict.OUTSIDE: "it does not reach you",
    Verdict.NOT_IN_FORCE: "no effect",
}


def _later(one: Applies, day: date) -> bool:
    return one.verdict is Verdict.NOT_IN_FORCE and one.since is not None and day < one.since


def _over(one: Applies, day: date) -> bool:
    return one.verdict is Verdict.NOT_IN_FORCE and not _later(one, day)


def _told(one: Applies, asked: Mapping[Fact, Question]) -> Iterator[str]:
    """The lines of one text: the answer with its deciding reasons, then what it would take to know."""
    regime = one.regime
    deciding = _deciding(one)
    because = "; ".join(_reason(one, reason) for reason in deciding)
    cites = dict.fromkeys(regime.source(reason.cites).citation for reason in deciding)
    head = ": ".join(part for part in (regime.title, _WORD[one.verdict], because) if part)
    classes = f" As a “{'”, “'.join(sorted(one.classes))}” developer." if one.classes else ""
    cited = "; ".join(cites) or f"regime file {regime.id}, [[covers]]"
    yield f"{head}.{classes} {_days(one)} [{cited}; {CONFIDENCE[regime.confidence]}]"
    for fact in dict.fromkeys(one.missing):
        if fact in asked:
            yield f"{regime.id} would be settled by: {asked[fact].text} {asked[fact].help}"
    for note in regime.contested:
        yield f"{regime.id} is contested: {note.words} [{regime.source(note.cites).citation}]"


def _deciding(one: Applies) -> tuple[Reason, ...]:
    """The reasons that gave the answer: what was not met, else what is open, else all."""
    standing = tuple(reason for reason in one.reasons if reason.fact is None)
    tests = one.reasons[len(standing) : len(standing) + _whole(one)]
    if one.otherwise in {Verdict.NO, Verdict.OUTSIDE}:
        return (*standing, *(reason for reason in tests if reason.met is False))
    if one.otherwise in {Verdict.UNKNOWN, Verdict.OPEN}:
        return (*standing, *(reason for reason in tests if reason.met is None))
    return (*standing, *tests)


def _whole(one: Applies) -> int:
    """How many reasons are about the text as a whole, and not about a narrower class."""
    return sum(not condition.of for condition in one.regime.covers)


def _reason(one: Applies, reason: Reason) -> str:
    if reason.fact is None:
        return f"{reason.found} ({STATUS[one.regime.status]})"
    if reason.met is None or reason.fact in _NUMBERS:
        return reason.found
    return f"{reason.words.rstrip('.')} ({reason.found})"


def _days(one: Applies) -> str:
    """From when, and until when."""
    since, until = one.regime.in_force.since, one.regime.in_force.until
    told = f"From {day_of(since)}" if since else "First day not stated"
    return f"{told}{f' until {day_of(until)}' if until else ''}."


def _given(answer: Answer, question: Question) -> str:
    names = {one.word: one.text for one in question.options}
    if answer is None:
        return NOT_KNOWN
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, tuple):
        return "; ".join(names.get(word, word) for word in answer) or "none"
    return plain(answer)


def _next() -> Section:
    about = "Each text in plain sentences, with what it asks and by when:"
    return Section("next", "Read more", (Command("leadline regime explain ID", about),))
