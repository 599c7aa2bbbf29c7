"""Where what is public touches an operator: lines by place, each counted once by the worst."""

from leadline.app.check import Checked
from leadline.app.exposure import BANDS, _rows, rating
from leadline.core.clearing.advisory import Advisory, Flaw, Score
from leadline.core.clearing.assets import Verdict
from leadline.core.clearing.match import Status
from leadline.core.clearing.product import Component, Inventory
from leadline.render.exposure import exposure_map


def verdict(asset: str, advisory: str, status: Status = Status.AFFECTED) -> Verdict:
    """One verdict."""
    return Verdict(asset, advisory, status, "because", "", "because")


def rated(*vectors: str) -> Advisory:
    """An advisory with these scores."""
    scores = tuple(Score(one, "somebody") for one in vectors)
    return Advisory("A", "t", (Flaw((), "t", "d", (), scores=scores),), ())


def test_each_line_counts_once_by_the_worst() -> None:
    """A critical flaw hides a lesser one; fixed counts nowhere; unknown counts least."""
    lines = tuple(Component(str(n), f"c{n}", site="" if n == 3 else "Ward") for n in range(4))
    verdicts = (
        verdict("0", "low"),
        verdict("0", "bad"),
        verdict("1", "low", Status.UNKNOWN),
        verdict("2", "bad", Status.FIXED),
        verdict("3", "other"),
    )
    found = Checked(Inventory(lines), verdicts, {}, (), 3, ())
    rows = _rows(found, {"low": "low", "bad": "critical"})
    assert list(rows) == ["Ward", "Place not given"]
    assert rows["Ward"] == dict(zip(BANDS, (1, 0, 0, 0, 0, 1), strict=True))
    assert rows["Place not given"]["not rated"] == 1
    assert found.counts() == {
        "affected": 2,
        "unknown": 1,
        "fixed": 1,
        "not_affected": 0,
        "not named": 0,
    }


def test_the_word_is_the_worst_assessors() -> None:
    """What cannot be read rates nothing."""
    assert rating(rated()) == "not rated"
    assert rating(rated("nonsense")) == "not rated"
    high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    none = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"
    assert rating(rated(high, none)) == "critical"
    assert rating(rated(none)) == "low"
    assert rating(rated(none), ["nonsense", high]) == "critical"


def test_the_picture() -> None:
    """Static, whatever there is; hostile names are text."""
    assert exposure_map({}, BANDS).startswith("<svg")
    drawn = exposure_map({"<script>": dict.fromkeys(BANDS, 2)}, BANDS)
    assert "<script>" not in drawn
    assert "critical" in drawn
