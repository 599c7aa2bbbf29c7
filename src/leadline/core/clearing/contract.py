"""The intake contract: what a project's maintainers take, on which terms, and how much a week.

It is a file in their own repository, so that whoever can write there can change it, and one commit
pauses it. A contract that was only read out of a security policy says so. What a contract says decides
where a report goes before anybody is written to; it never says anything about the finder.
Source: clearinghouse reference, section 4; requirements M1 to M10 of the programme reference.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from leadline.core.clearing.finding import Finding, Severity
from leadline.core.clearing.product import Package, Release, parse_purl
from leadline.core.clearing.report import Stage
from leadline.core.errors import Invalid

DEFAULT_PER_WEEK = 1  # where nobody has said what is wanted
DEFAULT_OPEN = 3
PER_WEEK_MAX = 1_000


class Wanted(StrEnum):
    """How much a piece of evidence is wanted."""

    REQUIRED = "required"
    WELCOME = "welcome"
    UNWANTED = "unwanted"


class Embargo(StrEnum):
    """How findings are handled until a fix is out."""

    PRIVATE = "private"
    AI_FOUND_IS_PUBLIC = "ai-found-is-public"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One clause of the threat model: what is no vulnerability here.

    It fits a report that names one of *weaknesses* (all, if none are named) and lies in one of *paths*
    (anywhere, if none are named); without either it is for people to read and fits nothing by itself.
    """

    clause: str
    says: str
    paths: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of one project's terms; *digest* is the SHA-256 of the file it was read from.

    *paused_until* None while *paused* means that nobody has said when. *maintainers* are the people who
    read reports: each has one pace over all their projects.
    """

    project: str
    contact: str = ""
    packages: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    reproducer: Wanted = Wanted.REQUIRED
    patch: Wanted = Wanted.WELCOME
    test: Wanted = Wanted.WELCOME
    human_confirmer: Wanted = Wanted.WELCOME
    per_week: int = DEFAULT_PER_WEEK
    max_open: int = DEFAULT_OPEN
    paused: bool = False
    paused_until: datetime | None = None
    embargo: Embargo = Embargo.PRIVATE
    disclosure_policy: str = ""
    minimum_severity: Severity = Severity.UNKNOWN
    upstream_first: str = ""
    decline_route: str = ""
    inferred: bool = False
    digest: str = ""

    def __post_init__(self) -> None:
        """Refuse a pace that is none.

        Raises: Invalid, naming the field.
        """
        for field, number in (("per_week", self.per_week), ("max_open", self.max_open)):
            if not 1 <= number <= PER_WEEK_MAX:
                cure = "to take nothing, write `paused = true`"
                raise Invalid(field, f"a whole number from 1 to {PER_WEEK_MAX}; {cure}")

    @property
    def lane(self) -> str:
        """The queue of this project, as acts name it."""
        return lane_of(self.project)

    def stands_still(self, now: datetime) -> bool:
        """Whether it takes nothing at this moment."""
        if self.paused:
            return self.paused_until is None or now < self.paused_until
        return self.paused_until is not None and now < self.paused_until

    def no_embargo(self, finding: Finding) -> bool:
        """Whether this finding is public from the moment it is confirmed."""
        by_model = finding.origin == "ai"
        return self.embargo is Embargo.PUBLIC or (
            self.embargo is Embargo.AI_FOUND_IS_PUBLIC and by_model
        )


def lane_of(name: str) -> str:
    """What stands for a project, a package or a person in acts: SHA-256 of its name, in hex.

    Whoever can guess the name can check it, so it hides nothing; equal names are to give equal queues. The
    public log holds blinded leaves alone, and no act that holds a lane is opened to everybody (`fairness.OPEN`).
    """
    return hashlib.sha256(f"leadline/lane/v1\0{name}".encode()).hexdigest()


def release_of(purl: str) -> Release | str:
    """The release that a Package-URL names, or why it names none."""
    try:
        return parse_purl(purl)
    except Invalid as error:
        return error.problem


def package_of(purl: str) -> Package | None:
    """The package of a Package-URL without its version; None where it is none."""
    found = release_of(purl)
    return found.package if isinstance(found, Release) else None


def repository_of(url: str) -> str:
    """One spelling of a repository's address: without scheme, user, port, ``.git`` and case."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", url.strip().lower()).rpartition("@")[2]
    host, sign, path = bare.replace(":", "/", 1).partition("/")
    path = re.sub(r"^\d+/", "", path)
    return f"{host}{sign}{path}".rstrip("/").removesuffix(".git")


class Claims:
    """Contracts by what they claim, so that a finding asks few of them, however many are on file."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._by = defaultdict[str | Package | None, list[Contract]](list)
        for one in contracts:
            packages = {package_of(purl) for purl in one.packages}
            repositories = {f"repository {repository_of(url)}" for url in one.repositories}
            for name in {f"project {one.project}", *repositories, *packages} - {None}:
                self._by[name].append(one)

    def on(self, finding: Finding) -> tuple[Contract, ...]:
        """The contracts that are for this finding, in order of project: by its project, package or places."""
        places = [one.repository for one in finding.locations if one.repository]
        names: list[str | Package] = [f"repository {repository_of(one)}" for one in places]
        names += [f"project {finding.project}"] if finding.project else []
        package = package_of(finding.purl) if finding.purl else None
        names += [package] if package else []
        found = {one.project: one for name in names for one in self._by.get(name, ())}
        return tuple(found[project] for project in sorted(found))


@dataclass(frozen=True, slots=True)
class Judged:
    """What contracts say of one finding; *reason* holds nothing of the finding itself.

    *lacking* is what is due with it before it takes a place.
    """

    stage: Stage
    reason: str
    lane: str
    contract: Contract | None = None
    clause: str = ""
    lacking: tuple[str, ...] = ()


def judge(contracts: Iterable[Contract] | Claims, finding: Finding) -> Judged:
    """Where a finding goes by the contracts that claim it. Their order does not matter."""
    claims = (contracts if isinstance(contracts, Claims) else Claims(contracts)).on(finding)
    if not claims:
        name = str(
            package_of(finding.purl) or finding.project or _repository(finding) or finding.id
        )
        told = (
            "no contract is on file for this software; a coordinator asks its maintainers first, and "
            f"{DEFAULT_PER_WEEK} report a week goes there at most"
        )
        return Judged(Stage.SCREENED, told, lane_of(name))
    if len(claims) > 1:
        told = f"{len(claims)} contracts claim this software; a coordinator says whose it is"
        return Judged(Stage.SCREENED, told, lane_of(" and ".join(one.project for one in claims)))
    return _by(claims[0], finding)


def _repository(finding: Finding) -> str:
    return next((repository_of(one.repository) for one in finding.locations if one.repository), "")


def _by(contract: Contract, finding: Finding) -> Judged:
    if lacking := tuple(_lacking(contract, finding)):
        told = f"the contract of {contract.project} takes no report without this"
        return Judged(Stage.RECEIVED, told, contract.lane, contract, lacking=lacking)
    route = f"; what is worth hardening goes to {contract.decline_route}" * bool(
        contract.decline_route
    )
    if clause := excluded_by(contract, finding):
        told = f"clause {clause.clause} of the threat model: {clause.says}{route}"
        return Judged(Stage.OUT_OF_THREAT_MODEL, told, contract.lane, contract, clause.clause)
    if outside := _outside(contract, finding):
        told = f"{outside}{route}"
        return Judged(Stage.OUT_OF_THREAT_MODEL, told, contract.lane, contract, "scope")
    told = "it fits the contract on file"
    if contract.upstream_first:
        told += f", which asks that {contract.upstream_first} be told first"
    return Judged(Stage.SCREENED, told, contract.lane, contract)


def _lacking(contract: Contract, finding: Finding) -> Iterator[str]:
    """What is required and not there, each with what to do."""
    if contract.reproducer is Wanted.REQUIRED and not finding.proof_sha256:
        yield "a reproducer: give `reproducer` with the bytes that trigger it, and how to run them"
    if contract.patch is Wanted.REQUIRED and not finding.evidence.patch:
        yield "a patch: give `patch` with the digest of a file beside the report"
    if contract.test is Wanted.REQUIRED and not finding.evidence.test:
        yield "a test: give `test` with the digest of a file beside the report"
    unread = finding.origin != "person" and not finding.confirmed_by
    if contract.human_confirmer is Wanted.REQUIRED and unread:
        yield "a person who looked at it: give `confirmed_by`; a model's own word is not enough"


def excluded_by(contract: Contract, finding: Finding) -> Exclusion | None:
    """The first clause of the threat model that fits; clauses for people to read fit nothing."""
    for one in contract.exclusions:
        if not (one.paths or one.weaknesses):
            continue
        weak = not one.weaknesses or finding.cwe in one.weaknesses
        paths = [place.file for place in finding.locations]
        # A report that names no place might lie outside of them: it is not excluded by a guess.
        inside = not one.paths or (bool(paths) and all(_within(path, one.paths) for path in paths))
        if weak and inside:
            return one
    return None


def _outside(contract: Contract, finding: Finding) -> str:
    """Why the finding is outside the scope; empty if it is inside, or if that is not known."""
    floor = contract.minimum_severity
    if Severity.UNKNOWN not in {floor, finding.severity} and finding.severity.rank < floor.rank:
        return (
            f"its finder rates it {finding.severity.value}; the project takes {floor.value} and up"
        )
    paths = [place.file for place in finding.locations if place.file]
    if paths and all(_within(path, contract.exclude) for path in paths):
        return "every place that it names is out of scope"
    if paths and contract.include and not any(_within(path, contract.include) for path in paths):
        return "no place that it names is in scope"
    version = _version(finding.purl)
    if version and contract.releases and not _within(version, contract.releases):
        return "the project does not look after this release"
    return ""


def _version(purl: str) -> str:
    found = release_of(purl)
    return found.version if isinstance(found, Release) else ""


def _within(path: str, globs: Sequence[str]) -> bool:
    """Whether a path fits one of *globs*; ``**`` and ``*`` reach over folders, ``dir/`` holds all in it."""
    plain = path.removeprefix("./")
    return any(
        fnmatchcase(plain, one + "*" if one.endswith("/") else one)
        or fnmatchcase(plain, one.replace("**/", ""))
        for one in globs
    )


def explain(contract: Contract, now: datetime) -> tuple[str, ...]:
    """The contract in plain words, one sentence a line: what its maintainers and senders must know."""
    return tuple(_sentences(contract, now))


def _sentences(contract: Contract, now: datetime) -> Iterator[str]:
    if contract.inferred:
        yield "This was read out of a security policy; nobody of the project has said it in this form."
    yield f"Project {contract.project}; reports go to {contract.contact or 'nobody named here'}."
    yield _pause(contract, now)
    yield (
        f"At most {_count(contract.per_week, 'report')} in any 7 days and {contract.max_open} open at a "
        "time; the rest wait elsewhere, the most urgent first, and their finders keep their credit."
    )
    if contract.maintainers:
        yield (
            f"Read by {', '.join(contract.maintainers)}; who looks after several projects has one "
            "pace for all of them."
        )
    yield from _evidence(contract)
    yield from _scope(contract)
    yield {
        Embargo.PRIVATE: "Findings stay private until a fix is out, or the disclosure policy ends it.",
        Embargo.AI_FOUND_IS_PUBLIC: "What a model found is public once confirmed; other findings are private.",
        Embargo.PUBLIC: "Findings are public once confirmed; there is no embargo.",
    }[contract.embargo]
    if contract.disclosure_policy:
        yield f"Disclosure follows the policy {contract.disclosure_policy}."
    if contract.upstream_first:
        yield f"Tell {contract.upstream_first} first."
    if contract.decline_route:
        yield f"What is out of scope but worth hardening goes to {contract.decline_route}."


def _pause(contract: Contract, now: datetime) -> str:
    if not contract.stands_still(now):
        return "Open: reports are taken."
    if contract.paused_until is None:
        return "PAUSED: nothing is sent to the project until it says otherwise; reports wait."
    until = contract.paused_until.isoformat(timespec="minutes")
    return f"PAUSED until {until}: nothing is sent to the project before; reports wait."


def _evidence(contract: Contract) -> Iterator[str]:
    wanted = {
        "a reproducer": contract.reproducer,
        "a patch": contract.patch,
        "a test": contract.test,
        "a person who confirmed it": contract.human_confirmer,
    }
    for level, words in (
        (Wanted.REQUIRED, "A report is not taken without"),
        (Wanted.WELCOME, "Welcome:"),
        (Wanted.UNWANTED, "Please do not send"),
    ):
        named = [what for what, how in wanted.items() if how is level]
        if named:
            yield f"{words} {', '.join(named)}."


def _scope(contract: Contract) -> Iterator[str]:
    if contract.include:
        yield f"In scope: {', '.join(contract.include)}."
    if contract.exclude:
        yield f"Out of scope: {', '.join(contract.exclude)}."
    if contract.releases:
        yield f"Releases looked after: {', '.join(contract.releases)}."
    if contract.minimum_severity is not Severity.UNKNOWN:
        yield f"Severity {contract.minimum_severity.value} and up."
    for one in contract.exclusions:
        told = (
            ""
            if one.paths or one.weaknesses
            else " (for people to read; nothing is sorted out by it)"
        )
        yield f"No vulnerability here, clause {one.clause}: {one.says}{told}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
