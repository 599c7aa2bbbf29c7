"""Lists of what there is, as far as the one who asks may know of it: sorted, narrowed, searched, exported.

The access rules become a condition of the question that the database answers, so a part of a list is full
or the list is at its end. No total is told: it would take as long as the list is. Order by `OPENED` keeps
every row where it is; by `CHANGED`, what changes meanwhile moves to the front.
"""

import base64
import binascii
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadline.app import lines
from leadline.app.context import Context
from leadline.app.ports import Listed, Order, Place, Wanted
from leadline.core import searching
from leadline.core.access import Action, Circumstances
from leadline.core.clause import NOTHING, Clause, Fact, every, one_of
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.directory import Project
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.operator import Enrolment, Snapshot
from leadline.core.clearing.published import Issued
from leadline.core.clearing.report import Stage
from leadline.core.engagement.engagement import Engagement, State
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp

LIMIT_MAX = 200
# A spreadsheet would run a cell that begins so; some read the wide signs of East Asia as the narrow ones.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Thing(StrEnum):
    """What there are lists of. Packages are found as words of cases, findings and advisories."""

    ENGAGEMENT = "engagement"
    CASE = "case"
    FINDING = "finding"
    OPERATOR = "operator"
    INVENTORY = "inventory"
    ADVISORY = "advisory"
    PROJECT = "project"


_RECORDS: Mapping[Thing, tuple[type, Action]] = {
    Thing.ENGAGEMENT: (Engagement, Action.ENGAGEMENT_READ),
    Thing.CASE: (CaseFile, Action.CASE_READ),
    Thing.FINDING: (Finding, Action.FINDING_READ),
    Thing.OPERATOR: (Enrolment, Action.OPERATOR_READ),
    Thing.INVENTORY: (Snapshot, Action.INVENTORY_READ),
    Thing.ADVISORY: (Issued, Action.RECORD_READ),
    Thing.PROJECT: (Project, Action.PROJECT_READ),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list; what is empty narrows nothing.

    *words* are looked for in titles, ids, package names and the like. *groups* are: of an engagement its
    regime, of a case its disclosure policy, of a finding its severity, of an operator its first sector.
    """

    words: str = ""
    states: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    case: str = ""
    engagement: str = ""
    org: str = ""


NO_FILTERS = Filters()
# The words that a list of each kind can have as states, in their usual order.
STATES: Mapping[Thing, tuple[str, ...]] = {
    Thing.ENGAGEMENT: tuple(State),
    Thing.CASE: (lines.OPEN, lines.PUBLIC, lines.CLOSED),
    Thing.FINDING: tuple(Stage),
    Thing.OPERATOR: (lines.ENROLLED, lines.VETTED, lines.ENDED),
    Thing.ADVISORY: (lines.PUBLISHED, lines.WITHDRAWN),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list. *title* comes in parts, each with whether it was looked for."""

    thing: Thing
    id: str
    title: str
    parts: tuple[tuple[str, bool], ...]
    state: str
    group: str
    engagement: str
    org: str
    case: str
    opened: datetime | None
    changed: datetime | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. *after* asks for the next one; it is empty at the end."""

    rows: tuple[Row, ...] = ()
    after: str = ""


@dataclass(frozen=True, slots=True)
class ListPart:
    """A part of a list as a program asks for it. *next* is the cursor of the next one; None at the end."""

    items: tuple[Row, ...] = ()
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, by kind of thing; only kinds of which something was found."""

    words: tuple[str, ...]
    pages: tuple[tuple[Thing, Page], ...] = field(default=())


def browse(
    ctx: Context,
    thing: Thing,
    filters: Filters = NO_FILTERS,
    order: Order = Order.CHANGED,
    after: str = "",
    limit: int = 25,
) -> Page:
    """A part of the list of one kind of thing that this person may know of.

    Raises: Invalid, for a place in the list (*after*) that no list gave out, or a *limit* out of bounds.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid("limit", f"ask for 1 to {LIMIT_MAX} rows")
    place = _place(after, order) if after else None
    wanted = _wanted(ctx, thing, filters, order, place, limit + 1)
    if _empty(wanted, filters):
        return Page()
    with ctx.store.read() as view:
        return _part(thing, view.page(_RECORDS[thing][0], wanted), wanted)


def _wanted(
    ctx: Context, thing: Thing, filters: Filters, order: Order, place: Place | None, limit: int
) -> Wanted:
    return Wanted(
        _visible(ctx, thing, filters),
        ctx.now,
        searching.asked(filters.words),
        filters.states,
        filters.groups,
        order,
        place,
        limit,
    )


def _empty(wanted: Wanted, filters: Filters) -> bool:
    """Whether nothing can be found: the rules allow no list, or what was typed holds no word."""
    return wanted.visible == NOTHING or bool(filters.words.strip() and not wanted.words)


def _part(thing: Thing, found: Sequence[Listed], wanted: Wanted) -> Page:
    """The part of a list that was asked for with one row more, to know whether there is a next."""
    limit = wanted.limit - 1
    rows = tuple(_row(thing, one, wanted) for one in found[:limit])
    more = len(found) > limit
    return Page(rows, _cursor(found[limit - 1].place, wanted.order) if more else "")


def listed(  # noqa: PLR0913, PLR0917 -- what a query of a list may say
    ctx: Context,
    thing: Thing,
    words: str = "",
    state: tuple[str, ...] = (),
    group: tuple[str, ...] = (),
    case: str = "",
    engagement: str = "",
    org: str = "",
    order: Order = Order.CHANGED,
    cursor: str = "",
    limit: int = 100,
) -> ListPart:
    """A part of the list of one kind of thing that this person may know of, sorted and narrowed.

    Raises: Invalid, for a *cursor* that no list of this order gave out, or a *limit* out of bounds.
    """
    filters = Filters(words, frozenset(state), frozenset(group), case, engagement, org)
    try:
        page = browse(ctx, thing, filters, order, cursor, limit)
    except Invalid as error:
        field = "cursor" if error.field == "after" else error.field
        raise Invalid(field, error.problem) from None
    return ListPart(page.rows, page.after or None)


def search(
    ctx: Context, words: str, things: Sequence[Thing] = tuple(Thing), limit: int = 10
) -> Found:
    """The first of what has all these words, of every kind of thing; nothing without a word."""
    sought = searching.asked(words)
    if not sought:
        return Found(())
    filters = Filters(words)
    asked = {one: _wanted(ctx, one, filters, Order.CHANGED, None, limit + 1) for one in things}
    wanted = {_RECORDS[one][0]: each for one, each in asked.items() if each.visible != NOTHING}
    if not wanted:
        return Found(sought)
    with ctx.store.read() as view:
        found = view.pages(wanted)
    parts = [
        (one, _part(one, found[_RECORDS[one][0]], each))
        for one, each in asked.items()
        if each.visible != NOTHING
    ]
    return Found(sought, tuple((one, page) for one, page in parts if page.rows))


HEADINGS = ("id", "title", "state", "group", "engagement", "case", "opened", "changed", "due")


def export(
    ctx: Context, thing: Thing, filters: Filters = NO_FILTERS, order: Order = Order.OPENED
) -> Iterator[bytes]:
    """The whole of such a list as CSV (RFC 4180, UTF-8), part by part; times are RFC 3339 in UTC."""
    yield _csv([HEADINGS])
    after, more = "", True
    while more:
        page = browse(ctx, thing, filters, order, after, LIMIT_MAX)
        if page.rows:
            yield _csv([_cells(row) for row in page.rows])
        after, more = page.after, bool(page.after)


def cell(text: str) -> str:
    """*text* so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _cells(row: Row) -> Sequence[str]:
    dates = [at.isoformat() if at else "" for at in (row.opened, row.changed, row.due)]
    return (row.id, row.title, row.state, row.group, row.engagement, row.case, *dates)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[cell(c) for c in row] for row in rows])
    return text.getvalue().encode()


def _visible(ctx: Context, thing: Thing, filters: Filters) -> Clause:
    """The rules' own condition, and what is asked for beside it; nothing where the rules allow no list."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    clause = ctx.access.visible(ctx.principal, _RECORDS[thing][1], thing.value, given)
    narrowed = [clause]
    if thing is Thing.ADVISORY:
        narrowed.append(one_of(Fact.TLP, [Tlp.CLEAR.value]))
    for fact, text in (
        (Fact.CASE, filters.case),
        (Fact.ENGAGEMENT, filters.engagement),
        (Fact.ORG, filters.org),
    ):
        if text:
            narrowed.append(one_of(fact, [text]))
    return every(narrowed)


def _row(thing: Thing, found: Listed, wanted: Wanted) -> Row:
    line = found.line
    return Row(
        thing,
        found.id,
        line.title,
        searching.marked(line.title, wanted.words),
        line.said(wanted.now),
        line.group,
        found.engagement,
        found.org,
        found.case,
        line.opened,
        line.changed,
        None if line.turned(wanted.now) else line.due,
    )


def _cursor(place: Place, order: Order) -> str:
    told = json.dumps([order.value, *place]).encode()
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _place(cursor: str, order: Order) -> Place:
    """The place that a cursor of this order holds; raises Invalid."""
    problem = "this place in the list is none; begin the list again"
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        told = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise Invalid("after", problem) from None
    match told:
        case [Order.TITLE.value, str(by), str(id_)] if order is Order.TITLE and _text(by + id_):
            return by, id_
        case [str(of), int(at), str(id_)] if _is_place(of, at, id_, order):
            return at, id_
    raise Invalid("after", problem)


def _is_place(of: str, at: int, id_: str, order: Order) -> bool:
    falls = of == order and order is not Order.TITLE and _text(id_)
    return falls and not isinstance(at, bool) and abs(at) < 2**62


def _text(text: str) -> bool:
    """Whether a database can be asked about it: JSON spells NUL and halves of characters as well."""
    return "\0" not in text and text == text.encode("utf-8", "replace").decode()
