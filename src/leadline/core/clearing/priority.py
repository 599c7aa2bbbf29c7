"""Which case comes first: one signal after the other, each explained, nothing added up or weighed.

The first signals are the worst and the best outcome that the directive's table still allows; then
attacks seen, criticality of the operator, exposure, how many are touched, the earliest possible day, and
capacity to apply the fix. Of each signal an unknown value stands between the worst it may be and all that
is better: it is never taken for harmless. Raising a signal never puts a case further back, and a case
has its place without regard to others. CVSS and EPSS are shown beside, and order nothing.
Source: clearinghouse reference, section 7.4.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from leadline.core.clearing.ssvc import Decision
from leadline.core.errors import Invalid, Unavailable

VECTOR_MAX = 512
UNTOLD = 1 << 62  # more than any count: how many, if it is not known


def cvss(vector: str) -> float:
    """The base score of a CVSS vector, 0.0 to 10.0; of version 4.0 the score of all its metrics.

    Versions 2.0 (with or without brackets or prefix), 3.0, 3.1 and 4.0 are read. Sources: FIRST, CVSS v2.0
    guide, v3.0, v3.1 and v4.0 specifications.

    Raises: Invalid, if it is no such vector; Unavailable, without the package ``cvss``.
    """
    found = vector.strip()
    if len(found) > VECTOR_MAX:
        raise Invalid("vector", f"longer than {VECTOR_MAX} characters")
    # Imported on use: the package is LGPL, and nothing else of the rules needs it.
    try:
        from cvss import (  # type: ignore[import-untyped]
            CVSS2,
            CVSS3,
            CVSS4,
            CVSSError,
        )
    except ImportError:
        raise Unavailable("no CVSS scores: the package cvss is not installed") from None
    try:
        if found.startswith("CVSS:4"):
            return float(CVSS4(found).base_score)
        if found.startswith("CVSS:3"):
            return float(CVSS3(found).base_score)
        return float(
            CVSS2(found.removeprefix("CVSS:2.0/").removeprefix("(").removesuffix(")")).base_score
        )
    except CVSSError as error:
        raise Invalid(
            "vector", f"no CVSS vector of version 2.0, 3.0, 3.1 or 4.0: {error}"
        ) from None


class Attacks(StrEnum):
    """What is known of attacks, from least to most (SSVC point Exploitation, ssvc:E:1.1.0)."""

    NONE = "none"
    PUBLIC_PROOF = "public-proof"
    SEEN = "seen"


class Criticality(StrEnum):
    """What depends on the operator, from least to most."""

    ORDINARY = "ordinary"
    IMPORTANT = "important"
    VITAL = "vital"


class Exposure(StrEnum):
    """How reachable the system is, from least to most (SSVC point System Exposure, ssvc:EXP:1.0.1)."""

    SMALL = "small"
    CONTROLLED = "controlled"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Case:
    """The signals of one case; None where one is not known.

    *operators* counts the distinct operators touched, *dependents* the packages that depend on it.
    *earliest* is the earliest day still possible. *capacity* is how many more fixes whoever is to apply
    them can take now: of equals, the one that can be done goes first.

    Raises: Invalid, for a negative count or an empty id.
    """

    id: str
    decision: Decision
    attacks: Attacks | None = None
    criticality: Criticality | None = None
    exposure: Exposure | None = None
    operators: int = 0
    dependents: int | None = None
    earliest: date | None = None
    capacity: int | None = None

    def __post_init__(self) -> None:
        if not self.id:
            raise Invalid("id", "is empty")
        for name, count in (
            ("operators", self.operators),
            ("dependents", self.dependents),
            ("capacity", self.capacity),
        ):
            if count is not None and not 0 <= count < UNTOLD:
                raise Invalid(name, f"{count} is no count")


@dataclass(frozen=True, slots=True)
class Override:
    """A person puts a case where the outcome *outcome* would put it, with a reason.

    It moves the case in the queue and changes no decision and no date. *seen* are the least and the most
    urgent outcome that the person saw: one that lowers the case counts only while these still hold, so
    that nothing learned later is hidden; one that raises it counts while it does raise it.

    Raises: Invalid, without a reason or a person, or for a moment without an offset.
    """

    case: str
    outcome: str
    seen: tuple[str, str]
    by: str
    at: datetime
    reason: str

    def __post_init__(self) -> None:
        for name in ("by", "reason"):
            if not getattr(self, name).strip():
                raise Invalid(name, "is empty; an override needs a person and a reason")
        if self.at.tzinfo is None:
            raise Invalid("at", "a moment without an offset; give it one")


@dataclass(frozen=True, slots=True)
class Place:
    """A case in the queue. *override* is in effect, *aside* is the newest one that no longer is.

    *why* says what puts it before the next one; empty for the last.
    """

    case: Case
    override: Override | None
    aside: Override | None
    why: str


@dataclass(frozen=True, slots=True)
class _Key:
    """One signal in the order: its name, its words, and what sorts, the smallest first."""

    name: str
    words: str
    sorts: tuple[int, ...]


def order(cases: Iterable[Case], overrides: Iterable[Override] = ()) -> tuple[Place, ...]:
    """The queue, the most urgent first. The newest override of a case counts.

    Raises: Invalid, for two cases of one id, cases decided by different tables, or an override of no
    case or with an outcome that the table does not have.
    """
    listed = list(cases)
    held = {case.id: case for case in listed}
    if len(held) != len(listed):
        raise Invalid("cases", "two have the same id")
    if len({case.decision.table for case in listed}) > 1:
        raise Invalid("cases", "are decided by different tables; order them apart")
    newest: dict[str, Override] = {}
    for one in sorted(overrides, key=lambda override: override.at):
        if one.case not in held:
            raise Invalid("override", f"{one.case!r:.80} is no case of the queue")
        held[one.case].decision.outcome.level(one.outcome)
        newest[one.case] = one
    ranked = sorted(
        ((case, _in_effect(case, newest.get(case.id))) for case in listed),
        key=lambda pair: ([key.sorts for key in _keys(*pair)], pair[0].id),
    )
    return tuple(
        Place(
            case=case,
            override=override,
            aside=None if override else newest.get(case.id),
            why=_why((case, override), ranked[place + 1]) if place + 1 < len(ranked) else "",
        )
        for place, (case, override) in enumerate(ranked)
    )


def _in_effect(case: Case, override: Override | None) -> Override | None:
    """*override* if it raises *case*, or lowers it from what its author saw."""
    if override is None:
        return None
    decision = case.decision
    raises = decision.outcome.level(override.outcome) >= decision.levels[0]
    seen = override.seen == (decision.least.key, decision.most.key)
    return override if raises or seen else None


def _keys(case: Case, override: Override | None) -> list[_Key]:
    most, least = case.decision.levels
    worst, best = case.decision.most.name, case.decision.least.name
    if override is not None:
        most = least = case.decision.outcome.level(override.outcome)
        worst = best = f"{case.decision.outcome.values[most].name} (by {override.by})"
    dependents = (UNTOLD, 0) if case.dependents is None else (case.dependents,) * 2
    capacity = -1 if case.capacity is None else case.capacity
    day = (case.earliest or date.max).toordinal()
    return [
        _Key("earliest possible outcome", worst, (-most,)),
        _Key("latest possible outcome", best, (-least,)),
        _graded("attacks", case.attacks, list(Attacks)),
        _graded("criticality of the operator", case.criticality, list(Criticality)),
        _graded("exposure", case.exposure, list(Exposure)),
        _Key("operators touched", str(case.operators), (-case.operators,)),
        _Key("dependents", _told(case.dependents), (-dependents[0], -dependents[1])),
        _Key("earliest possible day", _told(case.earliest, "none"), (day,)),
        _Key("capacity to apply", _told(case.capacity), (-capacity,)),
    ]


def _graded(name: str, value: StrEnum | None, scale: Sequence[StrEnum]) -> _Key:
    """An unknown value may be the worst and may be the best: it sorts just below the worst."""
    worst, best = (len(scale) - 1, 0) if value is None else (scale.index(value),) * 2
    return _Key(name, _told(value), (-worst, -best))


def _told(value: object, absent: str = "unknown") -> str:
    return absent if value is None else str(value)


def _why(first: tuple[Case, Override | None], second: tuple[Case, Override | None]) -> str:
    for mine, theirs in zip(_keys(*first), _keys(*second), strict=True):
        if mine.sorts != theirs.sorts:
            return f"{mine.name}: {mine.words}, before {theirs.words}"
    return f"equal in every signal; {first[0].id} comes before {second[0].id} by name"
