"""What an evaluator and a coordinator do with findings: record, replay, group, draft, notify.

Nothing here sends anything: drafts and notices are written, a person sends them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadline.app.context import Context
from leadline.app.match import Sample
from leadline.core.access import Action, Resource
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.group import Crash, Group
from leadline.core.clearing.match import match
from leadline.core.clearing.notice import Notice, Questions, notice, questions
from leadline.core.errors import Invalid
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats import csaf
from leadline.formats.canonical import encode
from leadline.formats.values import plain

PROOF = Marking(Tlp.RED)
CASE = Marking(Tlp.AMBER_STRICT)


def record_finding(ctx: Context, engagement: str, finding: Finding, proof: bytes) -> None:
    """Enter a finding; its proof goes to the vault under TLP:RED."""
    ctx.require(Action.FINDING_RECORD, Resource("finding", finding.id, engagement, marking=CASE))
    ctx.vault.put(proof, marking=PROOF, engagement=engagement)
    with ctx.store.write() as tx:
        tx.put(finding.id, finding, marking=CASE, engagement=engagement)
        tx.record(
            ctx.act(
                Kind.FINDING_RECORDED,
                finding.id,
                engagement,
                proof=finding.proof_sha256,
                origin=finding.origin,
                target=finding.target_digest,
            )
        )


def record_replay(ctx: Context, engagement: str, result: ReplayResult, crash: Crash) -> None:
    """Enter what replaying a finding in fresh sandboxes showed."""
    ctx.require(
        Action.FINDING_REPLAY, Resource("finding", result.finding, engagement, marking=CASE)
    )
    with ctx.store.write() as tx:
        tx.put(f"{result.finding}/replay", result, marking=CASE, engagement=engagement)
        tx.put(f"{result.finding}/crash", crash, marking=CASE, engagement=engagement)
        tx.record(
            ctx.act(
                Kind.FINDING_REPLAYED,
                result.finding,
                engagement,
                verdict=result.verdict.value,
                runs=len(result.vulnerable) + len(result.fixed),
                environment=result.environment_digest,
            )
        )


def propose_group(ctx: Context, engagement: str, group: Group) -> None:
    """Enter a proposal that some findings are one flaw; nothing is merged."""
    ctx.require(Action.GROUP_PROPOSE, Resource("finding", group.id, engagement, marking=CASE))
    with ctx.store.write() as tx:
        tx.put(group.id, group, marking=CASE, engagement=engagement)
        tx.record(
            ctx.act(
                Kind.GROUP_PROPOSED, group.id, engagement, members=group.members, rung=group.rung
            )
        )


def draft_advisory(ctx: Context, engagement: str, advisory: Advisory) -> str:
    """Render an advisory as CSAF 2.0 and enter the draft; answers the document's digest.

    Raises: Invalid, if the document would not be valid CSAF.
    """
    marking = Marking(advisory.tlp)
    ctx.require(
        Action.ADVISORY_DRAFT, Resource("advisory", advisory.id, engagement, marking=marking)
    )
    document = csaf.render(advisory)
    faults = (*csaf.faults(document), *csaf.mandatory_faults(document))
    if faults:
        raise Invalid(f"{advisory.id}{faults[0].place}", f"no valid CSAF: {faults[0].problem}")
    digest = ctx.vault.put(document, marking=marking, engagement=engagement)
    with ctx.store.write() as tx:
        tx.put(advisory.id, advisory, marking=marking, engagement=engagement)
        tx.record(ctx.act(Kind.ADVISORY_DRAFTED, advisory.id, engagement, document=digest))
    return digest


def pages_for(enrolled: Sample, advisories: Sequence[Advisory]) -> dict[str, Notice | Questions]:
    """The pages one operator is due, by the id they are recorded under.

    A notice for each advisory that affects one of its components, and what to ask where its list
    does not say what is inside.
    """
    operator, sector, inventory = enrolled.operator, enrolled.sector, enrolled.inventory
    matching = match(inventory, advisories)
    pages: dict[str, Notice | Questions] = {}
    for advisory in advisories:
        page = notice(operator, sector, inventory, matching, advisory)
        if page is not None:
            pages[f"{operator.id}/{advisory.id}"] = page
    asked = questions(operator, sector, inventory)
    if asked is not None:
        pages[f"{operator.id}/questions"] = asked
    return pages


def issue_page(ctx: Context, engagement: str, about: str, page: Notice | Questions) -> str:
    """Enter that a page was written for one operator; answers its digest."""
    marking = Marking(page.tlp)
    ctx.require(Action.NOTICE_ISSUE, Resource("notice", about, engagement, marking=marking))
    digest = ctx.vault.put(encode(plain(page)), marking=marking, engagement=engagement)
    with ctx.store.write() as tx:
        tx.put(about, page, marking=marking, engagement=engagement)
        tx.record(ctx.act(Kind.NOTICE_ISSUED, about, engagement, notice=digest))
    return digest


@dataclass(frozen=True, slots=True)
class Case:
    """Everything recorded of the findings of one engagement, each kind in order of id."""

    findings: tuple[Finding, ...]
    replays: Mapping[str, ReplayResult]
    crashes: tuple[Crash, ...]
    groups: tuple[Group, ...]
    advisories: tuple[Advisory, ...]
    notices: Mapping[str, Notice]
    questions: Mapping[str, Questions]


def case_of(ctx: Context, engagement: str) -> Case:
    """The findings of an engagement and what became of them."""
    ctx.require(Action.ASSESSMENT_READ, Resource("assessment", "", engagement, marking=CASE))
    with ctx.store.read() as view:
        replays = [row.value for row in view.find(ReplayResult, engagement=engagement)]
        return Case(
            tuple(row.value for row in view.find(Finding, engagement=engagement)),
            {replay.finding: replay for replay in replays},
            tuple(row.value for row in view.find(Crash, engagement=engagement)),
            tuple(row.value for row in view.find(Group, engagement=engagement)),
            tuple(row.value for row in view.find(Advisory, engagement=engagement)),
            {row.id: row.value for row in view.find(Notice, engagement=engagement)},
            {row.id: row.value for row in view.find(Questions, engagement=engagement)},
        )
