"""The access window, computed from acts each time it is asked for and never stored.

The anchor is the developer's planned first release to another trusted partner. Government access
opens no earlier than the regime's days before the anchor. It ends at the earliest of: the anchor; the
regime's days after opening; withdrawal; expiry of the terms; an end by either party. Once access is
open, an anchor moved later does not move the end: only the developer's own extension does, and never
beyond the anchor or the days. An anchor moved earlier ends access earlier, at once. No end is ever
put before the act that caused it, so that what was read under open access stays so. Silence, and acts
of others, change none of the developer's dates. Under several regimes each has a window of its own:
an act that names one (``under``) counts for that one alone, terms and ends for each.

A day is 24 hours, so that a change to a time zone's rules moves no date of the record; the zone of
the anchor is kept to show times in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.engagement.regime import Regime
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind


class EndedBy(StrEnum):
    """What ends, or ended, government access."""

    ANCHOR = "anchor"
    DAYS_OPEN = "days-open"
    WITHDRAWAL = "withdrawal"
    TERMS_EXPIRY = "terms-expiry"
    PARTY = "ended-by-a-party"


@dataclass(frozen=True, slots=True)
class Window:
    """The window as the acts so far make it.

    *opens_not_before* is None until the developer has named an anchor; *opened* and *ends* are None
    until it has opened access. *ended_by* says what sets *ends*, and is ``withdrawal`` also where
    the developer withdrew before opening. *zone* names the anchor's time zone, for display.
    """

    anchor: datetime | None = None
    zone: str = ""
    opens_not_before: datetime | None = None
    opened: datetime | None = None
    ends: datetime | None = None
    ended_by: EndedBy | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether government access is open at *now*; it no longer is at the very end."""
        return self.opened is not None and self.ends is not None and self.opened <= now < self.ends


@dataclass(frozen=True, slots=True)
class _Dates:
    """What the acts fix; *limit* is the end that the anchor gives, once access is open.

    *offered* is the digest and expiry of the terms that the developer agreed to last, *theirs* the
    digest of those that the government did, *expiry* that of the terms in effect.
    """

    anchor: datetime | None = None
    zone: str = ""
    offered: tuple[str, datetime] | None = None
    theirs: str = ""
    expiry: datetime | None = None
    opened: datetime | None = None
    limit: datetime | None = None
    ended: datetime | None = None
    withdrawn: datetime | None = None


def window(regime: Regime, acts: Iterable[Act]) -> Window:
    """The access window that *acts*, in the order of the record, give under *regime*.

    Raises: Invalid, for an act whose detail lacks a time it needs.
    """
    dates = _Dates()
    for act in acts:
        if act.detail.get("under", regime.id) == regime.id:
            dates = _after(dates, act)
    rule, earliest = regime.window, None
    if rule and dates.anchor:
        earliest = dates.anchor - timedelta(days=rule.days_before_anchor_max)
    found = Window(dates.anchor, dates.zone, earliest, dates.opened)
    if dates.opened is None or rule is None:
        return replace(found, ended_by=EndedBy.WITHDRAWAL if dates.withdrawn else None)
    ends = (
        (dates.withdrawn, EndedBy.WITHDRAWAL),
        (dates.ended, EndedBy.PARTY),
        (dates.limit, EndedBy.ANCHOR),
        (dates.opened + timedelta(days=rule.days_open_max), EndedBy.DAYS_OPEN),
        (dates.expiry, EndedBy.TERMS_EXPIRY),
    )
    end, ended_by = min(
        ((at, cause) for at, cause in ends if at is not None), key=lambda pair: pair[0]
    )
    return replace(found, ends=end, ended_by=ended_by)


def _after(dates: _Dates, act: Act) -> _Dates:
    """The dates with one more act."""
    if act.kind in {Kind.ACCESS_ENDED, Kind.ENGAGEMENT_ENDED}:
        return replace(dates, ended=_first(dates.ended, act.at)) if dates.opened else dates
    if act.kind is Kind.TERMS_AGREED:
        return _agreed(dates, act)
    return _by_developer(dates, act) if act.detail.get("party") == "developer" else dates


def _agreed(dates: _Dates, act: Act) -> _Dates:
    """New terms: in effect once both parties agreed to them last; before that they can only shorten.

    As `leadline.core.engagement.terms.in_effect`. Access that ended with its terms stays ended.
    """
    terms, over = str(act.detail.get("terms")), dates.expiry
    if act.detail.get("party") != "developer":
        dates = replace(dates, theirs=terms)
        expiry = over
        if dates.offered and dates.offered[0] == terms:
            expiry = max(dates.offered[1], act.at)
    else:
        expiry = max(time_in(act, "expires"), act.at)
        dates = replace(dates, offered=(terms, expiry))
        if over and terms != dates.theirs:
            expiry = min(expiry, over)
    if dates.opened and over and over <= act.at:
        return dates
    return replace(dates, expiry=expiry)


def _by_developer(dates: _Dates, act: Act) -> _Dates:
    """The dates that only the developer moves."""
    match act.kind:
        case Kind.ENGAGEMENT_WITHDRAWN:
            return replace(dates, withdrawn=_first(dates.withdrawn, act.at))
        case Kind.ANCHOR_SET:
            return _anchored(dates, act)
        case Kind.ACCESS_OPENED if dates.opened is None:
            return replace(dates, opened=act.at, limit=dates.anchor)
        case Kind.ACCESS_EXTENDED if dates.opened and dates.anchor:
            until = max(time_in(act, "until"), act.at)
            return replace(dates, limit=min(until, max(dates.anchor, act.at)))
        case _:
            return dates


def _anchored(dates: _Dates, act: Act) -> _Dates:
    """A new anchor: before opening it is simply the anchor, afterwards it can only shorten."""
    anchor, zone = time_in(act, "anchor"), str(act.detail.get("zone", ""))
    limit = dates.limit
    if limit is not None:
        limit = min(limit, max(anchor, act.at))
    return replace(dates, anchor=anchor, zone=zone, limit=limit)


def _first(earlier: datetime | None, at: datetime) -> datetime:
    return at if earlier is None else min(earlier, at)


def time_in(act: Act, name: str) -> datetime:
    """A time of an act's detail.

    Raises: Invalid, naming act and field, if it is not RFC 3339 text with an offset.
    """
    text, field = act.detail.get(name), f"act {act.id}, {name}"
    if not isinstance(text, str):
        raise Invalid(field, "a time as text is due")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(field, str(error)) from error
    if at.tzinfo is None:
        raise Invalid(field, "a time needs an offset")
    return at
