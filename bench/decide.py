"""What decisions by active sampling cost, and how often they are wrong, on published response sets.

    LEADLINE_VECTORS=FOLDER python bench/decide.py --json [--quick] [--page]

SWE-bench Verified: difficulties from the earlier half of the agents, decisions about the later half, beside
other ways to decide in the same run. The hardest place: thresholds half an item above a model's own score
(where "above" is wrong) and at it (where "below" is), with fitted and with shuffled difficulties. A subject
that fails the most telling items. Cyber runs of Lyptus Research, families weighted equally, counted in
tokens. `--quick` takes fewer seeds and models; `--page` prints the documentation's page. Strength of betting
and tau were chosen on SWE-bench Verified: what is cheap there is tuned there; the errors rest on no tuning.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# Two processes walk side by side; a product of two small matrices must not take both cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # noqa: TID251 -- a script is an edge of its own
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

import numpy as np  # noqa: E402 -- after the number of its threads
import numpy.typing as npt  # noqa: E402
from bench import _form as form  # noqa: E402
from bench import _rivals  # noqa: E402
from bench._campaign import ABOVE, BELOW, Ends, seeds_of, walks  # noqa: E402
from bench._coverage import coverage  # noqa: E402
from bench._decided import (  # noqa: E402
    ALPHA,
    BATCHES,
    TAUS,
    TELLING,
    Decisions,
    Found,
    Hard,
    Size,
    Strategic,
    joined,
    page,
    ratios,
    told,
    values,
)

from leadline.core.measure.active import Bank, Design, Rule  # noqa: E402
from leadline.core.measure.held_out import Subject, Table, subjects  # noqa: E402
from leadline.core.measure.irt import Fit, Responses, abilities, fit_irt  # noqa: E402
from leadline.core.measure.misfit import lz  # noqa: E402
from leadline.core.measure.without_replacement import wor_table  # noqa: E402
from vectors.stats import cyber_grid, swe_bench  # noqa: E402

FloatArray = npt.NDArray[np.float64]

THRESHOLDS = (0.4, 0.5, 0.6, 0.7)
CYBER_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
CYBER_ITEMS_MIN = 620  # models with fewer of the 631 tasks only teach
ANCHORS = (60, 100)
PROCESSES = 2
FULL = Size(seeds=20, hard_models=20, hard_seeds=2000, strategic_seeds=200, cyber_seeds=20)
QUICK = Size(seeds=2, hard_models=4, hard_seeds=100, strategic_seeds=10, cyber_seeds=2, quick=True)


def bank_of(fit: Fit, order: npt.NDArray[np.int64] | None = None) -> Bank:
    """The items of *fit*, their difficulties dealt out anew in *order*."""
    a, b = (fit.a, fit.b) if order is None else (fit.a[order], fit.b[order])
    return Bank(fit.items, tuple(a.tolist()), tuple(b.tolist()))


def first_half(given: Responses) -> Fit:
    """Difficulties by the earlier agents alone."""
    half = len(given.models) // 2
    return fit_irt(
        Responses(given.models[:half], given.items, given.solved[:half], given.trials[:half])
    )


def temporal(later: FloatArray, fit: Fit, threshold: float, size: Size) -> dict[str, Decisions]:
    """All ways to decide about *later* agents by the difficulties of *fit*, by name."""
    rows = np.repeat(later, size.seeds, axis=0)
    seeds = seeds_of(f"temporal/{threshold}", len(rows))
    design = Design(bank_of(fit), Rule(threshold, ALPHA, ALPHA))
    items, truth, found = rows.shape[1], rows.mean(axis=1), dict[str, Decisions]()
    for batch in (1, *BATCHES):
        ends = walks(design, rows, seeds, batch=batch)
        ran = np.minimum(-(-ends.n // batch) * batch, items)  # a batch is run whole
        name = "active" if batch == 1 else f"active_batches_of_{batch}"
        found[name] = told(truth, threshold, ran / items, ends.state == ABOVE)
    rng = np.random.default_rng(round(threshold * 1000))
    shuffled = rng.permuted(rows, axis=1)
    table = wor_table(items, threshold, ALPHA, ALPHA)
    mirror = 2 * threshold - truth
    stops = {
        "exact_sequence": _rivals.without_replacement(shuffled, threshold, table),
        "wilson_peeking": _rivals.wilson_peeking(shuffled, threshold, ALPHA),
        "sprt_true_rate": _rivals.sprt(shuffled, threshold, np.full(len(rows), threshold), ALPHA),
        "sprt_two_points": _rivals.sprt(shuffled, threshold, mirror, ALPHA),
    }
    for tau in TAUS:
        stops[f"telling_first_tau_{tau:g}"] = _rivals.by_information(
            later, fit.a, fit.b, threshold, tau, ALPHA
        )
    for name, stop in stops.items():
        own = truth if len(stop.n) == len(truth) else later.mean(axis=1)
        found[name] = told(own, threshold, stop.n / items, stop.above)
    for count in ANCHORS:
        own = later.mean(axis=1)
        for seed in range(3):
            chosen, share = _rivals.anchor_items(fit.a, fit.b, count, seed)
            scores = _rivals.anchored(later, fit.a, fit.b, chosen, share)
            part = told(own, threshold, np.full(len(own), count / items), scores >= threshold)
            name = f"anchors_{count}"
            found[name] = joined([found[name], part]) if name in found else part
    return found


def spread_models(given: Responses, count: int) -> list[int]:
    """Models over the whole range of scores, from the least able with any success to the most able."""
    score = given.solved.mean(axis=1)
    order = [int(n) for n in np.argsort(score, kind="stable") if 0 < score[n] < 1]
    return [order[at] for at in np.linspace(0, len(order) - 1, count).round().astype(int)]


def hard(given: Responses, fit: Fit, model: int, seeds: int) -> list[Hard]:
    """Errors about one model on either side, by fitted and by shuffled difficulties, and others' errors."""
    row, found, name = given.solved[model], list[Hard](), given.models[model]
    items, score, rng = len(row), float(row.mean()), np.random.default_rng(model)
    banks = {"fitted": bank_of(fit), "shuffled": bank_of(fit, rng.permutation(items))}
    starts = seeds_of(f"hard/{name}", seeds)
    orders = rng.permuted(np.tile(row, (seeds, 1)), axis=1)
    for side, threshold in (("above", score + 0.5 / items), ("below", score)):
        said = {
            way: walks(Design(bank, Rule(threshold, ALPHA, ALPHA)), row, starts).state == ABOVE
            for way, bank in banks.items()
        }
        table = wor_table(items, threshold, ALPHA, ALPHA)
        said["exact_sequence"] = _rivals.without_replacement(orders, threshold, table).above
        said["wilson_peeking"] = _rivals.wilson_peeking(orders, threshold, ALPHA).above
        for way, above in said.items():
            wrong = int((above if side == "above" else ~above).sum())
            found.append(Hard(name, score, side, way, wrong, seeds))
    return found


def strategic(later: FloatArray, fit: Fit, threshold: float, seeds: int) -> list[Strategic]:
    """Subjects above one threshold that fail the most telling items, and *later* agents as they are."""
    failed = _rivals.most_telling(fit.a, fit.b, threshold)[:TELLING]
    rows = {"honest": later.copy(), "alone": np.ones((1, len(fit.items))), "later": later.copy()}
    found, lowest = [], -np.inf
    for kind, answers in rows.items():
        if kind != "honest":
            answers[:, failed] = 0.0
        still = answers[answers.mean(axis=1) >= threshold - 1e-12]
        starts = seeds_of(f"strategic/{threshold}/{kind}", len(still) * seeds)
        each = np.repeat(still, seeds, axis=0)
        design = Design(bank_of(fit), Rule(threshold, ALPHA, ALPHA))
        ends = walks(design, each, starts, alarm=True)
        fits = _person_fit(fit, each, ends)
        if kind == "honest":
            lowest = float(np.quantile(fits, 0.05))
        turned = tuple(
            int((~_rivals.by_information(still, fit.a, fit.b, threshold, tau, ALPHA).above).sum())
            for tau in TAUS
        )
        found.append(
            Strategic(
                kind,
                still.mean(axis=1) - threshold,
                (ends.state == BELOW).reshape(len(still), seeds).sum(axis=1),
                seeds,
                int(ends.misfit.sum()),
                int((fits < lowest).sum()),
                turned,
            )
        )
    return found


def _person_fit(fit: Fit, answers: FloatArray, ends: Ends) -> FloatArray:
    """l_z of each walk over what was drawn, ability estimated from the same."""
    drawn = np.zeros((len(answers), answers.shape[1] + 1))
    np.put_along_axis(drawn, ends.order, 1.0, axis=1)  # the last column stands for "no item"
    tried = drawn[:, :-1]
    told: FloatArray = np.concatenate(
        [
            lz(fit.a, fit.b, solved, some, abilities(fit.a, fit.b, solved, some)[0])
            for some, solved in zip(
                np.array_split(tried, len(tried) // 200 + 1),
                np.array_split(tried * answers, len(tried) // 200 + 1),
                strict=True,
            )
        ]
    )
    return told


@dataclass(frozen=True, slots=True)
class CyberSubject:
    """One model left out, with its answers and tokens in the bank's order."""

    name: str
    bank: Bank
    answers: FloatArray
    tokens: FloatArray
    mean: float


def cyber_subjects(folder: Path) -> list[CyberSubject]:
    """The models with nearly all tasks, difficulties from all others; what was not run is left out."""
    grid = cyber_grid(folder)
    names = sorted(set(grid.families))
    table = Table(
        grid.models,
        grid.tasks,
        grid.scores,
        grid.families,
        {name: 1 / len(names) for name in names},
    )

    def subject(one: Subject) -> CyberSubject:
        row = (one.row, one.held)
        return CyberSubject(
            grid.models[one.row], one.bank, grid.scores[row], grid.tokens[row], one.mean
        )

    run = (~np.isnan(grid.scores)).sum(axis=1)
    rows = np.flatnonzero(run >= CYBER_ITEMS_MIN).tolist()
    return [subject(one) for one in subjects(table, "loo", rows)]


def cyber(one: CyberSubject, seeds: int) -> tuple[Decisions, FloatArray]:
    """Decisions about one model at every threshold, and the share of its tokens that each used."""
    found, tokens = [], []
    for threshold in CYBER_THRESHOLDS:
        starts = seeds_of(f"cyber/{one.name}/{threshold}", seeds)
        ends = walks(Design(one.bank, Rule(threshold, ALPHA, ALPHA)), one.answers, starts)
        truth = np.full(seeds, one.mean)
        found.append(told(truth, threshold, ends.n / len(one.answers), ends.state == ABOVE))
        tokens.append(_spent(ends, one.tokens))
    return joined(found), np.concatenate(tokens)


def _spent(ends: Ends, tokens: FloatArray) -> FloatArray:
    padded = np.append(tokens, 0.0)  # the last stands for "no item"
    used: FloatArray = padded[ends.order].sum(axis=1) / tokens.sum()
    return used


def covered(quick: bool) -> list[tuple[str, float]]:  # noqa: FBT001 -- as it is sent to a process
    """The mean coverage of every default interval at nominal 95 %, where it is least."""
    return sorted(coverage(quick=quick).items())


Job = tuple[str, Callable[..., object], tuple[object, ...]]


def jobs(folder: Path, size: Size) -> Iterator[Job]:
    """Everything that is walked, the longest first."""
    yield "coverage", covered, (size.quick,)
    given = swe_bench(folder)
    fit, early = fit_irt(given), first_half(given)
    later = given.solved[len(given.models) // 2 :]
    for model in spread_models(given, size.hard_models):
        yield "hard", hard, (given, fit, model, size.hard_seeds)
    for threshold in THRESHOLDS:
        yield "strategic", strategic, (later, early, threshold, size.strategic_seeds)
        yield "temporal", temporal, (later, early, threshold, size)
    for one in cyber_subjects(folder):
        yield "cyber", cyber, (one, size.cyber_seeds)


def run_all(work: Iterable[Job]) -> dict[str, list[object]]:
    """The results of all jobs by name, two processes side by side; progress goes to stderr."""
    begun, found = time.monotonic(), dict[str, list[object]]()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        started = {pool.submit(call, *given): name for name, call, given in work}
        for done, future in enumerate(as_completed(started), 1):
            found.setdefault(started[future], []).append(future.result())
            seconds = time.monotonic() - begun
            print(
                f"{done}/{len(started)} {started[future]} {seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    return found


def measure(folder: Path, size: Size) -> tuple[form.Entry, Found]:
    """The whole benchmark as the document that is printed, and what it rests on."""
    env, begun = form.machine(), time.monotonic()
    found = Found.of(run_all(jobs(folder, size)), size, time.monotonic() - begun)
    return form.document("decide", env, values(found), ratios(found)), found


def main() -> int:
    """Measure and print: one line for programs, a short table for people, or the documentation's page."""
    parser = form.parser(__doc__, "fewer seeds and models")
    parser.add_argument("--page", action="store_true", help="print the documentation's page only")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    if options.quick:
        words = f"quick: {size.hard_models} models, {size.hard_seeds} seeds at the hardest place"
        print(words, file=sys.stderr)
    folder = form.vectors()
    if folder is None:
        missing = ["published vectors: LEADLINE_VECTORS names no folder"]
        nothing = form.document("decide", form.machine(), {}, {}, missing)
        form.show(nothing | {"ok": False}, as_json=options.json)
        return 1
    document, found = measure(folder, size)
    if options.page:
        sys.stdout.write(page(document, found))
    else:
        form.show(document, as_json=options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
