"""What one operator is told, in plain words: only of its own components.

A notice about an advisory goes to an operator with an affected component; an unknown one grants
nothing, because whoever lists every package name would otherwise read what is not public yet. Lines
that cannot be identified become a page of questions that names no advisory.
Source: clearinghouse reference, sections 7.3 and 9.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.core.clearing.advisory import Advisory, Flaw
from leadline.core.clearing.match import Match, Matching, Status
from leadline.core.clearing.product import Component, Inventory, Operator, Package
from leadline.core.marking import Tlp


@dataclass(frozen=True, slots=True)
class Sector:
    """Words for the people of one sector: what to mind when something is replaced, whom to ask."""

    id: str
    title: str
    care: str
    ask: str


@dataclass(frozen=True, slots=True)
class Line:
    """One of the reader's own components: where it is, what it is called, which release is installed."""

    asset: str
    where: str
    component: str
    installed: str


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A component for which nothing can be said yet, why, and the question that settles it."""

    line: Line
    why: str
    ask: str
    status: Status = Status.UNKNOWN


@dataclass(frozen=True, slots=True)
class Notice:
    """One page for one operator about one advisory. *due* is empty: no rule of urgency was applied."""

    operator: Operator
    advisory: str
    heading: str
    touches: str
    affected: tuple[Line, ...]
    actions: tuple[str, ...]
    checks: tuple[str, ...]
    whom: str
    unknown: tuple[OpenLine, ...]
    found_by: str
    tlp: Tlp
    due: str = ""


@dataclass(frozen=True, slots=True)
class Questions:
    """One page for one operator whose inventory does not say what is inside its components."""

    operator: Operator
    heading: str
    explanation: str
    lines: tuple[OpenLine, ...]
    whom: str
    tlp: Tlp = Tlp.GREEN


def notice(
    operator: Operator, sector: Sector, inventory: Inventory, matching: Matching, advisory: Advisory
) -> Notice | None:
    """The page for *operator*; None where none of its components is affected by *advisory*."""
    mine = [match for match in matching.matches if match.advisory == advisory.id]
    affected = _lines(inventory, mine, Status.AFFECTED)
    if not affected:
        return None
    packages = {held.package for held in _held(inventory, mine, Status.AFFECTED)}
    flaws = [flaw for flaw in advisory.flaws if _speaks_of(flaw, packages)]
    names = " and ".join(sorted({held.name for held in packages if held}))
    count = (
        f"{len(affected)} of your components have"
        if len(affected) > 1
        else "one of your components has"
    )
    return Notice(
        operator=operator,
        advisory=advisory.id,
        heading=f"{names}: {count} a flaw that is fixed by replacing it",
        touches=" ".join(flaw.description for flaw in flaws),
        affected=affected,
        actions=(*_actions(flaws), sector.care),
        checks=tuple(
            check(package, flaws) for package in sorted(held for held in packages if held)
        ),
        whom=_whom(operator, sector),
        unknown=_open_lines(inventory, mine, matching),
        found_by=advisory.found_by,
        tlp=advisory.tlp,
    )


def question(
    operator: Operator, sector: Sector, inventory: Inventory, matching: Matching, advisory: Advisory
) -> Notice | None:
    """The page where nothing is affected and something is unknown; None where nothing is.

    For a published advisory alone: under embargo unknown grants nothing.
    """
    mine = [match for match in matching.matches if match.advisory == advisory.id]
    unknown = _open_lines(inventory, mine, matching)
    if not unknown or _lines(inventory, mine, Status.AFFECTED):
        return None
    return Notice(
        operator=operator,
        advisory=advisory.id,
        heading=f"{advisory.title}: {len(unknown)} of your lines may be touched, and what to ask",
        touches=" ".join(flaw.description for flaw in advisory.flaws),
        affected=(),
        actions=("Answer the question of each line below; unknown does not mean unaffected.",),
        checks=(),
        whom=_whom(operator, sector),
        unknown=unknown,
        found_by=advisory.found_by,
        tlp=advisory.tlp,
    )


def questions(operator: Operator, sector: Sector, inventory: Inventory) -> Questions | None:
    """The page of what to ask; None where every component says which package it is."""
    lines = tuple(
        OpenLine(line(held), _why(held), _ask(held))
        for held in inventory.components
        if held.package is None
    )
    if not lines:
        return None
    return Questions(
        operator=operator,
        heading=f"{len(lines)} of {len(inventory.components)} lines: unknown, and what to ask",
        explanation=(
            "Your list says what these things are called, not which software is inside them. So nobody "
            "can tell from it whether a published flaw concerns them. Unknown does not mean unaffected."
        ),
        lines=lines,
        whom=_whom(operator, sector),
    )


def _whom(operator: Operator, sector: Sector) -> str:
    """Whom to ask, and what the sector asks besides: each a sentence of its own."""
    contact = operator.contact.strip()
    if contact and sector.ask and contact[-1] not in ".!?":
        contact += "."
    return f"{contact} {sector.ask}".strip()


def _held(inventory: Inventory, matches: Sequence[Match], status: Status) -> list[Component]:
    assets = {match.asset for match in matches if match.status is status}
    return [held for held in inventory.components if held.ref in assets]


def _lines(inventory: Inventory, matches: Sequence[Match], status: Status) -> tuple[Line, ...]:
    return tuple(line(held) for held in _held(inventory, matches, status))


def line(held: Component) -> Line:
    """One component as its owner would look for it."""
    where = held.site or f"line {held.ref}" if held.ref.isdigit() else held.site or held.ref
    return Line(held.ref, where, held.label, held.version or "not given")


def _open_lines(
    inventory: Inventory, mine: Sequence[Match], matching: Matching
) -> tuple[OpenLine, ...]:
    why = {match.asset: match.why for match in mine if match.status is Status.UNKNOWN}
    asks = {held.asset: held.ask for held in matching.questions if held.asset in why}
    return tuple(
        OpenLine(line(held), why[held.ref], asks[held.ref])
        for held in _held(inventory, mine, Status.UNKNOWN)
    )


def _speaks_of(flaw: Flaw, packages: set[Package | None]) -> bool:
    return any(statement.package in packages for statement in flaw.statements)


def _actions(flaws: Sequence[Flaw]) -> tuple[str, ...]:
    remedies = tuple(dict.fromkeys(flaw.remedy for flaw in flaws if flaw.remedy))
    replace = remedies or (
        "No fixed release is named yet. Ask the supplier when there will be one.",
    )
    return (
        *(f"Tonight: {remedy}" for remedy in replace),
        _UNTIL_THEN,
    )


_UNTIL_THEN = (
    "If it cannot be replaced tonight: stop files and messages from outside your house from "
    "reaching the programs that use it, until it is."
)
_CHECKS = {
    "pypi": "Run `python3 -m pip show {name}` where it is installed: the line Version must say {fix}.",
    "npm": "Run `npm ls {name}` where it is installed: the release shown must be {fix}.",
    "deb": "Run `dpkg -s {name}` where it is installed: the line Version must say {fix}.",
}


def check(package: Package, flaws: Sequence[Flaw]) -> str:
    """How to see that *package* was replaced by a release that *flaws* name as repaired."""
    fixes = [
        fix
        for flaw in flaws
        for statement in flaw.statements
        if statement.package == package
        for fix in statement.fixed.listed
    ]
    fix = (
        f"{' or '.join(dict.fromkeys(fixes))} or later"
        if fixes
        else "the release the supplier names"
    )
    told = _CHECKS.get(
        package.type, "Look up the installed release of {name} again: it must be {fix}."
    )
    return told.format(name=package.name, fix=fix)


def _why(held: Component) -> str:
    if held.kind == "device":
        return "the list does not say which software is inside this device"
    return "the list does not say which package this is"


def _ask(held: Component) -> str:
    if held.kind != "device":
        return (
            f"Which package is {held.label}, from which registry or supplier, and which release? "
            "Ask the supplier for its list of components (an SBOM, in CycloneDX or SPDX form)."
        )
    maker = held.maker or "the maker"
    first = f"Read the firmware version of {held.name} from its label or menu first. "
    return (
        f"{'' if held.version else first}Ask {maker}: which software is inside {held.name}"
        f"{f' with firmware {held.version}' if held.version else ''} (an SBOM)? Which published flaws "
        "concern it? Which firmware fixes them, and how is it installed?"
    )
