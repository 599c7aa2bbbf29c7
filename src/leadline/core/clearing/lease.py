"""Scan leases: who means to look where is known to the registry, and others learn only that somebody does.

A lease is advice. It keeps nobody out and holds nobody to anything. What a finder says it covered
counts only with a manifest of the run, for that commit. States are computed from acts whenever asked.
Source: clearinghouse reference, section 3.
"""

import hashlib
import hmac
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.clearing.contract import package_of, release_of, repository_of
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, Value, instant

SHORTEST, LONGEST = timedelta(hours=24), timedelta(hours=72)
NOTICE_AT = 0.8  # of a lease's time: its finder is told that it ends
FEW = 5  # below it a number of finders or leases is not said
FILES_MAX = 1_000_000
BLOCKS_MAX = 1000
OPEN_MAX = 20  # leases of one finder that may be open at once
EFFORT_HOURS_MAX = 100_000
REPLICATED_PERCENT = 10  # of blocks that are looked at twice on purpose

_PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[^\s?#]+(?:\?[^\s#]*)?(?:#\S*)?")
_REPOSITORY = re.compile(r"https://[^\s/@:?#]+(?:/[^\s/?#]+){2,}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WEAKNESS = re.compile(r"CWE-[1-9]\d{0,4}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?:[:/]\S*)?|\[?[0-9a-fA-F]*:[0-9a-fA-F:]+\]?(?::\d+)?"
)
_SERVICE = re.compile(r"(?:http|ssh|ftp|rdp|tcp|udp|ws|wss)://\S+|[\w.-]+:\d{1,5}")
_WILD = re.compile(r"[*?]")
LIVE = (
    "a running system; a lease is about source and artefacts only. Ask the owner of the system for an "
    "authorisation, and keep it with your own records"
)
BLIND = (
    "The token hides the target from other finders. It does not hide it from whoever keeps the "
    "registry: repositories can be enumerated, and the keeper holds the key."
)
UNDISCOVERED = (
    "Two looks count as two only if they are independent. Models of one family are not, so that the "
    "true number is at least as large as this, and probably larger."
)


class LeaseState(StrEnum):
    """Where a lease stands. Only one that closed with proof counts as coverage."""

    ACTIVE = "active"
    EXPIRED = "expired"
    PROVED = "closed-with-proof"
    UNPROVED = "closed-without-proof"


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at: a package, or a range of commits of a repository; in it, paths and weaknesses.

    *paths* are globs, of which ``**`` is everything. *blind* is a token in place of all of it.
    """

    purl: str = ""
    repository: str = ""
    base: str = ""
    commit: str = ""
    paths: tuple[str, ...] = ("**",)
    weaknesses: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()

    @property
    def of(self) -> str:
        """The package or repository; blind targets have none to name."""
        return self.purl or self.repository


@dataclass(frozen=True, slots=True)
class Tree:
    """What a checkout of the target shows: paths of *commit*, and whether *base* leads to it."""

    commit: str
    paths: tuple[str, ...]
    base_is_ancestor: bool = True


@dataclass(frozen=True, slots=True)
class Lease:
    """One finder's word on what it means to look at. *blocks* are the path blocks it comes to."""

    id: str
    finder: str
    target: Target
    blocks: tuple[str, ...]
    effort_hours: int
    start: datetime
    until: datetime
    family: str = ""

    @property
    def notice_at(self) -> datetime:
        """When the finder is told that the lease ends soon."""
        return self.start + (self.until - self.start) * NOTICE_AT


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What was done under a lease. *log* is the digest of the run's own log."""

    commit: str
    paths: tuple[str, ...]
    tool: str
    effort_hours: int
    findings: int
    log: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One lease as it stands at a moment, with its manifest if one was handed in."""

    lease: Lease
    until: datetime
    state: LeaseState
    manifest: RunManifest | None = None
    why: str = ""

    @property
    def open(self) -> bool:
        """Whether it still says that somebody is looking."""
        return self.state is LeaseState.ACTIVE


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where, and what would be right."""

    place: str
    problem: str


@dataclass(frozen=True, slots=True)
class Answer:
    """All that the registry says of others: *state* in its words, never who."""

    state: str
    overlap: float = 0.0
    commit: str = ""
    finders: str = ""

    @property
    def words(self) -> str:
        """The answer as a sentence."""
        if self.state == "overlapping":
            return f"overlapping ({self.overlap:.0%} of path blocks)"
        if self.state == "covered":
            where = f" at commit {self.commit}" if self.commit else ""
            return f"covered{where} by {self.finders} finders"
        return self.state


def faults(target: Target, start: datetime, until: datetime, effort_hours: int) -> list[Fault]:
    """Every fault of a request, before any checkout is looked at."""
    found = list(_target_faults(target))
    if not SHORTEST <= until - start <= LONGEST:
        hours = (SHORTEST // timedelta(hours=1), LONGEST // timedelta(hours=1))
        latest = instant(start + LONGEST)
        found.append(
            Fault("/until", f"a lease runs {hours[0]} to {hours[1]} hours; at most to {latest}")
        )
    if not 0 < effort_hours <= EFFORT_HOURS_MAX:
        found.append(Fault("/effort_hours", f"give whole hours, 1 to {EFFORT_HOURS_MAX}"))
    return found


def _target_faults(target: Target) -> Iterable[Fault]:
    if target.blind:
        if target.of or not all(_SHA256.fullmatch(one) for one in target.blind):
            yield Fault("/target/blind", "tokens of 64 hexadecimal digits, and no name beside them")
        return
    for place, said in (("/target/purl", target.purl), ("/target/repository", target.repository)):
        if _ADDRESS.fullmatch(said) or (_SERVICE.fullmatch(said) and not said.startswith("pkg:")):
            yield Fault(place, LIVE)
            return
    if bool(target.purl) == bool(target.repository):
        yield Fault("/target", "name a purl or a repository, one of the two")
    if target.purl and not _PURL.fullmatch(target.purl):
        yield Fault("/target/purl", "no package URL; such as pkg:pypi/example@1.0")
    if target.repository:
        yield from _repository_faults(target)
    yield from _part_faults(target)


def _repository_faults(target: Target) -> Iterable[Fault]:
    if not _REPOSITORY.fullmatch(target.repository):
        problem = "no repository; such as https://example.org/owner/name. For a whole forge, split"
        yield Fault("/target/repository", problem)
    for place, commit in (("/target/base", target.base), ("/target/commit", target.commit)):
        if not _COMMIT.fullmatch(commit):
            yield Fault(place, "a full commit id of 40 or 64 hexadecimal digits")


def _part_faults(target: Target) -> Iterable[Fault]:
    """What is wrong with the paths and weakness classes."""
    if not target.paths:
        yield Fault("/target/paths", "name at least one path; ** is everything")
    for n, glob in enumerate(target.paths):
        if not glob or glob.startswith("/") or ".." in glob.split("/"):
            yield Fault(
                f"/target/paths/{n}", "a path from the top of the repository, such as src/**"
            )
    for n, weakness in enumerate(target.weaknesses):
        if not _WEAKNESS.fullmatch(weakness):
            yield Fault(f"/target/weaknesses/{n}", "a weakness class such as CWE-787")


def blocks(target: Target, tree: Tree | None) -> tuple[tuple[str, ...], list[Fault]]:
    """The path blocks that a target comes to, and what is wrong with it in this checkout.

    A block is a folder two levels deep at most, so that small edits do not change it. Without a checkout
    the globs themselves are the blocks.
    """
    if target.blind:
        return tuple(sorted(set(target.blind))), []
    if tree is None:
        return tuple(sorted(set(target.paths))), []
    found: list[Fault] = []
    if target.repository and tree.commit != target.commit:
        found.append(
            Fault("/target/commit", f"is not there; the checkout resolves to {tree.commit}")
        )
    if target.repository and not tree.base_is_ancestor:
        problem = f"is no ancestor of {target.commit}; name one that is"
        found.append(Fault("/target/base", problem))
    held = [_glob(glob) for glob in target.paths]
    paths = [path for path in tree.paths if any(glob.fullmatch(path) for glob in held)]
    made = tuple(sorted({block_of(path) for path in paths}))
    if len(paths) > FILES_MAX or len(made) > BLOCKS_MAX:
        problem = f"{len(paths)} files in {len(made)} blocks; split it ({FILES_MAX}, {BLOCKS_MAX})"
        found.append(Fault("/target/paths", problem))
    if not paths:
        found.append(Fault("/target/paths", "no file of this commit is meant"))
    return made, found


def block_of(path: str) -> str:
    """The block a file lies in: its folders, two at most."""
    return "/".join(path.split("/")[:-1][:2]) or "."


def _glob(pattern: str) -> re.Pattern[str]:
    """A path glob: ``*`` within a folder, ``**`` over folders."""
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))


def token(epoch_key: bytes, repository: str, tree: str, block: str) -> str:
    """What stands for one block in blind mode; equal tokens overlap. See `BLIND` for what it hides not."""
    fields = (repository.encode(), tree.encode(), block.encode())
    content = b"".join(len(one).to_bytes(4, "big") + one for one in fields)
    return hmac.new(epoch_key, content, hashlib.sha256).hexdigest()


def answer(asked: Target, wanted: Sequence[str], others: Iterable[Standing]) -> Answer:
    """What a finder learns of others' leases on the same target: free, overlapping or covered.

    Coverage counts for its commit alone. *others* are the leases of other finders.
    """
    same = [one for one in others if _meets(one.lease.target, asked)]
    want = set(wanted)
    taken = _taken(want, {block for one in same if one.open for block in one.lease.blocks})
    if taken:
        return Answer("overlapping", overlap=len(taken) / len(want))
    covering = [
        one
        for one in same
        if one.state is LeaseState.PROVED
        and (one.manifest is not None and (one.manifest.commit == asked.commit or asked.blind))
        and (not asked.purl or _release(one.lease.target.purl) == _release(asked.purl))
        and _looked_for_all(one.lease.target, asked)
        and want <= set(one.lease.blocks)
    ]
    if covering:
        return Answer(
            "covered", commit=asked.commit, finders=few(len({one.lease.finder for one in covering}))
        )
    return Answer("free")


def _taken(want: set[str], held: set[str]) -> set[str]:
    """The blocks that others look at too; globs, which stand where there was no checkout, by what they reach."""
    globs = {one for one in held if _WILD.search(one)}
    found = want & held
    for one in want - found:
        others = held if _WILD.search(one) else globs
        if any(_touch(one, other) for other in others):
            found.add(one)
    return found


def _touch(one: str, two: str) -> bool:
    """Whether two globs, or one and a block, may reach the same file: as far as they are plain."""
    first, second = (_WILD.split(each, maxsplit=1)[0].rstrip("/") for each in (one, two))
    return first.startswith(second) or second.startswith(first)


def _meets(one: Target, two: Target) -> bool:
    if one.blind or two.blind:
        return bool(set(one.blind) & set(two.blind))
    weak = not one.weaknesses or not two.weaknesses or bool({*one.weaknesses} & {*two.weaknesses})
    return weak and _named(one) == _named(two)


def _looked_for_all(one: Target, asked: Target) -> bool:
    """Whether every weakness class that is asked about was looked for; none named is all of them."""
    return not one.weaknesses or (
        bool(asked.weaknesses) and {*asked.weaknesses} <= {*one.weaknesses}
    )


def _named(target: Target) -> object:
    """The package or repository, however it is spelled and whichever release of it is meant."""
    if target.repository:
        return repository_of(target.repository)
    return package_of(target.purl) or target.purl


def _release(purl: str) -> object:
    found = release_of(purl)
    return purl if isinstance(found, str) else found


def few(count: int) -> str:
    """A number of others: small ones are not said."""
    return f"fewer than {FEW}" if count < FEW else str(count)


def shortfall(lease: Lease, manifest: RunManifest) -> str:
    """Why a manifest is no proof of coverage; empty if it is one. It is kept all the same."""
    target = lease.target
    if target.commit and manifest.commit != target.commit:
        return f"it is of commit {manifest.commit}, the lease of {target.commit}"
    if manifest.effort_hours <= 0:
        return "it says that no effort was spent"
    if not _SHA256.fullmatch(manifest.log):
        return "it has no digest of the run's log"
    wanted = set(lease.blocks)
    # A path is a block by its own name, else a file in one.
    left = wanted - {path if path in wanted else block_of(path) for path in manifest.paths}
    return f"{len(left)} blocks of the lease are not in it" if left else ""


def detail(lease: Lease) -> dict[str, Value]:
    """What the act that takes a lease keeps."""
    of = lease.target
    return {
        "purl": of.purl,
        "repository": of.repository,
        "base": of.base,
        "commit": of.commit,
        "paths": of.paths,
        "weaknesses": of.weaknesses,
        "blind": of.blind,
        "blocks": lease.blocks,
        "effort_hours": lease.effort_hours,
        "start": instant(lease.start),
        "until": instant(lease.until),
        "family": lease.family,
    }


def manifest_detail(manifest: RunManifest) -> dict[str, Value]:
    """What the act that closes a lease keeps of its manifest."""
    return {
        "commit": manifest.commit,
        "paths": manifest.paths,
        "tool": manifest.tool,
        "effort_hours": manifest.effort_hours,
        "findings": manifest.findings,
        "log": manifest.log,
    }


def standings(acts: Iterable[Act], now: datetime) -> dict[str, Standing]:
    """Every lease as its acts have it at *now*, by id, in the order they were taken."""
    taken: dict[str, Lease] = {}
    until: dict[str, datetime] = {}
    closed: dict[str, Act] = {}
    for act in acts:
        if act.kind is Kind.LEASE_TAKEN:
            taken[act.about] = _lease(act)
            until[act.about] = taken[act.about].until
        elif act.kind is Kind.LEASE_RENEWED:
            until[act.about] = datetime.fromisoformat(str(act.detail["until"]))
        elif act.kind is Kind.LEASE_CLOSED:
            closed.setdefault(act.about, act)
    return {id_: _standing(one, until[id_], closed.get(id_), now) for id_, one in taken.items()}


def _standing(lease: Lease, until: datetime, closed: Act | None, now: datetime) -> Standing:
    if closed is None:
        state = LeaseState.ACTIVE if now < until else LeaseState.EXPIRED
        return Standing(lease, until, state)
    if "commit" not in closed.detail:
        return Standing(lease, until, LeaseState.UNPROVED, why="no manifest was handed in")
    manifest = _manifest(closed)
    why = shortfall(lease, manifest)
    return Standing(lease, until, LeaseState.UNPROVED if why else LeaseState.PROVED, manifest, why)


def _lease(act: Act) -> Lease:
    told = act.detail
    texts = {name: str(told[name]) for name in ("purl", "repository", "base", "commit")}
    target = Target(
        **texts,
        paths=_many(told["paths"]),
        weaknesses=_many(told["weaknesses"]),
        blind=_many(told["blind"]),
    )
    start, until = (datetime.fromisoformat(str(told[name])) for name in ("start", "until"))
    blocks_, hours = _many(told["blocks"]), int(str(told["effort_hours"]))
    return Lease(act.about, act.actor, target, blocks_, hours, start, until, str(told["family"]))


def _manifest(act: Act) -> RunManifest:
    told = act.detail
    hours, found = int(str(told["effort_hours"])), int(str(told["findings"]))
    commit, tool, log = (str(told[name]) for name in ("commit", "tool", "log"))
    return RunManifest(commit, _many(told["paths"]), tool, hours, found, log)


def _many(value: Value) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Month:
    """What anybody may know of one month; a number below five is not said, and then is None."""

    month: str
    leases: int | None
    proved: int | None
    unproved: int | None
    finders: int | None


def months(all_: Iterable[Standing]) -> tuple[Month, ...]:
    """Monthly totals, by the month in which leases were taken."""
    held: dict[str, list[Standing]] = defaultdict(list)
    for one in all_:
        held[f"{one.lease.start:%Y-%m}"].append(one)
    return tuple(_month(month, found) for month, found in sorted(held.items()))


def _month(month: str, held: Sequence[Standing]) -> Month:
    states = Counter(one.state for one in held)
    proved = states[LeaseState.PROVED]
    lost = states[LeaseState.UNPROVED] + states[LeaseState.EXPIRED]
    finders = len({one.lease.finder for one in held})
    if finders < FEW:
        return Month(month, None, None, None, None)
    # Parts that add up to a shown whole are shown together or not at all: one could be subtracted.
    if min(proved, lost) < FEW:
        return Month(month, len(held), None, None, finders)
    return Month(month, len(held), proved, lost, finders)


def unproved_share(of_finder: Iterable[Standing]) -> tuple[int, int]:
    """Of one finder's leases that ended: how many without proof, and how many in all."""
    ended = [one for one in of_finder if not one.open]
    return sum(one.state is not LeaseState.PROVED for one in ended), len(ended)


def replicated(block: str, seed: str) -> bool:
    """Whether a block is one of those looked at twice on purpose: a tenth, fixed by the seed."""
    digest = hashlib.sha256(f"{seed}\0{block}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100 < REPLICATED_PERCENT


@dataclass(frozen=True, slots=True)
class Undiscovered:
    """An estimate of how many flaws there are in all, with its 95 % interval; see `UNDISCOVERED`."""

    found: int
    total: float
    low: float
    high: float
    warning: str = UNDISCOVERED


def chapman(first: int, second: int, both: int) -> Undiscovered:
    """Capture and recapture: what two looks at the same blocks found, and what both found.

    Raises: Invalid, for counts that cannot be. Source: Chapman 1951; the log-normal interval of Chao
    1987, whose low end is never below what was found.
    """
    if not 0 <= both <= min(first, second):
        raise Invalid("both", "cannot be more than either look found")
    found = first + second - both
    total = (first + 1) * (second + 1) / (both + 1) - 1
    spread = (first + 1) * (second + 1) * (first - both) * (second - both)
    variance = spread / ((both + 1) ** 2 * (both + 2))
    unseen = total - found
    if unseen <= 0:
        return Undiscovered(found, total, found, found)
    factor = math.exp(1.96 * math.sqrt(math.log1p(variance / unseen**2)))
    return Undiscovered(found, total, found + unseen / factor, found + unseen * factor)


def open_leases(all_: Mapping[str, Standing], finder: str) -> int:
    """How many leases of one finder are open."""
    return sum(one.open and one.lease.finder == finder for one in all_.values())
