"""The engagement desk as the command line and pages open it: who acts, the law, the dealings.

Regimes, and the names of bodies, come with Leadline; an installation adds files of its own under
``regimes/`` of its folder, and they count from the next command.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from typing_extensions import override

from leadline.app import approval, determinations, engagement, listing, submission
from leadline.app.context import Context
from leadline.app.determinations import Page
from leadline.app.engagement import Dealings
from leadline.core.access import Action, Principal
from leadline.core.approval import Detail, Granted
from leadline.core.assessment import Subject
from leadline.core.engagement.clock import Window
from leadline.core.engagement.deciding import digest_of, questions_open
from leadline.core.engagement.determination import Determination
from leadline.core.engagement.engagement import Standing, unanswered
from leadline.core.engagement.library import Library
from leadline.core.errors import Invalid, NotFound
from leadline.core.intake import Purpose
from leadline.core.record.act import Act, Kind, Value
from leadline.identity import software_key
from leadline.settings import Home
from leadline.wiring.home import Parts
from leadline.wiring.regimes import DATA, EXAMPLES, library
from leadline.wiring.sign_in import at_door

if TYPE_CHECKING:  # the statistics behind criteria take long to import, and few commands need them
    from leadline.core.engagement.criteria import Criteria
    from leadline.wiring.submission import Folder

P = ParamSpec("P")
T = TypeVar("T")
CRITERIA = "criteria"
__all__ = ["DATA", "EXAMPLES", "AtDesk", "Desk", "at_desk", "criteria_packs", "document", "library"]


def criteria_packs(home: Home | None = None) -> Mapping[str, Path]:
    """Criteria packs by name: the synthetic ones that ship, and those of the installation's folder.

    Real criteria are never part of Leadline; a file of the same name takes the shipped one's place.
    """
    folders = (DATA / CRITERIA, *([home.folder / CRITERIA] if home else []))
    files = [file for folder in folders for file in folder.glob("*.toml")]
    return {file.stem: file for file in files if not file.name.endswith(EXAMPLES)}


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that was taken in: the artefact's id, SHA-256 in hex, length, and what it was found to be."""

    id: str
    digest: str
    bytes: int
    content: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A submission that was taken in: its manifest's artefact and digest, its files, the terms they came under."""

    manifest: str
    digest: str
    files: tuple[str, ...]
    terms: str


class Desk(ABC):
    """One person at the desk of an installation, which is here or at a server."""

    __slots__ = ()
    library: Library

    @property
    @abstractmethod
    def now(self) -> datetime:
        """The moment at which it is done."""

    @property
    @abstractmethod
    def person(self) -> Principal:
        """Who does it."""

    @abstractmethod
    def do(
        self, case: Callable[Concatenate[Context, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Carry out a use case as this person."""

    @abstractmethod
    def known(self, make: "Callable[[AtDesk], T]") -> T:
        """What the installation knows by itself, for a use case that is given it."""

    @abstractmethod
    def dealings(self, engagement_id: str) -> Dealings:
        """An engagement that this person may know of."""

    def standing(self, engagement_id: str) -> Standing:
        """One engagement with its acts so far."""
        return self.do(engagement.standing, self.dealings(engagement_id))

    def list(self) -> list[dict[str, Any]]:
        """The engagements that this person may read, without their acts."""
        found = [self.standing(one.id) for one in self.do(listing.engagements)]
        documents = [document(one, self.now) for one in found]
        return [{k: v for k, v in one.items() if k != "acts"} for one in documents]

    def ends(self, on: Dealings, under: str = "") -> str:
        """When access under one regime ends, as acts have it now; under the first without an id."""
        stands = self.do(engagement.standing, on)
        window = stands.windows[stands.text(under).id]
        return window.ends.isoformat() if window.ends else "no moment yet"

    def withdraw(self, engagement_id: str) -> datetime:
        """Withdraw from an engagement: access, and every open reading, ends at this instant."""
        return self.do(engagement.leave, engagement_id, self.known(lambda at: at.parts.keys)).at

    @abstractmethod
    def open(self, model: str, digest: str, regime: str) -> str:
        """Write down a new engagement of the caller's own organisation; answers its id.

        Raises: NotFound, for a regime that there is not.
        """

    @abstractmethod
    def signed(
        self, action: Action, on: Dealings, facts: Mapping[str, Detail], key: Path
    ) -> Granted:
        """This person asks for an act on an engagement and signs it at once with a key file.

        Raises: as `approval.asserted`; NotFound, Refused or Invalid, for the file.
        """

    @abstractmethod
    def deposit(self, file: Path, engagement_id: str, purpose: Purpose, *, sealed: bool) -> Handed:
        """Hand one file of this machine over.

        Raises: Invalid, if it is no plain file; otherwise as `leadline.app.intake.deposit`.
        """

    @abstractmethod
    def offer(self, on: Dealings, folder: "Folder") -> Offered:
        """Offer the submission in a folder; raises as `leadline.app.submission.offer`."""


@dataclass(frozen=True, slots=True)
class AtDesk(Desk):
    """One person at the desk of one installation."""

    ctx: Context
    parts: Parts
    home: Home
    library: Library

    @property
    @override
    def now(self) -> datetime:
        return self.ctx.now

    @property
    @override
    def person(self) -> Principal:
        return self.ctx.principal

    @override
    def do(
        self, case: Callable[Concatenate[Context, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return case(self.ctx, *args, **kwargs)

    @override
    def known(self, make: "Callable[[AtDesk], T]") -> T:
        return make(self)

    @override
    def dealings(self, engagement_id: str) -> Dealings:
        return engagement.dealings(self.ctx, self.library, engagement_id)

    @override
    def open(self, model: str, digest: str, regime: str) -> str:
        ctx = self.ctx
        text = self.library.on(regime, ctx.now.astimezone(UTC).date())
        on = Dealings(ctx.new_id("engagement"), ctx.principal.org, text, self.library)
        engagement.open_draft(ctx, on, model, Subject("model", model, digest))
        return on.id

    @override
    def signed(
        self, action: Action, on: Dealings, facts: Mapping[str, Detail], key: Path
    ) -> Granted:
        sign = software_key.read(key).sign
        return approval.asserted(self.ctx, action, on.resource(), facts, sign)

    @override
    def deposit(self, file: Path, engagement_id: str, purpose: Purpose, *, sealed: bool) -> Handed:
        from leadline.wiring import intake

        announced = intake.upload(self.ctx, engagement_id, purpose, sealed=sealed)
        made = intake.deposit(self.ctx, self.home, file, announced)
        return Handed(made.id, made.digest, made.bytes, made.judged.content.value)

    @override
    def offer(self, on: Dealings, folder: "Folder") -> Offered:
        made = submission.offer(self.ctx, on, folder.pack(), folder.content)
        manifest, files = made.manifest, tuple(one.id for one in made.files)
        return Offered(manifest.id, manifest.digest, files, made.terms)

    def draft(self, path: Path, content: bytes) -> Determination:
        """A determination from its file; criteria that it names by a pack's name become its digest.

        Raises: Invalid, naming file and key; NotFound, for a pack that there is not.
        """
        from leadline.formats.determination_toml import load_determination

        made = load_determination(content, path.name)
        if not made.pack:
            return made
        pack = self.criteria(made.pack)
        if made.criteria not in {made.pack, pack.digest}:
            raise Invalid(f"{path.name}: criteria", f"is not the digest of the pack {made.pack}")
        if pack.demonstration and not made.demonstration:
            problem = f"the pack {made.pack} is a demonstration; write `demonstration = true`"
            raise Invalid(f"{path.name}: demonstration", problem)
        return replace(made, criteria=pack.digest)

    def criteria(self, name: str) -> "Criteria":
        """A criteria pack by its name: one of the installation's ``criteria/``, else a shipped one.

        Raises: NotFound, naming what there is.
        """
        from leadline.formats.criteria_toml import load_criteria

        packs = criteria_packs(self.home)
        if name not in packs:
            raise NotFound(f"no criteria pack {name!r}; there are {', '.join(sorted(packs))}")
        return load_criteria(packs[name].read_bytes(), packs[name].name)


def propose(me: AtDesk, which: str, made: Determination, key: Path, under: str) -> str:
    """Propose a determination, signed with a key file; answers the proposal's digest."""
    on, facts = me.dealings(which), engagement.signed_facts(made)
    granted = me.signed(Action.DETERMINATION_RECORD, on, facts, key)
    return digest_of(determinations.propose(me.ctx, on, made, granted, under=under))


def concur(me: AtDesk, which: str, proposal: str, key: Path) -> None:
    """Concur with a proposal, signed with a key file."""
    on, facts = me.dealings(which), determinations.concurrence(proposal)
    granted = me.signed(Action.DETERMINATION_CONCUR, on, facts, key)
    determinations.concur(me.ctx, on, proposal, granted)


def dissent(me: AtDesk, which: str, proposal: str, reasons: str, key: Path) -> None:
    """Dissent from a proposal, signed with a key file."""
    on, facts = me.dealings(which), determinations.dissenting(proposal, reasons)
    granted = me.signed(Action.DETERMINATION_CONCUR, on, facts, key)
    determinations.dissent(me.ctx, on, proposal, reasons, granted)


def record(me: AtDesk, which: str, made: Determination, key: Path, under: str) -> str:
    """Record a determination, signed with a key file; answers the act's id."""
    on, facts = me.dealings(which), engagement.signed_facts(made)
    granted = me.signed(Action.DETERMINATION_RECORD, on, facts, key)
    return engagement.record_determination(me.ctx, on, made, granted, under=under).id


def correct(me: AtDesk, which: str, about: str, made: Determination, key: Path) -> None:
    """Correct a determination, signed with a key file."""
    on, facts = me.dealings(which), engagement.signed_facts(made)
    granted = me.signed(Action.DETERMINATION_RECORD, on, facts, key)
    determinations.correct(me.ctx, on, about, made, granted)


def reconsider(me: AtDesk, which: str, about: str, words: str) -> str:
    """Ask to look again at a determination, or answer such a question; answers the act's id."""
    on = me.dealings(which)
    stands = engagement.standing(me.ctx, on)
    if about in {act.id for act in stands.recorded(Kind.RECONSIDERATION_ASKED)}:
        return determinations.answer_reconsideration(me.ctx, on, about, words).id
    return determinations.ask_reconsideration(me.ctx, on, about, words).id


def determinations_document(page: Page) -> dict[str, Any]:
    """The page of determinations as one JSON document."""
    return {
        "proposals": [
            {
                "digest": one.digest,
                "by": one.by,
                "at": one.at.isoformat(),
                "concurring": sorted(one.concurring()),
                "dissenting": [
                    {"person": said.person, "reasons": said.reasons} for said in one.dissenting()
                ],
            }
            for one in page.proposals
        ],
        "recorded": [
            {
                "act": _act(one.act),
                "corrections": [_act(act) for act in one.corrections],
                "responses": [_act(act) for act in one.responses],
                "reconsiderations": [_act(act) for act in one.reconsiderations],
            }
            for one in page.recorded
        ],
        "recused": sorted(page.recused),
        "asks_again": [
            {
                "trigger": one.trigger.value,
                "words": one.words,
                "cites": one.cites,
                "since": one.since.isoformat(),
                "weights": one.weights,
                "variant": one.variant.value,
            }
            for one in page.asked
        ],
    }


def _act(act: Act) -> dict[str, Any]:
    return {
        "id": act.id,
        "kind": act.kind.value,
        "at": act.at.isoformat(),
        "actor": act.actor,
        "detail": dict(act.detail),
    }


def determination_lines(page: Page) -> Iterator[str]:
    """The page of determinations in words; a dissent stands beside what it is about."""
    if not (page.proposals or page.recorded):
        yield "no determination is proposed or recorded here; that changes nothing"
    for one in page.proposals:
        yield f"proposed {one.at.isoformat()} by {one.by}: {one.digest}"
        yield from (f"    concurs: {person}" for person in sorted(one.concurring()))
        for said in one.dissenting():
            yield f"    dissents: {said.person}, reasons {said.reasons}"
    for found in page.recorded:
        act, told = found.act, found.act.detail
        sample = "demonstration, " if told["demonstration"] else ""
        yield f"recorded {act.at.isoformat()} by {act.actor}: {sample}{told['answer']}  ({act.id})"
        yield f"    official: {told['official']}; criteria {told.get('pack') or told['criteria']}"
        yield f"    outcome {told['outcome']}, basis {told['basis']}"
        yield f"    errors: above {told['alpha_above']}, below {told['alpha_below']}"
        yield f"    about {told['model']}, {told['weights_version']}, {told.get('variant', '')}"
        yield f"    speaks until {told['expires']}; asked again by {told['trigger']}"
        yield from (f"    caveat: {words}" for words in _texts(told.get("caveats")))
        yield from (f"    dissent: reasons {digest}" for digest in _texts(told.get("dissenting")))
        for later in (*found.corrections, *found.responses, *found.reconsiderations):
            yield f"    {later.kind.value} {later.at.isoformat()} by {later.actor}  ({later.id})"
            yield from (f"        caveat: {words}" for words in _texts(later.detail.get("caveats")))
    yield from (f"recused: {person}" for person in sorted(page.recused))
    for asked in page.asked:
        yield f"asks again since {asked.since.isoformat()}: {asked.words}"


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def lines(stands: Standing, now: datetime) -> Iterator[str]:
    """An engagement in words, each date with its zone."""
    shown = document(stands, now)
    yield f"{stands.engagement.id}: {stands.word(now).value}"
    yield f"government access: {shown['access']}"
    for id_, one in shown["windows"].items():
        dates = ("anchor", "opens_not_before", "opened", "ends")
        told = "; ".join(f"{name.replace('_', ' ')} {one[name]}" for name in dates if one[name])
        yield f"  under {id_}: {told or 'no date yet'}"
    for asked in questions_open(stands, now):
        yield f"asks again since {asked.since.isoformat()}: {asked.words}"
    yield f"requests for information without an answer: {unanswered(stands)}"
    for act in stands.acts:
        yield f"  {act.at.isoformat()}  {act.kind.value:26} {act.actor}"


def document(stands: Standing, now: datetime) -> dict[str, Any]:
    """An engagement as the command line shows it: the word, the windows, what asks again, the acts."""
    first = stands.shown(now)
    ends = first.ends.isoformat() if first.ends else None
    return {
        "engagement": stands.engagement.id,
        "state": stands.word(now).value,
        "access": f"until {ends} ({first.ended_by})" if ends else "never opened",
        "access_ends": ends,
        "model": stands.engagement.model,
        "regimes": [{"id": one.id, "digest": one.digest} for one in stands.regimes],
        "windows": {id_: _window(one, now) for id_, one in stands.windows.items()},
        "asks_again": [
            {"trigger": one.trigger.value, "words": one.words, "since": one.since.isoformat()}
            for one in questions_open(stands, now)
        ],
        "unanswered": unanswered(stands),
        "acts": [
            {
                "id": act.id,
                "at": act.at.isoformat(),
                "kind": act.kind.value,
                "actor": act.actor,
                "about": act.about,
            }
            for act in stands.acts
        ],
    }


def _window(found: Window, now: datetime) -> dict[str, Any]:
    times = {name: getattr(found, name) for name in ("opens_not_before", "opened", "ends")}
    shown = {name: at.isoformat() if at else None for name, at in times.items()}
    zone = ZoneInfo(found.zone or "UTC")
    anchor = found.anchor.astimezone(zone).isoformat() if found.anchor else None
    by = found.ended_by.value if found.ended_by else None
    more = {"anchor": anchor, "zone": found.zone, "ended_by": by, "open": found.is_open(now)}
    return shown | more


@contextmanager
def at_desk(home: Home, token: str) -> Iterator[AtDesk]:
    """The desk for whoever holds a session's token; raises as `wiring.sign_in.Door.acting`."""
    with at_door(home) as door:
        yield AtDesk(door.acting(token).ctx, door.parts, home, library(home.folder / "regimes"))
