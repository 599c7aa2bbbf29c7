"""What persons and events have said of one case that bears on its priority, read from its acts.

Each act tells one thing: an input of a decision table, a signal of the order, or where a person puts the
case. The newest word on a thing counts; "unknown" takes an earlier word back. That attacks were seen is
what the case itself recorded, and no later word makes it less.
Source: clearinghouse reference, section 7.4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from leadline.core.clearing.exploited import Answer, cve_id
from leadline.core.clearing.priority import Attacks, Criticality, Exposure, Override
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, Value

UNKNOWN = "unknown"
COUNTS = ("dependents", "capacity")
SCALES: Mapping[str, tuple[str, ...]] = {
    "attacks": tuple(Attacks),
    "criticality": tuple(Criticality),
    "exposure": tuple(Exposure),
}
MOMENTS = ("detected", "fix")
CVE = "cve"
KINDS = frozenset({Kind.CASE_MOVED, Kind.PRIORITY_SET})  # the acts about a case that `told` reads
SIGNALS = (*SCALES, *COUNTS, *MOMENTS, CVE)
COUNT_MAX = 10**9
# What the case records of attacks, as the order's own words
_MOVED: Mapping[str, Attacks] = {"exploit-public": Attacks.PUBLIC_PROOF, "attacks": Attacks.SEEN}


@dataclass(frozen=True, slots=True)
class Told:
    """Everything said so far. *answers* are inputs of the table by their id, each its assessor's."""

    cve: str = ""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    attacks: Attacks | None = None
    criticality: Criticality | None = None
    exposure: Exposure | None = None
    dependents: int | None = None
    capacity: int | None = None
    detected: datetime | None = None
    fix: datetime | None = None
    overrides: tuple[Override, ...] = ()


def checked(signal: str, value: str) -> str:
    """*value* of *signal* as an act spells it; `UNKNOWN` takes back what was said.

    Raises: Invalid, naming the signal and what it takes.
    """
    if signal not in SIGNALS:
        raise Invalid("signal", f"{signal!r:.40} is none of {', '.join(SIGNALS)}")
    if value == UNKNOWN:
        return value
    if signal == CVE:
        return cve_id(value)
    if signal in SCALES:
        if value not in SCALES[signal]:
            raise Invalid(signal, f"is one of {', '.join(SCALES[signal])}, {UNKNOWN}")
        return value
    if signal in COUNTS:
        if not value.isascii() or not value.isdigit() or int(value[:12]) > COUNT_MAX:
            raise Invalid(signal, f"a count from 0 to {COUNT_MAX}, or {UNKNOWN}")
        return str(int(value))
    _moment(signal, value)
    return value


def told(case: str, acts: Iterable[Act]) -> Told:
    """What the acts about *case* say, in their order."""
    answers: dict[str, Answer] = {}
    said: dict[str, str] = {}
    overrides: list[Override] = []
    moved: Attacks | None = None
    for act in acts:
        detail = {key: value for key, value in act.detail.items() if isinstance(value, str)}
        if act.kind is Kind.CASE_MOVED:
            moved = _worse(moved, _MOVED.get(detail.get("move", "")))
        if act.kind is not Kind.PRIORITY_SET:
            continue
        reason = detail.get("reason", "")
        if "point" in detail:
            value = None if detail["value"] == UNKNOWN else detail["value"]
            answers[detail["point"]] = Answer(detail["point"], value, act.actor, reason)
        elif "outcome" in detail:
            seen = _pair(act.detail.get("seen"))
            overrides.append(Override(case, detail["outcome"], seen, act.actor, act.at, reason))
        else:
            said[detail["signal"]] = "" if detail["value"] == UNKNOWN else detail["value"]
    return _read(said, answers, moved, tuple(overrides))


def _read(
    said: Mapping[str, str],
    answers: Mapping[str, Answer],
    moved: Attacks | None,
    overrides: tuple[Override, ...],
) -> Told:
    def count(name: str) -> int | None:
        return int(said[name]) if said.get(name) else None

    def moment(name: str) -> datetime | None:
        return _moment(name, said[name]) if said.get(name) else None

    attacks = Attacks(said["attacks"]) if said.get("attacks") else None
    return Told(
        cve=said.get(CVE, ""),
        answers=answers,
        attacks=_worse(attacks, moved),
        criticality=Criticality(said["criticality"]) if said.get("criticality") else None,
        exposure=Exposure(said["exposure"]) if said.get("exposure") else None,
        dependents=count("dependents"),
        capacity=count("capacity"),
        detected=moment("detected"),
        fix=moment("fix"),
        overrides=overrides,
    )


def _worse(one: Attacks | None, other: Attacks | None) -> Attacks | None:
    known = [found for found in (one, other) if found is not None]
    return max(known, key=list(Attacks).index, default=None)


def _pair(value: Value) -> tuple[str, str]:
    least, most = value if isinstance(value, tuple | list) else ("", "")
    return str(least), str(most)


def _moment(field_: str, value: str) -> datetime:
    problem = "a moment with an offset, such as 2026-11-03T15:00:00+01:00, or unknown"
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(field_, problem) from None
    if found.tzinfo is None:
        raise Invalid(field_, problem)
    return found
