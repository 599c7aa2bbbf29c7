"""The contact directory: whom reports of a project go to, written from files and from what was answered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from leadline.app import cases, contracts
from leadline.app.context import Context
from leadline.app.ports import Reading, Stored
from leadline.core.access import Action, Resource
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.directory import Project, Proposed, merged, proposals
from leadline.core.clearing.finding import Finding
from leadline.core.errors import NotFound
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode
from leadline.formats.values import plain

COMMUNITY = Marking(Tlp.GREEN)


def add(ctx: Context, projects: Sequence[Project]) -> tuple[Project, ...]:
    """Write projects into the directory, all or none; what is known already is kept beside what is new.

    A project that an organisation entered itself is that organisation's, and coordinators' too.

    Raises: Denied; Invalid, for too many addresses.
    """
    with ctx.store.read() as view:
        held = {row.value.name: row for row in view.find(Project)}
    for one in projects:
        ctx.require(Action.PROJECT_WRITE, _thing(one.name, _org(ctx, held.get(one.name))))
    made = tuple(merged(held[one.name].value, one) if one.name in held else one for one in projects)
    with ctx.store.write() as tx:
        for one in made:
            row = held.get(one.name)
            tx.put(
                one.id,
                one,
                marking=COMMUNITY,
                org=_org(ctx, row),
                expect=row.version if row else None,
            )
            digest = sha256(encode(plain(one))).hexdigest()
            tx.record(ctx.act(Kind.PROJECT_WRITTEN, one.id, "", digest=digest))
    return made


def answered(ctx: Context, name: str, at: datetime) -> Project:
    """Write down that somebody of a project answered. Raises: Denied; NotFound."""
    return add(ctx, [replace(shown(ctx, name), answered=at)])[0]


def shown(ctx: Context, name: str) -> Project:
    """One project. Raises: Denied; NotFound, if it is not in the directory."""
    ctx.require(Action.PROJECT_READ, _thing(name, ""))
    with ctx.store.read() as view:
        found = next((one for one in on_file(view) if one.name == name), None)
    if found is None:
        raise NotFound(f"no project {name!r:.80} in the directory; see `leadline project list`")
    return found


def listed(ctx: Context) -> tuple[Project, ...]:
    """Every project, by name. Raises: Denied."""
    ctx.require(Action.PROJECT_READ, _thing("all", ""))
    with ctx.store.read() as view:
        return on_file(view)


def proposed(ctx: Context, case_id: str) -> tuple[Proposed, ...]:
    """Who makes the packages of a case's findings and is no party of it, by contracts and the directory.

    Nobody is added by it; see `leadline.app.cases.add_party`.

    Raises: Denied, for a case that is not there too.
    """
    ctx.require(Action.CASE_COORDINATE, cases.inner(case_id))
    with ctx.store.read() as view:
        stands, file = cases.standing_in(view, case_id), view.get(CaseFile, case_id).value
        parties = [file.party(one.id) for one in stands.present]
        there = {word.lower() for one in parties for word in (one.name, one.project)}
        purls = [view.get(Finding, one).value.purl for one in stands.findings]
        return proposals(purls, there, contracts.on_file(view), on_file(view), ctx.now)


def on_file(view: Reading) -> tuple[Project, ...]:
    """Every project, within a use case that asked the rules already."""
    return tuple(sorted((row.value for row in view.find(Project)), key=lambda one: one.name))


def _org(ctx: Context, row: Stored[Project] | None) -> str:
    """Whose entry it is: what a coordinator enters belongs to nobody."""
    if row is not None:
        return row.org
    return "" if "coordinator" in ctx.principal.roles else ctx.principal.org


def _thing(name: str, org: str) -> Resource:
    return Resource("project", name, org=org, marking=COMMUNITY)
