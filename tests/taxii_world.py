"""Advisories as the store has them once they are drafted or published, for the tests of what programs fetch."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from clearing_values import AT, advisory, statement
from leadline.app.ports import Store, maybe
from leadline.core.access import Bounds
from leadline.core.clearing.advisory import Advisory, Flaw, Revision
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind

CASE, OTHER_CASE = "case-1", "case-2"
_NUMBERS = count()


def numbered(number: int, flaws: int = 1, **changed: object) -> Advisory:
    """An advisory of its own, with CVE ids of its own."""
    held = tuple(
        Flaw(
            (f"CVE-2026-{10_000 + number * 10 + place}",),
            f"Flaw {place} of {number}",
            "A crafted object overruns a buffer.",
            (statement(),),
        )
        for place in range(flaws)
    )
    return advisory(id=f"ADV-{number}", flaws=held, **changed)


def revised(held: Advisory, days: float = 1, **changed: object) -> Advisory:
    """With one revision more."""
    at = held.revisions[-1].at + timedelta(days=days)
    last = Revision(str(len(held.revisions) + 1), at, "Something changed.")
    return replace(held, revisions=(*held.revisions, last), **changed)  # type: ignore[arg-type] # the tests name real fields


def publish(store: Store, *held: Advisory, at: datetime = AT, case: str = CASE) -> None:
    """What publishing or withdrawing leaves in the store, all in one transaction."""
    with store.write() as tx:
        for one in held:
            row = maybe(tx, Advisory, one.id)
            tx.put(one.id, one, marking=Marking(Tlp.CLEAR), expect=row.version if row else None)
            kind = Kind.ADVISORY_WITHDRAWN if one.withdrawn else Kind.ADVISORY_PUBLISHED
            tx.record(_act(kind, one, case, at))


def draft(
    store: Store, held: Advisory, case: str = CASE, *, at: datetime = AT, tlp: Tlp = Tlp.RED
) -> None:
    """What drafting leaves there."""
    with store.write() as tx:
        row = maybe(tx, Advisory, held.id)
        bounds = Bounds(case=case)
        expect = row.version if row else None
        tx.put(held.id, held, marking=Marking(tlp), bounds=bounds, expect=expect)
        tx.record(_act(Kind.ADVISORY_DRAFTED, held, case, at))


def _act(kind: Kind, held: Advisory, case: str, at: datetime) -> Act:
    return Act(f"act-{next(_NUMBERS)}", kind, at, "coordinator", held.id, "", {"case": case})
