"""The programme's numbers for sealed suites as a data file."""

from leadline.core.sealed.exposure import Limits
from leadline.formats.toml_table import open_table

# Bounds outside which a number has no meaning; which number inside them is the programme's.
BOUNDS = {
    "exposures_max": (1, 1000),
    "leaks_max": (1, 100),
    "rotated_percent": (0, 100),
    "cycle_days": (1, 3660),
    "runs_max": (1, 1000),
    "band_percent": (1, 50),
    "nonce_seconds": (10, 3600),
    "tcb_min": (0, 1 << 16),
}


def load_limits(content: bytes, file: str) -> Limits:
    """Read the numbers.

    Raises: Invalid, naming file and key, for a missing, unknown or wrong entry or one out of bounds.
    """
    root = open_table(content, file)
    read = dict[str, int]()
    for name, (low, high) in BOUNDS.items():
        read[name] = root.value(name, int)
        if not low <= read[name] <= high:
            raise root.wrong(name, f"{read[name]} is not from {low} to {high}")
    root.done()
    return Limits(**read)
