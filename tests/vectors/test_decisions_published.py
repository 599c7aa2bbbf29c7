"""Decisions on published response sets: SWE-bench Verified and the cyber runs of Lyptus Research.

The claims of `bench/decide.py` in small; the campaign over every model runs with `--soak`.
"""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from bench._campaign import ABOVE, BELOW, Bend, constant, seeds_of, turned, walks
from bench._decided import ALPHA, joined, limit
from bench.decide import (
    QUICK,
    THRESHOLDS,
    bank_of,
    cyber,
    cyber_subjects,
    first_half,
    hard,
    run_all,
    spread_models,
    strategic,
    temporal,
)

from leadline.core.measure.active import Design, Rule, decide
from leadline.core.measure.irt import Responses, fit_irt
from vectors.stats import cyber_grid, swe_bench


@pytest.fixture(scope="module")
def given(vectors: Path) -> Responses:
    """134 agents, 500 items."""
    return swe_bench(vectors)


def test_later_agents_are_decided_from_an_eighth_of_the_items(given: Responses) -> None:
    """The same decision as the full row, with an eighth of it in median and a quarter in mean.

    At 2 to 5 points from the threshold, half of the items in median. Only ways that may see the answers
    beforehand are cheaper and as often right.
    """
    found = [temporal(given, threshold, QUICK) for threshold in THRESHOLDS]
    ways = {name: joined([one[name] for one in found]) for name in found[0]}
    active = ways["active"]
    assert not (active.false_above | active.false_below).any()
    assert np.median(active.fraction) <= 1 / 8
    assert np.mean(active.fraction) <= 1 / 4
    near = (active.distance >= 0.02) & (active.distance < 0.05)
    assert np.median(active.fraction[near]) <= 1 / 2
    assert ways["exact_sequence"].fraction.mean() > active.fraction.mean()
    for invalid in ("wilson_peeking", "anchors_60", "anchors_100", "telling_first_tau_1"):
        assert (ways[invalid].false_above | ways[invalid].false_below).any()


def test_a_decision_by_itself_is_that_of_the_campaign(given: Responses) -> None:
    """`decide`, as the product calls it, on a later agent: same items, same conclusion."""
    bank, row = bank_of(first_half(given)), given.solved[-1]
    design, seeds = Design(bank, Rule(0.6, ALPHA, ALPHA)), seeds_of("one", 2)
    told = walks(design, row, seeds)
    for at, seed in enumerate(seeds):
        alone = decide(design, row.tolist().__getitem__, seed)
        assert tuple(told.order[at][: alone.n].tolist()) == alone.order
        assert told.n[at] == alone.n


def test_errors_at_the_hardest_place(given: Responses) -> None:
    """Half an item above a model's own share and at it, difficulties fitted and dealt out at random."""
    fit = fit_irt(given)
    for model in spread_models(given, 3):
        for one in hard(given, fit, model, 60):
            assert one.way == "wilson_peeking" or one.share <= limit(60), one


def test_failing_the_most_telling_items_turns_no_decision(given: Responses) -> None:
    """Alone, or by later agents away from the threshold; the most telling items first are turned by all."""
    found = {one.kind: one for one in strategic(given, 0.6, 3)}
    assert [len(found[kind].wrong) for kind in ("alone", "later")] == [1, 35]
    assert found["alone"].wrong.sum() == 0
    assert found["later"].wrong_far == 0
    assert found["later"].wrong.sum() <= 0.05 * found["later"].walks
    assert found["alone"].turned == (1, 1, 1)
    assert found["later"].turned == (35, 35, 35)
    assert found["honest"].turned < (35, 35, 35)


def test_cyber_runs_are_decided_from_an_eighth_of_the_tokens(vectors: Path) -> None:
    """Families weighted equally; farther than 0.05 from the threshold, 12 % of the tokens in median."""
    found = [cyber(one, 1) for one in cyber_subjects(vectors)]
    decided, tokens = joined([one[0] for one in found]), np.concatenate([one[1] for one in found])
    assert len(found) == 12
    far = decided.distance > 0.05
    assert 60 <= far.sum() <= 64
    assert np.median(tokens[far]) <= 0.12
    assert not (decided.false_above | decided.false_below).any()


def test_what_was_not_run_is_no_failure(vectors: Path) -> None:
    """A cyber model with gaps is decided about by the tasks that it was run on."""
    grid = cyber_grid(vectors)
    by_name = {one.name: one for one in cyber_subjects(vectors)}
    o3 = by_name["o3"]
    row = grid.scores[grid.models.index("o3")]
    assert np.isnan(row).sum() == 6
    assert len(o3.bank.items) == 625
    families = np.array(grid.families)
    means = [np.nanmean(row[families == name]) for name in sorted(set(grid.families))]
    assert o3.mean == pytest.approx(np.mean(means))
    assert "GPT-5.5" not in by_name


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_errors_at_the_hardest_place_of_every_model(given: Responses) -> None:
    """Every agent with a success and a failure, 2,000 seeds, on both sides, fitted and shuffled."""
    fit = fit_irt(given)
    share = given.solved.mean(axis=1)
    models = np.flatnonzero((share > 0) & (share < 1)).tolist()
    found = run_all([("hard", hard, (given, fit, model, 2000)) for model in models])["hard"]
    cells = [one for part in found if isinstance(part, list) for one in part]
    assert len(cells) == 8 * len(models) > 8 * 120
    assert not [one for one in cells if one.way != "wilson_peeking" and one.share > limit(2000)]


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("bend", [constant, turned])
def test_errors_are_held_by_predictions_that_know_nothing_or_lie(
    given: Responses, bend: Bend
) -> None:
    """Twenty agents over the range, 2,000 seeds, on both sides, predictions replaced."""
    fit = fit_irt(given)
    for model in spread_models(given, 20):
        row, seeds = given.solved[model], seeds_of(f"bent/{model}", 2000)
        for threshold, wrong in (
            (float(row.mean()) + 0.5 / len(row), ABOVE),
            (float(row.mean()), BELOW),
        ):
            design = Design(bank_of(fit), Rule(threshold, ALPHA, ALPHA))
            told = walks(design, row, seeds, bend=bend)
            assert (told.state == wrong).mean() <= limit(2000), given.models[model]


def test_seeds_of_different_names_differ() -> None:
    """A campaign's seeds are 32 bytes of a hash, its own for each name and number."""
    seeds = {*seeds_of("a", 50), *seeds_of("b", 50)}
    assert len(seeds) == 100
    assert {len(one) for one in seeds} == {hashlib.sha256().digest_size}
    assert math.isclose(limit(2000), 0.0646, abs_tol=1e-4)
