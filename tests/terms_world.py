"""Terms in effect for an engagement of a test, written as both parties' acts would leave them."""

from datetime import datetime, timedelta

import make
from leadline.app.ports import Store
from leadline.core.engagement.terms import Terms
from leadline.core.record.act import Act, Kind

PURPOSES = ("assessment", "evidence", "publication")


def agreed(
    store: Store, at: datetime, *, engagement: str = make.ENGAGEMENT, days: float = 365
) -> Terms:
    """Put terms of `PURPOSES` into effect at *at*; the digest is that of both parties' acts."""
    terms = Terms("c", "s", "i", "p", "u", "n", PURPOSES, 90, at + timedelta(days=days))
    with store.write() as tx:
        key = f"{engagement}/{terms.digest}"
        tx.put(key, terms, marking=make.marking(), engagement=engagement, org=make.DEVELOPER)
        for party in ("developer", "government"):
            detail = {"party": party, "terms": terms.digest}
            id_ = f"{engagement}-terms-{party}"
            tx.record(Act(id_, Kind.TERMS_AGREED, at, party, engagement, engagement, detail))
    return terms
