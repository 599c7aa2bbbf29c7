"""Checking regime files: they load, and each does what the examples beside it say. No code, no store.

A fault is a sentence with the example it comes from. The same check runs for the texts that come with
Leadline and for those that an installation adds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from leadline.core.access import Principal
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.clock import window
from leadline.core.engagement.coverage import applies
from leadline.core.engagement.engagement import Deed, Engagement, Standing, state
from leadline.core.engagement.library import Body, Library
from leadline.core.engagement.obligation import obligations
from leadline.core.engagement.regime import AccessRule, Anchor, Clause, Regime, Toll
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, LeadlineError
from leadline.core.record.act import Act, Kind
from leadline.formats.bodies_toml import load_bodies, load_name_examples
from leadline.formats.questions_toml import Question
from leadline.formats.regime_examples import (
    CoverageExample,
    Did,
    Due,
    DutyExample,
    Example,
    Examples,
    ReportExample,
    Step,
    TaskExample,
    WindowExample,
    load_examples,
)
from leadline.formats.regime_toml import load_regime

EXAMPLES = ".examples.toml"


@dataclass(frozen=True, slots=True)
class Known:
    """What a regime may name: bodies, the ids of roles, and the answers that questions offer."""

    bodies: Mapping[str, Body]
    roles: frozenset[str]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """One regime file: how many examples were run, and what is wrong with it."""

    file: str
    regime: str
    examples: int
    faults: tuple[str, ...]


def check(files: Mapping[str, bytes], known: Known) -> tuple[Checked, ...]:
    """Every regime among *files*, by name, with the examples that stand beside it.

    A file of examples without its regime is at fault too. Texts that name each other wrongly are one
    more entry, ``(all)``.
    """
    texts, found, loaded = dict[str, bytes](), list[Checked](), list[Regime]()
    for name in sorted(files):
        if not name.endswith(EXAMPLES):
            texts[name] = files[name]
        elif name.removesuffix(EXAMPLES) + ".toml" not in files:
            found.append(Checked(name, "", 0, ("is of no regime file here; rename or remove it",)))
    for name, content in texts.items():
        beside = name.removesuffix(".toml") + EXAMPLES
        try:
            regime = load_regime(content, name, known.bodies)
            loaded.append(regime)
            found.append(_checked(name, regime, files.get(beside), known))
        except Invalid as error:
            found.append(Checked(name, "", 0, (str(error),)))
    try:
        Library(tuple(loaded), known.bodies)
    except Invalid as error:
        found.append(Checked("(all)", error.field, 0, (str(error),)))
    return tuple(sorted(found, key=lambda one: one.file))


def check_names(content: bytes, examples: bytes, file: str) -> Checked:
    """The bodies' file: whether each body was called on a day what its examples say."""
    try:
        held = Library((), load_bodies(content, file))
        told = load_name_examples(examples, file.removesuffix(".toml") + EXAMPLES)
        faults = [
            _differs(f"{file}: {body} on {day}", held.body(body, day), called)
            for body, day, called in told
        ]
    except LeadlineError as error:
        return Checked(file, "", 0, (str(error),))
    return Checked(file, "", len(told), tuple(fault for fault in faults if fault))


def _checked(name: str, regime: Regime, content: bytes | None, known: Known) -> Checked:
    beside = name.removesuffix(".toml") + EXAMPLES
    faults = list(_names(name, regime, known))
    if content is None:
        faults.append(f"{beside}: is missing; a text comes with examples")
        return Checked(name, regime.id, 0, tuple(faults))
    examples = load_examples(content, beside)
    return Checked(name, regime.id, examples.count, (*faults, *run(regime, examples, beside)))


def _names(name: str, regime: Regime, known: Known) -> Iterator[str]:
    """Names that the reader of one file cannot know."""
    stem = name.rpartition("/")[2].removesuffix(".toml")
    if stem != regime.id and not stem.startswith(f"{regime.id}."):
        yield f"{name}: id: the file is named {stem}; begin its name with {regime.id}"
    if regime.decides:
        for role in (regime.decides.role, *regime.decides.concurs):
            if role not in known.roles:
                yield f"{name}: decides: {role!r} is no role; there are {', '.join(sorted(known.roles))}"
    offered = {one.fact: {option.word for option in one.options} for one in known.questions}
    for number, condition in enumerate(regime.covers, 1):
        for word in condition.any_of:
            if word not in offered.get(condition.fact, ()):
                what = condition.fact.value
                yield f"{name}: covers[{number}].any_of: {word!r} is no answer to {what}"


def run(regime: Regime, examples: Examples, file: str) -> tuple[str, ...]:
    """What is wrong with *regime*, by its examples; nothing, if each of them holds."""
    faults = list[str]()
    if examples.regime != regime.id:
        faults.append(f"{file}: regime: is {examples.regime!r}, the text beside it {regime.id!r}")
    for kind, each in (
        ("example", [_story(regime, one) for one in examples.stories]),
        ("window", [_window(regime, one) for one in examples.windows]),
        ("coverage", [_coverage(regime, one) for one in examples.coverage]),
        ("report", [_report(regime, one) for one in examples.reports]),
        ("task", [_task(regime, one) for one in examples.tasks]),
        ("duty", [_duty(regime, one) for one in examples.duties]),
        ("words", [_words(regime, one.of, one.has) for one in examples.words]),
    ):
        for number, fault in enumerate(each, 1):
            if fault:
                faults.append(f"{file}: {kind}[{number}]: {fault}")
    return tuple(faults)


def texts(regime: Regime) -> Mapping[str, str]:
    """Everything that the file says in words, by the entry's name as examples give it."""
    found = {"title": regime.title, "consequences": regime.consequences}
    found["in_force"] = regime.in_force.words
    single: Mapping[str, Anchor | AccessRule | Clause | Toll | None] = {
        "anchor": regime.anchor,
        "window": regime.window,
        "recusal": regime.recusal,
        "lapse": regime.lapse,
        "toll": regime.toll,
    }
    found |= {name: one.words for name, one in single.items() if one is not None}
    found |= {f"reports.{one.id}": one.words for one in regime.reports}
    found |= {f"clocks.{one.id}": f"{one.starts_at}: {one.words}" for one in regime.clocks}
    found |= {f"pack.{one.part}": one.words for one in regime.pack}
    found |= {f"asks_again.{one.trigger}": one.words for one in regime.asks_again}
    found |= {one.kind: one.words for one in regime.statements}
    found |= {f"covers.{number}": one.words for number, one in enumerate(regime.covers, 1)}
    found |= {f"duties.{number}": one.words for number, one in enumerate(regime.duties, 1)}
    return found | {
        f"contested.{number}": one.words for number, one in enumerate(regime.contested, 1)
    }


def _words(regime: Regime, of: str, has: tuple[str, ...]) -> str:
    found = texts(regime)
    if of not in found:
        return f"of: {of!r} is no entry with words; there are {', '.join(found)}"
    missing = [part for part in has if part not in found[of]]
    return f"{of} does not say {missing[0]!r}; it says {found[of]!r}" if missing else ""


def _differs(what: str, found: object, expected: object) -> str:
    return f"{what} is {found}, where {expected} is expected" if found != expected else ""


def _first(*faults: str) -> str:
    return next((fault for fault in faults if fault), "")


def _story(regime: Regime, example: Example) -> str:
    facts = Engagement("e", regime.id, regime.digest, "a-developer", "m", "d", example.steps[0].at)
    acts: tuple[Act, ...] = ()
    for number, step in enumerate(example.steps, 1):
        try:
            deed = _done(Standing(facts, regime, acts), step)
        except LeadlineError as error:
            if not step.refused or step.refused not in str(error):
                return f"act {number}: is refused: {error}"
            continue
        if step.refused:
            return f"act {number}: is recorded, where a refusal is expected: {step.refused}"
        acts += (Act(f"a{number}", deed.kind, step.at, step.by, deed.about, "e", deed.detail),)
    found, expected = window(regime, acts), example.expected
    return _first(
        _differs("opens_not_before", found.opens_not_before, expected.opens_not_before),
        _differs("ends", found.ends, expected.ends),
        _differs("ended_by", found.ended_by, expected.ended_by),
        _differs("state", state(regime, acts, expected.asked_at), expected.state),
    )


def _done(on: Standing, step: Step) -> Deed:
    """What the rules answer to one step of a story."""
    role = on.regime.decides.role if on.regime.decides else "official"
    org = on.engagement.developer if step.by == "developer" else "a-body"
    by, now = Principal(step.by, step.by, org, frozenset({role})), step.at
    when = step.time or now
    terms = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, when)
    asked = Deed(Kind.INFORMATION_ASKED, "e", {"party": step.by, "question": "q"})
    answers = {
        Did.INQUIRY_LODGED: lambda: rules.lodge_inquiry(on, by, now, question="q"),
        Did.ANCHOR_SET: lambda: rules.set_anchor(on, by, anchor=when),
        Did.TERMS_AGREED: lambda: rules.agree_terms(on, by, now, terms=terms),
        Did.ACCESS_OPENED: lambda: rules.open_access(on, by, now),
        Did.ACCESS_EXTENDED: lambda: rules.extend(on, by, now, until=when),
        Did.ACCESS_ENDED: lambda: rules.end_access(on, by, now),
        Did.INFORMATION_ASKED: lambda: asked,
        Did.ENGAGEMENT_ENDED: lambda: rules.end(on, by),
        Did.ENGAGEMENT_WITHDRAWN: lambda: rules.withdraw(on, by),
    }
    return answers[step.did]()


def _window(regime: Regime, example: WindowExample) -> str:
    rule = regime.window
    if rule is None:
        return f"{regime.id} has no access window"
    lasts = example.opened and rule.lasts_until(example.opened)
    return _first(
        _differs("earliest", rule.earliest(example.anchor), example.earliest),
        _differs("latest", rule.latest(example.anchor), example.latest),
        _differs("lasts_until", lasts, example.lasts_until),
    )


def _coverage(regime: Regime, example: CoverageExample) -> str:
    found = applies(regime, example.answers, datetime.combine(example.on, time(), UTC))
    reasons = "; ".join(f"{one.found}. {one.words}" for one in found.reasons)
    missing = [part for part in example.because if part not in reasons]
    otherwise = example.otherwise or found.otherwise
    return _first(
        _differs("verdict", found.verdict, example.verdict),
        _differs("otherwise", found.otherwise, otherwise),
        f"no reason says {missing[0]!r}; they are: {reasons}" if missing else "",
        _differs("classes", found.classes, example.classes) if example.classes is not None else "",
    )


def _report(regime: Regime, example: ReportExample) -> str:
    classes = {} if example.classes is None else {regime.id: example.classes}
    owed = obligations(
        [regime], example.events, classes=classes, now=example.asked_at, requests=example.asked
    )
    kept = {(one.rule, one.number) for one in example.due if one.keep_until}
    found = [
        Due(
            one.rule,
            one.to,
            one.due,
            one.number,
            one.keep_until if (one.rule, one.number) in kept else None,
        )
        for one in owed
    ]
    for one in example.due:
        if one not in found:
            return f"{_told(one)} is expected; due are: {', '.join(map(_told, found)) or 'none'}"
    more = [one for one in found if one not in example.due]
    return f"{_told(more[0])} is due, and the example does not say so" if more else ""


def _told(due: Due) -> str:
    when = due.due.isoformat() if due.due else "without a number"
    kept = f", kept until {due.keep_until.isoformat()}" if due.keep_until else ""
    return f"{due.rule} number {due.number} to {due.to} at {when}{kept}"


def _task(regime: Regime, example: TaskExample) -> str:
    for clock in regime.clocks:
        if clock.id == example.task:
            counted = example.begins + timedelta(days=clock.days)
            return _first(
                _differs("the day counted", counted, example.due),
                _differs("the day in the text", clock.due or counted, example.due),
            )
    return f"{example.task!r} is no [[clocks]] id"


def _duty(regime: Regime, example: DutyExample) -> str:
    begun = [one.words for one in regime.duties if not one.since or one.since <= example.on]
    later = [one.words for one in regime.duties if one.since and one.since > example.on]
    for part in example.begun:
        if not any(part in words for words in begun):
            return f"no duty that has begun says {part!r}"
    for part in example.not_yet:
        if not any(part in words for words in later):
            return f"no duty that is to begin says {part!r}"
    return ""
