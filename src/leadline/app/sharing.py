"""What programs fetch as STIX objects: one collection for everybody, and one of the drafts of each case.

A collection is an audience. What is published is everybody's. A draft is for those named for all of its case,
by the rule that shows them the case itself. No tier of operators has a collection: before publication need to
know is an affected match, which a notice tells (`leadline.app.notices`), and from then on all read the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from leadline.app import cases
from leadline.app.context import Context
from leadline.app.ports import Reading, Shared, Sought, Stored, maybe
from leadline.core.access import OUTER, Action, Resource
from leadline.core.clearing.advisory import Advisory
from leadline.core.errors import NotFound
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind
from leadline.formats import stix

BYTES_MAX = 8 << 20  # of the objects of one part; a larger one stands alone
_SPACE = uuid5(UUID(int=0), "leadline/collection/v1")
_PUBLISHED = Resource("advisory", "", marking=Marking(Tlp.CLEAR))


@dataclass(frozen=True, slots=True)
class Collection:
    """What one audience may read: of *case*, or public without one. *id* is a UUID that never changes."""

    case: str
    title: str
    description: str

    @property
    def id(self) -> str:
        """It tells nothing to whoever does not know the case's own id."""
        return str(uuid5(_SPACE, self.case))


PUBLIC = Collection(
    "", "Published advisories", "Marked TLP:CLEAR: for everybody, without signing in."
)


@dataclass(frozen=True, slots=True)
class Part:
    """Objects of a collection in the order in which they were added; *more* follow."""

    collection: Collection
    objects: tuple[Shared, ...]
    more: bool


def collections(ctx: Context) -> tuple[Collection, ...]:
    """Those that this person may read."""
    public = ctx.decision(Action.RECORD_READ, _PUBLISHED).allowed
    # Whoever is named for the outer part of a case alone has no content of it.
    whole = sorted(one for one in ctx.principal.cases if not one.endswith(OUTER))
    named = [cases.inner(one) for one in whole]
    drafts = [_drafts(one.case) for one in ctx.allowed(Action.CASE_READ, named)]
    return (*((PUBLIC,) if public else ()), *drafts)


def collection(ctx: Context, id_: str) -> Collection:
    """One of them.

    Raises: NotFound, in the same words where there is none and where it is for others.
    """
    found = next((one for one in collections(ctx) if one.id == id_), None)
    if found is None:
        raise NotFound("there is no such collection, or you may not know of it")
    return found


def part(ctx: Context, id_: str, sought: Sought) -> Part:
    """A part of a collection, whatever case *sought* names.

    Raises: NotFound, as `collection`.
    """
    of = collection(ctx, id_)
    with ctx.store.read() as view:
        found = view.shared(replace(sought, case=of.case, limit=sought.limit + 1))
    size, some = 0, list[Shared]()
    for one in found[: sought.limit]:
        size += len(one.body.encode())
        if some and size > BYTES_MAX:
            break
        some.append(one)
    return Part(of, tuple(some), more=len(some) < len(found))


def given(view: Reading, act: Act) -> Sequence[Shared] | None:
    """The versions of objects that an act about an advisory adds; None, where it is of no case.

    See `leadline.app.ports.Lines.shared`.
    """
    case, row = act.detail.get("case"), maybe(view, Advisory, act.about)
    if row is None or not isinstance(case, str):
        return None
    if act.kind is Kind.ADVISORY_DRAFTED:
        return _draft(view, case, row)
    ids = frozenset(str(one["id"]) for one in stix.objects(row.value))
    before = [json.loads(one.body) for one in view.shared_with(act.about, ids)]
    return [_shared(Tlp.CLEAR, "", act.about, one) for one in stix.versions(row.value, before)]


def _draft(view: Reading, case: str, row: Stored[Advisory]) -> Sequence[Shared]:
    drafted = view.acts(about=row.id, kind=Kind.ADVISORY_DRAFTED)
    tlp = row.marking.tlp
    made = stix.drafted(row.value, tlp, [one.act.at for one in drafted])
    return [_shared(tlp, case, row.id, one) for one in made]


def _shared(tlp: Tlp, case: str, about: str, one: stix.Json) -> Shared:
    body = json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    at = datetime.fromisoformat(stix.version(one))
    return Shared(tlp, case, about, str(one["id"]), str(one["type"]), at, body)


def _drafts(case: str) -> Collection:
    told = "Drafts of advisories under embargo, for those named for the case; gone once they are published."
    return Collection(case, f"Drafts of {case}", told)
