"""A list held against everything public, for a program: without an account, and kept nowhere.

The list is the body, in any form that the page takes; what the page asks beside it stands in the query.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from leadline.app.check import Posed
from leadline.client.shape import Adapter
from leadline.core.clearing.bulletin import Bulletin
from leadline.core.errors import Invalid
from leadline.http.api import coming, contract, shell
from leadline.http.api.wire import Wire
from leadline.wiring import check

if TYPE_CHECKING:
    from leadline.wiring.portal import Portal

ROUTES = APIRouter()
# Lists in memory at once; those that come in are in files without a name. Nobody here has one.
WORKING = coming.Turns(most=4, each=4)
SPOOLED_BYTES, SAID_MAX = 1 << 20, 1_000
Pairs = Annotated[list[str], Query(max_length=10_000)]
shell.STREAMED["POST", "/api/v1/check"] = check.BYTES_MAX


class RemedyOut(Wire):
    """What an advisory advises, in its publisher's words; *category* as in CSAF."""

    category: str
    text: str
    url: str


class BulletinOut(Wire):
    """An advisory that speaks of a line."""

    id: str
    title: str
    publisher: str
    url: str
    cves: Sequence[str]
    remedies: Sequence[RemedyOut]


class VerdictOut(Wire):
    """What one advisory means for a line. *ask* is what would settle an unknown one."""

    advisory: str
    status: str
    why: str
    ask: str


class LineOut(Wire):
    """A line of the list as it was understood; *status* is the most urgent, or ``not named``."""

    ref: str
    name: str
    version: str
    site: str
    status: str
    verdicts: Sequence[VerdictOut]


class QuestionOut(Wire):
    """A question about a line: send the list again with ``answer=KEY:yes``, ``no`` or a release."""

    key: str
    line: str
    product: str
    ask: str
    advisories: Sequence[str]
    answer: str


class FaultOut(Wire):
    """Something that could not be read, and where."""

    place: str
    problem: str


class CheckOut(Wire):
    """What the list means. *against* says in words what it was compared with, *stale* that this is old.

    *columns* is how the headings of a table were read, *titles* are those there are.
    """

    counts: Mapping[str, int]
    against: str
    advisories: int
    stale: bool
    lines: Sequence[LineOut]
    bulletins: Sequence[BulletinOut]
    questions: Sequence[QuestionOut]
    faults: Sequence[FaultOut]
    columns: Mapping[str, str]
    titles: Sequence[str]


OUT = Adapter(CheckOut)


@ROUTES.post(
    "/check",
    tags=["check"],
    response_model=CheckOut,
    openapi_extra=contract.raw("The list: CSV, CycloneDX or SPDX.", signed_in=False),
)
async def compare(
    request: Request,
    name: Annotated[str, Query(max_length=200)] = "list",
    column: Pairs = [],  # noqa: B006 -- FastAPI reads it, nobody changes it
    answer: Pairs = [],  # noqa: B006 -- as above
    exposed: Literal["yes", "no", "unknown"] = "unknown",
    headless: bool = False,  # noqa: FBT001, FBT002 -- a word of the query
) -> Response:
    """Compare a list with every public advisory. No account is needed, and nothing of it is kept.

    *column* is MEANING:HEADING of a table, *answer* KEY:WORD of a question that was asked before.
    """
    wanted = check.Wanted(_columns(column), _pairs("answer", answer), exposed, headless=headless)
    portal: Portal = request.app.state.portal
    with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as file:
        async for piece in coming.arriving(request, "list"):
            file.write(piece)
        file.seek(0)
        return await run_in_threadpool(_held, portal, file.read, name, wanted)


def _held(portal: "Portal", read: Callable[[], bytes], name: str, wanted: check.Wanted) -> Response:
    """The answer; what is read is in memory for those alone who have a turn."""
    with WORKING.of(""):
        everybody = portal.door.nobody()  # an account changes nothing about what is public
        try:
            found = check.result(everybody, portal.home, read(), name, wanted)
        except check.Unclear as error:
            titles = ", ".join(error.titles)
            raise Invalid(
                "column", f"say which holds the product, as name:HEADING: {titles}"
            ) from None
        return Response(OUT.dump(_out(found)), media_type="application/json")


def _columns(given: Sequence[str]) -> Mapping[str, str]:
    meant = _pairs("column", given)
    if unknown := sorted(meant.keys() - check.MEANINGS.keys()):
        raise Invalid("column", f"{unknown[0]:.80} is none of {', '.join(check.MEANINGS)}")
    return meant


def _pairs(field: str, given: Sequence[str]) -> Mapping[str, str]:
    """NAME:WORDS, each name once; raises Invalid."""
    pairs = [one.partition(":") for one in given]
    if any(not (name and words) or len(words) > SAID_MAX for name, _, words in pairs):
        raise Invalid(field, "write NAME:WORDS")
    found = {name: words for name, _, words in pairs}
    if len(found) != len(pairs):
        raise Invalid(field, "one name stands twice")
    return found


def _out(found: check.Result) -> CheckOut:
    held, worst = found.found, found.found.worst()
    of = defaultdict[str, list[VerdictOut]](list)
    for one in held.verdicts:
        told = VerdictOut(advisory=one.advisory, status=one.status.value, why=one.why, ask=one.ask)
        of[one.asset].append(told)
    return CheckOut(
        counts=held.counts(),
        against=found.against,
        advisories=held.advisories,
        stale=found.stale,
        lines=[
            LineOut(
                ref=one.ref,
                name=one.label,
                version=one.version,
                site=one.site,
                status=worst[one.ref].value if one.ref in worst else "not named",
                verdicts=of[one.ref],
            )
            for one in held.inventory.components
        ],
        bulletins=[_bulletin(one) for one in held.bulletins.values()],
        questions=[_question(one) for one in held.posed],
        faults=[FaultOut(place=one.place, problem=one.problem) for one in held.faults],
        columns=found.meant,
        titles=found.titles,
    )


def _bulletin(one: Bulletin) -> BulletinOut:
    remedies = [
        RemedyOut(category=each.category, text=each.text, url=each.url) for each in one.remedies
    ]
    return BulletinOut(
        id=one.id,
        title=one.title,
        publisher=one.publisher,
        url=one.url,
        cves=one.cves,
        remedies=remedies,
    )


def _question(one: Posed) -> QuestionOut:
    asked = one.asked
    return QuestionOut(
        key=one.key,
        line=asked.asset,
        product=asked.product,
        ask=asked.ask,
        advisories=asked.advisories,
        answer=one.answer,
    )
