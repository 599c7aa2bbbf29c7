"""OpenVEX 0.2.0 out: one document for each advisory.

VEX speaks of single releases, or of every release of a package; ranges are left unsaid, and so is what nobody
tried: silence is no statement. `not_affected` is said only with one of the five justifications, `affected` always
with what to do. A document with nothing to say does not exist.
Source: OpenVEX specification 0.2.0.
"""

from collections.abc import Iterator

from leadline.core.clearing.advisory import BECAUSE, Advisory, Flaw, Statement
from leadline.core.clearing.match import Status, read
from leadline.core.clearing.product import Fault
from leadline.formats import schemas
from leadline.formats.csaf_out import dump, stamp
from leadline.formats.document import load
from leadline.formats.saying import Loss, groups, purl

FORMAT = "openvex"
SCHEMA = "openvex-0.2.0.json"
CONTEXT = "https://openvex.dev/ns/v0.2.0"
NO_REMEDY = "No fixed release is named by the publisher. Ask the supplier when there will be one."
Json = dict[str, object]


def faults(data: bytes) -> tuple[Fault, ...]:
    """What the published schema finds wrong.

    Raises: Invalid, if the bytes are no JSON object.
    """
    return tuple(schemas.faults(SCHEMA, load(data, "OpenVEX")))


def render(advisory: Advisory) -> bytes:
    """The document; empty where there is nothing that VEX can say, or nothing any more."""
    statements = [] if advisory.withdrawn else list(_statements(advisory))
    if not statements:
        return b""
    first, last = advisory.revisions[0], advisory.revisions[-1]
    return dump(
        {
            "@context": CONTEXT,
            "@id": f"{advisory.namespace.rstrip('/')}/openvex/{advisory.id}",
            "author": advisory.publisher,
            "role": "coordinator",
            "timestamp": stamp(first.at),
            "last_updated": stamp(last.at),
            "version": len(advisory.revisions),
            "statements": statements,
        }
    )


def losses(advisory: Advisory) -> tuple[Loss, ...]:
    """What the document leaves unsaid."""
    if advisory.withdrawn:
        return (Loss(FORMAT, "*", "a withdrawn advisory has no VEX document"),)
    found: list[Loss] = []
    for flaw in advisory.flaws:
        for name, held in groups(flaw):
            found.append(Loss(FORMAT, name, "VEX names single releases, no ranges and no order"))
            if any(one.not_affected and one.because not in BECAUSE for one in held):
                found.append(Loss(FORMAT, name, "not affected is not said without a justification"))
    return tuple(dict.fromkeys(found))


def _statements(advisory: Advisory) -> Iterator[Json]:
    for flaw in advisory.flaws:
        for statement in flaw.statements:
            yield from _of(advisory, flaw, statement)


def _of(advisory: Advisory, flaw: Flaw, statement: Statement) -> Iterator[Json]:
    named = {
        Status.AFFECTED: statement.affected.listed,
        Status.FIXED: statement.fixed.listed,
        Status.NOT_AFFECTED: statement.not_affected.listed,
    }
    for status, listed in named.items():
        # A release that an affected range holds is not fixed, whatever the list says.
        true = [held for held in dict.fromkeys(listed) if read(statement, held).status is status]
        products = [purl(statement, held) for held in true]
        every = any(not held.low and not held.high for held in statement.affected.intervals)
        if status is Status.AFFECTED and every:
            products = [purl(statement)]
        if status is Status.NOT_AFFECTED and statement.because not in BECAUSE:
            continue
        if products:
            yield _statement(advisory, flaw, statement, status, products)


def _statement(
    advisory: Advisory, flaw: Flaw, statement: Statement, status: Status, products: list[str]
) -> Json:
    names = (*((flaw.cve,) if flaw.cve else ()), *flaw.ids, advisory.id)
    aliases = list(dict.fromkeys(name for name in names if name != names[0]))
    held: Json = {
        "vulnerability": {"name": names[0], "description": flaw.title}
        | ({"aliases": aliases} if aliases else {}),
        "timestamp": stamp(advisory.revisions[-1].at),
        "products": [{"@id": one, "identifiers": {"purl": one}} for one in products],
        "status": status.value,
    }
    if status is Status.AFFECTED:
        held["action_statement"] = (
            " ".join(filter(None, (flaw.remedy, flaw.workaround))) or NO_REMEDY
        )
    if status is Status.NOT_AFFECTED:
        held["justification"] = statement.because
    return held
