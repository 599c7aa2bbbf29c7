"""The evidence ladder: which findings are one flaw, which may be, which are not, and by what evidence.

Nothing is ever merged: findings stay as they are, and what belongs together is computed from the
evidence that stands, whenever it is asked. Taking a piece of evidence back restores what was before it.
Rungs: 1 identical proof on one build with one report; 2 patch cross-test, or one upstream fix; 3 class
and places of the crash; 4 place across versions; 5 text. Only rungs 1 and 2, or a person, say *same*;
only rung 2 or a person say *distinct*, and no proposal crosses that. Where evidence contradicts itself,
or joins findings that have identifiers of their own already, nothing is joined and a person is asked.
Source: clearinghouse reference, section 6.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from leadline.core.clearing.sites import unite
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, Value

TEXT_RUNG = 5
PROVED = 2  # the highest rung whose evidence may join or part findings by itself

Partition = tuple[tuple[str, ...], ...]


class Claim(StrEnum):
    """What a piece of evidence says of two findings."""

    SAME = "same"
    POSSIBLE = "possible"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True)
class EvidenceEdge:
    """One piece of evidence about two findings, in either order.

    *evidence* is the digest of what it rests on, *rule* names the rule and its version that made it;
    *judged* says that a person did. *by* is who entered it.
    """

    a: str
    b: str
    rung: int
    claim: Claim
    evidence: str
    by: str
    at: datetime
    rule: str = ""
    judged: bool = False

    def __post_init__(self) -> None:
        """Refuse what the ladder does not let such evidence say. Raises: Invalid, naming the field."""
        if self.a == self.b:
            raise Invalid("b", "one finding twice; evidence is about two")
        if self.a > self.b:
            first, second = self.b, self.a
            object.__setattr__(self, "a", first)
            object.__setattr__(self, "b", second)
        if not 1 <= self.rung <= TEXT_RUNG:
            raise Invalid("rung", f"{self.rung} is no rung; there are 1 to {TEXT_RUNG}")
        if not self.judged and self.claim not in _may_say(self.rung):
            said = " or ".join(sorted(_may_say(self.rung)))
            problem = f"evidence of rung {self.rung} says {said}; for {self.claim} a person decides"
            raise Invalid("claim", problem)

    @property
    def id(self) -> str:
        """What names this evidence: the digest of what it says and rests on, not who and when."""
        content = [
            self.a,
            self.b,
            self.rung,
            self.claim.value,
            self.evidence,
            self.rule,
            self.judged,
        ]
        return hashlib.sha256(json.dumps(["leadline/edge/1", *content]).encode()).hexdigest()

    def other(self, finding: str) -> str:
        """The finding at the other end."""
        return self.b if finding == self.a else self.a


def _may_say(rung: int) -> frozenset[Claim]:
    if rung == 1:
        return frozenset({Claim.SAME, Claim.POSSIBLE})
    return frozenset(Claim) if rung == PROVED else frozenset({Claim.POSSIBLE})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two sets of findings that may be one flaw. *rung* is the strongest evidence for it."""

    one: tuple[str, ...]
    two: tuple[str, ...]
    rung: int
    edges: tuple[EvidenceEdge, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Findings that evidence would join, and why they stay apart until a person decides."""

    findings: tuple[str, ...]
    why: str
    edges: tuple[EvidenceEdge, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the evidence that stands amounts to: every finding is in exactly one of *clusters*."""

    clusters: Partition
    proposals: tuple[Proposal, ...]
    doubts: tuple[Doubt, ...]

    def of(self, finding: str) -> tuple[str, ...]:
        """The findings that are one flaw with this one, itself among them."""
        return next((one for one in self.clusters if finding in one), (finding,))


def standing(acts: Iterable[Act]) -> tuple[EvidenceEdge, ...]:
    """The evidence that was added and not taken back, in order of its id."""
    found: dict[str, EvidenceEdge] = {}
    for act in acts:
        if act.kind is Kind.EVIDENCE_ADDED:
            found[act.about] = read(act)
        elif act.kind is Kind.EVIDENCE_RETRACTED:
            found.pop(act.about, None)
    return tuple(found[id_] for id_ in sorted(found))


def detail(edge: EvidenceEdge) -> dict[str, Value]:
    """What the act that adds it keeps; `read` is the way back."""
    return {
        "a": edge.a,
        "b": edge.b,
        "rung": edge.rung,
        "claim": edge.claim.value,
        "evidence": edge.evidence,
        "rule": edge.rule,
        "judged": edge.judged,
    }


def read(act: Act) -> EvidenceEdge:
    """The evidence that an act added."""
    told = act.detail
    return EvidenceEdge(
        str(told["a"]),
        str(told["b"]),
        int(str(told["rung"])),
        Claim(str(told["claim"])),
        str(told["evidence"]),
        act.actor,
        act.at,
        str(told["rule"]),
        told["judged"] is True,
    )


def picture(
    findings: Iterable[str],
    edges: Sequence[EvidenceEdge],
    identifiers: Mapping[str, AbstractSet[str]] | None = None,
) -> Picture:
    """What belongs together; *identifiers* are the published ids that findings have already.

    It depends on which evidence stands, never on its order. Ends that are not among *findings* count
    as findings.
    """
    ids = sorted({*findings, *(end for edge in edges for end in (edge.a, edge.b))})
    same = [edge for edge in edges if edge.claim is Claim.SAME]
    walls = {(edge.a, edge.b): edge for edge in edges if edge.claim is Claim.DISTINCT}
    doubts: list[Doubt] = []
    clusters: list[tuple[str, ...]] = []
    for joined in _partition(ids, same):
        inside = [edge for edge in same if edge.a in joined]
        parts, doubt = _settled(joined, inside, walls, identifiers or {})
        clusters.extend(parts)
        doubts.extend(doubt)
    found = tuple(sorted(clusters))
    possible = [edge for edge in edges if edge.claim is Claim.POSSIBLE]
    return Picture(found, _proposals(found, possible, walls, doubts), tuple(doubts))


def _partition(ids: Iterable[str], same: Iterable[EvidenceEdge]) -> Partition:
    roots = unite(ids, ((edge.a, edge.b) for edge in same))
    held: dict[str, list[str]] = defaultdict(list)
    for id_ in sorted(roots):
        held[roots[id_]].append(id_)
    return tuple(tuple(members) for _, members in sorted(held.items()))


def _settled(
    joined: tuple[str, ...],
    inside: Sequence[EvidenceEdge],
    walls: Mapping[tuple[str, str], EvidenceEdge],
    identifiers: Mapping[str, AbstractSet[str]],
) -> tuple[Partition, list[Doubt]]:
    """What one set of joined findings is, once contradictions and identifiers are looked at."""
    members = frozenset(joined)
    against = [walls[pair] for pair in sorted(walls) if members.issuperset(pair)]
    if against:
        why = "evidence says both that they are one and that they are not"
        return tuple((one,) for one in joined), [Doubt(joined, why, (*inside, *against))]
    judged = _partition(joined, [edge for edge in inside if edge.judged])
    home = {one: part[0] for part in judged for one in part}
    named = {one: identifiers.get(one, frozenset()) for one in joined}
    if clash(named, lambda one, two: home[one] == home[two]):
        why = "several have identifiers of their own already"
        return judged, [Doubt(joined, why, tuple(inside))]
    return (joined,), []


def clash(identifiers: Mapping[str, AbstractSet[str]], judged: Callable[[str, str], bool]) -> bool:
    """Whether two of these findings have identifiers, none of them shared, and no person *judged* them one."""
    holders = defaultdict[frozenset[str], list[str]](list)
    for finding, ids in sorted(identifiers.items()):
        if ids:
            holders[frozenset(ids)].append(finding)
    return any(
        not judged(one, two)
        for ids, others in combinations(holders, 2)
        if not ids & others
        for one in holders[ids]
        for two in holders[others]
    )


def _proposals(
    clusters: Partition,
    possible: Sequence[EvidenceEdge],
    walls: Mapping[tuple[str, str], EvidenceEdge],
    doubts: Sequence[Doubt],
) -> tuple[Proposal, ...]:
    home = {id_: members for members in clusters for id_ in members}
    held: dict[tuple[tuple[str, ...], tuple[str, ...]], list[EvidenceEdge]] = defaultdict(list)
    for edge in possible:
        first, second = sorted((home[edge.a], home[edge.b]))
        if first != second:
            held[first, second].append(edge)
    asked = [set(doubt.findings) for doubt in doubts]
    return tuple(
        Proposal(one, two, min(edge.rung for edge in edges), tuple(edges))
        for (one, two), edges in sorted(held.items())
        if not any(_pair(a, b) in walls for a in one for b in two)
        and not any({*one, *two} <= findings for findings in asked)
    )


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


@dataclass(frozen=True, slots=True)
class CrossTest:
    """What two fixes did to each other's proof. None where a run broke down or no tests are known.

    *a_silences_b*: the fix of A stops the proof of B; *a_passes*: the project's tests pass with A's fix.
    """

    a_silences_b: bool | None
    b_silences_a: bool | None
    a_passes: bool | None
    b_passes: bool | None

    @property
    def claim(self) -> Claim | None:
        """What it proves; None where it proves nothing.

        A patch that takes the feature out silences everything, so silence counts only where the
        project's tests pass; a proof that still fires counts always.
        """
        ahead = self.a_silences_b and (self.a_passes or None)
        back = self.b_silences_a and (self.b_passes or None)
        if ahead is None or back is None:
            return None
        if ahead and back:
            return Claim.SAME
        return Claim.POSSIBLE if ahead or back else Claim.DISTINCT
