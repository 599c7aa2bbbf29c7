"""The published one-parameter estimates of SWE-bench Verified agree with ours."""

from pathlib import Path

import numpy as np

from leadline.core.measure.irt import fit_irt
from vectors.stats import published_1pl, swe_bench


def test_abilities_and_difficulties_are_those_of_the_source(vectors: Path) -> None:
    """Up to scale and prior: correlations of abilities and of difficulties that the data speaks of."""
    fit = fit_irt(swe_bench(vectors), rasch=True)
    theta, b = published_1pl(vectors, "abilities", "theta"), published_1pl(vectors, "items", "b")
    own = fit.prior_driven
    assert own.sum() == 32
    abilities = np.corrcoef(fit.theta, [theta[name] for name in fit.models])[0, 1]
    told = np.array([b[name] for name in fit.items])
    assert abilities > 0.997
    assert np.corrcoef(fit.b[~own], told[~own])[0, 1] > 0.997
