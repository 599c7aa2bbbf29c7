"""What an installation forgets by itself: what was over long ago and that nobody can use any more.

Acts stay, whatever is forgotten here: that somebody signed in, or was invited, is on record.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from leadline.app import once
from leadline.app.inquiry_draft import InquiryDraft
from leadline.app.ports import Store, Stored
from leadline.core.account import INVITATION_LIFE, LONGEST, Challenge, Invitation, Session

T = TypeVar("T")
OVER = timedelta(days=30)
UNTOUCHED = timedelta(days=365)


def forget(store: Store, now: datetime) -> Mapping[str, int]:
    """Remove, in one transaction for each kind; answers how much of each.

    Requests that were carried out go after seven days, so that none counts twice until then. Sessions,
    codes and challenges go thirty days after they could last be used; an inquiry that its
    owner never lodged and has not touched for a year goes too.
    """
    return {
        "requests": once.forget(store, now),
        "sessions": _gone(store, Session, lambda one: one.value.started + LONGEST + OVER <= now),
        "invitations": _gone(
            store, Invitation, lambda one: one.value.due + INVITATION_LIFE + OVER <= now
        ),
        "challenges": _gone(store, Challenge, lambda one: one.value.ends + OVER <= now),
        "drafts": _gone(store, InquiryDraft, lambda one: one.value.changed + UNTOUCHED <= now),
    }


def _gone(store: Store, kind: type[T], over: Callable[[Stored[T]], bool]) -> int:
    """Remove what is over of one kind. Looked for first: most often there is nothing to write."""
    with store.read() as view:
        if not any(over(row) for row in view.find(kind)):
            return 0
    with store.write() as tx:
        old = [row.id for row in tx.find(kind) if over(row)]
        for id_ in old:
            tx.remove(kind, id_)
    return len(old)
