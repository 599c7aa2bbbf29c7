"""Which pairs of findings groups are listed by: those that evidence joins, and those a person may be asked about.

What a reader is shown is computed from the evidence between the findings that this reader may read
(`leadline.core.clearing.evidence`). These pairs only say where to begin, and they do for every reader: each
group begins at a joined pair, each proposal and each doubt at an asked one. So a pair stays out only where
whoever reads both findings reads what settles it as well: it leads over findings that the same people read.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from leadline.core.access import Resource
from leadline.core.clearing.evidence import Claim, EvidenceEdge, clash
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.sites import unite

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding: whoever may read one may read every other with equal *facts*. *ids* are published ones."""

    facts: Hashable
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each pair in the order of its ids; *asked* are those that may be a proposal or part of a doubt."""

    joined: frozenset[Pair]
    asked: frozenset[Pair]


def published(finding: Finding) -> frozenset[str]:
    """The identifiers that say which flaw it is: two of them are two flaws unless a person says otherwise."""
    return frozenset(name for name in finding.ids if name.startswith("CVE-"))


def seen(finding: Finding, thing: Resource) -> Seen:
    """The finding as the thing that access rules are asked about, which know things by all but their names."""
    return Seen(replace(thing, id=""), published(finding))


def pairs(known: Mapping[str, Seen], edges: Collection[EvidenceEdge]) -> Pairs:
    """The pairs of all *edges* about some findings and about whatever is one flaw with these.

    A finding that is not among *known* settles nothing.
    """
    claims = defaultdict[Pair, set[Claim]](set)
    for edge in edges:
        claims[edge.a, edge.b].add(edge.claim)
    joined = frozenset(pair for pair, said in claims.items() if Claim.SAME in said)
    home = unite({end for pair in claims for end in pair}, joined)
    doubted = _doubted(known, edges, claims, home)
    ways = _Ways(known, joined)
    asked = frozenset(
        pair
        for pair, said in claims.items()
        if (said == {Claim.POSSIBLE} and not ways.lead(*pair))
        or (Claim.SAME in said and home[pair[0]] in doubted)
    )
    return Pairs(joined, asked)


def _doubted(
    known: Mapping[str, Seen],
    edges: Collection[EvidenceEdge],
    claims: Mapping[Pair, AbstractSet[Claim]],
    home: Mapping[str, str],
) -> set[str]:
    """The sets of joined findings, by their smallest, that some reader may find in doubt."""
    judged = _Ways(known, {(e.a, e.b) for e in edges if e.judged and e.claim is Claim.SAME})
    parted = (pair for pair, said in claims.items() if Claim.DISTINCT in said)
    found = {home[one] for one, two in parted if home[one] == home[two]}
    named = defaultdict[str, dict[str, frozenset[str]]](dict)
    for id_, root in home.items():
        if id_ in known:
            named[root][id_] = known[id_].ids
    return found | {root for root, ids in named.items() if clash(ids, judged.lead)}


@dataclass(frozen=True, slots=True)
class _Ways:
    """Ways from one finding to another over *joined* pairs, for whoever reads the two."""

    known: Mapping[str, Seen]
    joined: Collection[Pair]
    _homes: dict[frozenset[Hashable], Mapping[str, str]] = field(default_factory=dict)

    def lead(self, one: str, two: str) -> bool:
        """Whether one of them leads over findings alone that everybody reads who reads both."""
        if one not in self.known or two not in self.known:
            return False
        facts = frozenset({self.known[one].facts, self.known[two].facts})
        if facts not in self._homes:
            inside = {id_ for id_, held in self.known.items() if held.facts in facts}
            ways = [pair for pair in self.joined if inside.issuperset(pair)]
            self._homes[facts] = unite(inside, ways)
        home = self._homes[facts]
        return home[one] == home[two]
