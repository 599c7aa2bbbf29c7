"""What applies to a developer, from six answers that may each be unknown.

A condition of a text is met, not met, or open. One that is not met settles it; otherwise an open one
leaves it open, and the missing answer is named (Kleene's three-valued logic). A text that nobody is
bound to come under is open to a developer, or outside its reach, and nothing follows either way. Where
coverage is by determination alone no answer can settle it; the deciding body can be asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from math import inf, isfinite

from leadline.core.engagement.regime import Condition, Fact, Participation, Regime, Status
from leadline.core.errors import Invalid

WRITTEN_OUT = 10**15  # numbers from here on are shown as powers of ten


class Stage(StrEnum):
    """How far the model has come."""

    UNDER_DEVELOPMENT = "under-development"
    WITH_PARTNERS = "with-partners"
    PUBLIC = "public"


class Verdict(StrEnum):
    """Whether a text applies."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    OPEN = "open-to-you"  # taking part is the developer's choice; nothing follows otherwise
    OUTSIDE = "outside"  # a programme that does not reach this developer or model
    NOT_IN_FORCE = "not-in-force"


Answer = float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Answers:
    """The six answers; None is "I don't know". *places* and *agreements* empty means: none.

    Raises: Invalid, for a number below zero or beyond all bounds.
    """

    training_operations: float | None = None
    yearly_revenue_usd: float | None = None
    places: tuple[str, ...] | None = None
    open_weights: bool | None = None
    stage: Stage | None = None
    agreements: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for fact in (Fact.TRAINING_OPERATIONS, Fact.YEARLY_REVENUE):
            try:
                found = self.to(fact)
            except OverflowError:
                found = inf
            if isinstance(found, float) and not (isfinite(found) and found >= 0):
                problem = f"{found} is no amount; give a number from 0 on, or leave it unknown"
                raise Invalid(fact.value, problem)

    def to(self, fact: Fact) -> Answer:
        """The answer to one question; a determination is never a developer's to answer."""
        numbers = {
            Fact.TRAINING_OPERATIONS: self.training_operations,
            Fact.YEARLY_REVENUE: self.yearly_revenue_usd,
        }
        if fact in numbers:
            number = numbers[fact]
            return None if number is None else float(number)
        others: Mapping[Fact, Answer] = {
            Fact.PLACES: self.places,
            Fact.OPEN_WEIGHTS: self.open_weights,
            Fact.STAGE: None if self.stage is None else (self.stage.value,),
            Fact.AGREEMENTS: self.agreements,
            Fact.DETERMINATION: None,
        }
        return others[fact]


@dataclass(frozen=True, slots=True)
class Reason:
    """One test with its outcome: *found* in plain words, *words* as the text has it; None is open."""

    fact: Fact | None
    met: bool | None
    found: str
    words: str
    cites: str


@dataclass(frozen=True, slots=True)
class Applies:
    """The answer for one text.

    *otherwise* is what the answers alone give, where the text is not in force today. *classes* are the
    narrower classes the developer is in, None where that is open. *missing* are the questions whose
    answers would settle it.
    """

    regime: Regime
    verdict: Verdict
    otherwise: Verdict
    reasons: tuple[Reason, ...]
    classes: frozenset[str] | None
    missing: tuple[Fact, ...]

    @property
    def since(self) -> date | None:
        """The first day of the text, if one is known."""
        return self.regime.in_force.since


def applies(regime: Regime, answers: Answers, now: datetime) -> Applies:
    """Whether *regime* applies, with every reason, the text's standing first where it has no effect."""
    tests = [(one, _reason(one, answers)) for one in regime.covers]
    whole = tuple(reason for one, reason in tests if not one.of)
    verdict = _verdict(regime, _all(whole))
    standing = () if regime.applies(now) else (_standing(regime, now),)
    settled = verdict not in {Verdict.UNKNOWN, Verdict.OPEN}
    return Applies(
        regime,
        Verdict.NOT_IN_FORCE if standing else verdict,
        verdict,
        (*standing, *whole, *(reason for one, reason in tests if one.of)),
        _classes(tests, whole),
        () if settled else tuple(one.fact for one in whole if one.fact and one.met is None),
    )


def classes_of(found: Iterable[Applies]) -> Mapping[str, frozenset[str]]:
    """The classes of the developer by regime; a regime where that is open is left out."""
    return {one.regime.id: one.classes for one in found if one.classes is not None}


def plain(number: float) -> str:
    """A number as people read it, exactly: ``10^26``, ``3e25``, ``500,000,000``."""
    if number < WRITTEN_OUT:
        return f"{int(number):,}" if number == int(number) else f"{number:,}"
    digits = Decimal(repr(number)).normalize().as_tuple()
    shown = "".join(map(str, digits.digits))
    power = int(digits.exponent) + len(shown) - 1
    if shown == "1":
        return f"10^{power}"
    return f"{shown[0]}{'.' + shown[1:] if shown[1:] else ''}e{power}"


def _all(reasons: Iterable[Reason]) -> bool | None:
    met = [reason.met for reason in reasons]
    return False if False in met else None if None in met else True


def _verdict(regime: Regime, met: bool | None) -> Verdict:  # noqa: FBT001 -- of three values
    if regime.participation is Participation.VOLUNTARY:
        return Verdict.OUTSIDE if met is False else Verdict.OPEN
    if met is None:
        return Verdict.UNKNOWN
    if met:
        return Verdict.YES
    if regime.participation is Participation.CONTRACT:
        private = regime.status is Status.PRIVATE_PROGRAMME
        return Verdict.OUTSIDE if private else Verdict.OPEN
    return Verdict.NO


def _classes(
    tests: list[tuple[Condition, Reason]], whole: tuple[Reason, ...]
) -> frozenset[str] | None:
    covered = _all(whole)
    named = {one.of for one, _ in tests if one.of}
    if covered is False:
        return frozenset()
    found = {
        name: _all([*whole, *(reason for one, reason in tests if one.of == name)]) for name in named
    }
    if None in found.values():
        return None
    return frozenset(name for name, met in found.items() if met)


def _standing(regime: Regime, now: datetime) -> Reason:
    """Why a text has no effect now, with its days."""
    days, today = regime.in_force, now.astimezone(UTC).date()
    if regime.status is Status.NEVER_IN_FORCE:
        found = "never in force"
    elif days.since and today < days.since:
        found = f"in force from {days.since}"
    elif days.until:
        found = f"in force until {days.until}; {regime.status.value}"
    else:
        found = f"{regime.status.value}; no day is known"
    return Reason(fact=None, met=False, found=found, words=days.words, cites=days.cites)


# What a comparison is written with, so that pages can put their own words for those of the file.
ANSWERED = "you answered "
SPEAKS_TO = "; the text speaks to "
_WORD = {True: "yes", False: "no"}
_UNITS = {Fact.TRAINING_OPERATIONS: "operations", Fact.YEARLY_REVENUE: "US dollars a year"}


def _reason(condition: Condition, answers: Answers) -> Reason:
    answer, fact = answers.to(condition.fact), condition.fact
    if fact is Fact.DETERMINATION:
        met, found = None, "none of the six answers settles it"
    elif isinstance(answer, bool):
        met = answer is condition.yes
        found = f"your answer is {_WORD[answer]}{SPEAKS_TO}{_WORD[met is answer]}"
    elif isinstance(answer, float):
        met, found = _compared(condition, answer)
    elif isinstance(answer, tuple):
        met = bool(set(answer) & set(condition.any_of))
        listed, given = ", ".join(condition.any_of), ", ".join(answer) or "none"
        found = f"{ANSWERED}{given}{SPEAKS_TO}{listed}"
    else:
        met, found = None, f"not known: {fact.value}"
    return Reason(fact, met, found, condition.words, condition.cites)


def _compared(condition: Condition, answer: float) -> tuple[bool, str]:
    unit = _UNITS[condition.fact]
    if condition.above is not None:
        met, bound, what = answer > condition.above, condition.above, "above"
    else:
        bound = condition.at_least or 0.0
        met, what = answer >= bound, "at least"
    return met, f"{plain(answer)} is {'' if met else 'not '}{what} {plain(bound)} {unit}"
