"""How often active decisions are wrong, by enumeration where that is possible and by campaigns beyond.

Each rule that errors rest on (the factor 1/q, the clips, the rounding) is taken out of the module once,
and a claim below must notice.
"""

import hashlib
import importlib.util
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from bench._campaign import ABOVE, BELOW, STATES, constant, seeds_of, turned, walks
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadline.core.measure import active
from leadline.core.measure.active import Bank, Design, Rule, Walk
from leadline.core.measure.adaptive import Adaptive
from leadline.core.measure.sequential import Design as Kind
from leadline.core.measure.sequential import Plan, Result

SMALL = Bank(tuple("vwxyz"), (0.6, 1.0, 1.7, 1.0, 2.4), (-1.5, -0.4, 0.1, 0.9, 2.0))
SMALL_WEIGHTED = replace(SMALL, family=("f", "g", "f", "g", "g"), weights={"f": 0.35, "g": 0.65})
BANKS = [pytest.param(SMALL, id="plain"), pytest.param(SMALL_WEIGHTED, id="weighted")]
ROWS = [np.array(bits, dtype=float) for bits in product((0, 1), repeat=5)]
LOOSE = 0.65  # an error that five items can reach by bets, not only by arithmetic


def paths(
    module: ModuleType, design: Design, answers: np.ndarray, *, stop: bool, batch: int = 1
) -> Iterator[tuple[float, Walk, float, float]]:
    """Every point of every walk: its chance, the walk, the mean of the next estimate, and its bets' growth.

    With *stop* a walk ends at its conclusion. Within a *batch*, expectations and weights are those of its
    start, less what was drawn. The growth is how far the mean over the next draws lies from 1, of the
    strength and side where it lies farthest; both are nan at the end.
    """
    nothing = np.zeros(len(answers), dtype=np.int64)
    open_ = [(1.0, module.begin(design), nothing, nothing)]
    while open_:
        chance, walk, p, weights = open_.pop()
        if not walk.left.any() or (stop and module.concluded(design, walk)):
            yield chance, walk, math.nan, math.nan
            continue
        if walk.n % batch == 0:
            p = module.predictions(design, walk)
            weights = module.chances(design, walk, p)
        q = weights / weights.sum()
        grown, mean = np.zeros((2, len(walk.up))), 0.0
        for item in np.flatnonzero(walk.left).tolist():
            y = float(answers[item])
            x = module.estimated(design, walk, item, y, p, weights)
            mean += q[item] * (x.expected + x.seen)
            after = module.advance(design, walk, item, y, p, weights)
            grown += q[item] * np.exp([after.up - walk.up, after.down - walk.down])
            rest = weights.copy()
            rest[item] = 0
            open_.append((chance * q[item], after, p, rest))
        yield chance, walk, mean, float(np.abs(grown - 1).max())


def score_of(bank: Bank, answers: np.ndarray) -> float:
    """The full row's mean, by family where families have weights."""
    return float(Design(bank, Rule(0.5, 0.1, 0.1)).value @ answers)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("bank", BANKS)
def test_bets_are_fair_at_every_point_of_every_walk(bank: Bank, batch: int) -> None:
    """With the threshold at the score, mean growth is 1 over all 325 points of all orders, in batches too.

    To 1e-12 while something is open; the last item's bet may be a billion times what is left to win.
    """
    for answers in (ROWS[11], ROWS[26]):
        design = Design(bank, Rule(score_of(bank, answers), LOOSE, LOOSE))
        found = list(paths(active, design, answers, stop=False, batch=batch))
        assert len(found) == 326
        assert math.fsum(chance for chance, walk, *_ in found if walk.n == 5) == pytest.approx(1)
        assert max(off for _, walk, _, off in found if walk.n < 4) < 1e-12
        assert max(off for _, walk, _, off in found if walk.n == 4) < 1e-7


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("bank", BANKS)
def test_the_estimate_is_the_score_on_average_over_all_draws(bank: Bank, batch: int) -> None:
    """At every point of every order, the next estimate has the score as its mean, to 1e-12."""
    for answers in ROWS[3::7]:
        design = Design(bank, Rule(0.5, LOOSE, LOOSE))
        means = [
            mean
            for _, walk, mean, _ in paths(active, design, answers, stop=False, batch=batch)
            if walk.n < 5
        ]
        assert np.abs(np.array(means) - score_of(bank, answers)).max() < 1e-12


def exact_errors(module: ModuleType, bank: Bank, answers: np.ndarray) -> tuple[float, float]:
    """The exact chances of a wrong "above" and of a wrong "below" at their hardest thresholds."""
    score, least = score_of(bank, answers), float(Design(bank, Rule(0.5, 0.1, 0.1)).value.min())
    told = []
    for threshold, wrong in ((score + least / 2, "above"), (score, "below")):
        design = Design(bank, Rule(threshold, LOOSE, LOOSE))
        ends = [
            chance
            for chance, walk, _, off in paths(module, design, answers, stop=True)
            if math.isnan(off) and module.concluded(design, walk) == wrong
        ]
        told.append(math.fsum(ends))
    return told[0], told[1]


@pytest.mark.parametrize("bank", BANKS)
def test_no_row_of_five_items_is_decided_wrongly_more_often_than_allowed(bank: Bank) -> None:
    """The exact error of all 20 rows with two or three solved is at most alpha, and not always nought."""
    found = np.array([exact_errors(active, bank, row) for row in ROWS if row.sum() in {2, 3}])
    assert found.max() <= LOOSE
    assert (found.max(axis=0) > 0.01).all()


def random_case(number: int) -> tuple[Design, np.ndarray]:
    """A bank with a rule and a row: extreme items, families, zones and fractions among them."""
    rng = np.random.default_rng(number)
    size = int(rng.integers(10, 60))
    items = tuple(f"i{n}" for n in range(size))
    a, b = rng.lognormal(0, 0.5, size), rng.normal(0, rng.choice([1.0, 6.0]), size)
    bank = Bank(items, tuple(a.tolist()), tuple(b.tolist()))
    if number % 3:
        names = tuple("pqr"[n] for n in [*rng.integers(0, 3, size - 3).tolist(), 0, 1, 2])
        weights = {"p": 0.6, "q": 0.3, "r": 0.1} if number % 3 == 1 else {}
        bank = replace(bank, family=names, weights=weights)
    p = expit(a * (rng.normal() - b)) if number % 4 else rng.random(size)
    row = (rng.random(size) < p).astype(float)
    if number % 5 == 0:
        row = rng.random(size).round(3)
    threshold = float(rng.uniform(0.25, 0.75))
    zone = float(rng.choice([0.0, 0.05, 0.2]))
    return Design(bank, Rule(threshold, 0.1, 0.04, zone, tau=float(rng.choice([0.2, 1.0])))), row


@pytest.mark.parametrize("number", range(18))
def test_walks_side_by_side_are_the_walks_one_by_one(number: int) -> None:
    """Same items, same conclusion and misfit, wealth to 1e-9, for every kind of bank and rule."""
    design, row = random_case(number)
    seeds = seeds_of(
        f"equal/{number}", 70 if number == 0 else 6
    )  # more walks than fit side by side
    told = walks(design, row, seeds, alarm=True)
    for at, one in enumerate(seeds):
        alone = active.decide(design, row.tolist().__getitem__, one)
        order = told.order[at]
        assert tuple(order[order >= 0].tolist()) == alone.order
        assert (STATES[int(told.state[at])], told.n[at], told.misfit[at]) == (
            alone.state,
            alone.n,
            alone.misfit,
        )
        assert told.e_above[at] == pytest.approx(alone.e_above, rel=1e-9)
        assert told.e_below[at] == pytest.approx(alone.e_below, rel=1e-9)


@pytest.mark.parametrize("number", range(1, 24, 3))
def test_walks_in_batches_are_the_decision_that_a_runner_makes(number: int) -> None:
    """`adaptive`, with its log and its batches: same items up to the conclusion, wealth as it is logged."""
    design, row = random_case(number)
    row, rule, bank = np.round(row), design.rule, design.bank
    plan = Plan(
        suite_digest="",
        items=bank.items,
        families=bank.family,
        weights=bank.weights or None,
        threshold=rule.threshold,
        alpha_above=rule.alpha_above,
        alpha_below=rule.alpha_below,
        seed_commitment="",
        zone=rule.zone,
        design=Kind.ACTIVE,
        discriminations=bank.a,
        difficulties=bank.b,
        tau=rule.tau,
        batch=number % 5 + 2,
    )
    (seed,) = seeds_of(f"batches/{number}", 1)
    told, decision = (
        walks(plan.sampling(), row, [seed], batch=plan.batch),
        Adaptive.start(plan, seed),
    )
    while draws := decision.next_items(plan.batch):
        for draw in draws:
            y = int(row[bank.items.index(draw.item)])
            decision = decision.update([Result(draw.step, y)])
    status, at = decision.status(), int(told.n[0])
    assert (status.state, status.decided_at) == (STATES[int(told.state[0])], at)
    ran = [bank.items.index(line.item) for line in decision.log[:at]]
    assert ran == told.order[0][:at].tolist()
    line = decision.log[at - 1]
    assert line.up is not None
    assert line.down is not None
    assert line.up / 1e6 == pytest.approx(math.log(told.e_above[0]), abs=1e-6)
    assert line.down / 1e6 == pytest.approx(math.log(told.e_below[0]), abs=1e-6)


def test_each_walk_may_have_answers_of_its_own() -> None:
    """A block of different rows is decided row by row."""
    design, _ = random_case(1)
    rows = np.random.default_rng(3).integers(0, 2, (9, len(design.bank.items))).astype(float)
    seeds = seeds_of("rows", 9)
    told = walks(design, rows, seeds)
    for at, row in enumerate(rows):
        alone = active.decide(design, row.tolist().__getitem__, seeds[at])
        assert (told.n[at], told.e_above[at]) == (alone.n, pytest.approx(alone.e_above, rel=1e-9))


@pytest.mark.parametrize("bend", [None, constant, turned], ids=["model", "constant", "turned"])
def test_errors_are_held_whatever_is_predicted(bend: object) -> None:
    """At the hardest place of a subject like the items and of one unlike them, 600 walks each."""
    rng = np.random.default_rng(5)
    b = np.sort(rng.normal(0, 1.5, 40))
    bank = Bank(tuple(f"i{n}" for n in range(40)), (1.0,) * 40, tuple(b.tolist()))
    alike, unlike = np.repeat([1.0, 0.0], 20), np.repeat([0.0, 1.0], 20)
    for row in (alike, unlike):
        for threshold, wrong in ((0.5 + 0.5 / 40, ABOVE), (0.5, BELOW)):
            design = Design(bank, Rule(threshold, 0.05, 0.05))
            told = walks(design, row, seeds_of("bent", 600), bend=bend)  # type: ignore[arg-type]
            assert (told.state == wrong).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)
            assert (told.state != 0).all()


def pocket_predictions(bank: Bank, rule: Rule, seen: dict[int, float]) -> list[int]:
    """What the model expects of every item, by a second, plain reading of the reference."""
    unit, nodes = 1 << 20, [-6 + 0.25 * n for n in range(49)]

    def curve(item: int, theta: float) -> float:
        return 1 / (1 + math.exp(-bank.a[item] * (theta - bank.b[item])))

    middle = Design(bank, rule).middle
    belief = []
    for theta in nodes:
        told = round(-((theta - middle) ** 2) / 8 * unit)
        for item, y in seen.items():
            p = curve(item, theta)
            told += round(rule.tau * math.log(p if y else 1 - p) * unit)
        belief.append(told)
    weight = [math.exp((one - max(belief)) / unit) for one in belief]
    expected = [
        math.fsum(w * curve(item, theta) for w, theta in zip(weight, nodes, strict=True))
        / math.fsum(weight)
        for item in range(len(bank.items))
    ]
    return [round(min(max(p, 0.01), 0.99) * unit) for p in expected]


def pocket_agrees(module: ModuleType) -> bool:
    """Predictions and chances are those of the plain reading, along some walks."""
    rng = np.random.default_rng(2)
    b = (*rng.normal(0, 2, 16).tolist(), -9.0, 9.0)
    bank = Bank(tuple(f"i{n}" for n in range(18)), tuple(rng.lognormal(0, 0.4, 18).tolist()), b)
    for number in range(3):
        rule = Rule(0.45 + 0.05 * number, 0.05, 0.05)
        design, seen = module.Design(bank, rule), dict[int, float]()
        walk = module.begin(design)
        for step in range(1, 13):
            p = module.predictions(design, walk)
            if p.tolist() != pocket_predictions(bank, rule, seen):
                return False
            weights = module.chances(design, walk, p)
            floor = round(0.15 * (1 << 20))
            plain = [max(math.isqrt(x * ((1 << 20) - x)), floor) for x in p.tolist()]
            if weights.tolist() != [0 if n in seen else x for n, x in enumerate(plain)]:
                return False
            seed = hashlib.sha256(b"pocket %d" % number).digest()
            item = module.drawn(weights, module.uniform(seed, step))
            seen[item] = float(item % 2)
            walk = module.advance(design, walk, item, seen[item], p, weights)
    return True


def solvent(module: ModuleType) -> bool:
    """No draw and no answer loses everything, wherever the score and the predictions lie."""
    for number in range(30):
        design, _ = random_case(number)
        rng = np.random.default_rng(number)
        size = len(design.bank.items)
        walk = replace(module.begin(design), scored=float(rng.uniform(0, design.rule.threshold)))
        p = rng.integers(10486, 1038090, size)
        weights = module.chances(design, walk, p)
        for item, y in product(range(size), (0.0, 1.0)):
            with np.errstate(all="ignore"):
                after = module.advance(design, walk, item, y, p, weights)
            lost = np.concatenate([after.up, after.down])
            if not np.isfinite(lost).all() or lost.min() < math.log(0.03) - 1e-9:
                return False
    return True


def fair(module: ModuleType) -> bool:
    """With the threshold at the score, mean growth is 1 at every point of every walk."""
    for bank, answers in ((SMALL, ROWS[11]), (SMALL_WEIGHTED, ROWS[20])):
        design = module.Design(bank, Rule(score_of(bank, answers), LOOSE, LOOSE))
        found = list(paths(module, design, answers, stop=False))
        if not max(off for _, walk, _, off in found if walk.n < 4) < 1e-12:
            return False
    return True


def true_at_the_end(module: ModuleType) -> bool:
    """A row seen whole gets the full row's conclusion, inside of a zone and out of it."""
    for share, zone, state in (
        (0.6, 0.0, "above"),
        (0.4, 0.0, "below"),
        (0.6, 0.25, "inside_zone"),
        (0.4, 0.25, "inside_zone"),
        (0.8, 0.25, "above"),
        (0.2, 0.25, "below"),
    ):
        design = module.Design(SMALL, Rule(0.5, 1e-30, 1e-30, zone))  # no bet gets there
        walk = module.begin(design)
        for item in range(5):
            p = module.predictions(design, walk)
            weights = module.chances(design, walk, p)
            walk = module.advance(design, walk, item, float(item < share * 5), p, weights)
        if module.concluded(design, walk) != state:
            return False
    return True


CLAIMS = (fair, solvent, pocket_agrees, true_at_the_end)
MUTANTS = {
    "bets without 1/q": ("value / np.where(walk.left, q, 1.0)", "value"),
    "what was seen without 1/q": (
        "(y - share[item]) * inverse[item]",
        "(y - share[item]) * value[item]",
    ),
    "what was seen without the prediction": ("(y - share[item])", "(y - 0.5)"),
    "items drawn before are forgotten": ("expected = walk.scored + ", "expected = "),
    "predictions not clipped": ("np.clip(p, P_LOW, P_HIGH)", "p"),
    "stakes not clipped": ("np.clip(best, BET_LOW * most, BET_HIGH * most)", "best"),
    "stakes not clipped above": (
        "np.clip(best, BET_LOW * most, BET_HIGH * most)",
        "np.maximum(best, BET_LOW * most)",
    ),
    "stakes not clipped below": (
        "np.clip(best, BET_LOW * most, BET_HIGH * most)",
        "np.minimum(best, BET_HIGH * most)",
    ),
    "stakes clipped at the other side's largest": (
        "-(base + found.lowest) if side > 0 else base + found.highest",
        "base + found.highest",
    ),
    "predictions cut, not rounded": ("np.rint(np.clip", "np.floor(np.clip"),
    "likelihoods cut, not rounded": ("np.rint(values * UNIT)", "np.floor(values * UNIT)"),
    "chances without a floor": ("np.maximum(spread, floor)", "spread"),
    "the model not tempered": ("self.rule.tau * log_expit(z)", "log_expit(z)"),
    "above without its zone": (
        ">= rule.threshold - rule.zone - 1e-12",
        ">= rule.threshold - 1e-12",
    ),
    "below without its zone": (
        "< rule.threshold + rule.zone - 1e-12",
        "< rule.threshold - 1e-12",
    ),
}


def load(text: str, place: Path) -> ModuleType:
    """A module of its own from *text*."""
    place.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(place.stem, place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[place.stem] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[place.stem]
    return module


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_module_as_it_is_holds_every_claim(claim: object) -> None:
    """Fair, solvent, as a plain reading computes it, and true at the end."""
    assert claim(active)  # type: ignore[operator]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_rule_taken_out_is_noticed(name: str, tmp_path: Path) -> None:
    """With one rule of the module gone, at least one claim fails."""
    old, new = MUTANTS[name]
    text = Path(str(active.__file__)).read_text(encoding="utf-8")
    assert old in text, f"the module no longer says {old!r}: write the mutant anew"
    mutant = load(text.replace(old, new, 1), tmp_path / "active_mutant.py")
    with np.errstate(all="ignore"):
        assert not all(claim(mutant) for claim in CLAIMS)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_above_and_below_are_each_other_turned_round(number: int, seed: int) -> None:
    """With difficulties, answers and threshold turned round, the same items say the other side.

    The chances of a draw see p(1 - p) alone, so that the same seed draws the same items.
    """
    rng = np.random.default_rng(number)
    b = rng.normal(size=30)
    row = rng.integers(0, 2, 30).astype(float)
    items = tuple(f"i{n}" for n in range(30))
    design = Design(Bank(items, (1.0,) * 30, tuple(b.tolist())), Rule(0.41, 0.05, 0.1))
    other = Design(Bank(items, (1.0,) * 30, tuple((-b).tolist())), Rule(0.59, 0.1, 0.05))
    start = seeds_of(str(seed), 1)
    one, mirrored = walks(design, row, start), walks(other, 1 - row, start)
    assert one.state[0] == -mirrored.state[0]
    assert one.n[0] == mirrored.n[0]
    assert one.e_above[0] == pytest.approx(mirrored.e_below[0], rel=1e-5)
