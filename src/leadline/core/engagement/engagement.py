"""An engagement: a developer's dealings with the programme about one model.

The engagement itself never changes; everything else follows from its acts. Each function here decides
whether one act may be recorded now and answers its `Deed`, or raises `Refused` with the cure. Who may
act at all is for the access rules; what only the developer can do is fixed here too, so that no rule
file can change it.

Invariants: `State` has six words and none of them bears on a release; only the developer moves the
anchor, opens or extends access, and withdraws; withdrawal works in every state, at once, without a
reason; a determination changes nothing that the developer may do; no act waits for an answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from leadline.core.access import Principal
from leadline.core.engagement.clock import Window, window
from leadline.core.engagement.determination import HEX, Variant
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Party, Regime, Status, require_effect
from leadline.core.engagement.terms import Terms, in_effect
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind, Value, instant

NAME_MAX = 200
YEARS = (2000, 2999)
OVER = frozenset({Kind.ENGAGEMENT_WITHDRAWN, Kind.ENGAGEMENT_ENDED})
SKEW = timedelta(minutes=5)  # by which two machines of one installation may differ


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
    """An engagement with its regimes and its acts so far, in the order of the record.

    *regime* is the text it was opened under; *added* are the texts that the developer's acts added
    since, in their order.
    """

    engagement: Engagement
    regime: Regime
    acts: tuple[Act, ...] = ()
    added: tuple[Regime, ...] = ()

    def __post_init__(self) -> None:
        if self.engagement.regime_digest != self.regime.digest:
            raise Invalid("regime", "the engagement was opened under another text of this regime")
        recorded = [act.detail.get("regime") for act in self.recorded(Kind.REGIME_ADDED)]
        if recorded != [text.digest for text in self.added]:
            raise Invalid("added", "these are not the texts that the acts added")

    @property
    def regimes(self) -> tuple[Regime, ...]:
        """Every text, the one it was opened under first; a later text of an id is the newer."""
        return (self.regime, *self.added)

    @property
    def window(self) -> Window:
        """The access window of the first regime, computed."""
        return self.windows[self.regime.id]

    @property
    def windows(self) -> Mapping[str, Window]:
        """A window for each regime's id, by the text that access was opened under, or the newest."""
        return {
            id_: window(self.opened_under(id_) or self.text(id_), self.acts)
            for id_ in dict.fromkeys(text.id for text in self.regimes)
        }

    def text(self, id_: str = "") -> Regime:
        """The text of one regime that counts for what is new; of the first regime without an id.

        Raises: Refused, if the engagement is not under that regime.
        """
        wanted = id_ or self.regime.id
        found = [text for text in self.regimes if text.id == wanted]
        if not found:
            cure = "the developer may add a regime"
            raise Refused(f"this engagement is not under {wanted}; {cure}")
        return found[-1]

    def opened_under(self, id_: str) -> Regime | None:
        """The text that access was opened under, which keeps the window that it gave."""
        for act in self.recorded(Kind.ACCESS_OPENED):
            for text in self.regimes:
                if text.id == id_ and text.digest == act.detail.get("regime"):
                    return text
        return None

    def open_windows(self, now: datetime) -> Mapping[str, Window]:
        """Those of the windows that are open at *now*."""
        return {id_: one for id_, one in self.windows.items() if one.is_open(now)}

    def shown(self, now: datetime) -> Window:
        """The window to show where one is: one that is open, else the last to end, else the first."""
        opened = [one for one in self.windows.values() if one.opened and one.ends]
        current = [one for one in opened if one.is_open(now)]
        last = sorted(opened, key=lambda one: one.ends or now)[-1:]
        return next(iter([*current, *last]), self.window)

    def party(self, by: Principal) -> Party:
        """Whose side *by* is on."""
        return "developer" if by.org == self.engagement.developer else "government"

    def recorded(self, *kinds: Kind) -> list[Act]:
        """The acts of these kinds, oldest first."""
        return [act for act in self.acts if act.kind in kinds]

    def word(self, now: datetime) -> State:
        """The word shown at *now*."""
        return _word(self.acts, self.windows.values(), now)


def state(regime: Regime, acts: Sequence[Act], now: datetime) -> State:
    """The word shown for *acts* under one regime at *now*."""
    return _word(acts, (window(regime, acts),), now)


def _word(acts: Sequence[Act], windows: Iterable[Window], now: datetime) -> State:
    """Withdrawal outweighs all, open access a determination recorded meanwhile."""
    kinds = {act.kind for act in acts}
    if Kind.ENGAGEMENT_WITHDRAWN not in kinds and any(one.is_open(now) for one in windows):
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


def standing(facts: Engagement, library: Library, acts: Sequence[Act]) -> Standing:
    """The engagement as its acts and the texts of *library* make it.

    Raises: NotFound, naming the digest, if a text it was opened under, or that was added, is gone.
    """
    added = [act for act in acts if act.kind is Kind.REGIME_ADDED]
    return Standing(
        facts,
        library.text(facts.regime_digest),
        tuple(acts),
        tuple(library.text(str(act.detail.get("regime"))) for act in added),
    )


def add_regime(on: Standing, by: Principal, *, regime: Regime) -> Deed:
    """The developer puts the engagement under a further regime, or under a newer text of one.

    What is recorded keeps the text it was recorded under; what is new is made under the newer.
    """
    require_going_on(on.acts)
    require_developer(on, by, "adds a regime")
    if regime.status in {Status.NEVER_IN_FORCE, Status.REVOKED, Status.SUPERSEDED}:
        problem = f"{regime.id} has no effect ({regime.status.value})"
        raise Refused(f"{problem}; choose a regime that has, or will have")
    held = [text for text in on.regimes if text.id == regime.id]
    if any(text.digest == regime.digest for text in held):
        raise Refused(f"this engagement is under this text of {regime.id} already")
    if held and (not regime.supersedes or held[-1].supersedes == regime.digest):
        raise Refused(f"this text of {regime.id} is older than the one the engagement is under")
    return deed_of(on, by, Kind.REGIME_ADDED, id=regime.id, regime=regime.digest)


def register_weights(
    on: Standing, by: Principal, *, digest: str, name: str, variant: Variant
) -> Deed:
    """The developer names a weights version, by the subject's digest; it asks again what was asked."""
    require_going_on(on.acts)
    require_developer(on, by, "registers a weights version")
    if not HEX.fullmatch(digest):
        raise Invalid("digest", "64 hexadecimal digits in lower case, the subject's SHA-256")
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid("name", f"1 to {NAME_MAX} characters on one line")
    if (digest, variant) in weights(on):
        raise Refused(f"this weights version is registered already ({variant})")
    detail = {"weights": digest, "name": name, "variant": variant.value}
    return deed_of(on, by, Kind.WEIGHTS_REGISTERED, **detail)


def weights(on: Standing) -> frozenset[tuple[str, Variant]]:
    """The weights versions that the engagement is about, by digest and variant.

    None, where it began with a question about a model of which nothing is known yet.
    """
    first = {(on.engagement.subject_digest, Variant.NOT_STATED)}
    later = {
        (str(act.detail.get("weights")), Variant(str(act.detail.get("variant"))))
        for act in on.recorded(Kind.WEIGHTS_REGISTERED)
    }
    return frozenset(one for one in first | later if one[0])


def lodge_inquiry(
    on: Standing, by: Principal, now: datetime, *, question: str, under: str = ""
) -> Deed:
    """Ask whether a model under development would be covered; opens no access, needs no weights.

    *question* is the digest of what was asked. Asking again is always possible.
    """
    require_going_on(on.acts)
    require_developer(on, by, "lodges an inquiry")
    text = on.text(under)
    require_effect(text, now)
    return deed_of(on, by, Kind.INQUIRY_LODGED, regime=text.digest, question=question)


def set_anchor(
    on: Standing, by: Principal, *, anchor: datetime, zone: str = "UTC", under: str = ""
) -> Deed:
    """Name or move the planned first release to another trusted partner; it needs nobody's answer.

    *anchor* carries its offset; *zone* is the name it is shown under; *under* is the regime whose
    anchor it is, the first without one.
    """
    require_going_on(on.acts)
    require_developer(on, by, "sets the anchor")
    id_ = on.text(under).id
    at = sound("anchor", anchor)
    shown = anchor.isoformat()
    return deed_of(on, by, Kind.ANCHOR_SET, anchor=at, shown=shown, zone=zone, under=id_)


def agree_terms(on: Standing, by: Principal, now: datetime, *, terms: Terms) -> Deed:
    """One party agrees to *terms*; they have effect once both agreed to the same digest."""
    require_going_on(on.acts)
    require_in_order(on, by, now)
    expires = sound("expires", terms.expires)
    if terms.expires <= now:
        raise Invalid("expires", f"{expires} is in the past; agree terms that last")
    return deed_of(on, by, Kind.TERMS_AGREED, terms=terms.digest, expires=expires, until=expires)


def signed_last(on: Standing) -> Mapping[str, str]:
    """The digest of the terms that each party agreed to last, by party."""
    acts = on.recorded(Kind.TERMS_AGREED)
    return {str(act.detail.get("party")): str(act.detail.get("terms")) for act in acts}


def agreed_terms(on: Standing) -> str:
    """The digest of the terms in effect; one party's agreement to others changes nothing of it.

    Raises: Refused, naming who has yet to agree.
    """
    found = in_effect(on.acts)
    if found:
        return found
    latest = signed_last(on)
    for party in ("developer", "government"):
        if party not in latest:
            raise Refused(f"the {party} has agreed to no terms yet; both parties agree first")
    raise Refused("the parties agreed to different terms; agree to the same text")


def open_access(on: Standing, by: Principal, now: datetime, *, under: str = "") -> Deed:
    """The developer gives access under the agreed terms, within the window of the regime *under*."""
    require_going_on(on.acts)
    require_developer(on, by, "opens access")
    text = on.text(under)
    require_effect(text, now)
    found, rule = on.windows[text.id], text.window
    if rule is None:
        raise Refused(f"{text.id} gives no access; use a regime that has an access window")
    if found.opened:
        problem = f"access under {text.id} was opened at {instant(found.opened)}"
        raise Refused(f"{problem}; one engagement opens it once")
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
    probe = deed_of(on, by, Kind.ACCESS_OPENED, regime=text.digest, terms=terms, under=text.id)
    if not window(text, (*on.acts, _as_act(on, by, now, probe))).is_open(now):
        raise Refused("the agreed terms have expired; both parties agree terms that last")
    return probe


def extend(on: Standing, by: Principal, now: datetime, *, until: datetime, under: str = "") -> Deed:
    """The developer lets open access last longer, to the anchor or the regime's days at most."""
    require_going_on(on.acts)
    require_developer(on, by, "extends access")
    id_ = on.text(under).id
    text, found = on.opened_under(id_), on.windows[id_]
    if text is None or found.ends is None or not found.is_open(now):
        raise Refused("access is not open, and what has ended is not extended")
    probe = deed_of(on, by, Kind.ACCESS_EXTENDED, until=sound("until", until), under=id_)
    extended = window(text, (*on.acts, _as_act(on, by, now, probe)))
    if extended.ends is None or extended.ends < until:
        ends, cause = extended.ends or found.ends, extended.ended_by or found.ended_by
        raise Refused(f"access lasts until {instant(ends)} at most ({cause}); ask for no more")
    if until <= found.ends:
        raise Refused(f"access lasts until {instant(found.ends)} as it is; end it to shorten it")
    return probe


def end_access(on: Standing, by: Principal, now: datetime, *, under: str = "") -> Deed:
    """Either party ends open access, at once: that of one regime, or all of it."""
    require_going_on(on.acts)
    require_in_order(on, by, now)
    windows = on.open_windows(now)
    if not windows or (under and on.text(under).id not in windows):
        raise Refused("access is not open")
    return deed_of(on, by, Kind.ACCESS_ENDED, **({"under": under} if under else {}))


def end(on: Standing, by: Principal) -> Deed:
    """Either party ends the engagement; what is recorded stays, open access ends with it."""
    require_going_on(on.acts)
    return deed_of(on, by, Kind.ENGAGEMENT_ENDED)


def withdraw(on: Standing, by: Principal) -> Deed:
    """The developer withdraws: in any state, at once, without a reason. Ends access at this instant."""
    return leave(on.engagement, by)


def leave(facts: Engagement, by: Principal) -> Deed:
    """As `withdraw`, from the facts alone: neither acts nor a regime's file can stand in its way."""
    if by.org != facts.developer:
        raise Refused(f"only the developer, {facts.developer}, withdraws")
    return Deed(Kind.ENGAGEMENT_WITHDRAWN, facts.id, {"party": "developer"})


def ask_information(on: Standing, by: Principal, now: datetime, *, question: str) -> Deed:
    """The government asks the developer something; *question* is a digest.

    Unanswered, it changes nothing but a count.
    """
    require_going_on(on.acts)
    require_government(on, by, "asks for information")
    require_in_order(on, by, now)
    return deed_of(on, by, Kind.INFORMATION_ASKED, question=question)


def answer_information(on: Standing, by: Principal, *, asked: str, answer: str) -> Deed:
    """The developer answers what was asked in the act *asked*, or adds to its answer."""
    require_going_on(on.acts)
    require_developer(on, by, "answers what it was asked")
    if asked not in {act.id for act in on.recorded(Kind.INFORMATION_ASKED)}:
        raise NotFound(f"nothing was asked here as {asked}")
    return deed_of(on, by, Kind.INFORMATION_ANSWERED, asked=asked, answer=answer)


def unanswered(on: Standing) -> int:
    """How many requests for information have no answer: a count, which nothing computes with."""
    answered = {act.detail.get("asked") for act in on.recorded(Kind.INFORMATION_ANSWERED)}
    return sum(act.id not in answered for act in on.recorded(Kind.INFORMATION_ASKED))


def send_message(
    on: Standing, by: Principal, *, to: Sequence[str], content: str, partner: bool = False
) -> Deed:
    """Send a message; *to* names parties or persons, *content* is a digest.

    *partner* says that it comes from a trusted partner, who is of neither party.
    """
    require_going_on(on.acts)
    if not to or any(not one.strip() for one in to) or len(set(to)) != len(to):
        raise Invalid("to", "name developer, government or a person's id, each once")
    deed = deed_of(on, by, Kind.MESSAGE_SENT, to=tuple(to), content=content)
    return replace(deed, detail={**deed.detail, "party": "partner"}) if partner else deed


def deed_of(on: Standing, by: Principal, kind: Kind, **detail: Value) -> Deed:
    """The act with the party of whoever does it."""
    return Deed(kind, on.engagement.id, {"party": on.party(by), **detail})


def _as_act(on: Standing, by: Principal, now: datetime, deed: Deed) -> Act:
    """The act that *deed* would become, to look ahead with."""
    return Act("next", deed.kind, now, by.id, deed.about, on.engagement.id, deed.detail)


def sound(field: str, at: datetime) -> str:
    """*at* as a record spells it; every date that follows from it lies in the calendar too.

    Raises: Invalid, naming *field*.
    """
    if at.tzinfo is None:
        raise Invalid(field, "a time needs an offset; give it one, UTC for preference")
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise Invalid(field, f"the year {at.year} is not from {YEARS[0]} to {YEARS[1]}")
    return instant(at)


def over(acts: Iterable[Act]) -> str:
    """Why nothing more begins in the engagement of *acts*; empty while it goes on."""
    for act in acts:
        if act.kind in OVER:
            how = "was withdrawn" if act.kind is Kind.ENGAGEMENT_WITHDRAWN else "ended"
            cure = "the developer may begin a new one at any time"
            return f"this engagement {how} on {act.at.astimezone(UTC):%-d %B %Y, %H:%M} UTC; {cure}"
    return ""


def require_going_on(acts: Iterable[Act]) -> None:
    """Raises: Refused, after a withdrawal or an end."""
    why = over(acts)
    if why:
        raise Refused(why)


def require_developer(on: Standing, by: Principal, deed: str) -> None:
    """Raises: Refused, unless *by* is one of the developer's people."""
    if on.party(by) != "developer":
        raise Refused(f"only the developer, {on.engagement.developer}, {deed}")


def require_government(on: Standing, by: Principal, deed: str) -> None:
    """Raises: Refused, for the developer's people."""
    if on.party(by) == "developer":
        raise Refused(f"the developer itself never {deed}")


def require_in_order(on: Standing, by: Principal, now: datetime) -> None:
    """Return unless a government act would stand before what is recorded already.

    Nothing of the developer's waits for a clock: one act of others with a wrong time would otherwise
    keep it from acting.

    Raises: Refused.
    """
    last = max((act.at for act in on.acts), default=now)
    if on.party(by) != "developer" and now < last - SKEW:
        problem = f"the last act here is of {instant(last)}, later than now"
        raise Refused(f"{problem}; set the clock of this machine right and try again")
