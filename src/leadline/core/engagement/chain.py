"""The chain of custody of evidence: who held what from when to when, told by acts and nothing else.

It tells of what was handed out here. Whoever was handed a thing may have made copies; that an entry
has no end means that no act tells of one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from leadline.core.record.act import Act, Kind, Value, instant

HERE = "this installation"
EVERYBODY = "everybody"
_HANDED = frozenset({Kind.ARTEFACT_READ, Kind.ARTEFACT_UNSEALED})
_OF_EVIDENCE = frozenset(
    {Kind.ISOLATION_PROVED, Kind.KILL_DRILLED, Kind.CANARIES_JUDGED, Kind.EVIDENCE_SEALED}
)
_NAMED = ("evidence", "results")


@dataclass(frozen=True, slots=True)
class Held:
    """One holding of a thing, which goes by its id or its digest. *by* and *ended_by* are acts' ids."""

    what: str
    holder: str
    since: datetime
    by: str
    until: datetime | None = None
    ended_by: str = ""

    def to_record(self) -> dict[str, Value]:
        """As a plain mapping."""
        return {
            "what": self.what,
            "holder": self.holder,
            "since": instant(self.since),
            "by": self.by,
            "until": instant(self.until) if self.until else None,
            "ended_by": self.ended_by,
        }


def named(act: Act) -> Mapping[str, str]:
    """The digests of evidence that an act of an assessment names, by what it calls them.

    What other acts name is no evidence but somebody's words: a result goes to its recipient alone, a
    message or a basis to whom it was written for.
    """
    if act.kind not in _OF_EVIDENCE:
        return {}
    found = {name: act.detail.get(name) for name in _NAMED}
    return {name: digest for name, digest in found.items() if isinstance(digest, str) and digest}


def custody(acts: Iterable[Act], things: Iterable[str]) -> tuple[Held, ...]:
    """Who had *things*, ids or digests, in the order in which they began.

    *acts* are an engagement's in log order.
    """
    wanted, told = frozenset(things), list[Held]()
    owners = dict[str, str]()
    for act in acts:
        if act.kind is Kind.ARTEFACT_RECEIVED:
            owners[act.about] = str(act.detail.get("owner", ""))
        if act.kind is Kind.MATERIAL_SHREDDED:
            owner = str(act.detail.get("owner", ""))
            gone = {thing for thing, whose in owners.items() if whose == owner}
            told = [_ended(one, act) if one.what in gone else one for one in told]
        here = {one.what for one in told if one.holder == HERE and one.until is None}
        for one in _begun(act):
            if one.what in wanted and not (one.holder == HERE and one.what in here):
                told.append(one)
    return tuple(told)


def _begun(act: Act) -> list[Held]:
    if act.kind is Kind.ARTEFACT_RECEIVED:
        return [Held(act.about, HERE, act.at, act.id)]
    if act.kind in _HANDED:
        return [Held(act.about, act.actor, act.at, act.id)]
    if act.kind is Kind.ARTEFACT_PUBLISHED:
        return [Held(act.about, EVERYBODY, act.at, act.id)]
    if act.kind is Kind.EXPORT_MADE:
        items, to = act.detail.get("items", ()), str(act.detail.get("to", ""))
        some = items if isinstance(items, tuple | list) else ()
        return [Held(str(item), to, act.at, act.id) for item in some]
    return [Held(digest, HERE, act.at, act.id) for digest in named(act).values()]


def _ended(one: Held, act: Act) -> Held:
    if one.holder != HERE or one.until is not None:
        return one
    return Held(one.what, one.holder, one.since, one.by, act.at, act.id)
