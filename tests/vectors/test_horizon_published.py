"""The published cyber horizons are reproduced (Lyptus Research, 2026)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadline.core.measure.horizon import Horizons, ceilings, horizon_trend, time_horizon
from vectors.stats import cyber_runs, published_horizons


def test_every_published_horizon_is_met(vectors: Path) -> None:
    """p50 within 0.2 % and p80 within 0.4 % for all sixteen models; exhausted suites are told."""
    told = time_horizon(cyber_runs(vectors), replicates=300)
    table = published_horizons(vectors)
    assert set(table) == set(told.models)
    assert len(table) == 16
    for name, row in table.items():
        assert told.of(name, 0.5).point == pytest.approx(float(row["p50"]), rel=0.002), name
        assert told.of(name, 0.8).point == pytest.approx(float(row["p80"]), rel=0.004), name
    assert told.of("GPT-5.5").saturated
    assert not told.of("GPT-4o").saturated
    assert all(not one.saturated or one.high == np.inf for one in told.estimates)
    assert all(one.saturated or one.high <= told.longest for one in told.estimates)


def test_the_published_trend_is_met_where_nothing_is_a_bound(vectors: Path) -> None:
    """Their ten leading models, all taken for seen, double every 281.7 days; as bounds more slowly or not."""
    path = vectors / "stats" / "cyber_task_horizons" / "published_trend_human_2M.json"
    theirs = json.loads(path.read_text(encoding="utf-8"))
    table = published_horizons(vectors)
    days = {
        name: float(np.datetime64(table[name]["release_date"]).astype("datetime64[D]").astype(int))
        for name in theirs["sota_models"]
    }
    told = time_horizon(cyber_runs(vectors), replicates=200)
    seen = tuple(replace(one, saturated=False) for one in told.estimates)
    plain = horizon_trend(
        Horizons(seen, told.models, told.levels, told.replicates, 1e9, shortest=1e-6), days
    )
    assert plain.doubling_days == pytest.approx(theirs["doubling_time_days"], rel=0.003)
    ours = horizon_trend(told, days)
    assert "GPT-5.5" in ours.censored
    assert ours.low < ours.doubling_days < ours.high
    assert ours.doubling_days == pytest.approx(theirs["doubling_time_days"], rel=0.15)


def test_the_longest_solved_task_is_named(vectors: Path) -> None:
    """One attempt each; the ceiling is a task of the model's own that it solved."""
    runs = cyber_runs(vectors)
    for name, one in ceilings(runs).items():
        assert one is not None
        own = (runs.model == name) & (runs.score == 1)
        assert (one.minutes, one.attempts) == (runs.minutes[own].max(), 1)
