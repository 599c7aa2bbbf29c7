"""The published cyber horizons are reproduced (Lyptus Research, 2026)."""

from pathlib import Path

import pytest

from leadline.core.measure.horizon import time_horizon
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
