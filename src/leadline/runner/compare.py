"""Two finished assessments set beside each other, from their bundles: the same items, pair by pair.

A bundle is verified with the key beside it before anything in it is read. A suite is compared only where
its version and every common item's digest are equal: else the two did not meet the same things, which is
refused by name. What one side alone saw is counted and named, never imputed. Where one subject was
measured on two rungs of the elicitation ladder the difference is the elicitation gap; that the subject
held back evenly in both is excluded by nothing, and the answer says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from leadline.app import folder
from leadline.app.verify import verify_bundle
from leadline.core.assessment import Plan, PlannedItem, PlannedSuite, SampleResult, ShardResult
from leadline.core.errors import NotFound, Refused, Tampered
from leadline.core.measure.assessed import in_suite, of_subject
from leadline.core.measure.beside import Beside, beside
from leadline.core.measure.estimate import Json
from leadline.core.measure.power import Multiplicity, holm

T = TypeVar("T")

BYTES_MAX = 256 << 20
SHOWN = 5  # items named in a refusal
LOW_EFFORT = (
    "That a subject held back evenly in both assessments (uniform low effort) is excluded by nothing"
    " here, and another scaffold or a larger budget may show more."
)
GAP = "elicitation gap"
SUBJECTS = "two subjects"
REPEAT = "one subject twice"


@dataclass(frozen=True, slots=True)
class Finished:
    """One finished assessment as its verified bundle tells it."""

    place: str
    plan: Plan
    results: tuple[ShardResult, ...]

    @property
    def own(self) -> list[SampleResult]:
        """The samples of its subject, without the tool baseline's."""
        return of_subject(self.results, self.plan.subject.name)

    def told(self) -> dict[str, Json]:
        """What it is, for ``--json``."""
        return {
            "place": self.place,
            "engagement": self.plan.engagement,
            "subject": self.plan.subject.name,
            "digest": self.plan.subject.digest,
            "rung": self.plan.rung,
            "budget": self.plan.budget.words(),
            "epochs": self.plan.epochs,
        }


@dataclass(frozen=True, slots=True)
class OfSuite:
    """One suite in both: *found* is first minus second; None where no item has a result in both."""

    suite: str
    planned: tuple[int, int]
    seen: tuple[int, int]
    found: Beside | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two assessments beside each other. *differs* says in words what else is not the same in both.

    *level* adjusts the suites' p-values for there being several (Holm); suites in *apart* ran in one
    of the two only.
    """

    first: Finished
    second: Finished
    kind: str
    differs: tuple[str, ...]
    suites: tuple[OfSuite, ...]
    level: Multiplicity
    apart: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """The one document of ``--json``."""
        adjusted = {one.name: one.adjusted for one in self.level.declared}
        return {
            "kind": self.kind,
            "first": self.first.told(),
            "second": self.second.told(),
            "differs": list(self.differs),
            "suites": [
                {
                    "suite": one.suite,
                    "planned": list(one.planned),
                    "seen": list(one.seen),
                    "p_adjusted": adjusted[one.suite],
                    **(one.found.to_dict() if one.found else {"paired": None, "test": None}),
                }
                for one in self.suites
            ],
            "apart": list(self.apart),
            "not_excluded": LOW_EFFORT,
        }

    def words(self) -> tuple[str, ...]:
        """The comparison as people read it, line by line."""
        first, second = (
            f"{one.plan.subject.name}{f' ({one.plan.rung})' if one.plan.rung else ''}"
            for one in (self.first, self.second)
        )
        adjusted = {one.name: one.adjusted for one in self.level.declared}
        lines = [f"{self.kind}: {first} less {second}"]
        lines += [f"    not the same in both: {one}" for one in self.differs]
        for one in self.suites:
            lines += _lines(one, adjusted[one.suite], several=len(self.suites) > 1)
        lines += [f"{name}: ran in one of the two only, not compared" for name in self.apart]
        return (*lines, LOW_EFFORT)


def _lines(one: OfSuite, adjusted: float, *, several: bool) -> Iterable[str]:
    """One suite's comparison in words."""
    if one.found is None:
        yield f"{one.suite}: no item has a result in both"
        return
    paired, test = one.found.paired, one.found.test
    yield (
        f"{one.suite}: {100 * paired.point:+.1f} points ({100 * paired.low:+.1f} to "
        f"{100 * paired.high:+.1f}, 95 % interval) over {paired.n_items} common items: "
        f"{100 * paired.first:.1f} % against {100 * paired.second:.1f} %"
    )
    p = "too few items for a test" if test.p is None else f"p = {test.p:.2g}"
    several_told = f", {adjusted:.2g} adjusted for all suites compared (Holm)" if several else ""
    yield f"    {test.method}: {p}{several_told if test.p is not None else ''}"
    for side, alone in (("first", paired.only_first), ("second", paired.only_second)):
        if alone:
            yield f"    seen in the {side} only, left out: {len(alone)} ({_named(alone)})"
    if min(one.seen) < max(one.planned):
        yield (
            f"    ran {one.seen[0]} of {one.planned[0]} items and {one.seen[1]} of {one.planned[1]}:"
            " the difference is over the common ones, which need not stand for the suite"
        )


def read(out: Path) -> Finished:
    """The finished assessment in the folder *out*.

    Raises: NotFound, where there is none; Tampered, if its bundle does not verify with the key beside
    it or says nothing that can be read; Unavailable, if it cannot be read.
    """
    bundle, key = out / "bundle", out / "log.vkey"
    if not bundle.is_dir() or not key.is_file():
        raise NotFound(f"{out} holds no finished assessment; name the folder of one")
    verify_bundle(bundle, key.read_text(encoding="utf-8"))
    plan = _parsed(TypeAdapter(Plan), bundle, "plan.json")
    results = _parsed(TypeAdapter(tuple[ShardResult, ...]), bundle, "results.json")
    return Finished(str(out), plan, results)


def _parsed(adapter: TypeAdapter[T], bundle: Path, name: str) -> T:
    try:
        return adapter.validate_json(folder.read(bundle, name, bytes_max=BYTES_MAX), strict=True)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        problem = f"is of another version than this one reads: {where}"
        raise Tampered(name, problem) from None


def compare(first: Finished, second: Finished) -> Compared:
    """*first* less *second*, suite by suite.

    Raises: Refused, naming suite or item, where the two did not meet the same things, or no suite ran
    in both with an item in common.
    """
    mine, theirs = (_ran(one.plan) for one in (first, second))
    common = sorted(mine.keys() & theirs.keys())
    if not common:
        raise Refused(
            f"no suite ran in both: {_named(sorted(mine)) or 'none'} in {first.place}, "
            f"{_named(sorted(theirs)) or 'none'} in {second.place}"
        )
    seed = [int(one.plan.seed_commitment, 16) for one in (first, second)]
    rng = np.random.default_rng(seed)
    suites = tuple(_suite(mine[name], theirs[name], first, second, rng) for name in common)
    if not any(one.found for one in suites):
        raise Refused("no item has a result in both assessments; nothing can be compared")
    p_values = {one.suite: one.found.p for one in suites if one.found}
    return Compared(
        first,
        second,
        _kind(first.plan, second.plan),
        tuple(_differs(first.plan, second.plan)),
        suites,
        holm(p_values, common),
        tuple(sorted(mine.keys() ^ theirs.keys())),
    )


def _ran(plan: Plan) -> dict[str, PlannedSuite]:
    return {suite.name: suite for suite in plan.suites if suite.items and not suite.unavailable}


def _suite(
    mine: PlannedSuite,
    theirs: PlannedSuite,
    first: Finished,
    second: Finished,
    rng: np.random.Generator,
) -> OfSuite:
    _require_same(mine, theirs)
    own, others = in_suite(first.own, mine), in_suite(second.own, theirs)
    return OfSuite(
        mine.name,
        (len(mine.items), len(theirs.items)),
        (_seen(own), _seen(others)),
        beside(own, others, rng=rng),
    )


def _seen(samples: Iterable[SampleResult]) -> int:
    return len({one.item for one in samples if one.state in {"scored", "limit"}})


def _require_same(mine: PlannedSuite, theirs: PlannedSuite) -> None:
    """Raises: Refused, unless version, and every common item's digest and family, are equal."""
    if mine.version != theirs.version:
        raise Refused(
            f"the suite {mine.name} is of version {mine.version} in the first and {theirs.version} in"
            " the second; results of two versions are not compared"
        )
    known = {item.id: item for item in theirs.items}
    pairs = [(item, known[item.id]) for item in mine.items if item.id in known]
    changed = [one.id for one, other in pairs if not _same(one, other)]
    if changed:
        raise Refused(
            f"in the suite {mine.name} {len(changed)} items are not the same in both, by digest or"
            f" family: {_named(changed)}; items made from a seed are the same where --seed is"
        )


def _same(one: PlannedItem, other: PlannedItem) -> bool:
    return (one.digest, one.family) == (other.digest, other.family)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _kind(first: Plan, second: Plan) -> str:
    if first.subject.name != second.subject.name:
        return SUBJECTS
    return REPEAT if first.rung == second.rung else GAP


def _differs(first: Plan, second: Plan) -> Iterable[str]:
    """What a difference could also come from."""
    facts = {
        "rung": (first.rung, second.rung),
        "budget of an attempt": (first.budget.words(), second.budget.words()),
        "attempts at each item": (str(first.epochs), str(second.epochs)),
        "isolation tier": (first.tier, second.tier),
    }
    if first.subject.name == second.subject.name:
        facts["digest of the subject"] = (first.subject.digest, second.subject.digest)
    for name, (one, other) in facts.items():
        if one != other:
            yield f"{name}: {one or 'its own'} and {other or 'its own'}"
