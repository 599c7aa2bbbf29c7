"""Reports with one proof for one piece of software: one of them stands for all, while it stands itself.

What came with a proof that is here already is a duplicate. Once the report that it doubles is taken back,
or does not reproduce, the next goes on in its place: nobody ends another's report by handing in the same.
"""

import hashlib

from leadline.app.context import Context
from leadline.app.ports import Writing, maybe
from leadline.core.clearing.contract import package_of
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.report import Known, Stage, standing
from leadline.core.errors import Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind

ROW = Marking(Tlp.AMBER_STRICT)
OVER = frozenset({Stage.WITHDRAWN, Stage.NOT_REPRODUCED})  # such a report stands for no other
GOES_ON = "the report before it with this proof stands no more; this one goes on in its place"


def first_of(tx: Writing, finding: Finding, id_: str) -> str:
    """The finding that stands for this proof for this software; empty if this one does from now on."""
    if not finding.proof_sha256:
        return ""
    key = _key(finding)
    known = maybe(tx, Known, key)
    if known is None and _entered(tx, Known(key, id_, doubled=False)):
        return ""
    known = known or tx.get(Known, key)
    held = known.value
    stands = standing(one.act for one in tx.acts(about=held.finding))
    if stands is None or stands.stage in OVER:
        tx.put(key, Known(key, id_, held.doubled), marking=ROW, expect=known.version)
        return ""
    if not held.doubled:
        tx.put(key, Known(key, held.finding), marking=ROW, expect=known.version)
    return held.finding


def _entered(tx: Writing, value: Known) -> bool:
    there = False
    try:
        tx.put(value.id, value, marking=ROW)
    except Stale:
        there = True
    return not there


def go_on(ctx: Context, tx: Writing, id_: str) -> None:
    """Let the first duplicate of a report that stands no more go on in its place, if there is one."""
    found = maybe(tx, Finding, id_)
    if found is None or not found.value.proof_sha256:
        return
    key = _key(found.value)
    known = maybe(tx, Known, key)
    if known is None or known.value.finding != id_ or not known.value.doubled:
        return
    proof = frozenset([found.value.proof_sha256])
    for opened in tx.acts(kind=Kind.FINDING_SUBMITTED, naming=proof):
        if opened.act.about != id_ and _doubles(tx, opened.act, found.value.proof_sha256, key):
            moved = {"state": Stage.SCREENED.value, "reason": GOES_ON}
            tx.record(ctx.act(Kind.FINDING_MOVED, opened.act.about, "", **moved))
            tx.put(key, Known(key, opened.act.about), marking=ROW, expect=known.version)
            return


def _doubles(tx: Writing, act: Act, proof: str, key: str) -> bool:
    """Whether this handing in waits as a duplicate of the proof."""
    row = maybe(tx, Finding, act.about) if act.detail.get("proof") == proof else None
    if row is None or _key(row.value) != key:
        return False
    stands = standing(one.act for one in tx.acts(about=act.about))
    return stands is not None and stands.stage is Stage.DUPLICATE


def _key(finding: Finding) -> str:
    package = package_of(finding.purl) or finding.project
    return hashlib.sha256(f"{finding.proof_sha256}\0{package}".encode()).hexdigest()
