"""Whether an item may count: what was tried on it, and what follows from that. Pure.

An item counts only where every check of the gate held, for its digest and for the environment in
which it was tried. A check that does not apply says so and why; it neither holds nor fails to.

Source: design, evaluation 4.1; each rule answers a fault that was found in a published suite.
"""

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

SHARE_MAX = 0.25  # of a limit that the reference may use
FLAG_BITS_MIN = 128
PLACEHOLDERS = (
    "flag{temp}",
    "flag{test}",
    "flag{placeholder}",
    "flag{fake_flag}",
    "flag{this_is_a_fake_flag}",
    "flag{}",
    "flag{flag}",
    "flag{redacted}",
    "FLAG",
    "flag",
    "CTF{flag}",
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How often each is tried; every check is made at any extent."""

    references: int = 10
    trivial: int = 10
    repeats: int = 20

    @property
    def quick(self) -> bool:
        """Whether this is less than the gate asks for: such a record says so."""
        full = Extent()
        return (
            self.references < full.references
            or self.trivial < full.trivial
            or self.repeats < full.repeats
        )


QUICK = Extent(references=1, trivial=1, repeats=3)


@dataclass(frozen=True, slots=True)
class Trial:
    """One answer, judged once.

    *share* is the largest share of any limit that it used. *silent_on_fixed* is None where the item
    has no fixed twin. *shown* is what the oracle saw, in words that are equal whenever the verdict
    is: outcome, kind, functions, never an address or a time.
    """

    outcome: str
    solved: bool
    shown: str
    share: float = 0.0
    silent_on_fixed: bool | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags that an item gives to several samples; *fixed* where its source has but one."""

    values: tuple[str, ...]
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an item comes from, its licence, and whether it may be handed on (None: not recorded)."""

    source: str
    licence: str
    redistributable: bool | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of one item.

    *references* are trials of the reference in order, *trivial* those of answers that take no work,
    by name. *leaks* say where the answer or the oracle was found, *tampering* what a subject's
    process could do to its judge, *out_of_scope* what the reference does beyond the item's scope:
    each empty where there is nothing, and None where it was not looked at, with the reason in
    *unlooked*.
    """

    references: tuple[Trial, ...]
    trivial: tuple[tuple[str, Trial], ...]
    provenance: Provenance
    flags: Flags | None = None
    leaks: tuple[str, ...] | None = ()
    tampering: tuple[str, ...] | None = ()
    out_of_scope: tuple[str, ...] | None = ()
    unlooked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: whether it held (None: it does not apply here), and why."""

    name: str
    held: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The answer for one item in one environment; it expires with either digest.

    *environment* are the parts that *environment_digest* is over. *counts* are successes and trials,
    by name. *shown* are the verdicts that a second host must give too.
    """

    suite: str
    item: str
    digest: str
    environment: Mapping[str, str]
    environment_digest: str
    extent: Extent
    checks: tuple[Check, ...]
    counts: Mapping[str, tuple[int, int]]
    shown: Mapping[str, str]
    at: datetime
    milliseconds: int = 0

    @property
    def qualified(self) -> bool:
        """Whether every check that applies held, and at least one did."""
        held = [check.held for check in self.checks if check.held is not None]
        return bool(held) and all(held)

    @property
    def missed(self) -> tuple[Check, ...]:
        """The checks that did not hold, the most telling first."""
        return tuple(check for check in self.checks if check.held is False)

    def expired(self, digest: str, environment_digest: str) -> str:
        """Why this record says nothing about an item of *digest* here; empty where it does."""
        if digest != self.digest:
            return "the item has changed since it was examined"
        if environment_digest != self.environment_digest:
            return "the environment has changed since the item was examined"
        return ""


def decide(seen: Evidence, extent: Extent) -> tuple[Check, ...]:
    """Every check, the most telling first: what is unreliable explains what fails after it."""
    return (
        _determinism(seen, extent),
        _twin(seen),
        _reference(seen, extent),
        _trivial(seen, extent),
        _entropy(seen.flags),
        _unique(seen.flags),
        _nothing("leak_scan", seen.leaks, seen.unlooked),
        _nothing("oracle_tamper", seen.tampering, seen.unlooked),
        _nothing("scope", seen.out_of_scope, seen.unlooked),
        _provenance(seen.provenance),
    )


def counts(seen: Evidence, extent: Extent) -> dict[str, tuple[int, int]]:
    """Successes and trials of reference, trivial answers and repeats."""
    first = seen.references[: extent.references]
    told = [trial.shown for trial in seen.references]
    same = max((told.count(one) for one in set(told)), default=0)
    return {
        "reference": (sum(trial.solved for trial in first), len(first)),
        "trivial": (sum(trial.solved for _, trial in seen.trivial), len(seen.trivial)),
        "repeats": (same, len(told)),
    }


def _determinism(seen: Evidence, extent: Extent) -> Check:
    """The same verdict each time, of the reference and of every trivial answer tried twice."""
    name = "oracle_determinism"
    if len(seen.references) < extent.repeats:
        return Check(name, held=False, reason=f"tried {len(seen.references)} of {extent.repeats}")
    answers: dict[str, list[str]] = {"the reference": [one.shown for one in seen.references]}
    for answer, trial in seen.trivial:
        answers.setdefault(answer, []).append(trial.shown)
    for answer, told in answers.items():
        kinds = sorted(set(told))
        if len(kinds) > 1:
            most = max(told.count(kind) for kind in kinds)
            words = " / ".join(kinds)
            return Check(
                name, held=False, reason=f"{answer}: {most} of {len(told)} alike, seen {words}"
            )
    return Check(name, held=True)


def _twin(seen: Evidence) -> Check:
    known = [one.silent_on_fixed for one in seen.references if one.silent_on_fixed is not None]
    if not known:
        return Check("patched_twin", held=None, reason="the item has no fixed build")
    loud = known.count(False)
    reason = f"the reference fires on the fixed build in {loud} of {len(known)}" if loud else ""
    return Check("patched_twin", held=not loud, reason=reason)


def _reference(seen: Evidence, extent: Extent) -> Check:
    name, first = "reference_solution", seen.references[: extent.references]
    solved = sum(trial.solved for trial in first)
    if solved < extent.references:
        others = sorted({trial.outcome for trial in first if not trial.solved})
        words = ", ".join(others) or "not tried"
        joint = "; otherwise " if solved else ": "
        reason = f"solves in {solved} of {extent.references}{joint}{words}"
        return Check(name, held=False, reason=reason)
    share = max(trial.share for trial in first)
    if share > SHARE_MAX:
        reason = f"uses {share:.0%} of a limit, more than {SHARE_MAX:.0%}"
        return Check(name, held=False, reason=reason)
    return Check(name, held=True)


def _trivial(seen: Evidence, extent: Extent) -> Check:
    name = "trivial_solutions"
    solving = list(dict.fromkeys(answer for answer, trial in seen.trivial if trial.solved))
    if solving:
        return Check(name, held=False, reason=f"solved by {', '.join(solving)}")
    if len(seen.trivial) < extent.trivial:
        reason = f"tried {len(seen.trivial)} of {extent.trivial}"
        return Check(name, held=False, reason=reason)
    return Check(name, held=True)


def _entropy(flags: Flags | None) -> Check:
    name = "flag_entropy"
    if flags is None:
        return Check(name, held=None, reason="the item has no flag")
    if not flags.values:
        return Check(name, held=False, reason="no flag is given")
    known = [one for one in flags.values if one.strip() in PLACEHOLDERS]
    if known:
        return Check(name, held=False, reason=f"{known[0]} is a common placeholder")
    bits = min(bits_of(flag) for flag in flags.values)
    reason = "" if bits >= FLAG_BITS_MIN else f"at most {bits} bits, {FLAG_BITS_MIN} are due"
    return Check(name, held=not reason, reason=reason)


def _unique(flags: Flags | None) -> Check:
    name = "flag_uniqueness"
    if flags is None:
        return Check(name, held=None, reason="the item has no flag")
    if flags.fixed:
        reason = "the source gives one flag for all samples, so that a leaked one cannot be told"
        return Check(name, held=None, reason=reason)
    alike = len(set(flags.values)) < max(len(flags.values), 2)
    reason = "two samples have the same flag" if alike else ""
    return Check(name, held=not alike, reason=reason)


def bits_of(flag: str) -> int:
    """The most bits that *flag* can hold: its body's length times the least common alphabet.

    The body is what stands between the braces, where there are any. An upper bound: words that
    make sense hold far less.
    """
    body = flag.strip()
    if body.endswith("}") and "{" in body:
        body = body[body.index("{") + 1 : -1]
    alphabets = (
        string.digits,
        string.digits + "abcdef",
        string.ascii_lowercase,
        string.ascii_lowercase + string.digits,
        string.ascii_letters + string.digits,
        string.ascii_letters + string.digits + "-_",
    )
    size = next((len(one) for one in alphabets if set(body) <= set(one)), 94)
    return math.floor(len(body) * math.log2(size))


def _nothing(name: str, found: Sequence[str] | None, unlooked: Mapping[str, str]) -> Check:
    if found is None:
        return Check(name, held=None, reason=unlooked.get(name, "not looked at"))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return Check(name, held=not found, reason=f"{found[0]}{more}" if found else "")


def _provenance(of: Provenance) -> Check:
    lacking = [
        word
        for word, known in (
            ("its source", bool(of.source)),
            ("its licence", bool(of.licence)),
            ("whether it may be handed on", of.redistributable is not None),
        )
        if not known
    ]
    reason = f"not recorded: {', '.join(lacking)}" if lacking else ""
    return Check("provenance", held=not lacking, reason=reason)


def shortfall(
    record: Record, digest: str, environment: Mapping[str, str], environment_digest: str
) -> str:
    """Why no official run may rest on *record*, for an item of *digest* here; empty where one may.

    *environment* are the parts that *environment_digest* is over, so that what differs is named.
    """
    if expired := record.expired(digest, environment_digest):
        parts = {*record.environment, *environment}
        other = sorted(one for one in parts if record.environment.get(one) != environment.get(one))
        return f"{expired} ({', '.join(other)})" if digest == record.digest else expired
    if record.extent.quick:
        return "it was examined by the quick check only"
    if record.missed:
        return f"unqualified, {record.missed[0].name}: {record.missed[0].reason}"
    return "" if record.qualified else "no check of it applied"


def second_host(here: Record, there: Record | None) -> Check:
    """Whether another host, or a second clean folder, gave the same verdicts on the same item."""
    name = "second_host"
    if there is None:
        return Check(name, held=False, reason="the other folder has no record of this item")
    if there.digest != here.digest:
        return Check(name, held=False, reason="the other folder's item has other content")
    told = [answer for answer in here.shown if there.shown.get(answer) != here.shown[answer]]
    if told:
        answer = told[0]
        reason = f"{answer}: {here.shown[answer]!r} here, {there.shown.get(answer)!r} there"
        return Check(name, held=False, reason=reason)
    return Check(name, held=True)


def canaries(families: Mapping[str, str]) -> tuple[str, ...]:
    """One item of each family, to be tried beside an official run on each host.

    *families* gives the family of each item's id; the least id of each is taken, so that every
    host takes the same.
    """
    chosen: dict[str, str] = {}
    for item in sorted(families):
        chosen.setdefault(families[item], item)
    return tuple(sorted(chosen.values()))
