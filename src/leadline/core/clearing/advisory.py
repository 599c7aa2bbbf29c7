"""The published statement about one or more flaws, from which every format is rendered.

An advisory never carries a proof or a way to trigger the flaw. What was measured and what was not stay
apart: a release that nobody tried is *untested*, which readers see as unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from leadline.core.clearing.finding import Finding, ReplayVerdict
from leadline.core.clearing.product import NONE, Interval, Package, Releases, parse_purl
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp

# Where Leadline's demonstration publishes; .example is reserved and belongs to nobody (RFC 2606).
DEMONSTRATION_PUBLISHER = "Leadline demonstration (fictional publisher)"
DEMONSTRATION_NAMESPACE = "https://demonstration.leadline.example"


# Nobody replayed anything: the draft claims nothing of the kind.
UNREPLAYED: Mapping[str, ReplayVerdict] = MappingProxyType({})

# Why something is not affected: the status justifications of VEX, which CSAF calls flags.
BECAUSE = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)
CREDITS = (
    "finder",
    "reporter",
    "analyst",
    "coordinator",
    "remediation developer",
    "remediation reviewer",
    "remediation verifier",
    "tool",
    "sponsor",
    "other",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What an advisory says about the releases of one package.

    *complete* says that every affected release is named, so that a release outside is not affected.
    *doubts* are parts of the statement that could not be read; each keeps the answer at unknown.
    *branch* is the one release of a distribution that is spoken of, as `naming.branch` writes it.
    *because* is why releases are not affected, in one of the `BECAUSE` words; without one it is a claim.
    """

    package: Package
    affected: Releases = NONE
    fixed: Releases = NONE
    not_affected: Releases = NONE
    untested: Releases = NONE
    complete: bool = False
    doubts: tuple[str, ...] = ()
    scheme: str = ""
    branch: str = ""
    because: str = ""

    @property
    def order(self) -> str:
        """The version scheme that this statement's ranges use."""
        return self.scheme or self.package.scheme


@dataclass(frozen=True, slots=True)
class Score:
    """A CVSS vector of version 2.0, 3.0, 3.1 or 4.0, and who assessed it."""

    vector: str
    by: str


@dataclass(frozen=True, slots=True)
class Credit:
    """Whoever is thanked, with consent; *kind* is one of `CREDITS`, the words of CVE and OSV."""

    name: str
    kind: str = "finder"
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A public page about the flaw."""

    url: str
    summary: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """One vulnerability: its public ids (CVE first), weakness class, words, and statements.

    *workaround* is what helps where the remedy cannot go on yet.
    """

    ids: tuple[str, ...]
    title: str
    description: str
    statements: tuple[Statement, ...]
    cwe: str = ""
    remedy: str = ""
    workaround: str = ""
    scores: tuple[Score, ...] = ()

    @property
    def cve(self) -> str:
        """The CVE id, or nothing."""
        return next((name for name in self.ids if name.startswith("CVE-")), "")


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of the document; *number* counts from 1, *at* is in UTC."""

    number: str
    at: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """One document about one or more flaws. A withdrawn one is kept and matches nothing."""

    id: str
    title: str
    flaws: tuple[Flaw, ...]
    revisions: tuple[Revision, ...]
    tlp: Tlp = Tlp.AMBER_STRICT
    status: Literal["draft", "interim", "final"] = "draft"
    publisher: str = DEMONSTRATION_PUBLISHER
    namespace: str = DEMONSTRATION_NAMESPACE
    found_by: str = ""
    references: tuple[Reference, ...] = ()
    withdrawn: bool = False
    credits: tuple[Credit, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[Package, ...]:
        """Every package spoken of, each once, in order of first mention."""
        named = (statement.package for flaw in self.flaws for statement in flaw.statements)
        return tuple(dict.fromkeys(named))


def draft(
    findings: Sequence[Finding],
    *,
    fixed_purl: str,
    at: datetime,
    tlp: Tlp,
    publisher: str = DEMONSTRATION_PUBLISHER,
    namespace: str = DEMONSTRATION_NAMESPACE,
    replays: Mapping[str, ReplayVerdict] = UNREPLAYED,
    fix_tried: bool = False,
) -> Advisory:
    """The advisory for one group of findings in one release, with what replaying them showed.

    Only the release that was reported is called affected and only the fixed one fixed; earlier releases
    are untested. *at* is the moment of drafting. *replays* are verdicts by the finding's id, and
    *fix_tried* says that they were made on the very release that *fixed_purl* names: without it the
    text says that the repair is stated and was not tried.

    Raises: Invalid, if there is no finding, the findings name different releases, or *at* has no zone.
    """
    if not findings:
        raise Invalid("findings", "an advisory needs at least one finding")
    if at.tzinfo is None:
        raise Invalid("at", "a moment without a zone; give UTC")
    first = min(findings, key=lambda finding: (finding.at, finding.id))
    purls = {finding.purl for finding in findings}
    if len(purls) != 1:
        raise Invalid("findings", f"they name different releases: {', '.join(sorted(purls))}")
    tried, fix = parse_purl(first.purl), parse_purl(fixed_purl)
    if tried.package != fix.package or not tried.version or not fix.version:
        raise Invalid("fixed_purl", f"{fixed_purl!r} names no release of {tried.package.purl()}")
    statement = Statement(
        package=tried.package,
        affected=Releases(listed=(tried.version,)),
        fixed=Releases(listed=(fix.version,)),
        untested=Releases(intervals=(Interval(high=fix.version),)),
    )
    ids = tuple(dict.fromkeys(name for finding in findings for name in finding.ids))
    flaw = Flaw(
        ids=ids,
        title=f"{first.title} in {tried.package.name}",
        description=_description(
            tried.package,
            (tried.version, fix.version),
            first,
            replays.get(first.id),
            fix_tried=fix_tried,
        ),
        statements=(statement,),
        cwe=first.cwe,
        remedy=f"Replace {tried.package.name} {tried.version} by {fix.version} or a later release.",
    )
    moment = at.astimezone(UTC)
    return Advisory(
        id=f"LEADLINE-{moment.year}-{first.id[:12].upper()}",
        title=flaw.title,
        flaws=(flaw,),
        revisions=(Revision("1", moment, "First draft."),),
        tlp=tlp,
        publisher=publisher,
        namespace=namespace,
        found_by=first.found_by,
        references=tuple(_public_record(name) for name in ids if name.startswith("CVE-")),
    )


_FOUND_BY = {
    "ai": "by an AI system",
    "tool": "by an automated tool, without an AI system",
    "person": "by a person",
}


def _description(
    package: Package,
    releases: tuple[str, str],
    finding: Finding,
    replayed: ReplayVerdict | None,
    *,
    fix_tried: bool,
) -> str:
    tried, fix = releases
    return (
        f"Release {tried} of {package.name} misbehaves on a crafted input ({finding.title}). "
        f"Found {_FOUND_BY[finding.origin]} ({finding.found_by}). "
        f"{_shown(tried, fix, replayed, fix_tried=fix_tried)} Other releases before {fix} were not tried."
    )


def _shown(tried: str, fix: str, replayed: ReplayVerdict | None, *, fix_tried: bool) -> str:
    """What replaying showed, and what is only stated: nobody may read the one for the other."""
    stated = f"That {fix} repairs it is stated; it was not tried here."
    fixed = fix if fix_tried else "a repaired build"
    if replayed is ReplayVerdict.FIX_EFFECTIVE:
        seen = f"Replayed in a sealed test: the flaw shows itself on {tried} and not on {fixed}."
        return seen if fix_tried else f"{seen} {stated}"
    if replayed is ReplayVerdict.FIX_INEFFECTIVE:
        seen = f"Replayed in a sealed test: the flaw shows itself on {tried}, and on {fixed} too."
        return seen if fix_tried else f"{seen} {stated}"
    if replayed is ReplayVerdict.CONFIRMED:
        return f"Replayed in a sealed test: the flaw shows itself on {tried}. {stated}"
    return f"It was reported; no replay of ours confirms it. {stated}"


def _public_record(cve: str) -> Reference:
    return Reference(f"https://www.cve.org/CVERecord?id={cve}", f"Public record of {cve}")
