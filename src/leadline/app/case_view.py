"""A case for the one who asks: a projection of what that reader may know, at this moment."""

from collections.abc import Mapping
from dataclasses import replace

from leadline.app import cases
from leadline.app.context import Context
from leadline.app.ports import Reading
from leadline.core.access import Action, Resource
from leadline.core.clause import Fact, one_of
from leadline.core.clearing.case import Standing
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.case_view import CaseView, Whole
from leadline.core.clearing.case_view import view as projected
from leadline.core.clearing.finding import Finding
from leadline.core.errors import NotFound


def view(ctx: Context, case_id: str) -> CaseView:
    """The case as this person sees it.

    Raises: Denied, for a case that is not there too.
    """
    ctx.require(Action.CASE_READ, cases.thing(ctx, case_id))
    with ctx.store.read() as reading:
        return projected(_whole(reading, case_id), ctx.principal.id, ctx.now)


def listed(ctx: Context) -> tuple[CaseView, ...]:
    """Every case this person is named for, as it sees it, in order of id."""
    named = {one.removesuffix(cases.OUTER) for one in ctx.principal.cases} - {cases.INTAKE}
    with ctx.store.read() as reading:
        # a name may be of something that was never opened here
        rows = reading.find(CaseFile, visible=one_of(Fact.CASE, sorted(named)))
        opened = {row.id: row.value for row in rows}
        things = [cases.thing(ctx, case) for case in opened]
        mine = {one.id: opened[one.id] for one in ctx.allowed(Action.CASE_READ, things)}
        whole = _wholes(reading, cases.standings_in(reading, mine), mine)
    return tuple(projected(one, ctx.principal.id, ctx.now) for one in whole)


def public(ctx: Context, case_id: str) -> CaseView:
    """The case as anybody may know it; for one that nobody may know of, as for none at all.

    Raises: NotFound.
    """
    ctx.require(Action.RECORD_READ, Resource("advisory", case_id, marking=cases.PUBLIC))
    own = ctx.access.tenancy(ctx.principal)
    # What anybody may know of a case is made from its rows, which stand behind the second wall.
    store = ctx.store.acting(replace(own, cases=own.cases | {case_id}))
    with store.read() as reading:
        seen = projected(_whole(reading, case_id), "", ctx.now)
    if not seen.parts:
        raise NotFound("there is no such case")
    return seen


def _whole(reading: Reading, case_id: str) -> Whole:
    stands = cases.standings_in(reading, [case_id])
    return _wholes(reading, stands, {case_id: reading.get(CaseFile, case_id).value})[0]


def _wholes(
    reading: Reading, stands: Mapping[str, Standing], files: Mapping[str, CaseFile]
) -> list[Whole]:
    """Everything known of these cases, in their order; findings are asked for of all of them at once."""
    found = {row.id: row for row in reading.find(Finding, visible=one_of(Fact.CASE, files))}
    made = list[Whole]()
    for case, file in files.items():
        rows = [found.get(one) or reading.get(Finding, one) for one in stands[case].findings]
        owners = {row.id: row.bounds.owner for row in rows}
        made.append(Whole(stands[case], file, tuple(row.value for row in rows), owners))
    return made


def standing_and_file(ctx: Context, case_id: str) -> tuple[Standing, CaseFile]:
    """A case and its words, for whoever is named for all of it.

    Raises: Denied, for a case that is not there too.
    """
    ctx.require(Action.CASE_READ, cases.inner(case_id))
    with ctx.store.read() as reading:
        return cases.standing_in(reading, case_id), reading.get(CaseFile, case_id).value


def project_of(reading: Reading, ctx: Context, case_id: str, party: str) -> str:
    """Whose intake contract a party is under, for whoever speaks for it; empty for none."""
    mine = {one.id for one in cases.standing_in(reading, case_id).of_person(ctx.principal.id)}
    return reading.get(CaseFile, case_id).value.party(party).project if party in mine else ""
