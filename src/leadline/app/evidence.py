"""The evidence ladder at work: adding evidence, taking it back, cross-testing fixes, explaining.

Findings are never merged. Every piece of evidence is an act, and what belongs together is computed
from the acts that stand. A reader sees only evidence between findings that the reader may read.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations

from leadline.app.context import Context
from leadline.app.ports import Ask, CrossTester, Reading, Stored, maybe
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.clause import Clause, Fact, one_of
from leadline.core.clearing import evidence as core
from leadline.core.clearing.evidence import (
    Claim,
    CrossTest,
    Doubt,
    EvidenceEdge,
    Picture,
    Proposal,
)
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.group import RULE, Crash, group
from leadline.core.clearing.pairs import Pair, published
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind

INTAKE = "intake"
CASE, CONTENT = Marking(Tlp.AMBER_STRICT), Marking(Tlp.RED)
BY_RULE = "not by "  # why a rule takes its own word back; a person's reasons are a digest
CROSS_TEST = "patch-cross-test/1"
IDENTICAL = "identical-evidence/1"
WORDS_MAX = 4000
PART_MAX, LIMIT_MAX = 100, 200  # entries in a part of a board, unless it is told; at most
LOOKED_MAX = 1_000  # pairs of findings that are looked at for one part


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a finding is with others, may be with others, or is kept apart; for one reader."""

    finding: str
    cluster: tuple[str, ...]
    edges: tuple[EvidenceEdge, ...]
    proposals: tuple[Proposal, ...]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class Regrouped:
    """What running the rules over the findings of a case changed; *picture* is as it stands now."""

    added: tuple[EvidenceEdge, ...]
    retracted: tuple[EvidenceEdge, ...]
    picture: Picture


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding with its fix, as a cross-test needs them; *files* are the paths that the fix changes."""

    finding: str
    fix: str
    proof: str
    patch: str
    files: tuple[str, ...]


def confirm(ctx: Context, a: str, b: str, claim: Claim, words: str) -> EvidenceEdge:
    """A person's word on two findings: one flaw, or not. The reasons go to the vault.

    Raises: Denied; NotFound; Invalid, for no reasons or for *possible*, which is no decision; Refused,
    if that is on record already.
    """
    for row in _known(ctx, a, b):
        ctx.require(Action.EVIDENCE_JUDGE, row.thing("finding"))
    if claim is Claim.POSSIBLE:
        raise Invalid("claim", "a person decides: same or distinct")
    said = words.strip()
    if not said or len(said) > WORDS_MAX:
        raise Invalid("words", f"say why, in at most {WORDS_MAX} characters")
    digest = ctx.vault.put(said.encode(), marking=CONTENT)
    edge = EvidenceEdge(a, b, 2, claim, digest, ctx.principal.id, ctx.now, "person", judged=True)
    return add_edge(ctx, edge)


def add_edge(ctx: Context, edge: EvidenceEdge) -> EvidenceEdge:
    """Enter one piece of evidence about two findings.

    Raises: Denied; NotFound, for a finding that is not there; Refused, if it stands already.
    """
    rows = _known(ctx, edge.a, edge.b) if edge.judged else _rows(ctx, edge.a, edge.b)
    action = Action.EVIDENCE_JUDGE if edge.judged else Action.GROUP_PROPOSE
    for row in rows:
        ctx.require(action, _of_case(row) if not edge.judged else row.thing("finding"))
    with ctx.store.write() as tx:
        if _edge(tx, edge.id) is not None:
            raise Refused(f"evidence {edge.id[:16]} stands already")
        tx.record(ctx.act(Kind.EVIDENCE_ADDED, edge.id, "", **core.detail(edge)))
    return edge


def retract(ctx: Context, edge_id: str, words: str) -> EvidenceEdge:
    """Take a piece of evidence back: what it joined is apart again, and nothing is lost.

    Raises: Denied; NotFound, if no such evidence stands; Invalid, for no reasons.
    """
    with ctx.store.read() as view:
        found = _edge(view, edge_id)
    if found is None:
        raise NotFound(f"no evidence {edge_id[:64]}; see `leadline findings explain`")
    for row in _rows(ctx, found.a, found.b):
        ctx.require(Action.EVIDENCE_JUDGE, row.thing("finding"))
    if not words.strip():
        raise Invalid("words", "say why it is taken back")
    digest = ctx.vault.put(words.strip().encode(), marking=CONTENT)
    with ctx.store.write() as tx:
        if _edge(tx, edge_id) is None:
            raise Refused(f"evidence {edge_id[:16]} was taken back already")
        tx.record(ctx.act(Kind.EVIDENCE_RETRACTED, edge_id, "", reason=digest))
    return found


def explain(ctx: Context, finding: str) -> Explained:
    """Why a finding is with others, and what would join or part them.

    Raises: NotFound, for a finding that is not there or not for this person to know.
    """
    with ctx.store.read() as view:
        readable, edges = _around(ctx, view, finding)
    if finding not in readable:
        raise NotFound(f"no finding {finding[:64]}; see `leadline finding list`")
    seen = core.picture(readable, edges, _identifiers(readable.values()))
    cluster = seen.of(finding)
    return Explained(
        finding,
        cluster,
        tuple(one for one in edges if one.a in cluster or one.b in cluster),
        tuple(one for one in seen.proposals if finding in (*one.one, *one.two)),
        tuple(one for one in seen.doubts if finding in one.findings),
    )


@dataclass(frozen=True, slots=True)
class Overview:
    """A part of what belongs together among the findings that one reader may know, with their titles and edges.

    *next* is the cursor of the next part; None at the end.
    """

    picture: Picture
    findings: Mapping[str, Finding]
    edges: tuple[EvidenceEdge, ...]
    next: str | None = None


def overview(
    ctx: Context, ask: Ask = Ask.ASKED, cursor: str = "", limit: int = PART_MAX
) -> Overview:
    """A part of what a person decides (proposals and doubts), or of the groups that evidence joins.

    Among the findings that this person may read, in the order of their ids. A part may be short, or empty,
    before the end: evidence that settles what it asked about is looked at as well, at most some of it at once.

    Raises: Invalid, for a *cursor* that no list gave out, or a *limit* out of bounds.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid("limit", f"ask for 1 to {LIMIT_MAX}")
    clause, after = _may_be_read(ctx), _place(cursor)
    with ctx.store.read() as view:
        part = _Part(ctx, view, ask, limit)
        while not part.full and (some := view.pairs(ask, clause, after, limit + 1)):
            after = part.take(some)
        more = part.full and bool(view.pairs(ask, clause, after, 1))
    return part.overview(".".join(after) if more else None)


class _Part:
    """A part of a board while it fills: pairs of findings in order, and what is shown that begins at each."""

    def __init__(self, ctx: Context, view: Reading, ask: Ask, limit: int) -> None:
        self._ctx, self._view, self._ask, self._limit = ctx, view, ask, limit
        self._readable, self._edges = dict[str, Finding](), dict[str, EvidenceEdge]()
        self._asked = set[str]()
        self._shown = list[_Shown]()
        self._looked = 0

    @property
    def full(self) -> bool:
        """Whether nothing more is to be taken in."""
        return len(self._shown) == self._limit or self._looked >= LOOKED_MAX

    def take(self, some: Sequence[Pair]) -> Pair:
        """Take in what begins at these pairs, while there is room; answers the last that was looked at."""
        self._know({end for pair in some for end in pair})
        edges, ids = self._between(), _identifiers(self._readable.values())
        seen = core.picture(self._readable, edges, ids)
        begins = {one.begins: one for one in _shown(seen, edges, self._ask)}
        after = some[0]
        for pair in some:
            if self.full:
                break
            after, self._looked = pair, self._looked + 1
            if pair in begins:
                self._shown.append(begins[pair])
        return after

    def _know(self, new: AbstractSet[str]) -> None:
        """Read these findings, all that are one flaw with them, and the evidence about any, as far as readable."""
        while new := new - self._asked:
            self._asked |= new
            known = {
                row.id: row.value
                for row in self._view.among(Finding, new)
                if _may_read(self._ctx, row)
            }
            self._readable |= known
            found = _edges(self._view, frozenset(known))
            self._edges |= {one.id: one for one in found}
            new = {end for one in found if one.claim is Claim.SAME for end in (one.a, one.b)}

    def _between(self) -> list[EvidenceEdge]:
        known = self._readable.keys()
        held = (one for one in self._edges.values() if {one.a, one.b} <= known)
        return sorted(held, key=lambda one: one.id)

    def overview(self, after: str | None) -> Overview:
        """What was taken in."""
        named = {id_ for one in self._shown for id_ in one.findings}
        findings = {id_: self._readable[id_] for id_ in sorted(named)}
        edges = tuple(one for one in self._between() if {one.a, one.b} <= named)
        clusters = {cluster for one in self._shown for cluster in one.clusters}
        proposals = tuple(one.what for one in self._shown if isinstance(one.what, Proposal))
        doubts = tuple(one.what for one in self._shown if isinstance(one.what, Doubt))
        return Overview(Picture(tuple(sorted(clusters)), proposals, doubts), findings, edges, after)


@dataclass(frozen=True, slots=True)
class _Shown:
    """One entry of a board, and the pair of findings that it stands at in the order of the board."""

    begins: Pair
    clusters: tuple[tuple[str, ...], ...]
    what: Proposal | Doubt | None = None

    @property
    def findings(self) -> Iterable[str]:
        return (id_ for cluster in self.clusters for id_ in cluster)


def _shown(seen: Picture, edges: Sequence[EvidenceEdge], ask: Ask) -> Iterator[_Shown]:
    if ask is Ask.JOINED:
        yield from _joined(seen, edges)
        return
    for proposal in seen.proposals:
        begins = min((edge.a, edge.b) for edge in proposal.edges)
        yield _Shown(begins, (proposal.one, proposal.two), proposal)
    home = {id_: members for members in seen.clusters for id_ in members}
    for doubt in seen.doubts:
        joined = ((edge.a, edge.b) for edge in doubt.edges if edge.claim is Claim.SAME)
        yield _Shown(min(joined), tuple({home[id_] for id_ in doubt.findings}), doubt)


def _joined(seen: Picture, edges: Sequence[EvidenceEdge]) -> Iterator[_Shown]:
    """What evidence joins, at the first pair of all that it would join: of what is in doubt, what is left."""
    same = sorted({(edge.a, edge.b) for edge in edges if edge.claim is Claim.SAME}, reverse=True)
    nearest, doubted = dict(same), dict[str, str]()
    for doubt in seen.doubts:
        doubted |= dict.fromkeys(doubt.findings, doubt.findings[0])
    held = defaultdict[str, list[tuple[str, ...]]](list)
    for cluster in seen.clusters:
        if len(cluster) > 1:
            held[doubted.get(cluster[0], cluster[0])].append(cluster)
    yield from (_Shown((one, nearest[one]), tuple(parts)) for one, parts in held.items())


def _place(cursor: str) -> Pair:
    if not cursor:
        return "", ""
    one, dot, two = cursor.partition(".")
    if not (dot and one and two and cursor.isascii() and cursor.isprintable()):
        raise Invalid("cursor", "is none of this list; begin without one")
    return one, two


def regroup(ctx: Context, case: str = INTAKE) -> Regrouped:
    """Run the rules of today over all findings of a case, and take back what older rules proposed.

    Raises: Denied.
    """
    thing = Resource("case", case, marking=CASE, case=case)
    ctx.require(Action.GROUP_PROPOSE, thing)
    with ctx.store.read() as view:
        mine = one_of(Fact.CASE, [case])
        findings = {row.id: row.value for row in view.find(Finding, visible=mine)}
        crashes = view.among(Crash, {f"{id_}/crash" for id_ in findings})
    known = {row.id.removesuffix("/crash"): row.value for row in crashes}
    wanted = {edge.id: edge for edge in _proposed(ctx, findings, known)}
    with ctx.store.write() as tx:
        edges = _edges_of(tx, findings)
        stand = {one.id for one in edges}
        backs = [one.act for one in tx.acts(kind=Kind.EVIDENCE_RETRACTED, about=frozenset(wanted))]
        # What a person took back stays back: a rule does not overrule it, only itself.
        taken = {act.about for act in backs if not str(act.detail["reason"]).startswith(BY_RULE)}
        added = [edge for id_, edge in wanted.items() if id_ not in stand and id_ not in taken]
        stale = [one for one in edges if _by_rule(one) and one.id not in wanted]
        for edge in added:
            tx.record(ctx.act(Kind.EVIDENCE_ADDED, edge.id, "", **core.detail(edge)))
        for edge in stale:
            tx.record(ctx.act(Kind.EVIDENCE_RETRACTED, edge.id, "", reason=BY_RULE + RULE))
        seen = core.picture(findings, _edges_of(tx, findings), _identifiers(findings.values()))
    return Regrouped(tuple(added), tuple(stale), seen)


def cross_test(
    ctx: Context, tester: CrossTester, fixed: Sequence[Fixed]
) -> tuple[EvidenceEdge, ...]:
    """Try each fix on the other findings of the same files; enter what that proves.

    A pair that was tried before, with the same proofs and patches, is not tried again; one whose run
    broke down proves nothing and may be tried again. Raises: Denied; Unavailable, without a sandbox.
    """
    for row in _rows(ctx, *(one.finding for one in fixed)):
        ctx.require(Action.GROUP_PROPOSE, _of_case(row))
    pairs = list(combinations(sorted(fixed, key=lambda each: each.finding), 2))
    with ctx.store.read() as view:
        tried = frozenset(_tried(one, two) for one, two in pairs)
        acts = view.acts(kind=Kind.EVIDENCE_ADDED, naming=tried)
        done = {str(one.act.detail["evidence"]) for one in acts}
    made = []
    for one, two in pairs:
        digest = _tried(one, two)
        if digest in done or one.finding == two.finding or not set(one.files) & set(two.files):
            continue
        claim = _cross(tester, one, two).claim
        if claim is not None:
            by, now = ctx.principal.id, ctx.now
            edge = EvidenceEdge(one.finding, two.finding, 2, claim, digest, by, now, CROSS_TEST)
            made.append(edge)
    with ctx.store.write() as tx:
        for edge in made:
            tx.record(ctx.act(Kind.EVIDENCE_ADDED, edge.id, "", **core.detail(edge)))
    return tuple(made)


def together(view: Reading, finding: str) -> frozenset[str]:
    """The findings that are one flaw with this one, within a use case that asked the rules already."""
    edges, new = dict[str, EvidenceEdge](), {finding}
    ends = set(new)
    while new:
        edges |= {one.id: one for one in _edges(view, new) if one.claim is not Claim.POSSIBLE}
        joined = [one for one in edges.values() if one.claim is Claim.SAME]
        new = {end for one in joined for end in (one.a, one.b)} - ends
        ends |= new
    rows = [row.value for row in view.among(Finding, ends)]
    inside = [one for one in edges.values() if {one.a, one.b} <= ends]
    return frozenset(core.picture(ends, inside, _identifiers(rows)).of(finding))


def _cross(tester: CrossTester, one: Fixed, two: Fixed) -> CrossTest:
    ahead, back = tester.silenced(two.finding, one.fix), tester.silenced(one.finding, two.fix)
    passes = [
        tester.tests_pass(each.fix) if quiet else None
        for each, quiet in ((one, ahead), (two, back))
    ]
    return CrossTest(ahead, back, passes[0], passes[1])


def _tried(one: Fixed, two: Fixed) -> str:
    parts = f"{CROSS_TEST}\x00{one.proof}\x00{one.patch}\x00{two.proof}\x00{two.patch}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _proposed(
    ctx: Context, findings: dict[str, Finding], crashes: dict[str, Crash]
) -> Iterable[EvidenceEdge]:
    """What today's rules say of findings with a crash report; a chain of edges joins each group."""
    by, now = ctx.principal.id, ctx.now
    alike: dict[tuple[str, str, str], str] = {}
    for id_, crash in sorted(crashes.items()):
        finding = findings[id_]
        key = (finding.proof_sha256, finding.target_digest, crash.text)
        first = alike.setdefault(key, id_)
        if first != id_:
            digest = hashlib.sha256("\0".join(key).encode()).hexdigest()
            yield EvidenceEdge(first, id_, 1, Claim.SAME, digest, by, now, IDENTICAL)
    named = [_as(crash, id_, findings[id_]) for id_, crash in sorted(crashes.items())]
    for held in group(named):
        digest = hashlib.sha256(held.why.encode()).hexdigest()
        for a, b in zip(held.members, held.members[1:], strict=False):
            rung = max(held.rung, 3)
            yield EvidenceEdge(a, b, rung, Claim.POSSIBLE, digest, by, now, RULE)


def _as(crash: Crash, id_: str, finding: Finding) -> Crash:
    """The crash under its finding's name; its program, if the report names none, is the package."""
    return replace(crash, id=id_, program=crash.program or finding.purl.partition("@")[0])


def _by_rule(edge: EvidenceEdge) -> bool:
    return edge.rule.startswith(("crash-places/", "identical-evidence/")) and not edge.judged


def _identifiers(findings: Iterable[Finding]) -> dict[str, frozenset[str]]:
    return {one.id: published(one) for one in findings}


def _edges(view: Reading, findings: AbstractSet[str]) -> tuple[EvidenceEdge, ...]:
    """The evidence that stands about any of these findings."""
    named = view.acts(kind=Kind.EVIDENCE_ADDED, naming=findings)
    held = {one.act.about for one in named}
    found = core.standing(one.act for one in view.acts(about=held))
    return tuple(one for one in found if {one.a, one.b} & findings)


def _edge(view: Reading, edge_id: str) -> EvidenceEdge | None:
    """This piece of evidence, if it stands."""
    return next(iter(core.standing(one.act for one in view.acts(about=edge_id))), None)


def _edges_of(view: Reading, findings: Iterable[str]) -> list[EvidenceEdge]:
    """The evidence that stands between two of these findings."""
    known = frozenset(findings)
    return [one for one in _edges(view, known) if {one.a, one.b} <= known]


def _around(
    ctx: Context, view: Reading, finding: str
) -> tuple[dict[str, Finding], list[EvidenceEdge]]:
    """What one reader may know of a finding and of all that evidence connects with it, step by step.

    What is connected with none of these changes nothing of what is said of them.
    """
    readable, asked, new = dict[str, Finding](), set[str](), {finding}
    edges = dict[str, EvidenceEdge]()
    while new:
        asked |= new
        known = {row.id: row.value for row in view.among(Finding, new) if _may_read(ctx, row)}
        readable |= known
        edges |= {one.id: one for one in _edges(view, frozenset(known))}
        new = {end for one in edges.values() for end in (one.a, one.b)} - asked
    between = [one for one in edges.values() if {one.a, one.b} <= set(readable)]
    return readable, sorted(between, key=lambda one: one.id)


def _may_read(ctx: Context, row: Stored[Finding]) -> bool:
    return ctx.decision(Action.FINDING_READ, row.thing("finding")).allowed


def _may_be_read(ctx: Context) -> Clause:
    """What the rules say of the findings that this person may read, without a trace of the others."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    return ctx.access.visible(ctx.principal, Action.FINDING_READ, "finding", given)


def _known(ctx: Context, *findings: str) -> list[Stored[Finding]]:
    """These findings, for whoever may read them. An id is a digest of what was found, which others can guess.

    Raises: NotFound, in the same words and with the same act for what is not this person's to know.
    """
    found = list[Stored[Finding]]()
    for one in findings:
        with ctx.store.read() as view:
            row = maybe(view, Finding, one)
        thing = row.thing("finding") if row else Resource("finding", one, marking=Marking(Tlp.RED))
        try:
            ctx.require(Action.FINDING_READ, thing)
        except Denied:
            row = None
        if row is None:
            raise NotFound(f"no finding {one[:64]}")
        found.append(row)
    return found


def _rows(ctx: Context, *findings: str) -> list[Stored[Finding]]:
    with ctx.store.read() as view:
        return [view.get(Finding, one) for one in findings]


def _of_case(row: Stored[Finding]) -> Resource:
    case = row.bounds.case
    return Resource("case", case, marking=CASE, case=case)
