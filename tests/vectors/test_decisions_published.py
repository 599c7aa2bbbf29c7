"""Decisions on published response sets: SWE-bench Verified and the cyber runs of Lyptus Research.

The claims of `bench/decide.py` in small; the campaign over every model runs with `--soak`.
"""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from bench._campaign import ABOVE, BELOW, Bend, constant, seeds_of, turned, walks
from bench._decided import (
    ALPHA,
    BATCHES,
    NAMES,
    WAYS,
    Found,
    Size,
    between,
    limit,
    page,
    ratios,
    values,
    wrong,
)
from bench.decide import (
    bank_of,
    cyber_subjects,
    first_half,
    hard,
    jobs,
    run_all,
    spread_models,
)

from leadline.core.measure.active import Design, Rule, decide
from leadline.core.measure.irt import Responses, fit_irt
from vectors.stats import cyber_grid, swe_bench

SMALL = Size(seeds=1, hard_models=3, hard_seeds=60, strategic_seeds=3, cyber_seeds=1)


@pytest.fixture(scope="module")
def given(vectors: Path) -> Responses:
    """134 agents, 500 items."""
    return swe_bench(vectors)


@pytest.fixture(scope="module")
def found(vectors: Path) -> Found:
    """All that `bench/decide.py` walks, in small, but for the coverage of intervals."""
    results: dict[str, list[object]] = {"coverage": [[("wilson", 0.95)]]}
    for name, call, wanted in jobs(vectors, SMALL):
        if name != "coverage":
            results.setdefault(name, []).append(call(*wanted))
    return Found.of(results, SMALL, 1.0)


def test_later_agents_are_decided_from_an_eighth_of_the_items(found: Found) -> None:
    """The same decision as the full row, with an eighth of it in median and a quarter in mean.

    At 2 to 5 points from the threshold, half of the items in median. Of the ways that are cheaper, those
    that do not know the answers beforehand are wrong at times.
    """
    active = found.ways["active"]
    assert len(active.fraction) == 268
    assert not wrong(active).any()
    assert np.median(active.fraction) <= 1 / 8
    assert np.mean(active.fraction) <= 1 / 4
    assert np.median(active.fraction[between(active, 0.02, 0.05)]) <= 1 / 2
    for batch in BATCHES:
        batches = found.ways[f"active_batches_of_{batch}"]
        assert not wrong(batches).any()
        assert (
            active.fraction.mean() < batches.fraction.mean() < active.fraction.mean() + batch / 250
        )
    assert found.ways["exact_sequence"].fraction.mean() > active.fraction.mean()
    for invalid in ("wilson_peeking", "anchors_60", "anchors_100", "telling_first_tau_1"):
        assert wrong(found.ways[invalid]).any()


def test_a_decision_by_itself_is_that_of_the_campaign(given: Responses) -> None:
    """`decide`, as the product calls it, on a later agent: same items, same conclusion."""
    bank, row = bank_of(first_half(given)), given.solved[-1]
    design, seeds = Design(bank, Rule(0.6, ALPHA, ALPHA)), seeds_of("one", 2)
    told = walks(design, row, seeds)
    for at, seed in enumerate(seeds):
        alone = decide(design, row.tolist().__getitem__, seed)
        assert tuple(told.order[at][: alone.n].tolist()) == alone.order
        assert told.n[at] == alone.n


def test_errors_at_the_hardest_place(found: Found) -> None:
    """Half an item above a model's own share and at it, difficulties fitted and dealt out at random."""
    assert {one.way for one in found.hard} == set(WAYS)
    assert len(found.hard) == 3 * 2 * 4
    for one in found.hard:
        assert one.way == "wilson_peeking" or one.share <= limit(60), one
    assert max(one.share for one in found.hard if one.way == "wilson_peeking") > limit(60)


def test_failing_the_most_telling_items_turns_no_decision(found: Found) -> None:
    """Alone, or by later agents away from the threshold; the most telling items first are turned by all."""
    for kind, subjects in (("alone", 4), ("later", 144)):
        some = [one for one in found.strategic if one.kind == kind]
        assert sum(len(one.wrong) for one in some) == subjects
        assert sum(one.wrong_far for one in some) == 0
        assert sum(int(one.wrong.sum()) for one in some) <= 0.01 * sum(one.walks for one in some)
        assert np.sum([one.turned for one in some], axis=0).tolist() == [subjects] * 3
    honest = [one for one in found.strategic if one.kind == "honest"]
    assert np.sum([one.turned for one in honest], axis=0).max() < 10


def test_who_fails_the_most_telling_items_is_told_from_the_honest(found: Found) -> None:
    """Person fit over what was drawn is low for most strategic walks, and for one in twenty honest ones."""

    def share(kind: str) -> float:
        some = [one for one in found.strategic if one.kind == kind]
        return sum(one.unlike for one in some) / sum(one.walks for one in some)

    assert share("honest") <= 0.06
    assert min(share("alone"), share("later")) > 0.5


def test_cyber_runs_are_decided_from_an_eighth_of_the_tokens(found: Found) -> None:
    """Families weighted equally; farther than 0.05 from the threshold, 12 % of the tokens in median."""
    far = found.cyber.distance > 0.05
    assert (len(far), far.sum()) == (72, 62)
    assert np.median(found.tokens[far]) <= 0.12
    assert not wrong(found.cyber).any()


def test_every_bound_of_the_issue_is_a_ratio_and_the_page_names_them_all(found: Found) -> None:
    """Ratios have the contract's keys; the page has a row for each way, and no number is missing."""
    compared = ratios(found)
    assert all(
        set(one) == {"value", "baseline", "target", "sense", "met"} for one in compared.values()
    )
    assert [name for name, one in compared.items() if not one["met"]] == []
    assert all(isinstance(one["value"], float | int) for one in values(found).values())
    text = page({"env": {"load": 1.0, "cpus": 2}}, found)
    assert all(words in text for words in (*NAMES.values(), *WAYS.values()))
    assert "nan" not in text


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
        for threshold, error in (
            (float(row.mean()) + 0.5 / len(row), ABOVE),
            (float(row.mean()), BELOW),
        ):
            design = Design(bank_of(fit), Rule(threshold, ALPHA, ALPHA))
            told = walks(design, row, seeds, bend=bend)
            assert (told.state == error).mean() <= limit(2000), given.models[model]


def test_seeds_of_different_names_differ() -> None:
    """A campaign's seeds are 32 bytes of a hash, its own for each name and number."""
    seeds = {*seeds_of("a", 50), *seeds_of("b", 50)}
    assert len(seeds) == 100
    assert {len(one) for one in seeds} == {hashlib.sha256().digest_size}
    assert math.isclose(limit(2000), 0.0646, abs_tol=1e-4)
