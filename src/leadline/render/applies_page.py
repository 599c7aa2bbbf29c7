"""What applies to a developer, as a page: what does, what does not and why, what an answer would settle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from leadline.core.engagement.coverage import (
    ANSWERED,
    SPEAKS_TO,
    Answer,
    Answers,
    Applies,
    Reason,
    Verdict,
    plain,
)
from leadline.core.engagement.regime import Fact
from leadline.core.marking import Tlp
from leadline.formats.questions_toml import Question
from leadline.render.document import Bullets, Command, Document, Facts, Prose, Section
from leadline.render.regime_words import CONFIDENCE, day_of

NOT_KNOWN = "I don't know"
NOTHING_KEPT = (
    "Your answers were read and forgotten: nothing is stored, and nothing is sent. This page is no legal"
    " advice; each line names the clause that a lawyer can check."
)
_NUMBERS = {Fact.TRAINING_OPERATIONS, Fact.YEARLY_REVENUE}
_NONE = "Nothing, by your answers."
_WORD = {
    Verdict.YES: "yes",
    Verdict.NO: "no",
    Verdict.UNKNOWN: "not known yet",
    Verdict.OPEN: "you may take part",
    Verdict.OUTSIDE: "it does not reach you",
    Verdict.NOT_IN_FORCE: "no effect",
}
_SETTLED = {Verdict.NO, Verdict.OUTSIDE}


class _Group(NamedTuple):
    """A section of the page; an empty one says *nothing*, or is left out where that is empty."""

    id: str
    heading: str
    nothing: str


_YES = _Group("applies", "What applies to you", "Nothing today, by your answers.")
_LATER = _Group("later", "What may apply from a later day", "")
_NOT = _Group("not", "What does not apply to you, and why", _NONE)
_UNKNOWN = _Group("unknown", "Not known yet, and which answer would settle it", _NONE)
_OPEN = _Group("open", "Open to you, if you wish; nothing follows if you do not", _NONE)
_OVER = _Group("over", "Texts without effect today, kept for comparison", "")


def _group(one: Applies, day: date) -> _Group:
    """Where a text stands on the page."""
    if one.verdict is not Verdict.NOT_IN_FORCE:
        by = {Verdict.YES: _YES, Verdict.UNKNOWN: _UNKNOWN, Verdict.OPEN: _OPEN}
        return by.get(one.verdict, _NOT)
    if one.since is None or one.since <= day:
        return _OVER
    return _NOT if one.otherwise in _SETTLED else _LATER


def applies_document(
    found: Sequence[Applies], answers: Answers, questions: Iterable[Question], day: date
) -> Document:
    """The page of *found*, which is what each text says to *answers* on *day*."""
    asked = {one.fact: one for one in questions}
    sections = []
    for group in (_YES, _LATER, _NOT, _UNKNOWN, _OPEN, _OVER):
        lines = [
            line for one in found if _group(one, day) is group for line in _told(one, asked, group)
        ]
        if lines or group.nothing:
            block = Bullets(tuple(lines)) if lines else Prose(group.nothing)
            sections.append(Section(group.id, group.heading, (block,)))
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


def _told(one: Applies, asked: Mapping[Fact, Question], group: _Group) -> Iterator[str]:
    """The lines of one text: the answer with its deciding reasons, then what it would take to know."""
    regime = one.regime
    deciding = one.reasons[:1] if group is _OVER else _deciding(one)
    because = "; ".join(_reason(reason, asked) for reason in deciding)
    cites = dict.fromkeys(_source(one, reason.cites) for reason in deciding)
    word = _WORD[one.otherwise if group in {_NOT, _LATER} else one.verdict]
    head = ": ".join(part for part in (regime.title, word, because) if part)
    classes = f" As a “{'”, “'.join(sorted(one.classes))}” developer." if one.classes else ""
    whole = f"whom it speaks to, as the file {regime.id} has it: {CONFIDENCE[regime.confidence]}"
    cited = "; ".join(cites) or whole
    days = "" if group is _OVER else f" {_days(one)}"
    yield f"{head}.{classes}{days} [{cited}]"
    if group in {_NOT, _OVER}:
        return
    for fact in dict.fromkeys(one.missing):
        if fact in asked:
            yield f"What settles {regime.title}: {asked[fact].text} {asked[fact].help}"
    if one.otherwise is Verdict.YES:
        yield from _open_classes(one, asked)
    for note in regime.contested:
        yield f"Contested in {regime.title}: {note.words} [{_source(one, note.cites)}]"


def _open_classes(one: Applies, asked: Mapping[Fact, Question]) -> Iterator[str]:
    """Which narrower classes are open, with what would settle them: they owe more."""
    classed = [condition for condition in one.regime.covers if condition.of]
    reasons = one.reasons[len(one.reasons) - len(classed) :]
    for condition, reason in zip(classed, reasons, strict=True):
        if reason.met is None and (question := asked.get(condition.fact)):
            what = f"whether you are a “{condition.of}” developer, who owes more"
            yield f"In {one.regime.title}, {what}, is settled by: {question.text} {question.help}"


def _source(one: Applies, id_: str) -> str:
    """A citation with how sure its own reading is."""
    source = one.regime.source(id_)
    return f"{source.citation}: {CONFIDENCE[source.confidence]}"


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


def _reason(reason: Reason, asked: Mapping[Fact, Question]) -> str:
    found = _found(reason, asked.get(reason.fact) if reason.fact else None)
    unmet_number = reason.fact in _NUMBERS and not reason.met
    if reason.met is None or reason.fact is None or unmet_number:
        return found
    return f"{reason.words.rstrip('.')} ({found})"


def _found(reason: Reason, question: Question | None) -> str:
    """What was compared, in the words that were offered: a reader never saw the words of the file."""
    given, apart, listed = reason.found.partition(SPEAKS_TO)
    if question is None or (reason.met is None and not apart):
        return f"one answer is open: {question.text}" if question else reason.found
    if not apart:
        return given
    offered = {option.word: option.text for option in question.options}
    if not offered:
        return given
    answered = ", ".join(
        offered.get(word, word) for word in given.removeprefix(ANSWERED).split(", ")
    )
    spoken = ", ".join(offered.get(word, word) for word in listed.split(", "))
    return f"{ANSWERED}{answered}{apart}{spoken}"


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
    ids = Command("leadline regime list", "Every text with its id:")
    about = "Each text in plain sentences, with what it asks and by when:"
    return Section("next", "Read more", (ids, Command("leadline regime explain ID", about)))
