"""A notice as it is sent to one operator at one stage, and the release that sent it to a tier.

Before publication a notice is written from the reader's own components alone: no word of the advisory
goes into it but the releases that repair what the reader runs. After publication the advisory speaks.
Source: clearinghouse reference, section 7.3.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from leadline.core.clearing import notice as pages
from leadline.core.clearing.advisory import Advisory, Flaw, Statement
from leadline.core.clearing.match import Matching, Status, match
from leadline.core.clearing.notice import Notice, Sector
from leadline.core.clearing.product import Component, Inventory, Operator
from leadline.core.clearing.resemblance import plain
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp

WORDS_MAX = 2000
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Evidence(StrEnum):
    """On what ground somebody says that the reader's release is affected."""

    REPLAYED = "replayed"
    OWNER = "owner"
    PUBLISHED = "published"

    @property
    def words(self) -> str:
        """As a sentence."""
        return _EVIDENCE[self]


_EVIDENCE = {
    Evidence.REPLAYED: "The flaw was set off in a sandbox on an affected release.",
    Evidence.OWNER: "The owner of the software says which releases are affected.",
    Evidence.PUBLISHED: "A published advisory says which releases are affected.",
}


class Outcome(StrEnum):
    """What a release came to for one operator that was considered."""

    TOLD = "told"
    TOLD_BEFORE = "told-before"
    CORRECTED = "corrected"
    NO_MATCH = "no-match"
    BARRED = "barred"


def alias(case: str, operator: str) -> str:
    """What acts of a case call an operator: another name in each case, which only insiders can undo.

    Ids of operators are unguessable, so that two cases cannot be held against each other.
    """
    return sha256(f"leadline/operator/v1/{case}/{operator}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Considered:
    """One operator in one release. *why* is the reason, where it was barred."""

    operator: str
    tier: str
    snapshot: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """What one release of notices said, and about whom it decided what; its readers are the case's.

    *tiers* is the digest of the published order, *told* the ids of the tiers that were told, *number*
    the place of its act among the acts of the case, from 1.
    """

    id: str
    case: str
    stage: Stage
    number: int
    advisory: Advisory
    tiers: str
    told: tuple[str, ...]
    evidence: Evidence
    words: str
    public_at: datetime | None
    at: datetime
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice as sent; a reader is shown *page*, *why* and *evidence*.

    *why* gives the reason of each affected line; a proof of the remedy is held against *told* and the
    digests in *artefacts*. *digest* is of what is shown, and signed in *signed*. *corrects* is the
    notice that this one takes the place of.
    """

    id: str
    case: str
    operator: str
    stage: Stage
    tier: str
    sent: datetime
    page: Notice
    why: tuple[str, ...]
    evidence: Evidence
    public_at: datetime | None
    told: tuple[Statement, ...]
    digest: str
    signed: str
    artefacts: tuple[str, ...] = ()
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a release says to everybody alike: a person's own words, the evidence, repaired artefacts.

    *artefacts* are SHA-256 digests in hex.
    """

    text: str = ""
    evidence: Evidence = Evidence.PUBLISHED
    public_at: datetime | None = None
    artefacts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.text) > WORDS_MAX:
            raise Invalid("words", f"at most {WORDS_MAX} characters")
        if not all(_DIGEST.fullmatch(one) for one in self.artefacts):
            raise Invalid("artefacts", "SHA-256 digests in lower-case hex are due")


@dataclass(frozen=True, slots=True)
class Draft:
    """A page for one operator before it has an id: with the reasons, and what a proof is held against."""

    page: Notice
    why: tuple[str, ...]
    told: tuple[Statement, ...]


def affected(inventory: Inventory, matching: Matching, advisory: str) -> tuple[Component, ...]:
    """The components that *advisory* makes affected, in the inventory's order."""
    assets = {
        one.asset
        for one in matching.matches
        if one.advisory == advisory and one.status is Status.AFFECTED
    }
    return tuple(one for one in inventory.components if one.ref in assets)


def early(
    reader: Operator,
    sector: Sector,
    inventory: Inventory,
    advisory: Advisory,
    stage: Stage,
    words: Words,
) -> Draft | None:
    """The page before publication; None where nothing of the reader is affected.

    Nothing unknown is in it, and nothing that is of somebody else.
    """
    matching = match(inventory, [advisory])
    held = affected(inventory, matching, advisory.id)
    if not held:
        return None
    told = _statements(held, advisory)
    reasons = {one.asset: one.why for one in matching.matches if one.status is Status.AFFECTED}
    names = " and ".join(dict.fromkeys(one.label for one in held))
    moment = f"{words.public_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if words.public_at else ""
    until = f"on {moment}" if moment else "on a day that is not agreed yet"
    page = Notice(
        operator=reader,
        advisory="",
        heading=f"{names}: {_HEADINGS[stage]}",
        touches=(
            f"A flaw in this will be published {until}. Until then please tell only those of your own"
            " people who prepare the change: others are not protected yet."
        ),
        affected=tuple(pages.line(one) for one in held),
        actions=_actions(stage, told, words, moment, sector),
        checks=_checks(stage, told),
        whom=f"{reader.contact} {sector.ask}".strip(),
        unknown=(),
        found_by="",
        tlp=Tlp.AMBER_STRICT,
    )
    return Draft(page, tuple(reasons[one.ref] for one in held), told)


_HEADINGS = {
    Stage.MITIGATION: "what you can do before there is a repaired release",
    Stage.ADVANCE: "a repaired release is coming, prepare to install it",
}


def _actions(
    stage: Stage, told: Sequence[Statement], words: Words, moment: str, sector: Sector
) -> tuple[str, ...]:
    own = (words.text,) if words.text else ()
    if stage is Stage.MITIGATION:
        return (*own, sector.care)
    fixes = _fixes(told)
    release = f"release {' or '.join(fixes)} or a later one" if fixes else "the repaired release"
    when = f"from {moment} on" if moment else "as soon as it is published"
    return (
        f"Prepare tonight: find out who replaces it, and book the time. Install {release} {when}.",
        *own,
        sector.care,
    )


def _checks(stage: Stage, told: Sequence[Statement]) -> tuple[str, ...]:
    if stage is Stage.MITIGATION:
        return ("See that the step above is in force at each place listed.",)
    return tuple(
        pages.check(package, [Flaw((), "", "", tuple(told))])
        for package in dict.fromkeys(one.package for one in told)
    )


def _fixes(told: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fix for one in told for fix in one.fixed.listed))


def _statements(held: Sequence[Component], advisory: Advisory) -> tuple[Statement, ...]:
    """The statements that make one of *held* affected, and those about the same packages."""
    whole = [one for flaw in advisory.flaws for one in flaw.statements]
    own = {one.package for one in held} | {name.package for one in held for name in one.names}
    found = [one for one in whole if one.package in own]
    if found:
        return tuple(dict.fromkeys(found))
    alone = Inventory(tuple(held))
    return tuple(one for one in dict.fromkeys(whole) if _hits(alone, one, advisory))


def _hits(inventory: Inventory, statement: Statement, advisory: Advisory) -> bool:
    flaw = replace(advisory.flaws[0], statements=(statement,))
    found = match(inventory, [replace(advisory, flaws=(flaw,))])
    return any(one.status is Status.AFFECTED for one in found.matches)


def public(
    reader: Operator, sector: Sector, inventory: Inventory, advisory: Advisory, words: Words
) -> Draft | None:
    """The page once the advisory is public: what is affected, and as questions what is unknown."""
    matching = match(inventory, [advisory])
    held = affected(inventory, matching, advisory.id)
    page = pages.notice(reader, sector, inventory, matching, advisory)
    if page is None:
        page = pages.question(reader, sector, inventory, matching, advisory)
    if page is None:
        return None
    if words.text:
        page = replace(page, actions=(words.text, *page.actions))
    reasons = {one.asset: one.why for one in matching.matches if one.advisory == advisory.id}
    return Draft(page, tuple(reasons[one.ref] for one in held), _statements(held, advisory))


def local(reader: Operator, sector: Sector, advisory: Advisory, words: Words) -> Draft:
    """The page for an operator in local mode: that something was published, and how to match it."""
    page = Notice(
        operator=reader,
        advisory=advisory.id,
        heading=f"{advisory.title}: see whether it touches what you run",
        touches=" ".join(flaw.description for flaw in advisory.flaws),
        affected=(),
        actions=(
            *((words.text,) if words.text else ()),
            "Run `leadline match` with your inventory and the published feed on your own host.",
            sector.care,
        ),
        checks=(),
        whom=f"{reader.contact} {sector.ask}".strip(),
        unknown=(),
        found_by=advisory.found_by,
        tlp=advisory.tlp,
    )
    return Draft(page, (), ())


def correction(page: Notice, reason: str, *, concerns: bool) -> Notice:
    """The page that takes the place of *page*, whose advisory was changed or withdrawn.

    Where it does not concern the reader any more, it says so and asks for nothing.
    """
    if concerns:
        return replace(
            page,
            heading=f"Corrected. {page.heading}",
            actions=(f"What changed: {reason}", *page.actions),
        )
    return replace(
        page,
        heading="Corrected: an earlier notice concerns you no more",
        touches=f"What changed: {reason}",
        affected=(),
        actions=(
            "Nothing is to be done about the earlier notice. What you did need not be undone.",
        ),
        checks=(),
        unknown=(),
    )


def wanted(advisory: Advisory) -> tuple[frozenset[str], bool]:
    """Which plain names of components or packages the advisory can match, and whether devices may match.

    Only what cannot match is left out, so that matching the rest gives the same pairs.
    """
    packages = advisory.packages
    return frozenset(plain(one.name) for one in packages), any(not one.type for one in packages)
