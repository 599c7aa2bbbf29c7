"""The page of one site: which device, why, what to do tonight, and what to find out.

It is written for whoever keeps the place running and knows no word of security. It says only what the
advisories and the operator's own list say, names the sentence each line rests on, and invents neither a
due date nor a remedy: where the advisory has none, it says so and gives its compensating control.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.core.clearing.advice import ISOLATE, advise, short
from leadline.core.clearing.assets import Verdict
from leadline.core.clearing.bulletin import Bulletin
from leadline.core.clearing.match import Status
from leadline.core.clearing.product import Component
from leadline.render.document import (
    Block,
    Bullets,
    Column,
    Document,
    Facts,
    Prose,
    Section,
    Table,
)
from leadline.render.words import moment

NO_DATE = (
    "No due date is given here: a date follows from a rule that binds you and from facts that are not"
    " on this list."
)
ADVICE = (
    "As CISA BOD 26-04 counts it. It binds federal civilian executive branch agencies; for anybody else it"
    " is advice."
)
OVERVIEW_MAX = 200
_BRIEF_MAX = 110
_OFF = "Keep it off the internet."
_NOWHERE = "Place not given"


@dataclass(frozen=True, slots=True)
class Item:
    """One device of a site with everything that concerns it, the most urgent first."""

    component: Component
    verdicts: tuple[Verdict, ...]

    @property
    def affected(self) -> tuple[Verdict, ...]:
        """What certainly concerns it."""
        return tuple(held for held in self.verdicts if held.status is Status.AFFECTED)

    @property
    def open(self) -> tuple[Verdict, ...]:
        """What cannot be told yet."""
        return tuple(held for held in self.verdicts if held.status is Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said to every device alike; see `site_document`."""

    attacked: frozenset[str]
    attacked_known: bool
    call: str
    due: tuple[tuple[str, str], ...]


def sites(components: Iterable[Component], verdicts: Iterable[Verdict]) -> Mapping[str, list[Item]]:
    """The devices of each site in the list's order, each with its verdicts."""
    held: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        held.setdefault(verdict.asset, []).append(verdict)
    found: dict[str, list[Item]] = {}
    for component in components:
        site = " ".join(component.site.split()) or _NOWHERE
        found.setdefault(site, []).append(Item(component, tuple(held.get(component.ref, ()))))
    return found


def site_document(
    site: str,
    items: Sequence[Item],
    bulletins: Mapping[str, Bulletin],
    at: datetime,
    *,
    attacked: frozenset[str] = frozenset(),
    attacked_known: bool = False,
    call: str = "",
    due: tuple[tuple[str, str], ...] = (),
) -> Document:
    """The page of one site. *attacked* are CVE ids that a list of exploited flaws names.

    *attacked_known* says that such a list was given; *call* is whom the operator calls first. *due* are
    flaws and by when, as advice.
    """
    affected = sorted(
        (item for item in items if item.affected),
        key=lambda item: _first(item, bulletins, attacked),
    )
    opened = [item for item in items if item.open]
    settled = [item for item in items if not item.affected and not item.open]
    return Document(
        title=f"{site}: {_headline(len(affected), len(opened))}",
        kicker=f"Devices on the list: {len(items)}",
        marking="For this site only",
        record=site,
        at=at,
        closing=(
            f"Written by Leadline on {moment(at)} from your own list and the advisories named above, on your own"
            " computer; nothing was sent. A device without an entry is named by none of them, which says nothing"
            " about flaws that other advisories name."
        ),
        cover=tuple(
            _sections(
                affected,
                opened,
                settled,
                bulletins,
                _Told(attacked, attacked_known, call, due),
            )
        ),
    )


def overview_document(
    items: Sequence[Item],
    bulletins: Mapping[str, Bulletin],
    at: datetime,
    *,
    attacked: frozenset[str] = frozenset(),
    call: str = "",
) -> Document:
    """All places on one sheet: what is affected and what to do about it tonight, then what to find out."""
    affected = sorted(
        (item for item in items if item.affected),
        key=lambda item: _first(item, bulletins, attacked),
    )
    opened = [item for item in items if item.open and not item.affected]
    rows = tuple(_brief_row(item, bulletins, attacked) for item in affected[:OVERVIEW_MAX])
    asks = tuple(dict.fromkeys(_asked(item) for item in opened))[:OVERVIEW_MAX]
    columns = (Column("Device"), Column("Place"), Column("Tonight"), Column("Then"))
    told = (
        [Section("tonight", "What to do", (Table("", columns, rows),), framed=True)] if rows else []
    )
    told += [Section("find-out", "Find out", (Bullets(asks),))] if asks else []
    more = len(affected) + len(opened) - len(rows) - len(asks)
    told += (
        [Section("more", "And", (Prose(f"{more} more, on the pages of their places."),))]
        if more > 0
        else []
    )
    told += [Section("call", "Who to call", (Facts((("First", call),)),))] if call else []
    return Document(
        title=f"All places: {_headline(len(affected), len(opened))}",
        kicker="Each place has a page of its own, with the reasons",
        marking="For whoever looks after all of them",
        record="all places",
        at=at,
        closing=f"Written by Leadline on {moment(at)}.",
        cover=tuple(told),
    )


def _brief_row(
    item: Item, bulletins: Mapping[str, Bulletin], attacked: frozenset[str]
) -> tuple[str, ...]:
    worst = _worst(item, bulletins, attacked)
    advice = advise(bulletins[worst.advisory], worst.spoken)
    place = " ".join(item.component.site.split()) or _NOWHERE
    return (
        _device(item.component),
        place,
        _OFF if advice.tonight == ISOLATE else short(advice.tonight, _BRIEF_MAX),
        short(advice.then, _BRIEF_MAX),
    )


def _headline(affected: int, opened: int) -> str:
    if affected:
        devices = "1 device needs" if affected == 1 else f"{affected} devices need"
        return f"{devices} work tonight"
    if opened:
        return "something to find out"
    return "nothing to do"


def _first(
    item: Item, bulletins: Mapping[str, Bulletin], attacked: frozenset[str]
) -> tuple[bool, int]:
    """Devices under attack first, then those with more advisories."""
    cves = {cve for held in item.affected for cve in bulletins[held.advisory].cves}
    return not cves & attacked, -len(item.affected)


def _sections(
    affected: Sequence[Item],
    opened: Sequence[Item],
    settled: Sequence[Item],
    bulletins: Mapping[str, Bulletin],
    told: _Told,
) -> Iterable[Section]:
    if affected:
        rows = tuple(_row(item, bulletins, told.attacked) for item in affected)
        columns = (Column("Device"), Column("Tonight"), Column("Then"), Column("Why"))
        yield Section("tonight", "What to do", (Table("", columns, rows),), framed=True)
    if opened:
        asks = tuple(dict.fromkeys(_asked(item) for item in opened))
        blocks: tuple[Block, ...] = (
            Prose(
                "Read the type plate or the device's own page, and write the answer into the list."
            ),
            Bullets(asks),
        )
        yield Section("find-out", "Find out: yes or no", blocks)
    if not affected and not opened:
        yield Section(
            "nothing",
            "What to do",
            (Prose("No advisory concerns a device here.", strong=True),),
            framed=True,
        )
    if told.due:
        yield Section("due", "By when, as advice", (Facts(told.due), Prose(ADVICE)))
    yield Section("call", "Who to call", (Facts(_calls(affected, opened, bulletins, told.call)),))
    counted = Prose(_counted(affected, opened, settled))
    yield Section("also", "Good to know", (counted, *_notes(affected, told)))


def _row(
    item: Item, bulletins: Mapping[str, Bulletin], attacked: frozenset[str]
) -> tuple[str, ...]:
    worst = _worst(item, bulletins, attacked)
    bulletin = bulletins[worst.advisory]
    advice = advise(bulletin, worst.spoken)
    return (
        _device(item.component),
        advice.tonight,
        advice.then,
        _why(item, worst, bulletin, attacked),
    )


def _worst(item: Item, bulletins: Mapping[str, Bulletin], attacked: frozenset[str]) -> Verdict:
    """What is told first of a device: what is used in attacks, else the newest."""
    return max(
        item.affected,
        key=lambda held: (bool(set(bulletins[held.advisory].cves) & attacked), held.advisory[-9:]),
    )


def _device(component: Component) -> str:
    have = f", version {component.version}" if component.version else ""
    # A long order number may break after its hyphens, so that it stays in its column.
    return f"{component.label}{have} (line {component.ref})".replace("-", "-\u200b")


def _why(item: Item, worst: Verdict, bulletin: Bulletin, attacked: frozenset[str]) -> str:
    under = "Known to be used in attacks. " if set(bulletin.cves) & attacked else ""
    others = [held.advisory for held in item.affected if held.advisory != worst.advisory]
    also = f" Also: {', '.join(others)}." if others else ""
    risk = short(bulletin.risk, 150)
    quote = re.sub(r"vers:\w+/\*", "all versions", worst.quote)
    return f"{under}{worst.advisory} names \u201c{short(quote, 110)}\u201d. {risk}{also}"


def _asked(item: Item) -> str:
    asks = [held.ask for held in item.open if held.ask]
    return asks[0] if asks else f"Ask the maker of {_device(item.component)}: {item.open[0].why}"


def _calls(
    affected: Sequence[Item], opened: Sequence[Item], bulletins: Mapping[str, Bulletin], call: str
) -> tuple[tuple[str, str], ...]:
    rows = [("First", call)] if call else []
    makers = dict.fromkeys(
        item.component.maker for item in (*affected, *opened) if item.component.maker
    )
    if makers:
        rows.append(("Support of the maker", f"{', '.join(makers)}: quote the advisory's number"))
    publishers = {
        bulletins[held.advisory].publisher: " ".join(bulletins[held.advisory].contact.split())
        for item in (*affected, *opened)
        for held in item.verdicts
    }
    rows += [
        (f"Publisher of the advisory, {name}", contact or "see its page")
        for name, contact in sorted(publishers.items())
        if name
    ]
    return tuple(rows) or (("Nobody", "nothing is open here"),)


def _counted(affected: Sequence[Item], opened: Sequence[Item], settled: Sequence[Item]) -> str:
    more = sum(not item.affected for item in opened)
    fixed = sum(any(held.status is Status.FIXED for held in item.verdicts) for item in settled)
    unnamed = len(settled) - fixed
    whole = len(affected) + more + len(settled)
    told = [f"{len(affected)} of {whole} devices on the list are affected"]
    told += [f"{more} more have something to find out (not known is not good news)"] if more else []
    told += [f"{fixed} have the fix on"] if fixed else []
    told += [f"{unnamed} are not named"] if unnamed else []
    return f"{'; '.join(told)}."


def _notes(affected: Sequence[Item], told: _Told) -> tuple[Block, ...]:
    if not affected:
        return ()
    attacks = (
        "Flaws known to be used in attacks are marked above, from the list that was given."
        if told.attacked_known
        else "No list of flaws used in attacks was given, so that is not known here."
    )
    none = "" if told.attacked or not told.attacked_known else " None of them is on it."
    return (Prose(f"{attacks}{none}{'' if told.due else f' {NO_DATE}'}"),)
