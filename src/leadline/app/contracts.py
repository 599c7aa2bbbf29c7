"""Intake contracts on file: entered from a project's own repository, and shown to whoever would report.

Whoever would report reads a project's terms before any work is spent; every version stays in the record
by its digest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.app.context import Context
from leadline.app.ports import Reading
from leadline.core.access import Action, Resource
from leadline.core.clearing.contract import Contract
from leadline.core.errors import NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, instant

PUBLIC = Marking(Tlp.CLEAR)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a contract: when it was entered, by whom, and the digest of its file."""

    at: datetime
    by: str
    digest: str
    paused: bool


@dataclass(frozen=True, slots=True)
class OnFile:
    """The terms of one project as they are now, and every version so far, oldest first."""

    contract: Contract
    versions: tuple[Version, ...]


def add(ctx: Context, contract: Contract, source: bytes) -> Contract:
    """Enter the terms of a project, or its newest; *source* is the file they were read from.

    A project that is new here belongs to the organisation of whoever enters its own file first. What
    was read out of a security policy belongs to nobody.

    Raises: Denied, for a project of another organisation; Refused, where a policy that was read would
    take the place of what the project itself says, or nothing has changed.
    """
    with ctx.store.read() as view:
        present = next((row for row in view.find(Contract) if row.id == contract.project), None)
    entered = "" if contract.inferred else ctx.principal.org
    org = (present.org if present else "") or entered
    ctx.require(
        Action.PROJECT_WRITE, Resource("project", contract.project, org=org, marking=PUBLIC)
    )
    if present and contract.inferred and not present.value.inferred:
        raise Refused(f"{contract.project} has terms of its own here; they stand")
    if present and present.value == contract:
        raise Refused(f"{contract.project} has exactly these terms already")
    digest = ctx.vault.put(source, marking=PUBLIC)
    with ctx.store.write() as tx:
        tx.put(
            contract.project,
            contract,
            marking=PUBLIC,
            org=org,
            expect=present.version if present else None,
        )
        until = contract.paused_until
        tx.record(
            ctx.act(
                Kind.CONTRACT_WRITTEN,
                contract.project,
                "",
                digest=digest,
                inferred=contract.inferred,
                paused=contract.stands_still(ctx.now),
                paused_until=instant(until) if until else None,
            )
        )
    return contract


def shown(ctx: Context, project: str) -> OnFile:
    """The terms of one project.

    Raises: Denied; NotFound, if none are on file.
    """
    ctx.require(Action.PROJECT_READ, Resource("project", project, marking=PUBLIC))
    with ctx.store.read() as view:
        found = next((row.value for row in view.find(Contract) if row.id == project), None)
        acts = [one.act for one in view.acts(kind=Kind.CONTRACT_WRITTEN, about=project)]
    if found is None:
        raise NotFound(f"no terms of {project} are on file; see `leadline contract list`")
    versions = [
        Version(act.at, act.actor, str(act.detail["digest"]), act.detail["paused"] is True)
        for act in acts
    ]
    return OnFile(found, tuple(versions))


def listed(ctx: Context) -> tuple[Contract, ...]:
    """The terms of all projects, in order of project. Raises: Denied."""
    ctx.require(Action.PROJECT_READ, Resource("project", "all", marking=PUBLIC))
    with ctx.store.read() as view:
        return tuple(on_file(view))


def on_file(view: Reading) -> Sequence[Contract]:
    """Every project's terms, within a use case that asked the rules already."""
    return [row.value for row in view.find(Contract)]
