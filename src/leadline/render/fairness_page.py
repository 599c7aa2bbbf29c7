"""The fairness report as a page: what stands out first, one picture of who was told when, the limits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leadline.core.clearing.fairness import LIMITS, Fairness, Spread
from leadline.core.clearing.tiers import K_MIN
from leadline.render.document import (
    Block,
    Bullets,
    Column,
    Command,
    Document,
    Facts,
    Figure,
    Panel,
    Panels,
    Prose,
    Section,
    Table,
)
from leadline.render.vega import INK, SUBJECT, Spec, drawn, svg
from leadline.render.words import moment

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH = 440
DAY_SECONDS = 86_400


def fairness_document(
    found: Fairness, counts: Mapping[str, int | None], *, public: bool
) -> Document:
    """The whole page; the same report gives the same page."""
    ends = [one.until or one.since for one in found.periods]
    at = max(ends, default=datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC)
    panels = Panels(
        (
            Panel("Told", _count(counts["told"]), "operators"),
            Panel("Explained", _count(counts["explained"]), "differences between due and sent"),
            Panel("Not explained", _count(counts["unexplained"]), "differences without a reason"),
            Panel("Silent", _count(counts["no-answer"]), "operators without an answer"),
        )
    )
    figure = _picture(found)
    cover: tuple[Block, ...] = (panels, *((figure,) if figure else (Prose("Nobody was told."),)))
    return Document(
        title="Who was told what, and when",
        kicker=f"Fairness report of {found.case}",
        marking="TLP:CLEAR" if public else "TLP:AMBER+STRICT",
        record=found.case,
        at=at,
        closing="Computed from the acts of the case. What it does not prove stands on the last sheet.",
        cover=(Section("told", "At a glance", cover),),
        sections=(
            Section("differences", "Differences", _differences(found)),
            Section("case", "How the case went", _course(found)),
            Section("early", "Who read before publication", _readers(found)),
            Section("acts", "Acts", _acts(found)),
            Section("limits", "What this does not prove", (Bullets(LIMITS),)),
        ),
    )


def _count(count: int | None) -> str:
    return f"under {K_MIN}" if count is None else f"{count:,}"


def _picture(found: Fairness) -> Figure | None:
    """From the first to the last notice of each stage and tier, in days since the case was opened."""
    if not found.spreads or found.opened is None:
        return None
    opened = found.opened
    rows: list[Json] = [
        {
            "row": _label(one),
            "first": (one.first - opened).total_seconds() / DAY_SECONDS,
            "last": (one.last - opened).total_seconds() / DAY_SECONDS,
        }
        for one in found.spreads
    ]
    x: Spec = {"field": "first", "type": "quantitative", "title": "Days since the case was opened"}
    y: Spec = {"field": "row", "type": "nominal", "title": None, "sort": None}
    layers: list[Json] = [
        drawn("rule", {"x": x, "x2": {"field": "last"}, "y": y}, strokeWidth=3, color=SUBJECT),
        drawn("point", {"x": x, "y": y}, filled=True, size=80, color=SUBJECT, opacity=1),
        drawn("point", {"x": {**x, "field": "last"}, "y": y}, shape="stroke", size=160, color=INK),
    ]
    if found.public is not None:
        days = (found.public - opened).total_seconds() / DAY_SECONDS
        public: Spec = {"x": {"datum": days, "type": "quantitative"}}
        layers.append(drawn("rule", public, [{}], strokeDash=[2, 3], color=INK))
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": 26},
        "data": {"values": rows},
        "layer": layers,
    }
    worst = max(one.seconds for one in found.spreads)
    return Figure(
        caption=(
            "First (disc) and last (tick) notice of each stage and tier"
            + ("; the dashed line is publication" if found.public else "")
        ),
        alt=f"{len(rows)} stages and tiers; from first to last notice {worst} seconds at most.",
        svg=svg(spec),
        data=_spreads(found),
    )


def _label(one: Spread) -> str:
    return f"{one.stage}, tier {one.tier}"


def _spreads(found: Fairness) -> Table:
    return Table(
        caption="Notices by stage and tier",
        columns=(
            Column("Stage and tier"),
            Column("Notices", number=True),
            Column("First"),
            Column("Last"),
            Column("Spread in seconds", number=True),
        ),
        rows=tuple(
            (
                _label(one),
                f"{one.notices:,}",
                moment(one.first.astimezone(UTC)),
                moment(one.last.astimezone(UTC)),
                str(one.seconds),
            )
            for one in found.spreads
        ),
    )


def _differences(found: Fairness) -> tuple[Block, ...]:
    if not found.differences:
        return (Prose("Every operator with a match was told, and nobody without one."),)
    kinds = dict[tuple[str, str, str], int]()
    for one in found.differences:
        key = (one.fault.value, one.stage, one.why or "not explained")
        kinds[key] = kinds.get(key, 0) + 1
    table = Table(
        caption="What was due and what was sent differ here",
        columns=(
            Column("Difference"),
            Column("Stage"),
            Column("Reason"),
            Column("How often", number=True),
        ),
        rows=tuple((*key, str(count)) for key, count in sorted(kinds.items())),
    )
    return (table,)


def _course(found: Fairness) -> tuple[Block, ...]:
    periods = Table(
        caption="Time in each state",
        columns=(Column("State"), Column("Since"), Column("Until"), Column("Hours", number=True)),
        rows=tuple(
            (
                one.state,
                moment(one.since.astimezone(UTC)),
                moment(one.until.astimezone(UTC)) if one.until else "still",
                f"{one.seconds / 3600:,.1f}",
            )
            for one in found.periods
        ),
    )
    extensions = tuple(
        f"{moment(one.at.astimezone(UTC))}: to {one.until}; reason: {one.reason or 'none on record'}"
        for one in found.extensions
    )
    named = tuple(
        f"{moment(one.at.astimezone(UTC))}: {one.party}{', shared' if one.shared else ''}"
        for one in found.credits
    )
    return (
        periods,
        Prose("Dates that were moved:"),
        Bullets(extensions or ("none",)),
        Prose("Credit:"),
        Bullets(named or ("not decided yet",)),
        Prose("Parties that never answered:"),
        Bullets(found.silent_parties or ("none",)),
    )


def _readers(found: Fairness) -> tuple[Block, ...]:
    if not found.readers:
        return (Prose("No act that is shown here tells of one."),)
    table = Table(
        caption="Early readers",
        columns=(
            Column("Who", exact=True),
            Column("Part"),
            Column("Stage"),
            Column("First"),
            Column("Times", number=True),
        ),
        rows=tuple(
            (one.who, one.role, one.stage, moment(one.first.astimezone(UTC)), str(one.times))
            for one in found.readers
        ),
    )
    return (table,)


def _acts(found: Fairness) -> tuple[Block, ...]:
    number = found.numbering
    facts = Facts(
        (
            ("Acts of the case", str(number.acts)),
            ("Shown", str(number.shown)),
            ("Kept back, each as its leaf", str(number.withheld)),
            ("Numbered without a gap up to", str(number.vouched)),
        )
    )
    verify = Command(
        "leadline fairness verify fairness.json --key KEYS",
        "recomputes every figure from the acts, offline",
    )
    faults = (Bullets(number.faults),) if number.faults else ()
    return (facts, *faults, verify)
