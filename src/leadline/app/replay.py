"""Replaying proofs: how many runs a word needs, and what of it is entered in the record.

A bench is one built program in fresh boxes; this module only decides what it is asked, so that the same
rules hold for a maintainer without an account and for a coordinator.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from leadline.app import reports
from leadline.app.context import Context
from leadline.app.ports import Reading, Stored, Writing
from leadline.app.twins import go_on
from leadline.core.access import Action
from leadline.core.clearing.finding import REPLAYS, Finding, ReplayResult, ReplayVerdict
from leadline.core.clearing.replaying import (
    Basis,
    Bundle,
    OracleKind,
    Replay,
    Shown,
    further,
    plain_record,
)
from leadline.core.clearing.report import Stage, standing
from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats.replay_toml import FILE, load_bundle, proof_name

EVIDENCE = Marking(Tlp.RED)
MARKING = Marking(Tlp.AMBER_STRICT)
WORDS_MAX = 1_000


class Bench(Protocol):
    """One built program, run in fresh boxes."""

    @property
    def build(self) -> str:
        """The digest of the build."""
        ...

    @property
    def environment(self) -> str:
        """The digest of the boxes."""
        ...

    def runs(self, data: bytes, times: int) -> Sequence[Shown]:
        """What *data* shows, each time in a fresh box without a network.

        Raises: Unavailable, if no box could be had.
        """
        ...


def replayed(bundle: Bundle, vulnerable: Bench, fixed: Bench | None = None) -> Replay:
    """Run the proof of *bundle* as often as a word about it needs.

    Five runs of each build; twenty of the flawed one where they do not agree. An oracle that fires on an
    empty input or on a seed is none.

    Raises: Unavailable, if no box could be had.
    """
    script = bundle.oracle.kind is OracleKind.SCRIPT
    done = Replay(
        bundle.proof_sha256,
        Basis.SCRIPT if script else Basis.RUN,
        tuple(vulnerable.runs(bundle.data, REPLAYS)),
        build=vulnerable.build,
        environment=vulnerable.environment,
    )
    if not any(one.fired for one in done.vulnerable):
        return done
    done = replace(done, trivial=_trivial(bundle, vulnerable))
    more = further(done)
    if more:
        done = replace(done, vulnerable=(*done.vulnerable, *vulnerable.runs(bundle.data, more)))
    if fixed is not None and not done.trivial:
        done = replace(done, fixed=tuple(fixed.runs(bundle.data, REPLAYS)))
    return done


def silenced(bundle: Bundle, fixed: Bench) -> bool | None:
    """Whether a build with a patch of something else stops this proof; None where a run broke down.

    A patch that only takes a feature away silences everything: this says something only where the
    project's tests succeed as well (evidence ladder, rung 2).

    Raises: Unavailable, if no box could be had.
    """
    shown = fixed.runs(bundle.data, REPLAYS)
    if any(one.fired is None for one in shown):
        return None
    return not any(one.fired for one in shown)


def _trivial(bundle: Bundle, bench: Bench) -> str:
    """The plain input on which the oracle fires too; empty text if there is none."""
    plain = {"an empty input": b""} | {
        f"the seed {name}": bundle.files[name] for name in bundle.seeds
    }
    for name, data in plain.items():
        if any(one.fired for one in bench.runs(data, 1)):
            return name
    return ""


def reported(ctx: Context, finding_id: str) -> Bundle:
    """The bundle that came with a report: its files, and its proof under the name they give it.

    Raises: NotFound, if it came without one, too; Denied; Invalid, if what came is no bundle.
    """
    with ctx.store.read() as view:
        names = [one.name for one in view.get(Finding, finding_id).value.attachments]
    if FILE not in names:
        raise NotFound(f"{finding_id[:64]} came without {FILE}; name a folder that has it")
    files = {name: reports.file(ctx, finding_id, name) for name in names}
    description = files.pop(FILE)
    if name := proof_name(description):
        files.setdefault(name, reports.proof(ctx, finding_id))
    return load_bundle(description, files)


def validate(
    ctx: Context, finding_id: str, bundle: Bundle, lab: Callable[[Bundle], Replay]
) -> ReplayResult:
    """Replay what was reported before anybody is troubled, and enter what it showed.

    A proof that does not work goes back to its finder with what happened; a fault of the environment
    goes back to nobody, and counts against nobody.

    Raises: NotFound or Denied; Invalid, if the bundle's proof is another than was reported; Refused, if
    the finding was withdrawn.
    """
    held = _held(ctx, finding_id)
    if bundle.proof_sha256 != held.value.proof_sha256:
        raise Invalid(
            "proof",
            "is not the one that was reported; a changed proof is a new report, so that credit and "
            "evidence stay together",
        )
    try:
        done = lab(bundle)
    except Unavailable as error:
        done = Replay(bundle.proof_sha256, Basis.RUN, fault=str(error))
    evidence = ctx.vault.put(plain_record(done).encode(), marking=EVIDENCE)
    back = done.verdict in {ReplayVerdict.NOT_REPRODUCED, ReplayVerdict.TRIVIAL_ORACLE}
    answer = (
        ctx.vault.put(f"{done.verdict.value}: {done.why}".encode(), marking=EVIDENCE)
        if back
        else ""
    )
    result = done.result(finding_id)
    detail = {
        "verdict": done.verdict.value,
        "basis": done.basis.value,
        "runs": len(done.vulnerable) + len(done.fixed),
        "environment": done.environment,
        "build": done.build,
        "evidence": evidence,
    }
    with ctx.store.write() as tx:
        _check_stands(tx, finding_id)  # it may have been withdrawn while it ran
        bounds = tx.get(Finding, finding_id).bounds  # or been taken into a case
        detail["case"] = bounds.case
        tx.put(
            f"{finding_id}/replay",
            result,
            marking=MARKING,
            bounds=bounds,
            org=held.org,
            expect=_version(tx, finding_id),
        )
        tx.record(ctx.act(Kind.FINDING_REPLAYED, finding_id, held.engagement, **detail))
        if answer:
            tx.record(
                ctx.act(
                    Kind.FINDING_ANSWERED,
                    finding_id,
                    held.engagement,
                    answer=answer,
                    evidence=evidence,
                    case=bounds.case,
                )
            )
            go_on(ctx, tx, held)
    return result


def _version(tx: Writing, finding_id: str) -> int | None:
    """The version of an earlier result, in whose place the new one comes; the acts keep every one."""
    ran = [
        one
        for one in tx.acts(kind=Kind.FINDING_REPLAYED, about=finding_id)
        if one.act.detail.get("basis") != Basis.PERSON.value
    ]
    return tx.get(ReplayResult, f"{finding_id}/replay").version if ran else None


def confirm(ctx: Context, finding_id: str, words: str) -> None:
    """A person says that a finding is real where no run can show it; shown as a person's word.

    Raises: NotFound or Denied; Invalid, if *words* say nothing, or too much.
    """
    held = _held(ctx, finding_id)
    if not words.strip() or len(words) > WORDS_MAX:
        raise Invalid("words", f"say in 1 to {WORDS_MAX} characters what you saw")
    evidence = ctx.vault.put(words.encode(), marking=EVIDENCE)
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.FINDING_REPLAYED,
                finding_id,
                held.engagement,
                verdict=ReplayVerdict.CONFIRMED_BY_PERSON.value,
                basis=Basis.PERSON.value,
                runs=0,
                evidence=evidence,
                case=held.bounds.case,
            )
        )


def _held(ctx: Context, finding_id: str) -> Stored[Finding]:
    """The finding's row, once the caller may replay it and it still stands."""
    with ctx.store.read() as view:
        held = view.get(Finding, finding_id)
    ctx.require(Action.FINDING_REPLAY, held.thing("finding"))
    with ctx.store.read() as view:
        _check_stands(view, finding_id)
    return held


def _check_stands(view: Reading, finding_id: str) -> None:
    stands = standing(one.act for one in view.acts(about=finding_id))
    if stands is not None and stands.stage is Stage.WITHDRAWN:
        raise Refused("this report was withdrawn; nothing of it is tried")
