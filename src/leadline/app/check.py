"""A list of what somebody runs, against what is public; nothing of the list is kept, and no act is made.

It is for whoever has no account. What is matched is what everybody may read: advisories that this
installation published, and public ones that were put beside them. Nothing of an advisory under embargo
takes part, not even in the number of rows that are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from leadline.app import operators
from leadline.app.assets import Assets, Words, match_assets, match_inventory
from leadline.app.context import Context
from leadline.app.match import Feed
from leadline.core.access import Action, Resource
from leadline.core.clearing.advisory import Advisory, Flaw
from leadline.core.clearing.assets import Asked, Known, Verdict, content
from leadline.core.clearing.bulletin import Bulletin, Remedy
from leadline.core.clearing.match import EVERY, Match, Status
from leadline.core.clearing.product import Component, Fault, Inventory, Package
from leadline.core.marking import Marking, Tlp

PUBLIC = Marking(Tlp.CLEAR)
ORDER = (Status.AFFECTED, Status.UNKNOWN, Status.FIXED, Status.NOT_AFFECTED)  # most urgent first
ROUNDS_MAX = 4  # an answer may lead to a further question about the same line


@dataclass(frozen=True, slots=True)
class Shelved:
    """Public advisories that came from elsewhere: as they were read, and their words on a shelf."""

    feed: Feed
    words: Words


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with the key that its answer goes by, and the answer, empty while there is none."""

    key: str
    asked: Asked
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody's advisories: how many, and when the last of them was written or changed."""

    publisher: str
    count: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What the advisories mean for each line. A line without a verdict is named by none of them.

    *sources* are whose advisories they are, those with the most first.
    """

    inventory: Inventory
    verdicts: tuple[Verdict, ...]
    bulletins: Mapping[str, Bulletin]
    posed: tuple[Posed, ...]
    advisories: int
    faults: tuple[Fault, ...]
    sources: tuple[Source, ...] = ()

    def worst(self) -> Mapping[str, Status]:
        """How each line stands that an advisory names: by the most urgent that concerns it."""
        held = dict[str, Status]()
        for one in self.verdicts:
            held[one.asset] = min(one.status, held.get(one.asset, one.status), key=ORDER.index)
        return held

    def counts(self) -> Mapping[str, int]:
        """How many lines stand how: each counts once, by the most urgent that concerns it."""
        worst = list(self.worst().values())
        counted = {one.value: worst.count(one) for one in ORDER}
        return counted | {"not named": len(self.inventory.components) - len(worst)}

    def cves(self) -> tuple[str, ...]:
        """The CVE ids of the flaws that affect a line, each once."""
        hit = dict.fromkeys(one.advisory for one in self.verdicts if one.status is Status.AFFECTED)
        return tuple(dict.fromkeys(cve for one in hit for cve in self.bulletins[one].cves))


def check(ctx: Context, held: Inventory, imported: Shelved, answers: Mapping[str, str]) -> Checked:
    """Hold a list against everything public. *answers* are by the keys of the questions.

    Raises: Denied.
    """
    ctx.require(Action.RECORD_READ, Resource("advisory", "published", marking=PUBLIC))
    with ctx.store.read() as view:
        published = operators.public_advisories(view, ctx.now)
    own = {one.id for one in published}
    advisories = (*published, *(one for one in imported.feed.advisories if one.id not in own))
    posed = _settled(held, imported.words, answers)
    lines = {one.ref: one for one in held.components}
    known = [_known(lines, one) for one in posed if one.answer]
    matching, assets = match_inventory(held, advisories, imported.words, known)
    found = _beside(matching.matches, assets)
    read = {one.id: one for one in advisories}
    bulletins = dict(assets.bulletins)
    bulletins |= _bulletins(held, found, read, bulletins)
    asks = {(one.asset, one.advisory): one.ask for one in matching.questions}
    told = (_verdict(one, asks) for one in found)
    return Checked(
        held,
        (*assets.verdicts, *told),
        bulletins,
        posed,
        len(advisories),
        (*held.faults, *imported.feed.faults),
        _sources(advisories),
    )


def _sources(advisories: Iterable[Advisory]) -> tuple[Source, ...]:
    """By publisher, since one new advisory of somebody's does not make all the others' new."""
    of = defaultdict[str, list[Advisory]](list)
    for one in advisories:
        of[one.publisher].append(one)
    found = (
        Source(
            publisher,
            len(held),
            max((each.at for one in held for each in one.revisions), default=None),
        )
        for publisher, held in of.items()
    )
    return tuple(sorted(found, key=lambda one: (-one.count, one.publisher)))


def _beside(matches: Iterable[Match], assets: Assets) -> tuple[Match, ...]:
    """What was found without the words of a bulletin: for software, and for devices by name alone.

    That the contents of a device are not listed is so of every device, and is said once, not for each.
    """
    devices = {one.ref for one in assets.components}
    nameless = {one.asset for one in assets.asked if one.advisories == (EVERY,)}
    found = dict[tuple[str, str], Match]()
    for one in matches:
        of_device = one.asset in devices
        if of_device and (
            one.asset not in nameless if one.advisory == EVERY else one.advisory in assets.bulletins
        ):
            continue
        found.setdefault((one.asset, one.advisory), one)
    return tuple(found.values())


def _settled(held: Inventory, words: Words, answers: Mapping[str, str]) -> tuple[Posed, ...]:
    """Every question of the list: those that were answered, with the answer, and those still open."""
    lines = {one.ref: one for one in held.components}
    posed = dict[str, Posed]()
    for _ in range(ROUNDS_MAX):
        known = [_known(lines, one) for one in posed.values() if one.answer]
        asked = match_assets(held.components, words, known).asked
        fresh = {
            key: Posed(key, one, answers.get(key, ""))
            for one in asked
            if one.advisories != (EVERY,) and (key := _key(lines[one.asset], one)) not in posed
        }
        posed |= fresh
        if not any(one.answer for one in fresh.values()):
            break
    return tuple(posed.values())


def _key(component: Component, one: Asked) -> str:
    """A name for a question that holds as long as line and question do."""
    return sha256(f"{content(component)}\0{one.ask}".encode()).hexdigest()[:16]


def _known(lines: Mapping[str, Component], one: Posed) -> Known:
    line = content(lines[one.asked.asset])
    yes = {"yes": True, "no": False}.get(one.answer)
    return Known(
        line,
        one.asked.product,
        one.asked.ask,
        frozenset(one.asked.advisories),
        yes,
        one.answer if yes is None else "",
        "you",
    )


def _verdict(one: Match, asks: Mapping[tuple[str, str], str]) -> Verdict:
    ask = asks.get((one.asset, one.advisory), "") or asks.get((one.asset, EVERY), "")
    quote = one.why
    return Verdict(one.asset, one.advisory, one.status, one.why, "", quote, ask, (one.asset,))


def _bulletins(
    held: Inventory,
    found: Sequence[Match],
    read: Mapping[str, Advisory],
    known: Mapping[str, Bulletin],
) -> dict[str, Bulletin]:
    """What the advisories advise for the lines that they name by package, as bulletins say it."""
    lines = {one.ref: one for one in held.components}
    of = defaultdict[str, list[Component]](list)
    for one in found:
        of[one.advisory].append(lines[one.asset])
    made = dict[str, Bulletin]()
    for id_, components in of.items():
        if id_ == EVERY:
            made[id_] = Bulletin(id_, "", ())
            continue
        advisory = read[id_]
        remedies = tuple(one for each in components for one in _remedies(advisory, each))
        base = known.get(id_) or _bulletin(advisory)
        made[id_] = replace(base, remedies=(*base.remedies, *remedies))
    return made


def _bulletin(advisory: Advisory) -> Bulletin:
    return Bulletin(
        advisory.id,
        advisory.title,
        (),
        risk=" ".join(dict.fromkeys(one.description for one in advisory.flaws)),
        publisher=advisory.publisher,
        url=next((one.url for one in advisory.references), ""),
        cves=tuple(dict.fromkeys(one.cve for one in advisory.flaws if one.cve)),
    )


def _remedies(advisory: Advisory, component: Component) -> Iterator[Remedy]:
    own = {component.package, *(name.package for name in component.names)}
    here = frozenset({component.ref})
    for flaw in advisory.flaws:
        if not any(one.package in own for one in flaw.statements):
            continue
        if flaw.workaround:
            yield Remedy("workaround", flaw.workaround, here)
        if flaw.remedy:
            yield Remedy("vendor_fix", flaw.remedy, here)
    if fixed := tuple(_fixed(advisory.flaws, own)):
        word = f"Update {component.name} to release {' or '.join(fixed)}, or a later one."
        yield Remedy("vendor_fix", word, here)


def _fixed(flaws: Iterable[Flaw], own: set[Package | None]) -> Iterator[str]:
    statements = (one for flaw in flaws for one in flaw.statements if one.package in own)
    yield from dict.fromkeys(version for one in statements for version in one.fixed.listed)
