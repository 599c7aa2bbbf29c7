"""Joint assessment packs: one run in our form and in another institute's, exchanged as signed folders.

Whoever makes one shares what the institute's profile names and the terms cover, with the acts of the
run opened and every other act closed. Whoever receives one verifies the signature, that both forms are
of the run that the acts name, and that they agree number for number. What is received is kept with
where it came from; it enters no result, no pool and no estimate here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from leadline.app import bundle, leaving, terms
from leadline.app import folder as files
from leadline.app.bundle import Snapshot
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Reading
from leadline.app.verify import Verified, verify_bundle
from leadline.core.access import Action
from leadline.core.engagement.engagement import require_going_on
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value, to_record
from leadline.formats import document, exchange
from leadline.formats.canonical import encode
from leadline.formats.exchange import Profile
from leadline.formats.manifest import (
    ACTS,
    CHECKPOINT,
    MANIFEST,
    Opening,
    encode_opening,
    shown,
)

PARTIES = Marking(Tlp.AMBER_STRICT)
PURPOSE = "joint-assessment"
OURS, THEIRS, PROFILE = "ours.json", "exchange.json", "profile.toml"
REPORTS = ("report.html", "report.pdf")
FORM_BYTES_MAX, REPORT_BYTES_MAX, TOLD_MAX = 16 << 20, 256 << 20, 300
OF_THE_RUN = frozenset(
    {
        Kind.ASSESSMENT_PLANNED,
        Kind.ISOLATION_PROVED,
        Kind.KILL_DRILLED,
        Kind.SUBJECT_IDENTIFIED,
        Kind.ASSESSMENT_STARTED,
        Kind.EVIDENCE_SEALED,
        Kind.ASSESSMENT_FINISHED,
    }
)


@dataclass(frozen=True, slots=True)
class Run:
    """What `leadline assess` left of one run: its summary, and reports by file name."""

    summary: Mapping[str, object]
    reports: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack: its id, the digests of run, profile and terms, and the institute it is for.

    *left_out* counts the leaves of the summary that no field of the profile names.
    """

    id: str
    run: str
    profile: str
    body: str
    terms: str
    left_out: int


@dataclass(frozen=True, slots=True)
class Received:
    """A pack that verified, and where it came from. *numbers* agree in both forms."""

    pack: Pack
    verified: Verified
    manifest: str
    numbers: int


def run_digest(acts: Iterable[Act]) -> str:
    """SHA-256 over what the acts say was measured: the sealed results, whatever their order.

    Raises: Refused, before an assessment is finished.
    """
    found = tuple(acts)
    sealed = sorted(str(a.detail.get("results")) for a in found if a.kind is Kind.EVIDENCE_SEALED)
    if not sealed or not any(act.kind is Kind.ASSESSMENT_FINISHED for act in found):
        raise Refused("no finished assessment stands in the record of this engagement")
    return sha256(encode(tuple(sealed))).hexdigest()


def make(ctx: Context, on: Dealings, run: Run, profile: Profile, out: Path) -> Pack:
    """Write a pack of the engagement's run for the profile's institute into the new folder *out*.

    Raises: Denied; Refused, before a run is finished, or if the terms do not cover it, which is an
    act; Invalid, if the summary is of another engagement, or *out* exists.
    """
    ctx.require(Action.JOINT_EXCHANGE, on.resource())
    if out.exists():
        raise Invalid("out", f"{out} exists; name a new folder")
    if run.summary.get("engagement") != on.id:
        raise Invalid("run", f"its summary is of another engagement than {on.id}")
    with ctx.store.read() as view:
        digest = run_digest(one.act for one in view.acts(engagement=on.id))
    use = terms.covered(
        ctx, on.id, on.developer, purpose=PURPOSE, what=f"joint pack for {profile.body}"
    )
    _require_recipient(ctx, on, profile, use.terms)
    ours = exchange.shared(profile, run.summary)
    forms = {OURS: exchange.dump(ours), THEIRS: exchange.dump(exchange.exchanged(profile, ours))}
    left_out = len(exchange.surplus(profile, run.summary))
    pack = Pack(ctx.new_id("pack"), digest, profile.digest, profile.body, use.terms, left_out)
    parts = {**forms, **run.reports}
    told = {name: sha256(content).hexdigest() for name, content in parts.items()}
    act = ctx.act(
        Kind.JOINT_PACK_MADE,
        pack.id,
        on.id,
        **use.detail(),
        to=pack.body,
        run=pack.run,
        profile=pack.profile,
        left_out=pack.left_out,
        files=told,
    )
    terms.record(ctx, on, use, act)
    whole = bundle.snapshot(ctx)
    leaving.write(ctx, out, {**parts, **_log_parts(on, whole, act)})
    return pack


def receive(
    ctx: Context, on: Dealings, folder: Path, vkeys: str, profiles: Sequence[Profile]
) -> Received:
    """Verify a pack that another government's institute handed over, and keep where it came from.

    Both forms go to the vault beside the engagement *on*, under the marking of its parties.

    Raises: Denied; Tampered, naming the place, for a signature, a file, a run or a number that does
    not hold, which is an act and an alert; Refused, for a profile that is not installed here, for a
    pack that was received before, and once the engagement is over.
    """
    ctx.require(Action.JOINT_EXCHANGE, on.resource())
    try:
        found = verify(folder, vkeys, profiles)
    except Tampered as error:
        place, problem = (shown(text)[:TOLD_MAX] for text in (error.place, error.problem))
        told = {"place": place, "problem": problem}
        with ctx.store.write() as tx:
            tx.record(ctx.act(Kind.BUNDLE_REFUSED, "joint-pack", on.id, **told))
        what = f"a joint pack handed in does not verify: {place}: {problem}"
        ctx.alarm("bundle", "joint-pack", what, engagement=on.id)
        raise
    with ctx.store.read() as view:
        _receivable(view, on, found)
    kept = {
        name: ctx.vault.put(
            files.read(folder, name, bytes_max=FORM_BYTES_MAX), marking=PARTIES, engagement=on.id
        )
        for name in (OURS, THEIRS)
    }
    with ctx.store.write() as tx:
        _receivable(tx, on, found)
        tx.record(
            ctx.act(
                Kind.JOINT_PACK_RECEIVED,
                found.pack.id,
                on.id,
                origin=found.verified.origin,
                size=found.verified.size,
                manifest=found.manifest,
                run=found.pack.run,
                profile=found.pack.profile,
                to=found.pack.body,
                terms=found.pack.terms,
                forms=kept,
            )
        )
    return found


def _receivable(view: Reading, on: Dealings, found: Received) -> None:
    acts = [one.act for one in view.acts(engagement=on.id)]
    require_going_on(acts)
    before = [act for act in acts if act.kind is Kind.JOINT_PACK_RECEIVED]
    if any(act.detail.get("manifest") == found.manifest for act in before):
        raise Refused(f"{found.pack.id} was received before")


def verify(folder: Path, vkeys: str, profiles: Sequence[Profile]) -> Received:
    """Verify a pack offline.

    Raises: Tampered, naming the place; Refused, for a profile that is not installed here.
    """
    verified = verify_bundle(folder, vkeys)
    acts = leaving.acts(folder) if verified.kind == "bundle" else []
    made = [act for act in acts if act.kind is Kind.JOINT_PACK_MADE]
    if len(made) != 1:
        raise Tampered(ACTS, "one act that made the pack is due; this is no joint pack")
    act = made[0]
    pack = Pack(
        act.about,
        str(act.detail.get("run", "")),
        str(act.detail.get("profile", "")),
        str(act.detail.get("to", "")),
        str(act.detail.get("terms", "")),
        int(str(act.detail.get("left_out", 0))),
    )
    _check_files(folder, act.detail.get("files"))
    try:
        measured = run_digest(acts)
    except Refused as error:
        raise Tampered(ACTS, str(error)) from error
    if measured != pack.run:
        raise Tampered(ACTS, "the pack is of another run than its acts")
    profile = next((one for one in profiles if one.digest == pack.profile), None)
    if profile is None:
        told = f"the pack follows a profile of {pack.body:.80} that is not installed here"
        raise Refused(f"{told} (SHA-256 {pack.profile:.64}); put its file under exchange/")
    numbers = _check_forms(folder, profile)
    listing = files.digest(folder, MANIFEST)[0]
    return Received(pack, verified, listing, numbers)


def _check_files(folder: Path, told: Value) -> None:
    named = told if isinstance(told, Mapping) else {}
    found = {path for path in files.scan(folder) if path in {OURS, THEIRS, *REPORTS}}
    if found != set(named) or not {OURS, THEIRS} <= found:
        raise Tampered("pack", "other files than the act names")
    for path, digest in named.items():
        if files.digest(folder, path)[0] != digest:
            raise Tampered(path, "not the file that the act names")


def _check_forms(folder: Path, profile: Profile) -> int:
    """How many leaves agree; raises Tampered, naming the first that does not."""
    try:
        ours, theirs = (
            document.load(files.read(folder, name, bytes_max=FORM_BYTES_MAX), name)
            for name in (OURS, THEIRS)
        )
        apart = exchange.differences(profile, ours, theirs)
        extra = exchange.surplus(profile, ours)
    except Invalid as error:
        raise Tampered(error.field, error.problem) from error
    if apart:
        one = apart[0]
        told = f"{one.theirs!r} where ours has {one.ours!r}; {len(apart)} differ"
        raise Tampered(f"{THEIRS}: {one.place}", told)
    if extra:
        raise Tampered(f"{OURS}: {extra[0]}", "the profile does not name it")
    return exchange.count(ours)


def _require_recipient(ctx: Context, on: Dealings, profile: Profile, digest: str) -> None:
    """Terms that name who receives name the institute, or nothing goes there."""
    if not digest:
        return
    with ctx.store.read() as view:
        agreed = view.get(Terms, f"{on.id}/{digest}").value
    if agreed.organisations and profile.body not in agreed.organisations:
        why = f"the terms name who receives, and {profile.body} is not among them; agree new ones"
        what = f"joint pack for {profile.body}"
        terms.refuse(ctx, on.id, what=what, purpose=PURPOSE, why=why, terms=digest)


def _log_parts(on: Dealings, whole: Snapshot, made: Act) -> dict[str, bytes]:
    """The log with the run's acts and the pack's own opened; every other entry stays closed."""
    lines = [
        encode_opening(Opening(one.index, one.blinder, to_record(one.act)))
        for one in whole.acts
        if one.act.id == made.id or (one.act.engagement == on.id and one.act.kind in OF_THE_RUN)
    ]
    return {**whole.tiles, CHECKPOINT: whole.signed.encode(), ACTS: b"".join(lines)}
