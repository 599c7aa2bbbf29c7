"""Reports with one proof for one piece of software: one of them stands for all, while it stands itself.

What came with a proof that is here already is a duplicate. Once the report that it doubles is taken back,
or does not reproduce, the next goes on in its place: nobody ends another's report by handing in the same.
"""

import hashlib
from collections.abc import Iterator, Sequence

from leadline.app.context import Context
from leadline.app.ports import Stored, Writing, maybe
from leadline.core.clearing.contract import package_of
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.report import Known, Stage, standing
from leadline.core.clearing.sites import unite
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


def go_on(ctx: Context, tx: Writing, row: Stored[Finding]) -> None:
    """Let the first duplicate of a report that stands no more go on in its place, if there is one.

    By acts alone: whoever takes a report back may reach the rows of no other that doubles it.
    """
    if not row.value.proof_sha256:
        return
    key = _key(row.value)
    known = maybe(tx, Known, key)
    if known is None or known.value.finding != row.id or not known.value.doubled:
        return
    proof = frozenset([row.value.proof_sha256])
    came = [one.act for one in tx.acts(kind=Kind.FINDING_SUBMITTED, naming=proof)]
    for id_ in _doubles(came, row.id):
        stands = standing(one.act for one in tx.acts(about=id_))
        if stands is not None and stands.stage is Stage.DUPLICATE:
            moved = {"state": Stage.SCREENED.value, "reason": GOES_ON}
            tx.record(ctx.act(Kind.FINDING_MOVED, id_, "", **moved))
            tx.put(key, Known(key, id_), marking=ROW, expect=known.version)
            return


def _doubles(came: Sequence[Act], id_: str) -> Iterator[str]:
    """What doubles a report, or what that doubled, and so on, in the order in which it was handed in."""
    links = [(act.about, str(act.detail["same_as"])) for act in came if act.detail.get("same_as")]
    home = unite({id_, *(one for link in links for one in link)}, links)
    for about in dict.fromkeys(act.about for act in came):
        if about != id_ and home.get(about) == home[id_]:
            yield about


def _key(finding: Finding) -> str:
    package = package_of(finding.purl) or finding.project
    return hashlib.sha256(f"{finding.proof_sha256}\0{package}".encode()).hexdigest()
