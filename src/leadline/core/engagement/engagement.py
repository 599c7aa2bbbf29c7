"""An engagement: a developer's dealings with the programme about one model.

The engagement itself never changes; everything else follows from its acts. Each function here decides
whether one act may be recorded now and answers its `Deed`, or raises `Refused` with the cure. Who may
act at all is for the access rules; what only the developer can do is fixed here too, so that no rule
file can change it.

Invariants: `State` has six words and none of them bears on a release; only the developer moves the
anchor, opens or extends access, and withdraws; withdrawal works in every state, at once, without a
reason; a determination changes nothing that the developer may do; no act waits for an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leadline.core.access import Principal
from leadline.core.engagement.clock import Window, window
from leadline.core.engagement.determination import Answer, Determination
from leadline.core.engagement.regime import Party, Regime, require_effect
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value, instant


class State(StrEnum):
    """The only words shown for where an engagement stands."""

    DRAFT = "draft"
    INQUIRY = "inquiry"
    ACCESS_OPEN = "access-open"
    ACCESS_CLOSED = "access-closed"
    DETERMINATION_RECORDED = "determination-recorded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Engagement:
    """The facts fixed at its start. *developer* is the developer's organisation."""

    id: str
    regime: str
    regime_digest: str
    developer: str
    model: str
    subject_digest: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Deed:
    """An act that may be recorded now: its kind, what it is about, its detail."""

    kind: Kind
    about: str
    detail: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Standing:
    """An engagement with its regime and its acts so far, in the order of the record."""

    engagement: Engagement
    regime: Regime
    acts: tuple[Act, ...] = ()

    def __post_init__(self) -> None:
        if self.engagement.regime_digest != self.regime.digest:
            raise Invalid("regime", "the engagement was opened under another text of this regime")

    @property
    def window(self) -> Window:
        """The access window, computed."""
        return window(self.regime, self.acts)

    def party(self, by: Principal) -> Party:
        """Whose side *by* is on."""
        return "developer" if by.org == self.engagement.developer else "government"

    def recorded(self, *kinds: Kind) -> list[Act]:
        """The acts of these kinds, oldest first."""
        return [act for act in self.acts if act.kind in kinds]


def state(regime: Regime, acts: Sequence[Act], now: datetime) -> State:
    """The word shown for *acts* at *now*.

    Withdrawal outweighs all, open access a determination recorded meanwhile.
    """
    kinds = {act.kind for act in acts}
    found = window(regime, acts)
    if found.is_open(now) and Kind.ENGAGEMENT_WITHDRAWN not in kinds:
        return State.ACCESS_OPEN
    for kind, word in (
        (Kind.ENGAGEMENT_WITHDRAWN, State.WITHDRAWN),
        (Kind.DETERMINATION_RECORDED, State.DETERMINATION_RECORDED),
        (Kind.ACCESS_OPENED, State.ACCESS_CLOSED),
        (Kind.INQUIRY_LODGED, State.INQUIRY),
    ):
        if kind in kinds:
            return word
    return State.DRAFT


def lodge_inquiry(on: Standing, by: Principal, now: datetime, *, question: str) -> Deed:
    """Ask whether a model under development would be covered; opens no access, needs no weights.

    *question* is the digest of what was asked.
    """
    _going_on(on)
    _developer(on, by, "lodges an inquiry")
    require_effect(on.regime, now)
    return _deed(on, by, Kind.INQUIRY_LODGED, regime=on.regime.digest, question=question)


def answer_inquiry(
    on: Standing, by: Principal, *, answer: Answer, basis: str, caveats: tuple[str, ...] = ()
) -> Deed:
    """Answer the latest inquiry; *basis* is the digest of what the answer rests on."""
    _going_on(on)
    _deciding(on, by, "answers an inquiry")
    asked = on.recorded(Kind.INQUIRY_LODGED)
    if not asked:
        raise Refused("there is no inquiry to answer; the developer lodges one if it wishes")
    return _deed(
        on,
        by,
        Kind.INQUIRY_ANSWERED,
        inquiry=asked[-1].id,
        answer=answer.value,
        basis=basis,
        caveats=caveats,
    )


def set_anchor(on: Standing, by: Principal, *, anchor: datetime, zone: str = "UTC") -> Deed:
    """Name or move the planned first release to another trusted partner; it needs nobody's answer.

    *anchor* carries its offset; *zone* is the name it is shown under.
    """
    _going_on(on)
    _developer(on, by, "sets the anchor")
    shown = anchor.isoformat()
    return _deed(on, by, Kind.ANCHOR_SET, anchor=instant(anchor), shown=shown, zone=zone)


def agree_terms(on: Standing, by: Principal, now: datetime, *, terms: Terms) -> Deed:
    """One party agrees to *terms*; they have effect once both agreed to the same digest."""
    _going_on(on)
    if terms.expires <= now:
        raise Invalid("expires", f"{instant(terms.expires)} is in the past; agree terms that last")
    return _deed(on, by, Kind.TERMS_AGREED, terms=terms.digest, expires=instant(terms.expires))


def agreed_terms(on: Standing) -> str:
    """The digest of the latest terms that both parties agreed to.

    Raises: Refused, naming who has yet to agree.
    """
    latest: dict[Value, str] = {}
    for act in on.recorded(Kind.TERMS_AGREED):
        latest[act.detail.get("party")] = str(act.detail.get("terms"))
    for party in ("developer", "government"):
        if party not in latest:
            raise Refused(f"the {party} has agreed to no terms yet; both parties agree first")
    if latest["developer"] != latest["government"]:
        raise Refused("the parties agreed to different terms; agree to the same text")
    return latest["developer"]


def open_access(on: Standing, by: Principal, now: datetime) -> Deed:
    """The developer gives access under the agreed terms, within the regime's window."""
    _going_on(on)
    _developer(on, by, "opens access")
    require_effect(on.regime, now)
    found, rule = on.window, on.regime.window
    if rule is None:
        raise Refused(f"{on.regime.id} gives no access; use a regime that has an access window")
    if found.opened:
        raise Refused(f"access was opened at {instant(found.opened)}; one engagement opens it once")
    if found.anchor is None or found.opens_not_before is None:
        raise Refused(
            "no anchor is set; the developer first names its planned release to a partner"
        )
    if now < found.opens_not_before:
        earliest = instant(found.opens_not_before)
        problem = f"access opens no earlier than {earliest}"
        raise Refused(f"{problem}, {rule.days_before_anchor_max} days before the anchor")
    if now >= found.anchor:
        raise Refused("the anchor is in the past; access under this regime comes before it")
    terms = agreed_terms(on)
    return _deed(on, by, Kind.ACCESS_OPENED, regime=on.regime.digest, terms=terms)


def extend(on: Standing, by: Principal, now: datetime, *, until: datetime) -> Deed:
    """The developer lets open access last longer, to the anchor or the regime's days at most."""
    _going_on(on)
    _developer(on, by, "extends access")
    found = on.window
    if not found.is_open(now) or found.opened is None or found.ends is None:
        raise Refused("access is not open, and what has ended is not extended")
    probe = _deed(on, by, Kind.ACCESS_EXTENDED, until=instant(until))
    extended = window(on.regime, (*on.acts, _as_act(on, by, now, probe)))
    if extended.ends is None or extended.ends < until:
        ends, cause = extended.ends or found.ends, extended.ended_by or found.ended_by
        raise Refused(f"access lasts until {instant(ends)} at most ({cause}); ask for no more")
    if until <= found.ends:
        raise Refused(f"access lasts until {instant(found.ends)} as it is; end it to shorten it")
    return probe


def end_access(on: Standing, by: Principal, now: datetime) -> Deed:
    """Either party ends open access, at once."""
    _going_on(on)
    if not on.window.is_open(now):
        raise Refused("access is not open")
    return _deed(on, by, Kind.ACCESS_ENDED)


def end(on: Standing, by: Principal) -> Deed:
    """Either party ends the engagement; what is recorded stays, open access ends with it."""
    _going_on(on)
    return _deed(on, by, Kind.ENGAGEMENT_ENDED)


def withdraw(on: Standing, by: Principal) -> Deed:
    """The developer withdraws: in any state, at once, without a reason. Ends access at this instant."""
    _developer(on, by, "withdraws")
    return _deed(on, by, Kind.ENGAGEMENT_WITHDRAWN)


def record_determination(
    on: Standing, by: Principal, now: datetime, *, determination: Determination
) -> Deed:
    """The deciding role records its answer. Nothing the developer may do depends on it."""
    _going_on(on)
    _deciding(on, by, "records a determination")
    if determination.scope.model != on.engagement.model:
        raise Invalid("scope", f"this engagement is about {on.engagement.model}")
    if determination.scope.subject_digest != on.engagement.subject_digest:
        raise Invalid("scope", "the weights version differs; it raises the question anew")
    if determination.expires <= now:
        raise Invalid(
            "expires", f"{instant(determination.expires)} is in the past; name a later end"
        )
    detail = determination.to_record() | {"regime": on.regime.digest}
    return _deed(on, by, Kind.DETERMINATION_RECORDED, **detail)


def _deed(on: Standing, by: Principal, kind: Kind, **detail: Value) -> Deed:
    return Deed(kind, on.engagement.id, {"party": on.party(by), **detail})


def _as_act(on: Standing, by: Principal, now: datetime, deed: Deed) -> Act:
    """The act that *deed* would become, to look ahead with."""
    return Act("next", deed.kind, now, by.id, deed.about, on.engagement.id, deed.detail)


def _going_on(on: Standing) -> None:
    """Raises: Refused, after a withdrawal or an end."""
    over = on.recorded(Kind.ENGAGEMENT_WITHDRAWN, Kind.ENGAGEMENT_ENDED)
    if over:
        how: Literal["was withdrawn", "ended"] = (
            "ended" if over[0].kind is Kind.ENGAGEMENT_ENDED else "was withdrawn"
        )
        cure = "the developer may begin a new one at any time"
        raise Refused(f"this engagement {how} at {instant(over[0].at)}; {cure}")


def _developer(on: Standing, by: Principal, deed: str) -> None:
    if on.party(by) != "developer":
        raise Refused(f"only the developer, {on.engagement.developer}, {deed}")


def _deciding(on: Standing, by: Principal, deed: str) -> None:
    """Raises: Refused, unless *by* has the role that the regime says decides."""
    body = on.regime.decides
    if body is None:
        raise Refused(f"under {on.regime.id} nobody {deed}")
    if on.party(by) == "developer" or body.role not in by.roles:
        raise Refused(f"only the role {body.role} ({body.body}) {deed}")
