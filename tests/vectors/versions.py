"""Loader of the published version order fixtures (google/osv-scalibr, Apache-2.0)."""

from collections import Counter
from pathlib import Path

from leadline.core.clearing.versions import Unparseable, compare

ORDERS = {"<": -1, "=": 0, ">": 1}


def tally(scheme: str, file: Path) -> tuple[Counter[str], list[str]]:
    """Comparisons that came out right, wrong and unknown; and the lines that were wrong."""
    counts: Counter[str] = Counter(right=0, wrong=0, unknown=0)
    wrong: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", "//")):
            continue
        left, sign, right = line.split(" ")
        try:
            forth, back = compare(scheme, left, right), compare(scheme, right, left)
        except Unparseable:
            counts["unknown"] += 1
            continue
        held = forth == ORDERS[sign] == -back
        counts["right" if held else "wrong"] += 1
        if not held:
            wrong.append(line)
    return counts, wrong
