"""Who answers, and how: inquiry, determination, quorum, dissent, recusal, correction.

As in `engagement`, each function decides whether one act may be recorded now, or raises `Refused`. A
quorum counts persons with the role that the regime names, each about exactly what was proposed, by
its digest. Nothing here bears on what the developer may do, and nobody waits for anything of it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from leadline.core.access import Principal
from leadline.core.engagement.determination import Answer, Determination, Variant
from leadline.core.engagement.engagement import (
    Deed,
    Standing,
    deed_of,
    over,
    require_developer,
    require_going_on,
    require_government,
    require_in_order,
    sound,
    weights,
)
from leadline.core.engagement.regime import Decider, Regime, Trigger
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind, instant

# What a determination is. Whatever of it changes is another determination.
SUBSTANCE = (
    "scope",
    "answer",
    "outcome",
    "basis",
    "certificate",
    "criteria",
    "pack",
    "alpha_above",
    "alpha_below",
    "expires",
    "official",
    "demonstration",
)
NO_RIGHT = "asking implies no right to an answer or to a change (compare EO 14409 sec. 5(c))"
ALWAYS: Mapping[Trigger, str] = {
    Trigger.NEW_WEIGHTS: "A determination speaks of one weights version; this is another.",
    Trigger.NEW_VARIANT: "A determination speaks of one variant; this is another.",
    Trigger.EXPIRY: "The determination says until when it speaks; that time has come.",
}


@dataclass(frozen=True, slots=True)
class Position:
    """What one person said of one proposal; *reasons* is the digest of a dissent's reasons."""

    person: str
    at: datetime
    reasons: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposed determination, by its digest, with each person's last position on it."""

    digest: str
    by: str
    at: datetime
    regime: str
    positions: tuple[Position, ...] = ()

    def concurring(self) -> frozenset[str]:
        """Who concurs, of those whose position still counts."""
        return frozenset(one.person for one in self.positions if not one.reasons)

    def dissenting(self) -> tuple[Position, ...]:
        """The dissents; each stands in the record and on every page about it."""
        return tuple(one for one in self.positions if one.reasons)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded determination with what followed it; each is an act."""

    act: Act
    corrections: tuple[Act, ...] = ()
    responses: tuple[Act, ...] = ()
    reconsiderations: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that stands again: since when, about which weights version, by what rule."""

    trigger: Trigger
    words: str
    cites: str
    since: datetime
    weights: str
    variant: Variant = field(default=Variant.NOT_STATED)


def digest(determination: Determination) -> str:
    """SHA-256 in hex of every word of it: what is proposed, concurred with and signed."""
    text = json.dumps(
        determination.to_record(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return sha256(text.encode()).hexdigest()


def answer_inquiry(
    on: Standing,
    by: Principal,
    now: datetime,
    *,
    answer: Answer,
    basis: str,
    caveats: tuple[str, ...] = (),
) -> Deed:
    """Answer the latest inquiry; *basis* is the digest of what the answer rests on."""
    require_going_on(on.acts)
    asked = on.recorded(Kind.INQUIRY_LODGED)
    if not asked:
        raise Refused("there is no inquiry to answer; the developer lodges one if it wishes")
    text = _text(on, str(asked[-1].detail.get("regime")))
    _deciding(on, text, by, now, "answers an inquiry")
    return deed_of(
        on,
        by,
        Kind.INQUIRY_ANSWERED,
        inquiry=asked[-1].id,
        answer=answer.value,
        basis=basis,
        caveats=caveats,
        regime=text.digest,
    )


def propose(
    on: Standing, by: Principal, now: datetime, *, determination: Determination, under: str = ""
) -> Deed:
    """The deciding role writes down what it would record, for others to concur with or dissent from."""
    require_going_on(on.acts)
    text = on.text(under)
    _deciding(on, text, by, now, "proposes a determination")
    _fits(on, determination, now)
    proposed = digest(determination)
    if any(one.digest == proposed and one.by == by.id for one in proposals(on)):
        raise Refused("you proposed this very determination already")
    detail = determination.to_record() | {"proposal": proposed, "regime": text.digest}
    return deed_of(on, by, Kind.DETERMINATION_PROPOSED, **detail)


def concur(on: Standing, by: Principal, now: datetime, *, proposal: str) -> Deed:
    """A concurring role agrees to exactly what was proposed, named by its digest."""
    found = _position(on, by, now, proposal, "concurs")
    if by.id in found.concurring():
        raise Refused("you concurred with this proposal already")
    return deed_of(on, by, Kind.DETERMINATION_CONCURRED, proposal=proposal)


def dissent(on: Standing, by: Principal, now: datetime, *, proposal: str, reasons: str) -> Deed:
    """A concurring role disagrees, with its reasons; *reasons* is their digest."""
    found = _position(on, by, now, proposal, "dissents")
    if by.id in {one.person for one in found.dissenting()}:
        raise Refused("your dissent from this proposal stands already")
    return deed_of(on, by, Kind.DETERMINATION_DISSENTED, proposal=proposal, reasons=reasons)


def record_determination(
    on: Standing, by: Principal, now: datetime, *, determination: Determination, under: str = ""
) -> Deed:
    """The deciding role records its answer. Nothing the developer may do depends on it.

    Where the regime's quorum is more than the decider, that many persons concur with this very
    determination first.
    """
    require_going_on(on.acts)
    text = on.text(under)
    body = _deciding(on, text, by, now, "records a determination")
    _fits(on, determination, now)
    known = digest(determination)
    if any(digest_of(one.act) == known for one in determinations(on)):
        raise Refused("this very determination is recorded already")
    found = next((one for one in proposals(on) if one.digest == known), None)
    concurring = found.concurring() - {by.id} if found else frozenset()
    have = 1 + len(concurring)
    if body.quorum > 1 and (found is None or found.regime != text.digest):
        problem = f"{text.id} asks for {body.quorum} persons"
        raise Refused(f"{problem}; propose this determination under this text first")
    if have < body.quorum:
        problem = f"{have} of {body.quorum} persons stand behind it"
        raise Refused(f"{problem}; {body.quorum - have} more concur first")
    detail = determination.to_record() | {
        "until": instant(determination.expires),
        "regime": text.digest,
        "proposal": known,
        "concurring": tuple(sorted(concurring)),
        "dissenting": tuple(one.reasons for one in found.dissenting()) if found else (),
    }
    return deed_of(on, by, Kind.DETERMINATION_RECORDED, **detail)


def recuse(on: Standing, by: Principal, now: datetime) -> Deed:
    """An official steps aside: from now on it does nothing about this engagement's determination.

    The engagement goes on as before; another person with the role answers in its stead.
    """
    require_going_on(on.acts)
    require_government(on, by, "recuses itself")
    require_in_order(on, by, now)
    if by.id in recused(on):
        raise Refused("you are recused already")
    return deed_of(on, by, Kind.OFFICIAL_RECUSED)


def recused(on: Standing) -> frozenset[str]:
    """The persons who stepped aside."""
    return frozenset(act.actor for act in on.recorded(Kind.OFFICIAL_RECUSED))


def respond(on: Standing, by: Principal, *, determination: str, response: str) -> Deed:
    """The developer's own words beside a determination, at any time; *response* is their digest."""
    require_going_on(on.acts)
    require_developer(on, by, "responds to a determination")
    _named(on, determination)
    return deed_of(on, by, Kind.RESPONSE_MADE, determination=determination, response=response)


def correct(
    on: Standing,
    by: Principal,
    now: datetime,
    *,
    of: str,
    old: Determination,
    new: Determination,
) -> Deed:
    """The deciding role corrects the words of the determination *of*; the old act stays.

    Its substance is not corrected: another answer is another determination. *old* is what was last
    recorded about it.
    """
    require_going_on(on.acts)
    found = _named(on, of)
    text = _text(on, str(found.act.detail.get("regime")))
    _deciding(on, text, by, now, "corrects a determination")
    last = digest_of((found.act, *found.corrections)[-1])
    if digest(old) != last:
        raise Refused("it was corrected meanwhile; read it again")
    for name in SUBSTANCE:
        if getattr(old, name) != getattr(new, name):
            raise Invalid(name, "this would be another determination; record that one")
    before, after = old.to_record(), new.to_record()
    changed = tuple(sorted(name for name in after if before[name] != after[name]))
    if not changed:
        raise Invalid("correction", "nothing differs from what is recorded")
    detail = after | {"determination": of, "changed": changed, "proposal": digest(new)}
    return deed_of(on, by, Kind.DETERMINATION_CORRECTED, **detail)


def ask_reconsideration(on: Standing, by: Principal, *, determination: str, reasons: str) -> Deed:
    """The developer asks the deciding body to look again, where that body offers to."""
    require_going_on(on.acts)
    require_developer(on, by, "asks for reconsideration")
    text = _text(on, str(_named(on, determination).act.detail.get("regime")))
    if text.decides is None or not text.decides.reconsiders:
        problem = f"under {text.id} nobody offers to look again"
        raise Refused(f"{problem}; a response stands beside the determination at any time")
    detail = {"determination": determination, "reasons": reasons, "note": NO_RIGHT}
    return deed_of(on, by, Kind.RECONSIDERATION_ASKED, **detail)


def answer_reconsideration(
    on: Standing, by: Principal, now: datetime, *, asked: str, answer: str
) -> Deed:
    """The deciding role answers; a changed answer is a determination of its own. *answer*: a digest."""
    require_going_on(on.acts)
    acts = {act.id: act for act in on.recorded(Kind.RECONSIDERATION_ASKED)}
    if asked not in acts:
        raise NotFound(f"nobody asked for reconsideration here as {asked}")
    about = str(acts[asked].detail.get("determination"))
    text = _text(on, str(_named(on, about).act.detail.get("regime")))
    _deciding(on, text, by, now, "answers a reconsideration")
    if any(act.detail.get("asked") == asked for act in on.recorded(Kind.RECONSIDERATION_ANSWERED)):
        raise Refused("this was answered already")
    detail = {"asked": asked, "determination": about, "answer": answer}
    return deed_of(on, by, Kind.RECONSIDERATION_ANSWERED, **detail)


def proposals(on: Standing) -> tuple[Proposal, ...]:
    """Every proposal, oldest first; positions and proposals of persons since recused are left out."""
    out = recused(on)
    found: dict[str, Proposal] = {}
    positions: dict[str, dict[str, Position]] = {}
    for act in on.acts:
        if act.actor in out:
            continue
        name = str(act.detail.get("proposal"))
        if act.kind is Kind.DETERMINATION_PROPOSED:
            regime = str(act.detail.get("regime"))
            found.setdefault(name, Proposal(name, act.actor, act.at, regime))
        elif act.kind in {Kind.DETERMINATION_CONCURRED, Kind.DETERMINATION_DISSENTED}:
            reasons = str(act.detail.get("reasons", ""))
            positions.setdefault(name, {})[act.actor] = Position(act.actor, act.at, reasons)
    return tuple(
        Proposal(one.digest, one.by, one.at, one.regime, tuple(positions.get(name, {}).values()))
        for name, one in found.items()
    )


def determinations(on: Standing) -> tuple[Recorded, ...]:
    """Every recorded determination with its corrections, responses and reconsiderations."""

    def about(act: Act, *kinds: Kind) -> tuple[Act, ...]:
        return tuple(
            one for one in on.recorded(*kinds) if one.detail.get("determination") == act.id
        )

    return tuple(
        Recorded(
            act,
            about(act, Kind.DETERMINATION_CORRECTED),
            about(act, Kind.RESPONSE_MADE),
            about(act, Kind.RECONSIDERATION_ASKED, Kind.RECONSIDERATION_ANSWERED),
        )
        for act in on.recorded(Kind.DETERMINATION_RECORDED)
    )


def digest_of(act: Act) -> str:
    """The digest of the determination that an act proposed, recorded or corrected."""
    return str(act.detail.get("proposal"))


def questions_open(on: Standing, now: datetime) -> tuple[Asked, ...]:
    """What asks the question of the recorded determinations again, oldest first.

    Empty before the first determination, and once the engagement is over. Each is a question and
    nothing else: nothing follows if nobody answers it.
    """
    recorded = determinations(on)
    if not recorded or over(on.acts):
        return ()
    found = [*_new_weights(on, recorded), *_expired(on, recorded, now), *_new_text(on, recorded)]
    return tuple(sorted(found, key=lambda one: one.since))


def _new_weights(on: Standing, recorded: tuple[Recorded, ...]) -> Iterator[Asked]:
    """Registered weights and variants of which no determination speaks."""
    spoken = {(_told(one.act, "subject"), _told(one.act, "variant")) for one in recorded}
    subjects = {subject for subject, _ in spoken}
    for act in on.recorded(Kind.WEIGHTS_REGISTERED):
        pair = _told(act, "weights"), _told(act, "variant")
        if pair not in spoken:
            new = Trigger.NEW_WEIGHTS if pair[0] not in subjects else Trigger.NEW_VARIANT
            yield _asked(on, recorded[-1].act, new, act.at, pair)


def _expired(on: Standing, recorded: tuple[Recorded, ...], now: datetime) -> Iterator[Asked]:
    """Scopes of which the last determination has come to its end."""
    last = {(_told(one.act, "subject"), _told(one.act, "variant")): one.act for one in recorded}
    for pair, act in last.items():
        expires = datetime.fromisoformat(_told(act, "expires"))
        if expires <= now:
            yield _asked(on, act, Trigger.EXPIRY, expires, pair)


def _new_text(on: Standing, recorded: tuple[Recorded, ...]) -> Iterator[Asked]:
    """Newer texts of the regime that the last determination was recorded under, if it names them."""
    act = recorded[-1].act
    text = _text(on, _told(act, "regime"))
    if all(one.trigger is not Trigger.NEW_TEXT for one in text.asks_again):
        return
    known = on.acts.index(act)
    for added in on.acts[known:]:
        if added.kind is Kind.REGIME_ADDED and added.detail.get("id") == text.id:
            pair = _told(act, "subject"), _told(act, "variant")
            yield _asked(on, act, Trigger.NEW_TEXT, added.at, pair)


def _asked(
    on: Standing, act: Act, trigger: Trigger, since: datetime, pair: tuple[str, str]
) -> Asked:
    """The question in the regime's words where it has some."""
    text = _text(on, _told(act, "regime"))
    rule = next((one for one in text.asks_again if one.trigger is trigger), None)
    words, cites = (rule.words, rule.cites) if rule else (ALWAYS[trigger], "")
    return Asked(trigger, words, cites, since, pair[0], Variant(pair[1]))


def _told(act: Act, name: str) -> str:
    """A text of an act's detail; what an older record does not have is not stated."""
    return str(act.detail.get(name, Variant.NOT_STATED.value))


def _text(on: Standing, known: str) -> Regime:
    """The text with this digest, among those of the engagement."""
    return next((text for text in on.regimes if text.digest == known), on.regime)


def _named(on: Standing, id_: str) -> Recorded:
    for one in determinations(on):
        if one.act.id == id_:
            return one
    raise NotFound(f"no determination is recorded here as {id_}")


def _fits(on: Standing, determination: Determination, now: datetime) -> None:
    """Raises: Invalid, if it is about another model or weights version, or ended already."""
    scope = determination.scope
    if scope.model != on.engagement.model:
        raise Invalid("scope.model", f"this engagement is about {on.engagement.model}; write that")
    known = {variant for subject, variant in weights(on) if subject == scope.subject_digest}
    if not known:
        problem = (
            "the developer registered no such weights version with `leadline engagement weights`"
        )
        raise Invalid("scope.subject", problem)
    if Variant.NOT_STATED not in known and scope.variant not in known:
        raise Invalid(
            "scope.variant",
            f"the developer registered no variant {scope.variant} of these weights",
        )
    expires = sound("expires", determination.expires)
    if determination.expires <= now:
        raise Invalid("expires", f"{expires} is in the past; name a later end")


def _deciding(on: Standing, text: Regime, by: Principal, now: datetime, deed: str) -> Decider:
    """The deciding body of *text*, if *by* may act for it.

    Raises: Refused.
    """
    body = text.decides
    if body is None:
        raise Refused(f"under {text.id} nobody {deed}")
    if on.party(by) == "developer" or body.role not in by.roles:
        raise Refused(f"only the role {body.role} ({body.body}) {deed}")
    _not_recused(on, by, deed)
    require_in_order(on, by, now)
    return body


def _not_recused(on: Standing, by: Principal, deed: str) -> None:
    if by.id in recused(on):
        raise Refused(f"a recused person no longer {deed}; another with the role does")


def _position(on: Standing, by: Principal, now: datetime, proposal: str, deed: str) -> Proposal:
    """The proposal that *by* may state a position on.

    Raises: NotFound; Refused.
    """
    require_going_on(on.acts)
    found = next((one for one in proposals(on) if one.digest == proposal), None)
    if found is None:
        raise NotFound(f"no proposal {proposal} stands here")
    body = _text(on, found.regime).decides
    roles = body.concurs if body else ()
    if on.party(by) == "developer" or not by.roles & set(roles):
        who = f"the roles {', '.join(roles)}" if roles else "nobody"
        raise Refused(f"under this regime {who} {deed}")
    _not_recused(on, by, deed)
    require_in_order(on, by, now)
    if by.id == found.by:
        raise Refused("whoever proposed it is counted as the decider; another person is due")
    if any(digest_of(one.act) == proposal for one in determinations(on)):
        raise Refused("it is recorded already; what was said of it then stands")
    return found
