"""One engagement under several texts: from one set of acts, when access is possible and what is due.

The acts are the same for all: a text that says nothing about them shows nothing. Which of them has
effect on a day is told beside its name; a text never in force is drawn as it would have been.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from leadline.core.engagement.clock import EndedBy, Window, window
from leadline.core.engagement.library import Library
from leadline.core.engagement.obligation import Obligation, Occurrence, obligations
from leadline.core.engagement.regime import Event, Regime
from leadline.core.record.act import Act, Kind, instant
from leadline.core.report import Json
from leadline.render.document import Column, Figure, Table
from leadline.render.regime_words import STATUS, TextOn, day_of
from leadline.render.vega import BASELINE, INK, PALE, SUBJECT, Spec, drawn, plain, svg
from leadline.render.words import moment

WIDTH = 620
ROW = 30
_BESIDE: Final[Spec] = {"align": "left", "dx": 9, "fontSize": 12}
_HALO: Final[Spec] = {"stroke": "white", "strokeWidth": 3}
_DIAMOND: Final[Spec] = {"shape": "diamond", "filled": True, "size": 110, "opacity": 1}
ENDED = {
    EndedBy.ANCHOR: "the anchor",
    EndedBy.DAYS_OPEN: "the days are over",
    EndedBy.WITHDRAWAL: "withdrawal",
    EndedBy.TERMS_EXPIRY: "the terms end",
    EndedBy.PARTY: "ended by a party",
}


@dataclass(frozen=True, slots=True)
class Story:
    """The acts of one developer, in time; *category* is the incident's, in the texts' words."""

    anchor: datetime
    opened: datetime
    withdrawn: datetime
    incident: datetime
    resolved: datetime
    category: str = "serious-cybersecurity-breach"

    def told(self) -> tuple[tuple[str, datetime], ...]:
        """The acts by their names, in the order of time."""
        named = {
            "access opened": self.opened,
            "incident known": self.incident,
            "developer withdraws": self.withdrawn,
            "anchor": self.anchor,
            "incident resolved": self.resolved,
        }
        return tuple(sorted(named.items(), key=lambda pair: pair[1]))

    def acts(self, *, withdrawn: bool) -> tuple[Act, ...]:
        """What the record holds of it, in order."""
        anchored = {"party": "developer", "anchor": instant(self.anchor), "zone": "UTC"}
        done = [
            (Kind.ANCHOR_SET, self.opened - timedelta(days=60), anchored),
            (Kind.ACCESS_OPENED, self.opened, {"party": "developer"}),
        ]
        if withdrawn:
            done.append((Kind.ENGAGEMENT_WITHDRAWN, self.withdrawn, {"party": "developer"}))
        return tuple(
            Act(f"act-{at}", kind, when, "developer", "engagement", "engagement", detail)
            for at, (kind, when, detail) in enumerate(done)
        )

    def occurrences(self) -> tuple[Occurrence, ...]:
        """What starts the clocks of reports."""
        found = frozenset({self.category})
        return (
            Occurrence("incident", Event.INCIDENT_KNOWN, self.incident, categories=found),
            Occurrence(
                "resolved",
                Event.INCIDENT_RESOLVED,
                self.resolved,
                about="incident",
                categories=found,
            ),
        )


def story(anchor: datetime) -> Story:
    """A story around *anchor*, the planned first release to another trusted partner."""
    days = timedelta(days=1)
    return Story(
        anchor=anchor,
        opened=anchor - 26 * days,
        withdrawn=anchor - 7 * days,
        incident=anchor - 19 * days,
        resolved=anchor + 21 * days,
    )


@dataclass(frozen=True, slots=True)
class _Under:
    """The story under one text; *unbroken* is its window had nobody withdrawn."""

    regime: Regime
    found: Window
    unbroken: Window
    owed: tuple[Obligation, ...]


def regimes_compared(regimes: Sequence[Regime], library: Library, told: Story) -> Figure:
    """The picture, with its words and its data."""
    under = [_under(regime, told) for regime in regimes]
    edges = [at for one in under for at in _times(one)] + [at for _, at in told.told()]
    span = (min(edges) - timedelta(days=5), max(edges) + timedelta(days=24))
    panels = [_acts_panel(told, span), *(_panel(one, told, span) for one in under)]
    day = told.anchor.astimezone(UTC).date()
    rows = tuple(row for one in under for row in _rows(one, library, day))
    columns = tuple(map(Column, ("Regime", "What", "From", "Until or due", "Where it stands")))
    names = ", ".join(one.id for one in regimes)
    acts = "; ".join(f"{name} {moment(at)}" for name, at in told.told())
    return Figure(
        caption=(
            f"One engagement under {names}: the same acts, and what each text makes of them. Outlined: "
            "access may open; solid: access is open; dashed: how long it would have lasted without the "
            "withdrawal; diamond: a report is due"
        ),
        alt=f"One set of acts: {acts}. "
        + " ".join(f"{row[0]}: {row[1]}, {row[3]}." for row in rows),
        svg=svg({"vconcat": panels, "spacing": 14, "resolve": {"scale": {"x": "shared"}}}),
        data=Table("The same acts under each text", columns, rows),
    )


def _under(regime: Regime, told: Story) -> _Under:
    found, unbroken = (window(regime, told.acts(withdrawn=one)) for one in (True, False))
    last = max(at for _, at in told.told())
    owed = obligations([regime], told.occurrences(), classes={}, now=last)
    return _Under(regime, found, unbroken, owed)


def _times(one: _Under) -> list[datetime]:
    times = [one.found.opens_not_before, one.unbroken.ends, *(each.due for each in one.owed)]
    return [at for at in times if at is not None]


def _x(field: str, span: tuple[datetime, datetime], *, told: bool = False) -> Spec:
    """The axis of time in UTC, the same in every panel; its dates stand above the first."""
    axis: Spec = {"format": "%-d %b %Y", "tickCount": 7, "labelOverlap": True, "orient": "top"}
    silent: Spec = {"labels": False, "ticks": False, "domain": False}
    return {
        "field": field,
        "type": "temporal",
        "title": None,
        "axis": axis if told else {**axis, **silent},
        "scale": {"type": "utc", "domain": [_day(at) for at in span]},
    }


def _day(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _acts_panel(told: Story, span: tuple[datetime, datetime]) -> Spec:
    rows: list[Json] = [
        {"at": _day(at), "name": f"{name}, {day_of(at.astimezone(UTC).date())}", "row": f"{n}"}
        for n, (name, at) in enumerate(told.told())
    ]
    y: Spec = {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": None}
    x = _x("at", span, told=True)
    return {
        "title": _title("The acts, the same for every text"),
        "width": WIDTH,
        "height": {"step": 20},
        "layer": [
            drawn(
                "point",
                {"x": x, "y": y},
                rows,
                shape="circle",
                filled=True,
                size=70,
                color=INK,
                opacity=1,
            ),
            drawn("text", {"x": x, "y": y, "text": {"field": "name"}}, rows, **_BESIDE),
        ],
    }


def _title(words: str) -> Spec:
    return {"text": words, "anchor": "start", "fontSize": 13, "color": INK, "frame": "group"}


def _panel(one: _Under, told: Story, span: tuple[datetime, datetime]) -> Spec:
    bars, marks, words = _drawing(one, span)
    y: Spec = {
        "field": "row",
        "type": "nominal",
        "sort": [row["row"] for row in words],
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8, "labelLimit": 190},
    }
    x = _x("from", span)
    bar: Spec = {"x": x, "x2": {"field": "to"}, "y": y}
    point: Spec = {"x": _x("at", span), "y": y}
    rules: list[Json] = [{"at": _day(at)} for _, at in told.told()]
    outlined: Spec = {"color": PALE, "stroke": INK, "strokeWidth": 1, "height": 16}
    return {
        "title": _title(f"{plain(one.regime.id)}  ({STATUS[one.regime.status]})"),
        "width": WIDTH,
        "height": {"step": ROW},
        "layer": [
            drawn("rule", {"x": _x("at", span)}, rules, color=INK, opacity=0.35, strokeDash=[2, 3]),
            drawn("bar", bar, [row for row in bars if row["kind"] == "may"], **outlined),
            drawn(
                "bar", bar, [row for row in bars if row["kind"] == "open"], color=SUBJECT, height=16
            ),
            drawn(
                "rule",
                bar,
                [row for row in bars if row["kind"] == "else"],
                color=SUBJECT,
                strokeWidth=2.4,
                strokeDash=[5, 3],
            ),
            drawn(
                "rule",
                bar,
                [row for row in bars if row["kind"] == "clock"],
                color=BASELINE,
                strokeWidth=1.6,
            ),
            drawn("point", point, marks, color=BASELINE, **_DIAMOND),
            drawn("text", {**point, "text": {"field": "words"}}, words, **_BESIDE, **_HALO),
            drawn("text", {**point, "text": {"field": "words"}}, words, **_BESIDE),
        ],
    }


Rows = list[dict[str, Json]]


def _drawing(one: _Under, span: tuple[datetime, datetime]) -> tuple[Rows, Rows, Rows]:
    """Bars, marks and words of one text."""
    bars, marks, words = Rows(), Rows(), Rows()
    found, start = one.found, _day(span[0])

    def say(row: str, at: str, told: str) -> None:
        words.append({"row": row, "at": at, "words": told})

    if found.opens_not_before and found.anchor:
        row, (first, anchor) = "access may open", (_day(found.opens_not_before), _day(found.anchor))
        bars.append({"row": row, "kind": "may", "from": first, "to": anchor})
        say(row, anchor, f"from {_date(found.opens_not_before)} to the anchor")
    if found.opened and found.ends and found.ended_by and one.unbroken.ends:
        row, ends, otherwise = "access is open", _day(found.ends), _day(one.unbroken.ends)
        bars.append({"row": row, "kind": "open", "from": _day(found.opened), "to": ends})
        bars.append({"row": row, "kind": "else", "from": ends, "to": otherwise})
        say(row, otherwise, f"ends {_date(found.ends)}: {ENDED[found.ended_by]}")
    elif found.opens_not_before is None or one.regime.window is None:
        say("access", start, "this text sets no access window")
    for each in one.owed:
        row, begun = _name(each), _day(each.started)
        due = _day(each.due) if each.due else begun
        bars.append({"row": row, "kind": "clock", "from": begun, "to": due})
        marks.append({"row": row, "at": due})
        say(row, due, f"due {_date(each.due)}" if each.due else "no number of days stated")
    if not one.owed:
        say("reports", start, "this text asks for no report")
    return bars, marks, words


def _name(one: Obligation) -> str:
    return f"{one.rule}{f', {one.number}' if one.number > 1 else ''}"


def _date(at: datetime) -> str:
    return day_of(at.astimezone(UTC).date())


def _rows(one: _Under, library: Library, day: date) -> list[tuple[str, ...]]:
    """The data table: everything drawn, with its clause."""
    regime, found = one.regime, one.found
    on = TextOn(regime, library, day)
    rows: list[tuple[str, ...]] = []
    if regime.window and found.opens_not_before and found.anchor:
        cited = regime.source(regime.window.cites).citation
        may = (moment(found.opens_not_before), moment(found.anchor))
        rows.append((regime.id, "access may open", *may, cited))
        if found.opened and found.ends and found.ended_by:
            ends = f"{moment(found.ends)}, by {ENDED[found.ended_by]}"
            rows.append((regime.id, "access is open", moment(found.opened), ends, cited))
    else:
        rows.append((regime.id, "access", "", "no access window in this text", "no [window]"))
    for each in one.owed:
        due = f"due {moment(each.due)}" if each.due else "no number of days stated"
        what = f"{_name(each)}, to {on.body(each.to)}"
        cited = regime.source(each.cites).citation
        rows.append((regime.id, what, moment(each.started), due, cited))
    if not one.owed:
        rows.append((regime.id, "reports", "", "no report in this text", "[[reports]]"))
    return rows
