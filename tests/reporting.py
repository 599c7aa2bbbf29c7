"""Makers of reports, contracts and their files for tests of intake."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from clearing_values import finding
from leadline.app import reports
from leadline.app.context import Context
from leadline.app.reports import FindingState
from leadline.core.access import Action, Circumstances
from leadline.core.clause import Fact, every, one_of
from leadline.core.clearing.contract import Contract
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.report import Draft, Report, Told
from leadline.core.record.act import Kind

AT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)  # a Monday; the same moment as `make.NOW`
TOLD = Told(AT)
MINIMAL = b"""project = "bsdiff4"
contact = "security@example.org"
packages = ["pkg:pypi/bsdiff4"]
maintainers = ["Ada"]
per_week = 2
"""


def reported(proof: bytes | None = b"proof", raw: bytes = b"{}", **fields: Any) -> Draft:
    """A report of an overflow in bsdiff4, with its proof."""
    held: dict[str, Any] = {
        "suite": "report",
        "proof_sha256": hashlib.sha256(proof).hexdigest() if proof is not None else "",
        "report": hashlib.sha256(raw).hexdigest(),
        "ids": (),
    }
    made = finding(**(held | fields))
    return Draft(made, raw, proof)


def whole(ctx: Context, limit: int = 100) -> list[FindingState]:
    """The list of reports, part by part."""
    held, cursor = list[FindingState](), ""
    while True:
        part = reports.listed(ctx, cursor, limit)
        assert len(part.items) <= limit
        held += part.items
        if part.next is None:
            return held
        cursor = part.next


def from_everything(ctx: Context) -> list[FindingState]:
    """The same list from every row that the person may read, as it was before there were parts; by id."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    clause = ctx.access.visible(ctx.principal, Action.FINDING_READ, "finding", given)
    with ctx.store.read() as view:
        known = {row.id for row in view.find(Finding, visible=clause)}
        own = every((clause, one_of(Fact.OWNER, [ctx.principal.id])))
        known |= {row.value.finding for row in view.find(Report, visible=own)}
        handed_in = {one for one in known if view.acts(about=one, kind=Kind.FINDING_SUBMITTED)}
    return [reports.state(ctx, one) for one in sorted(handed_in)]


def terms(project: str = "bsdiff4", **fields: Any) -> Contract:
    """A contract for bsdiff4: two a week, three open."""
    held: dict[str, Any] = {
        "project": project,
        "contact": "security@example.org",
        "packages": ("pkg:pypi/bsdiff4",),
        "maintainers": ("Ada",),
        "per_week": 2,
        "digest": hashlib.sha256(project.encode()).hexdigest(),
    }
    return Contract(**(held | fields))


def document(**fields: Any) -> dict[str, Any]:
    """A report in Leadline's own JSON, as small as can be."""
    held: dict[str, Any] = {
        "schema": "leadline-finding-1",
        "title": "Overflow in patch()",
        "description": "A crafted patch writes past the buffer.",
        "found": {"by": "person", "name": "Ada"},
    }
    return {name: value for name, value in (held | fields).items() if value is not None}


def as_bytes(**fields: Any) -> bytes:
    """The same, as the file has it."""
    return json.dumps(document(**fields)).encode()
