"""One search over everything that the person may know of, and each list of it by itself, also as CSV."""

from collections.abc import Mapping
from datetime import UTC
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from leadline.app import browse
from leadline.app.browse import Row, Thing
from leadline.core.errors import NotFound
from leadline.http.pages.frame import WAYS, Me, Visit, Way
from leadline.http.pages.query import Query, asked, group_titles
from leadline.wiring.people import roles

ROUTES = APIRouter()
WAYS.append(Way("Search", "/search", frozenset(roles())))
# A kind of thing in words, what its group is, and what leads to one.
NAMES: Mapping[Thing, str] = {
    Thing.ENGAGEMENT: "Engagements",
    Thing.CASE: "Cases",
    Thing.FINDING: "Reports",
    Thing.OPERATOR: "Operators",
    Thing.INVENTORY: "Inventories",
    Thing.ADVISORY: "Advisories",
    Thing.PROJECT: "Projects",
}
GROUPS: Mapping[Thing, str] = {
    Thing.ENGAGEMENT: "Under",
    Thing.CASE: "Disclosure policy",
    Thing.FINDING: "Severity",
    Thing.OPERATOR: "Sector",
}
PATHS: Mapping[Thing, str] = {
    Thing.ENGAGEMENT: "/engagements/{}",
    Thing.CASE: "/cases/{}",
    Thing.FINDING: "/reports/{}",
    Thing.INVENTORY: "/operator/inventories/{}",
    Thing.ADVISORY: "/advisories/{}",
}
STATES: Mapping[Thing, tuple[str, ...]] = browse.STATES


def path(row: Row) -> str:
    """What leads to the thing; empty where it has no page of its own."""
    return PATHS.get(row.thing, "").format(quote(row.id.removesuffix("/issued"), safe=""))


@ROUTES.get("/search")
def search(me: Me) -> Response:
    """What has the words; of one kind, if the address names it."""
    if me.query("kind"):
        return _one(me, _kind(me), asked(me))
    words = me.query("words").strip()
    found = browse.search(me.ctx, words)
    return me.page("search/search.html.j2", words=words, found=found, names=NAMES, path=path)


def _one(me: Visit, thing: Thing, query: Query) -> Response:
    page = browse.browse(me.ctx, thing, query.filters, query.order, query.after, query.limit)
    kept = {"kind": thing.value, "words": query.words, "state": query.state, "group": query.group}
    told = {name: value for name, value in kept.items() if value}
    return me.page(
        "search/list.html.j2",
        thing=thing,
        names=NAMES,
        groups=GROUPS,
        states=[(one, one.replace("-", " ")) for one in STATES.get(thing, ())],
        page=page,
        query=query,
        path=path,
        titles=group_titles(me, thing),
        csv="/search/rows.csv?" + urlencode(told),
        wide=True,
    )


@ROUTES.get("/search/rows.csv")
def as_csv(me: Me) -> Response:
    """One list as a file for a spreadsheet: all of it, as the person may know of it now."""
    thing, query = _kind(me), asked(me)
    name = f"{NAMES[thing].lower()}-{me.ctx.now.astimezone(UTC):%Y-%m-%d}.csv"
    return StreamingResponse(
        browse.export(me.ctx, thing, query.filters),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _kind(visit: Visit) -> Thing:
    given = visit.query("kind")
    if given not in set(Thing):
        raise NotFound("there is no such list")
    return Thing(given)
