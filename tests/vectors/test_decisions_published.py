"""Decisions on SWE-bench Verified: later agents, decided with difficulties of earlier ones."""

import hashlib
from pathlib import Path

import numpy as np

from leadline.core.measure.active import Bank, Design, Rule, decide
from leadline.core.measure.irt import Responses, fit_irt
from vectors.stats import swe_bench


def test_later_agents_are_decided_from_an_eighth_of_the_items(vectors: Path) -> None:
    """The same decision as the full row, with an eighth of it in median and a quarter in mean."""
    given = swe_bench(vectors)
    half = len(given.models) // 2
    early = Responses(given.models[:half], given.items, given.solved[:half], given.trials[:half])
    fit = fit_irt(early)
    bank = Bank(given.items, tuple(fit.a.tolist()), tuple(fit.b.tolist()))
    used, wrong = [], 0
    for threshold in (0.4, 0.5, 0.6, 0.7):
        design = Design(bank, Rule(threshold, 0.05, 0.05))
        for number, row in enumerate(given.solved[half:]):
            seed = hashlib.sha256(f"{threshold}/{number}".encode()).digest()
            told = decide(design, row.tolist().__getitem__, seed)
            wrong += (told.state == "above") != bool(row.mean() >= threshold - 1e-12)
            used.append(told.n / len(row))
    assert wrong == 0
    assert np.median(used) <= 1 / 8
    assert np.mean(used) <= 1 / 4
