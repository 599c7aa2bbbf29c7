"""The coordinator's desk: reports, cases, what goes out of them, and the boards over all of them."""

from collections.abc import Iterator
from datetime import timedelta

from fastapi import APIRouter

from leadline.app import browse
from leadline.app.browse import Filters, Thing
from leadline.app.ports import Order
from leadline.core.clearing.report import Stage
from leadline.http.pages import (
    coordinator_boards,
    coordinator_cases,
    coordinator_messages,
    coordinator_reports,
)
from leadline.http.pages.filters import moment
from leadline.http.pages.frame import WAYS, Visit, Way
from leadline.http.pages.start import CARDS, Card

CARDS_MAX = 5
DAY = timedelta(days=1)
ROUTES = APIRouter()
for part in (coordinator_reports, coordinator_messages, coordinator_boards, coordinator_cases):
    ROUTES.include_router(part.ROUTES)
WAYS.append(Way("Reports", "/reports", frozenset({"coordinator", "finder"})))
WAYS.append(Way("Cases", "/cases", frozenset({"coordinator", "finder", "maintainer"})))


def waiting(me: Visit) -> Iterator[Card]:
    """The next clocks of the cases that one coordinates, and reports that nobody has screened yet."""
    if "coordinator" not in me.roles:
        return
    soon = browse.browse(me.ctx, Thing.CASE, order=Order.DUE, limit=CARDS_MAX)
    for row in soon.rows:
        if row.due is not None:
            within = row.due - me.ctx.now <= DAY
            told = f"The next date of this case: {moment(row.due)}."
            yield Card(row.title, told, f"/cases/{row.id}", 0 if within else 2)
    fresh = Filters(states=frozenset({Stage.RECEIVED.value}))
    if browse.browse(me.ctx, Thing.FINDING, fresh, limit=1).rows:
        told = "Somebody waits to hear whether the report is understood."
        yield Card("Reports that nobody has screened", told, "/reports", 1)


CARDS.append(waiting)
