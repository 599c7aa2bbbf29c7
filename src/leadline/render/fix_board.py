"""The board of fixes as a page: how many flaws of a case have come how far, and each of them."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from leadline.core.clearing.fix import Board
from leadline.render.document import Column, Document, Figure, Prose, Section, Table
from leadline.render.vega import INK, SUBJECT, Spec, drawn, quantity, svg
from leadline.render.words import moment

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH: Final = 520
NOTE: Final = (
    "A flaw counts in every state that it reached or went beyond. A patch is a proposal until people "
    "have read it; a person sends it. Applied is what operators themselves report."
)


def board_document(board: Board, case: str, now: datetime) -> Document:
    """The page of one case."""
    rows = tuple(
        (one.finding[:16], one.state.value, moment(one.since), one.fix or "none yet")
        for one in board.places
    )
    columns = (Column("Finding"), Column("State"), Column("Since"), Column("Fix"))
    table = Table(caption="Every flaw of the case", columns=columns, rows=rows)
    first = Section("counts", "From report to applied", (board_figure(board), Prose(NOTE)))
    return Document(
        title=f"Fixes of {case}",
        kicker="Clearinghouse",
        marking="TLP:AMBER+STRICT",
        record=f"As the record stood at {moment(now)}",
        at=now,
        closing="Computed from acts whenever it is made.",
        cover=(first,),
        sections=(Section("flaws", "Flaws", (table,)),),
    )


def board_figure(board: Board) -> Figure:
    """A bar for each state, with its number."""
    counts = [(state.value, count) for state, count in board.counts.items()]
    rows: list[Json] = [{"state": state, "count": count} for state, count in counts]
    order: list[Json] = [state for state, _ in counts]
    y: Spec = {"field": "state", "type": "nominal", "title": None, "sort": order}
    most = max([1, *(count for _, count in counts)])
    x = quantity("count", "Flaws", scale={"domain": [0, most]}, axis={"tickMinStep": 1})
    label: Spec = {"x": x, "y": y, "text": {"field": "count", "type": "quantitative"}}
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": 30},
        "data": {"values": rows},
        "layer": [
            drawn("bar", {"x": x, "y": y}, color=SUBJECT, height=18),
            drawn("text", label, align="left", dx=5, color=INK),
        ],
    }
    told = "; ".join(f"{count} {state}" for state, count in counts)
    data = Table(
        caption="Flaws by state",
        columns=(Column("State"), Column("Flaws")),
        rows=tuple((state, str(count)) for state, count in counts),
    )
    return Figure("How far the flaws of this case have come", told, svg(spec), data)
