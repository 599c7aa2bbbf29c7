"""What `bench/decide.py` found, its figures beside their bounds, and the page of the documentation."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from bench import _form as form

FloatArray = npt.NDArray[np.float64]
T = TypeVar("T")

ALPHA = 0.05
TAUS = (1.0, 0.5, 0.2)
BATCHES = (10, 25)  # items that are drawn and run together
TELLING = 50  # items that the strategic subject fails
NEAR = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 1.0)
WORST_MIN, MEAN_COVERED_MIN = 0.95, 0.94
MEDIAN_MAX, MEAN_MAX, NEAR_MAX, TOKENS_MAX = 1 / 8, 1 / 4, 0.5, 0.12


@dataclass(frozen=True, slots=True)
class Size:
    """How much is walked."""

    seeds: int  # of each decision about a later agent
    hard_models: int
    hard_seeds: int
    strategic_seeds: int
    cyber_seeds: int
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions of one way to decide: how far the truth lies from the threshold, the cost, the outcome."""

    distance: FloatArray
    fraction: FloatArray
    false_above: npt.NDArray[np.bool_]
    false_below: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hard:
    """Walks at the hardest place of one model: how many were wrong, by *way*.

    ``fitted`` and ``shuffled`` are active sampling with such difficulties.
    """

    model: str
    score: float
    side: str
    way: str
    wrong: int
    seeds: int

    @property
    def share(self) -> float:
        """The share of walks that were wrong."""
        return self.wrong / self.seeds


@dataclass(frozen=True, slots=True)
class Strategic:
    """Walks about subjects that are above one threshold, by *kind*.

    ``alone`` fails the most telling items and solves everything else, ``later`` are later agents that failed
    these too, ``honest`` are later agents as they are. *wrong* counts walks called below by subject, *turned*
    the subjects that the most telling items first call below, by tau. *alarms* are conclusions that the
    planner was sure of the other side of before; *unlike* are walks whose person fit over what was drawn is
    lower than that of 19 in 20 walks about honest agents.
    """

    kind: str
    distance: FloatArray
    wrong: npt.NDArray[np.int64]
    seeds: int
    alarms: int
    unlike: int
    turned: tuple[int, ...]

    @property
    def walks(self) -> int:
        """All of them."""
        return len(self.wrong) * self.seeds

    @property
    def worst(self) -> float:
        """The share of wrong walks of the subject that has most; 0 without subjects."""
        return float(self.wrong.max(initial=0)) / self.seeds

    @property
    def wrong_far(self) -> int:
        """Wrong walks about subjects farther than 0.05 from the threshold."""
        return int(self.wrong[self.distance > NEAR[2] + 1e-9].sum())


KINDS = ("alone", "later", "honest")


def told(truth: FloatArray, threshold: float, fraction: FloatArray, above: object) -> Decisions:
    """Decisions that say above, or below, beside the truth."""
    said, really = np.asarray(above, dtype=bool), truth >= threshold - 1e-12
    return Decisions(np.abs(truth - threshold), fraction, said & ~really, ~said & really)


def joined(parts: Sequence[Decisions]) -> Decisions:
    """Decisions of several thresholds as one."""
    return Decisions(
        *(
            np.concatenate([getattr(one, name) for one in parts])
            for name in ("distance", "fraction", "false_above", "false_below")
        )
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was measured."""

    ways: dict[str, Decisions]
    hard: list[Hard]
    strategic: list[Strategic]
    cyber: Decisions
    tokens: FloatArray
    coverage: dict[str, float]
    size: Size
    seconds: float

    @classmethod
    def of(cls, results: dict[str, list[object]], size: Size, seconds: float) -> "Found":
        """From the results of all jobs."""
        parts = [one for one in results["temporal"] if isinstance(one, dict)]
        ways = {name: joined([part[name] for part in parts]) for name in parts[0]}
        pairs = [one for one in results["cyber"] if isinstance(one, tuple)]
        return cls(
            ways,
            _flat(results["hard"], Hard),
            _flat(results["strategic"], Strategic),
            joined([pair[0] for pair in pairs]),
            np.concatenate([pair[1] for pair in pairs]),
            dict(_flat(results["coverage"], tuple)),
            size,
            seconds,
        )


def _flat(results: list[object], kind: type[T]) -> list[T]:
    return [
        one for part in results if isinstance(part, list) for one in part if isinstance(one, kind)
    ]


def between(decisions: Decisions, low: float, high: float) -> npt.NDArray[np.bool_]:
    """The decisions whose truth lies so far from the threshold."""
    told: npt.NDArray[np.bool_] = (decisions.distance >= low - 1e-9) & (
        decisions.distance < high - 1e-9
    )
    return told


def wrong(decisions: Decisions) -> npt.NDArray[np.bool_]:
    """The decisions that differ from the full row's."""
    told: npt.NDArray[np.bool_] = decisions.false_above | decisions.false_below
    return told


def limit(seeds: int) -> float:
    """Alpha and three standard errors of a share over so many seeds."""
    return float(ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / seeds))


def _worst(found: Found, side: str, way: str) -> Hard:
    some = [one for one in found.hard if (one.side, one.way) == (side, way)]
    return max(some, key=lambda one: one.share)


def ratios(found: Found) -> dict[str, dict[str, object]]:
    """Every figure that has a bound."""
    active = found.ways["active"]
    near, far = between(active, 0.02, 0.05), found.cyber.distance > NEAR[2] + 1e-9
    worst = {
        f"hardest_false_{side}_{way}": _worst(found, side, way).share
        for side in ("above", "below")
        for way in ("fitted", "shuffled")
    }
    bound = limit(found.size.hard_seeds)
    told = {
        "temporal_median_fraction": form.at_most(float(np.median(active.fraction)), MEDIAN_MAX),
        "temporal_mean_fraction": form.at_most(float(active.fraction.mean()), MEAN_MAX),
        "temporal_near_median_fraction": form.at_most(
            float(np.median(active.fraction[near])), NEAR_MAX
        ),
        "temporal_wrong": form.at_most(float(wrong(active).mean()), ALPHA),
        "strategic_alone_wrong": form.at_most(
            sum(int(one.wrong.sum()) for one in found.strategic if one.kind == "alone"), 0
        ),
        "strategic_later_worst": form.at_most(
            max(one.worst for one in found.strategic if one.kind == "later"),
            limit(found.size.strategic_seeds),
        ),
        "strategic_later_far_wrong": form.at_most(
            sum(one.wrong_far for one in found.strategic if one.kind == "later"), 0
        ),
        "cyber_far_median_tokens": form.at_most(float(np.median(found.tokens[far])), TOKENS_MAX),
        "cyber_wrong": form.at_most(float(wrong(found.cyber).mean()), ALPHA),
    }
    told |= {name: form.at_most(share, bound) for name, share in worst.items()}
    for name, share in found.coverage.items():
        told[f"coverage_{name}"] = form.ratio(
            share, WORST_MIN if "worst" in name else MEAN_COVERED_MIN, ">="
        )
    return told


def values(found: Found) -> dict[str, dict[str, object]]:
    """Every other figure, with its unit."""
    told: dict[str, dict[str, object]] = {}

    def put(name: str, value: float, unit: str) -> None:
        told[name] = {"value": round(value, 4), "unit": unit}

    for name, one in found.ways.items():
        put(f"{name}_median", float(np.median(one.fraction)), "of the items")
        put(f"{name}_mean", float(one.fraction.mean()), "of the items")
        put(f"{name}_wrong", float(wrong(one).mean()), "of decisions")
    active = found.ways["active"]
    for low, high in itertools.pairwise(NEAR):
        chosen = active.fraction[between(active, low, high)]
        put(f"active_median_from_{low:g}_to_{high:g}", float(np.median(chosen)), "of the items")
    for kind in KINDS:
        some = [one for one in found.strategic if one.kind == kind]
        put(f"strategic_{kind}_subjects", sum(len(one.wrong) for one in some), "subjects")
        put(f"strategic_{kind}_walks", sum(one.walks for one in some), "walks")
        put(f"strategic_{kind}_wrong", sum(int(one.wrong.sum()) for one in some), "walks")
        put(f"strategic_{kind}_alarms", sum(one.alarms for one in some), "walks")
        put(f"strategic_{kind}_unlike", sum(one.unlike for one in some), "walks")
        for at, tau in enumerate(TAUS):
            turned = sum(one.turned[at] for one in some)
            put(f"strategic_{kind}_turned_by_telling_first_tau_{tau:g}", turned, "subjects")
    far = found.cyber.distance > NEAR[2] + 1e-9
    put("cyber_decisions", len(found.tokens), "decisions")
    put("cyber_far_mean_tokens", float(found.tokens[far].mean()), "of the tokens")
    put("cyber_all_median_tokens", float(np.median(found.tokens)), "of the tokens")
    put("cyber_far_median_items", float(np.median(found.cyber.fraction[far])), "of the items")
    for side, way in itertools.product(("above", "below"), ("exact_sequence", "wilson_peeking")):
        put(f"hardest_false_{side}_{way}", _worst(found, side, way).share, "of walks")
    put("hardest_models", len({one.model for one in found.hard}), "models")
    put("hardest_seeds", found.size.hard_seeds, "seeds")
    put("decisions", len(active.fraction), "decisions")
    put("seconds", found.seconds, "s")
    return told


NAMES = {
    "active": "**active sampling** (the product's)",
    "active_batches_of_10": "active sampling, ten items at a time, each ten run whole",
    "active_batches_of_25": "active sampling, 25 items at a time",
    "exact_sequence": "exact sequence, simple random order",
    "wilson_peeking": "Wilson's interval looked at after every item (no valid rule)",
    "sprt_true_rate": "SPRT that knows the true share, against the threshold",
    "sprt_two_points": "SPRT that knows the distance, two points (no bound at the threshold)",
    "telling_first_tau_1": "most telling items first, model trusted fully",
    "telling_first_tau_0.5": "most telling items first, tau 0.5",
    "telling_first_tau_0.2": "most telling items first, tau 0.2",
    "anchors_60": "60 fixed anchors",
    "anchors_100": "100 fixed anchors",
}


WAYS = {
    "fitted": "active sampling, fitted difficulties",
    "shuffled": "active sampling, shuffled difficulties",
    "exact_sequence": "exact sequence, simple random order",
    "wilson_peeking": "Wilson's interval looked at after every item",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.1f} %"


def page(document: dict[str, object], found: Found) -> str:
    """The documentation's page: every figure of the run that printed it."""
    size, env = found.size, document["env"]
    assert isinstance(env, dict)
    active = found.ways["active"]
    command = "python bench/decide.py --page" + (" --quick" if size.quick else "")
    return f"""# What decisions cost, and how often they are wrong

Printed by `{command}` (data: `LEADLINE_VECTORS`) in {found.seconds / 60:.0f} minutes, load {env["load"]} on {env["cpus"]} cores at the start. Error at most
5 in 100 on either side, no zone. Strength of betting and tau were chosen on SWE-bench Verified: the costs there are tuned, not
validated; the errors rest on the bets alone, whatever the data.

## Later agents of SWE-bench Verified

134 agents, 500 items; difficulties from the earlier 67, decisions about the later 67 at thresholds 0.4, 0.5, 0.6 and 0.7, {size.seeds} seeds
each: {len(active.fraction):,} decisions. Wrong: another answer than the full row gives. The two ways that know the true share are
yardsticks that ignore how hard items are; nobody has them.

{_ways(found)}
Items used by active sampling, by how far the full row's share lies from the threshold:

{_distances(active)}
## The hardest place

Thresholds half an item above a model's own share, where every "above" is wrong, and at it, where every "below" is. Difficulties
fitted to all agents, and the same dealt out among the items at random. {size.hard_seeds:,} seeds for each of {len({one.model for one in found.hard})} models spread over the range. The
limit is 5 % and three standard errors: {percent(limit(size.hard_seeds))}.

{_hard(found)}
## A subject that fails the most telling items

Subjects that reach the threshold, {size.strategic_seeds} seeds for each and each threshold. *Alone* fails the {TELLING} items that tell most at the
threshold and solves everything else; *later* are later agents that failed these items too; *honest* are later agents as they are. A
wrong walk says "below"; *far* is farther than 0.05 from the threshold. *Turned* counts the subjects that the most telling items first,
with their answers known to the subject, would call below.

{_strategic(found)}
An *alarm* is a conclusion that the planner was sure of the other side of before. It sees what chance has drawn, so that a subject that
sandbags on few items seldom raises it. *Unlike* counts walks whose person fit (l_z over what was drawn) is lower than that of 19 in 20
walks about honest agents at the same threshold.

## Cyber runs

{_cyber(found)}
## Coverage of intervals

Mean coverage at nominal 95 %, at the size from 10 items (or clusters) on where it is least; *worst* is the least at any rate.

{_coverage(found)}"""


def _coverage(found: Found) -> str:
    rows = [(name.replace("_", " "), percent(share)) for name, share in found.coverage.items()]
    return table(("interval", "covers"), rows)


def _ways(found: Found) -> str:
    rows = [
        (
            words,
            percent(float(np.median(one.fraction))),
            percent(float(one.fraction.mean())),
            percent(float(wrong(one).mean())),
            f"{int(one.false_above.sum())} / {int(one.false_below.sum())}",
            f"{len(one.fraction):,}",
        )
        for name, words in NAMES.items()
        for one in [found.ways[name]]
    ]
    head = ("", "median", "mean", "wrong", "above / below wrongly", "decisions")
    return table(head, rows)


def _distances(active: Decisions) -> str:
    rows = []
    for low, high in itertools.pairwise(NEAR):
        some = between(active, low, high)
        used = active.fraction[some]
        words = f"{low:g} to {high:g}" if high < 1 else f"more than {low:g}"
        rows.append(
            (
                words,
                percent(float(np.median(used))),
                percent(float(used.mean())),
                f"{int(some.sum()):,}",
            )
        )
    return table(("distance", "median", "mean", "decisions"), rows)


def _hard(found: Found) -> str:
    rows = []
    for side, (way, words) in itertools.product(("above", "below"), WAYS.items()):
        some = [one.share for one in found.hard if (one.side, one.way) == (side, way)]
        worst = _worst(found, side, way)
        rows.append(
            (
                f'wrong "{side}"',
                words,
                percent(worst.share),
                percent(float(np.mean(some))),
                percent(worst.score),
            )
        )
    return table(("", "", "worst model", "mean", "share of the worst"), rows)


def _strategic(found: Found) -> str:
    rows = []
    for kind in KINDS:
        some = [one for one in found.strategic if one.kind == kind]
        walked = sum(one.walks for one in some)
        rows.append(
            (
                kind,
                str(sum(len(one.wrong) for one in some)),
                f"{walked:,}",
                str(sum(int(one.wrong.sum()) for one in some)),
                str(sum(one.wrong_far for one in some)),
                percent(max(one.worst for one in some)),
                percent(sum(one.alarms for one in some) / walked),
                percent(sum(one.unlike for one in some) / walked),
                *(str(sum(one.turned[at] for one in some)) for at in range(len(TAUS))),
            )
        )
    head = (
        "",
        "subjects",
        "walks",
        "wrong",
        "of them far",
        "worst subject",
        "alarms",
        "unlike",
        *(f"turned, tau {tau:g}" for tau in TAUS),
    )
    return table(head, rows)


def _cyber(found: Found) -> str:
    far = found.cyber.distance > NEAR[2] + 1e-9
    rows = [
        (
            words,
            percent(float(np.median(found.tokens[some]))),
            percent(float(found.tokens[some].mean())),
            percent(float(np.median(found.cyber.fraction[some]))),
            percent(float(wrong(found.cyber)[some].mean())),
            f"{int(some.sum()):,}",
        )
        for words, some in (
            ("all", far | True),
            ("farther than 0.05 from the threshold", far),
            ("within 0.05", ~far),
        )
    ]
    head = ("", "tokens, median", "tokens, mean", "items, median", "wrong", "decisions")
    return f"""Lyptus Research (2026): 631 tasks of 7 families weighted equally, thresholds 0.2 to 0.7, {found.size.cyber_seeds} seeds. Each of the twelve models with
at least 620 tasks is decided on from the difficulties that all others give; what it was not run on is left out of its own suite
and never counted as failed. Tokens are those of its own runs. Twelve models are weak evidence.

{table(head, rows)}"""
