"""Fails when branch coverage is below the floor: 100 % in core and formats, 95 % over all.

coverage_floor.py      after a test run with --cov; reads .coverage
"""

import io
import sys

import coverage

FLOORS = (
    ("src/leadline/core/*", 100.0),
    ("src/leadline/formats/*", 100.0),
    ("src/leadline/*", 95.0),
)


def main() -> int:
    """Print each part with its floor; exit status 1 if one is below."""
    data = coverage.Coverage()
    data.load()
    low = 0
    for pattern, floor in FLOORS:
        share = data.report(include=[pattern], file=io.StringIO())
        print(f"{pattern:28} {share:6.2f} %  floor {floor:.0f} %")
        low += share < floor
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
