"""Signing, publishing and proving the log; what must be proved before an act adds power.

Upheld here: only a committed head is signed; the size is stored, in the state and beside the keys,
before anything is shown; no head is signed that is smaller than, or does not continue, one signed
before or one that a witness has seen. Acts that remove power never come here: they are recorded, take
effect, and are proved afterwards.

A refusal to sign cannot be an act at once: the log that would hold it is the one that went wrong, and
an act there would fork it further. It is written beside the keys, and becomes an act and an alert as
soon as the log continues again what was signed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from leadline.app import cosigning
from leadline.app.context import Context
from leadline.app.ports import Opened, Outlet, Reading, maybe
from leadline.app.proof import Checked, check, check_head
from leadline.app.signature import check as check_signature
from leadline.app.verify import Verified, verify_bundle
from leadline.core.access import Action, Resource
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Invalid, Refused, Tampered, Unavailable
from leadline.core.record import tlog
from leadline.core.record.act import Kind, Value, instant, to_record
from leadline.formats import canonical, checkpoint, cosignature, note, tlog_policy
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import Opening, shown
from leadline.formats.note import Note
from leadline.formats.tlog_policy import Policy, Quorum
from leadline.formats.tlog_proof import ActProof, Proof

__all__ = [
    "DETERMINATION",
    "DISCLOSURE",
    "UNSEALING",
    "ActProof",
    "Checked",
    "Published",
    "Quorum",
    "announce",
    "check",
    "latest",
    "policy_of",
    "prove",
    "publish",
    "receive_bundle",
    "require_proof",
]

UNSEALING = DETERMINATION = Quorum.POLICY
DISCLOSURE = Quorum.ANY
LOG = Resource("record", "log")
BUNDLE = Resource("record", "bundle")
TOLD_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True)
class Published:
    """A tree head as it was shown. *silent* tells of each witness without a cosignature why."""

    head: Checkpoint
    signed: Note
    witnesses: tuple[str, ...]
    words: str
    silent: Mapping[str, str] = field(default_factory=dict)


def publish(ctx: Context) -> Checkpoint:
    """Sign the committed head, have it cosigned, and show the log; answers the head.

    Raises: as `announce`.
    """
    return announce(ctx).head


def announce(ctx: Context) -> Published:
    """`publish`, with who cosigned and who did not.

    Raises: Tampered, if the log was set back or does not continue what was signed: nothing is
    signed, and an incident stands beside the keys; Unavailable, if nothing signed before is known
    and a witness that might know gives no answer.
    """
    ctx.require(Action.LOG_SIGN, LOG)
    return _sign(ctx, whole=True)


def policy_of(ctx: Context) -> Policy:
    """Whom this installation believes about its own log; without a quorum file, itself alone.

    Raises: Invalid, if the quorum file is none, or names another log only.
    """
    text = ctx.outlet.policy() if ctx.outlet else b""
    if not text:
        return tlog_policy.alone(ctx.signer.vkeys())
    policy = tlog_policy.parse(text)
    if not {key.public_key for key in _own_keys(ctx)} & {log.key.public_key for log in policy.logs}:
        raise Invalid("policy", "it does not name this log; add `log` lines with its keys")
    return policy


def latest(ctx: Context) -> Published | None:
    """The head signed last, as it is kept beside the keys; None before the first.

    Raises: Tampered, if what is kept there is not signed by this log.
    """
    signed = _kept(ctx)
    if signed is None:
        return None
    policy = policy_of(ctx)
    head, names = check_head(signed, policy.at(Quorum.NONE))
    return Published(head, signed, names, policy.words(names))


def prove(ctx: Context, act_id: str) -> ActProof:
    """The proof of one act under the last signed checkpoint, whatever its cosignatures.

    Raises: NotFound; Refused, if no checkpoint covers the act yet.
    """
    opened = _find(ctx, act_id)
    ctx.require(Action.RECORD_READ, _record(ctx, opened.act.engagement))
    last = latest(ctx)
    if last is None or last.head.size <= opened.index:
        raise Refused(
            f"no checkpoint covers entry {opened.index} yet; run `leadline log publish`, then again"
        )
    return _prove(ctx, opened, last)


def _record(ctx: Context, engagement: str) -> Resource:
    """The record that an act of *engagement* stands in; the developer's own is its developer's too."""
    with ctx.store.read() as view:
        row = maybe(view, Engagement, engagement) if engagement else None
    return Resource("record", engagement or "log", engagement, row.org if row else "")


def require_proof(ctx: Context, act: str | Opened, quorum: Quorum = Quorum.POLICY) -> ActProof:
    """A proof of the act that satisfies *quorum*; the log is published first where it must be.

    Called inside the component that acts, before it acts. It authorises nothing by itself. *act* is
    its id, or the act as the store gave it, which saves looking for it among all.

    Raises: NotFound; Tampered, if the log refuses to sign or the proof does not verify;
    Unavailable, naming the silent witnesses, if too few have cosigned.
    """
    opened = _find(ctx, act) if isinstance(act, str) else act
    policy = policy_of(ctx).at(quorum)
    with ctx.store.read() as view:
        size = view.log_size()
    last = latest(ctx)
    # A checkpoint beyond the log means a state set back, which `_sign` refuses and writes down.
    covered = last is not None and opened.index < last.head.size <= size
    if last is None or not covered or not policy.met(last.witnesses):
        last = _sign(ctx, whole=False)
    if not policy.met(last.witnesses):
        raise Unavailable(
            "too few witnesses have cosigned the log for this act "
            f"({cosigning.words(last.silent)}); try again later; acts that end access need none"
        )
    proof = _prove(ctx, opened, last)
    check(proof, policy)
    return proof


def receive_bundle(ctx: Context, folder: Path, vkeys: str) -> Verified:
    """Verify a bundle that somebody handed in; one that does not verify is an act and an alert.

    Raises: as `leadline.app.verify.verify_bundle`.
    """
    ctx.require(Action.RECORD_READ, BUNDLE)
    try:
        return verify_bundle(folder, vkeys)
    except Tampered as error:
        place, problem = _told(error.place), _told(error.problem)
        with ctx.store.write() as tx:
            tx.record(ctx.act(Kind.BUNDLE_REFUSED, "bundle", "", place=place, problem=problem))
        ctx.alarm("bundle", "bundle", f"a bundle handed in does not verify: {place}: {problem}")
        raise


def _told(text: str) -> str:
    """*text* as an act can hold it, whatever the input put into it."""
    return shown(text)[:TOLD_CHARACTERS_MAX]


def _find(ctx: Context, act_id: str) -> Opened:
    with ctx.store.read() as view:
        return view.act(act_id)


def _prove(ctx: Context, opened: Opened, under: Published) -> ActProof:
    with ctx.store.read() as view:
        if under.head.size > view.log_size():
            raise Tampered(
                "log", "fewer entries stand here than were signed; run `leadline log publish`"
            )
        hashes = view.inclusion(opened.index, under.head.size)
    text = Proof(opened.index, hashes, under.signed.document).document
    return ActProof(Opening(opened.index, opened.blinder, to_record(opened.act)), text)


def _own_keys(ctx: Context) -> tuple[note.VerifierKey, ...]:
    return note.parse_vkeys(ctx.signer.vkeys())


def _kept(ctx: Context) -> Note | None:
    data = ctx.outlet.last() if ctx.outlet else b""
    if not data:
        return None
    try:
        signed = note.parse(data)
    except Invalid as error:
        raise Tampered("last checkpoint", str(error)) from error
    cosignature.require("last checkpoint", signed, _own_keys(ctx), check_signature)
    return signed


def _sign(ctx: Context, *, whole: bool) -> Published:
    """Sign and show the committed head; *whole* shows every file anew, which mends a damaged folder."""
    policy, outlet = policy_of(ctx), ctx.outlet
    if outlet is None:
        head, _, _ = _committed(ctx, None, {}, 0)
        signed = note.parse(ctx.signer.sign(head.text).encode())
        return Published(head, signed, (), tlog_policy.NOT_WITNESSED)
    with outlet.alone(), _refusal(ctx, outlet):
        kept = _kept(ctx)
        seen, silent = cosigning.sizes(outlet, policy, kept or _empty(ctx))
        if kept is None:
            _require_all(silent)
        # Only where what stands published is what was signed last do its files need no second look.
        same = kept is not None and outlet.shown() == kept.document.encode()
        since = checkpoint.parse(kept.text).size if kept and same and not whole else 0
        head, proofs, files = _committed(ctx, kept, seen, since)
        if kept is not None and kept.text == head.text:
            plain = kept
        else:
            plain = note.parse(ctx.signer.sign(head.text).encode())
            outlet.keep(plain.document.encode())
        signed, refused = cosigning.gather(outlet, policy, plain, proofs)
        outlet.keep(signed.document.encode())
        outlet.show(files, signed.document.encode())
    _tell(ctx, outlet)
    _, names = check_head(signed, policy.at(Quorum.NONE))
    told = {name: why for name, why in {**silent, **refused}.items() if name not in names}
    return Published(head, signed, names, policy.words(names), told)


def _require_all(silent: Mapping[str, str]) -> None:
    """Return if every witness that can be asked has said what it has seen."""
    mute = {name: why for name, why in silent.items() if why != cosigning.NO_URL}
    if mute:
        raise Unavailable(
            "nothing is kept here of what this log signed, and not every witness says what it has "
            f"seen ({cosigning.words(mute)}); try again when they answer"
        )


def _empty(ctx: Context) -> Note:
    """The signed head of the empty log: it commits to nothing, and every log continues it."""
    head = Checkpoint(_own_keys(ctx)[0].name, 0, tlog.EMPTY_ROOT)
    return note.parse(ctx.signer.sign(head.text).encode())


def _committed(
    ctx: Context, kept: Note | None, seen: Mapping[str, int], since: int
) -> tuple[Checkpoint, Mapping[str, tuple[int, tuple[bytes, ...]]], Mapping[str, bytes]]:
    """The committed head, once it continues all that was signed and seen and is stored as signed.

    With it, for each witness the size it has seen and the proof from there; and the files that the
    log of *since* leaves did not have.
    """
    origin = _own_keys(ctx)[0].name
    with ctx.store.write() as tx:
        head = Checkpoint(origin, tx.log_size(), tx.log_root())
        if kept is not None:
            _continues(tx, checkpoint.parse(kept.text), head)
        for name, size in sorted(seen.items()):
            if size > head.size:
                told = f"the witness {name} has seen {size} entries where {head.size} stand"
                raise Tampered("log", f"{told}; restore the newest backup")
        try:
            tx.set_signed(head.size, head.root, ctx.now)
        except Refused as error:
            raise Tampered("log", str(error)) from error
        proofs = {name: (size, tx.consistency(size, head.size)) for name, size in seen.items()}
        return head, proofs, tx.log_files(since) if ctx.outlet else {}


def _continues(tx: Reading, before: Checkpoint, head: Checkpoint) -> None:
    if before.size > head.size:
        raise Tampered(
            "log",
            f"{before.size} entries were signed and {head.size} stand here: the state was set "
            "back; restore the newest backup",
        )
    if before.size:
        proof = tx.consistency(before.size, head.size)
        tlog.verify_consistency(before.size, head.size, proof, before.root, head.root)


@contextmanager
def _refusal(ctx: Context, outlet: Outlet) -> Iterator[None]:
    """What makes signing impossible is written beside the keys before it is raised on."""
    try:
        yield
    except Tampered as error:
        with ctx.store.read() as view:
            size = view.log_size()
        told: dict[str, Value] = {"at": instant(ctx.now), "place": _told(error.place)}
        told |= {"problem": _told(error.problem), "size": size}
        outlet.enter(canonical.encode(told).decode())
        raise


def _tell(ctx: Context, outlet: Outlet) -> None:
    """Turn refusals into acts and alerts, now that the log can hold them."""
    for text in outlet.incidents():
        told = canonical.decode(text.encode())
        assert isinstance(told, Mapping)  # noqa: S101 -- written by _refusal
        with ctx.store.write() as tx:
            tx.record(ctx.act(Kind.LOG_SIGNING_REFUSED, "log", "", **told))
        what = f"the log was not signed: {told['place']}: {told['problem']}"
        ctx.alarm("log", "log", what)
    outlet.settle()
