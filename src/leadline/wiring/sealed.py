"""Sealed packs at the terminal. A run has several hands, each with a session or a key of its own.

Whoever runs it, whoever has it unsealed, and the custodians meet in an exchange folder, which need not
be private:

    offer.json       the session, the pack's shares as sealed, the digest of its ciphertext
    quote.json       what the runner says of itself, and the channel that shares are sealed to
    proof.json       the proof that the unsealing of this session is logged
    share-N.json     what the custodian of share N passed on, sealed to the channel
"""

import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from leadline.app import approval, log, openings, sealed, sealed_sessions
from leadline.app.context import Context
from leadline.app.ports import Bounded
from leadline.app.proof import check
from leadline.app.sealed import Intake, Plan
from leadline.core.access import Action, Resource
from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, Refused, Tampered, Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, Value, from_record
from leadline.core.sealed.exposure import Limits
from leadline.core.sealed.pack import Pack, Reveal, Scheme, SealedShare
from leadline.core.sealed.session import Quote, RunSession, statements
from leadline.formats import canonical, tlog_policy
from leadline.formats import pack as packs
from leadline.formats.manifest import Opening
from leadline.formats.sealed_pack import SealedPack
from leadline.formats.sealed_report import measured
from leadline.formats.sealed_toml import load_limits
from leadline.formats.tlog_proof import ActProof
from leadline.formats.values import plain
from leadline.runner import custody
from leadline.runner.custody import Channel
from leadline.runner.sealed import LocalProcess, unlocker
from leadline.runner.sealed_process import ChildEngine, measurement
from leadline.runner.sealed_suite import prepared
from leadline.runner.subject import resolve
from leadline.suites.planted import SUITE as PLANTED
from leadline.wiring.home import new_id

__all__ = [
    "Place",
    "Subject",
    "ask_unsealing",
    "commit",
    "limits",
    "measurement",
    "new_custodian",
    "open_sample",
    "pass_on",
    "planted",
    "require_sealer",
    "reveal",
    "run",
    "seal",
    "statements",
    "unseal",
]

OFFER, QUOTE, PROOF = "offer.json", "quote.json", "proof.json"
FILE_BYTES_MAX = 4 << 20
POLL_SECONDS = 0.2
HOST = "this host"


def limits() -> Limits:
    """The programme's numbers."""
    name = "limits.toml"
    return load_limits((files("leadline") / "data" / "sealed" / name).read_bytes(), name)


def new_custodian(file: Path) -> str:
    """Make a custodian's key in *file* and its public half, in hex, in *file*.pub; answers its id."""
    key = custody.new_key()
    custody.write_key(file, key)
    file.with_name(f"{file.name}.pub").write_text(f"{key.public.hex()}\n", "ascii")
    return key.id


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed pack belongs, and who may know of it; as in `leadline.app.sealed.Intake`."""

    engagement: str
    compartments: frozenset[str] = frozenset()
    hidden: bool = False
    once: bool = False

    @property
    def marking(self) -> Marking:
        """The marking that the pack has."""
        return Marking(Tlp.AMBER_STRICT, self.compartments)


def require_sealer(ctx: Context) -> None:
    """Return if this person may seal a pack at all; raises Denied."""
    ctx.require(Action.PACK_SEAL, Resource("pack", "new", marking=Place("").marking))


def planted(custodians: Sequence[Path], items: int, *, xor: bool = False) -> SealedPack:
    """Draw planted items from fresh random bits, build them, and seal them; no installation is needed.

    *custodians* are files with public keys, one for each share.

    Raises: Unavailable, if no item qualifies on this host; Invalid, for keys that are none or alike.
    """
    count = len(custodians)
    scheme = Scheme("xor", count, count) if xor else Scheme("slip39", 2, count)
    public = [_public(path) for path in custodians]
    with tempfile.TemporaryDirectory(prefix="sealing-") as folder:
        drawn = prepared(PLANTED, secrets.token_bytes(32), items, Path(folder))
    id_ = new_id("pack")
    made = custody.seal_pack(id_, packs.encode(drawn), scheme, public)
    commitments = tuple(item.commitment.hex() for item in drawn)
    return SealedPack(id_, scheme, made.shares, commitments, measurement(), made.ciphertext)


def seal(ctx: Context, made: SealedPack, place: Place) -> Pack:
    """Take a sealed pack in; raises as `leadline.app.sealed.seal`."""
    intake = Intake(
        id=made.id,
        ciphertext=made.ciphertext,
        items=made.items,
        code=made.code,
        scheme=made.scheme,
        shares=made.shares,
        marking=place.marking,
        engagement=place.engagement,
        hidden=place.hidden,
        once=place.once,
    )
    return sealed.seal(ctx, intake)


def _public(path: Path) -> bytes:
    try:
        return bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise Invalid("--custodian", f"{path} holds no public key in hex") from error


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: *spec* as in `leadline assess`, and whose *family* the showing counts for."""

    spec: str
    family: str
    budget: Budget
    terms: Path


def commit(ctx: Context, pack: str, subject: Subject) -> tuple[RunSession, str]:
    """Commit to a run of *pack*; answers the session and the signed commitment to hand out.

    Raises: as `sealed.commit` and `sealed.prove_commitment`.
    """
    try:
        terms = subject.terms.read_bytes()
    except OSError as error:
        raise Invalid("--terms", f"{subject.terms} cannot be read: {error.strerror}") from error
    session = prepare(ctx, pack, subject, terms)
    return session, commitment(ctx, session.id)


def prepare(ctx: Context, pack: str, subject: Subject, terms: bytes) -> RunSession:
    """Commit to a run of *pack* under *terms*; raises as `sealed.commit`."""
    found = resolve(subject.spec, subject.budget)
    plan = Plan(
        model=found.subject.digest,
        family=subject.family,
        mode="custody" if found.subject.kind == "tool-agent" else "api",
        driver="local-process",
        terms=sha256(terms).hexdigest(),
        seed=secrets.token_bytes(32),
        salt=secrets.token_bytes(32),
    )
    return sealed.commit(ctx, pack, plan, limits())


def commitment(ctx: Context, session_id: str) -> str:
    """The signed commitment to a run, to hand out; raises as `sealed.prove_commitment`."""
    told = packs.encode_commitment(sealed.prove_commitment(ctx, session_id))
    return ctx.signer.sign(told)


def run(ctx: Context, session_id: str, subject: Subject, exchange: Path, wait: float) -> Bounded:
    """Start the runner, wait for proof and shares in *exchange*, run; answers the bounded report.

    Raises: Unavailable, if they do not come within *wait* seconds; otherwise as `sealed.release`
    and `sealed.run`.
    """
    session, row = sealed.prepared(ctx, session_id)
    runner = LocalProcess(ChildEngine(subject.spec, subject.budget), log.policy_of(ctx))
    try:
        runner.prepare(session)
        quote = runner.quote(session.nonce)
        exchange.mkdir(parents=True, exist_ok=True)
        offer = {"session": plain(session), "pack": row.id, "artefact": _artefact(ctx, row)}
        shares = tuple(plain(share) for share in row.shares)
        _write(exchange / OFFER, {**offer, "shares": shares})
        _write(exchange / QUOTE, plain(quote))
        passed = _awaited(exchange, row, time.monotonic() + wait)
        proof = _proof(exchange)
        sealed.release(ctx, session_id, runner, quote, proof, passed)
        return sealed.run(ctx, session_id, runner, HOST, limits())
    finally:
        runner.close()


def _artefact(ctx: Context, pack: Pack) -> str:
    return sha256(ctx.vault.get(pack.artefact)).hexdigest()


def _awaited(exchange: Path, pack: Pack, until: float) -> dict[int, str]:
    """What enough custodians passed on."""
    while True:
        found = {
            share.number: path
            for share in pack.shares
            if (path := exchange / f"share-{share.number}.json").exists()
        }
        if len(found) >= pack.scheme.threshold and (exchange / PROOF).exists():
            return {number: str(_read(path)["sealed"]) for number, path in found.items()}
        if time.monotonic() >= until:
            raise Unavailable("proof and shares did not come in time; the session can be run again")
        time.sleep(POLL_SECONDS)


def ask_unsealing(ctx: Context, session_id: str, exchange: Path) -> str:
    """Ask for the unsealing that *exchange* is about; answers the request's id, for others to sign."""
    return sealed.ask_unsealing(ctx, session_id, measured(_quote(exchange))).id


def unseal(ctx: Context, session_id: str, request: str, exchange: Path) -> None:
    """Authorise the unsealing once it is signed, and leave the proof of that in *exchange*."""
    granted = approval.granted(ctx, request)
    proof = sealed.authorise(ctx, session_id, measured(_quote(exchange)), granted, limits())
    _write(exchange / PROOF, _proved(proof))


def _proved(proof: ActProof) -> Mapping[str, Value]:
    opening = proof.opening
    told: dict[str, Value] = {"act": opening.record, "blinder": opening.blinder.hex()}
    return {**told, "index": opening.index, "proof": proof.text}


def proof_file(ctx: Context, session_id: str) -> bytes:
    """What stands in ``proof.json`` of the exchange folder; raises as `sealed_sessions.prove_unsealing`."""
    return canonical.encode(_proved(sealed_sessions.prove_unsealing(ctx, session_id)))


def quoted(data: bytes) -> Quote:
    """What a runner says of itself, from the bytes of its ``quote.json``; raises Invalid."""
    told = canonical.decode(data, bytes_max=FILE_BYTES_MAX)
    return packs.flat(Quote, "quote", told)


def pass_on(exchange: Path, key: Path, policy: Path) -> list[int]:
    """A custodian's own step: verify the proof by *policy*, and pass the share on to the channel.

    Needs no installation. Answers the places of the shares that were passed on.

    Raises: Refused, if the proof is of something else, or no share is this custodian's; Tampered,
    if proof or share does not verify.
    """
    offer, quote, proof = _read(exchange / OFFER), _quote(exchange), _proof(exchange)
    session = packs.flat(RunSession, "session", offer.get("session"))
    said = measured(quote)
    check(proof, tlog_policy.parse(policy.read_bytes()))
    record = proof.opening.record
    act = from_record(record if isinstance(record, Mapping) else {})
    told = (act.kind, act.detail.get("session"), act.detail.get("quote"))
    if told != (Kind.UNSEALING_AUTHORISED, session.id, said.digest):
        raise Refused("the proof is of an act that authorises something else")
    if quote.bound != said.channel:
        raise Tampered("quote", "its channel key is not the one it is bound to")
    holder, listed = custody.read_key(key), offer.get("shares")
    shares = [packs.flat(SealedShare, "share", one) for one in _listed(listed)]
    channel = Channel(session.id, session.nonce, bytes.fromhex(quote.channel))
    own = [share for share in shares if share.custodian == holder.id]
    for share in own:
        pack, artefact = str(offer.get("pack")), str(offer.get("artefact"))
        sealed_ = custody.pass_on(holder, pack, artefact, share, channel)
        _write(exchange / f"share-{share.number}.json", {"sealed": sealed_})
    if not own:
        raise Refused("none of the shares is sealed to this key")
    return [share.number for share in own]


def _listed(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def reveal(ctx: Context, session_id: str) -> tuple[Reveal, str]:
    """The reveal and its signed text. Raises: as `sealed.reveal`."""
    made = sealed.reveal(ctx, session_id)
    return made, ctx.signer.sign(packs.encode_reveal(made))


def open_sample(
    ctx: Context, session_id: str, sample: tuple[str, int], request: str, keys: Sequence[Path]
) -> bytes:
    """The openings of a third party's sample (its randomness in hex, how many), as a file.

    *keys* are the custodians' key files, together on this host for the ceremony.

    Raises: as `openings.open_sample`.
    """
    randomness, count = sample
    unlock = unlocker([custody.read_key(key) for key in keys])
    granted = approval.granted(ctx, request)
    found = openings.open_sample(ctx, session_id, randomness, count, granted, unlock)
    return packs.encode_openings(found)


def _quote(exchange: Path) -> Quote:
    return packs.flat(Quote, "quote", _read(exchange / QUOTE))


def _proof(exchange: Path) -> ActProof:
    told = _read(exchange / PROOF)
    record, index, blinder = told.get("act"), told.get("index"), told.get("blinder")
    if not isinstance(record, Mapping) or type(index) is not int or not isinstance(blinder, str):
        raise Invalid(PROOF, "the act, its index, its blinder and its proof are due")
    try:
        opening = Opening(index, bytes.fromhex(blinder), record)
    except ValueError:
        raise Invalid(PROOF, "the blinder is in hex") from None
    return ActProof(opening, str(told.get("proof")))


def _read(path: Path) -> Mapping[str, Value]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX)
    except OSError as error:
        raise Invalid(path.name, f"cannot be read: {error.strerror}") from error
    told = canonical.decode(data, bytes_max=FILE_BYTES_MAX)
    if not isinstance(told, Mapping):
        raise Invalid(path.name, "a JSON object is due")
    return told


def _write(path: Path, value: Value) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(canonical.encode(value, bytes_max=FILE_BYTES_MAX))
    new.replace(path)
