"""Advisories as the command line has them: from a file, signed with a key file, the feed switched at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from leadline.app import approval, cases, notices, publishing
from leadline.app.ports import maybe
from leadline.app.publishing import Published
from leadline.core.access import Action
from leadline.core.approval import Granted
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.advisory import draft as drafted
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.published import REASON_MAX
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.marking import Tlp
from leadline.formats import advisory_toml, csaf, document, feed
from leadline.identity import software_key
from leadline.wiring import feed as public
from leadline.wiring.desk import AtDesk


def read(content: bytes, name: str) -> Advisory:
    """An advisory from a TOML file, or from CSAF 2.0 where the file is JSON.

    Raises: Invalid, naming what is wrong.
    """
    if name.endswith(".json"):
        return csaf.read(document.load(content, name), name)
    return advisory_toml.parse(content, name)


def from_findings(me: AtDesk, case: str, fixed: str) -> Advisory:
    """The advisory that a case's findings give: only the release that was reported is affected.

    What replaying showed is said, and that *fixed* repairs it is said to be stated. No model is named: its developer's consent is a person's to get, and to write into the draft.

    Raises: Denied; NotFound; Invalid, if the findings name different releases.
    """
    found = cases.standing(me.ctx, case).findings
    with me.ctx.store.read() as view:
        findings = [_unnamed(view.get(Finding, one).value) for one in found]
        rows = [maybe(view, ReplayResult, f"{one}/replay") for one in found]
    verdicts = {
        shown.id: row.value.verdict for shown, row in zip(findings, rows, strict=True) if row
    }
    return drafted(
        findings,
        fixed_purl=fixed,
        at=me.ctx.now.astimezone(UTC),
        tlp=Tlp.AMBER_STRICT,
        replays=verdicts,
    )


def _unnamed(finding: Finding) -> Finding:
    return replace(finding, found_by="not named here") if finding.origin == "ai" else finding


@dataclass(frozen=True, slots=True)
class Out:
    """What became public, how many operators were told with it, and why some could not be."""

    published: Published
    told: int
    notes: tuple[str, ...]


def publish(me: AtDesk, case: str, advisory: Advisory, key: Path) -> Out:
    """Sign with a key file, publish, tell the operators of every tier, and switch the feed to it."""
    facts, thing = publishing.facts(advisory), publishing.thing(case, advisory.id)
    sign = software_key.read(key).sign
    granted = approval.asserted(me.ctx, Action.ADVISORY_PUBLISH, thing, facts, sign)
    return issue(me, case, advisory, granted)


def issue(me: AtDesk, case: str, advisory: Advisory, granted: Granted) -> Out:
    """As `publish`, with a signature that was given."""
    return _told(me, case, publishing.publish(me.ctx, case, advisory, granted))


def withdraw(me: AtDesk, case: str, ident: str, reason: str, key: Path) -> Out:
    """Sign with a key file, withdraw, tell those who had a notice, and switch the feed."""
    why = checked(reason)
    facts, thing = publishing.withdrawal_facts(ident, why), publishing.thing(case, ident)
    sign = software_key.read(key).sign
    granted = approval.asserted(me.ctx, Action.ADVISORY_PUBLISH, thing, facts, sign)
    return take_back(me, case, ident, why, granted)


def take_back(me: AtDesk, case: str, ident: str, why: str, granted: Granted) -> Out:
    """As `withdraw`, with a signature over *why* as `checked` gave it."""
    return _told(me, case, publishing.withdraw(me.ctx, case, ident, why, granted))


def checked(reason: str) -> str:
    """The words of a withdrawal in one line.

    Raises: Invalid, if there are none, or too many.
    """
    why = " ".join(reason.split())
    if not why or len(why) > REASON_MAX:
        raise Invalid("reason", f"say why, in at most {REASON_MAX} characters")
    return why


def _told(me: AtDesk, case: str, done: Published) -> Out:
    """Whoever had a notice hears of a change first, then every tier, then the feed has it.

    The feed is switched whatever becomes of the notices; what stood in their way is told.
    """
    notes, told = list[str](), 0
    advisory = done.advisory
    try:
        if done.fresh and len(advisory.revisions) > 1:
            try:
                reason = advisory.revisions[-1].summary
                told += len(notices.correct(me.ctx, case, advisory, reason))
            except (Refused, NotFound) as error:
                notes.append(f"no notice was corrected: {error}")
        if done.fresh and not advisory.withdrawn:
            try:
                told += len(notices.release(me.ctx, case, advisory, Stage.PUBLISHED))
            except (Refused, NotFound) as error:
                notes.append(f"no operator was told: {error}")
    finally:
        public.build(me.ctx, me.home)
    return Out(done, told, tuple(notes))


def render(advisory: Advisory, out: Path) -> Mapping[str, object]:
    """Write every rendering into the new folder *out*; answers files, losses and faults. Sends nothing.

    Raises: Invalid, if *out* exists or cannot be written, or a score is none.
    """
    rendered = feed.renderings(advisory)
    if out.exists():
        raise Invalid("out", f"{out} exists; name a new folder")
    try:
        for path, data in rendered.items():
            place = out / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    except OSError as error:
        raise Invalid("out", f"{out} cannot be written: {error.strerror}") from error
    return told(advisory, sorted(rendered))


def told(advisory: Advisory, paths: list[str]) -> Mapping[str, object]:
    """What a command prints of an advisory: its files, what they cannot say, what is wrong with them."""
    return {
        "id": advisory.id,
        "files": paths,
        "losses": [
            {"format": one.format, "package": one.package, "why": one.why}
            for one in feed.losses(advisory)
        ],
        "faults": [
            {"place": one.place, "problem": one.problem} for one in publishing.faults(advisory)
        ],
    }
