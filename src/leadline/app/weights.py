"""Weights: taken in only where they are given, signed and judged; every movement on record.

Nothing else of Leadline needs weights: a subject is reached where its developer hosts it. Where weights
are given, the folder's signature is verified first, each file is judged by its content and compared with
the signed digest as it enters the vault, and the custody log begins with the offer.

Movements that the vault records by itself (a key released, material shredded) are read from its acts,
so that no second list can disagree with the first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadline.app import folder as files
from leadline.app import intake
from leadline.app import terms as agreed
from leadline.app.context import Context
from leadline.app.intake import Quarantine, Upload
from leadline.app.ports import Opened, Reading
from leadline.core import custody
from leadline.core.access import Action, Resource
from leadline.core.custody import Entry, Movement, Told
from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.intake import DEFAULT, Hostile, Limits, Purpose, Taken
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind
from leadline.core.vaulting import Shredding
from leadline.formats.archive import check_names
from leadline.formats.model_signature import parse

PARTIES = Marking(Tlp.AMBER_STRICT)
BESIDE = {".json": Purpose.CONFIGURATION, ".txt": Purpose.CONFIGURATION, ".md": Purpose.DOCUMENT}
Verify = Callable[[Path, bytes], None]


@dataclass(frozen=True, slots=True)
class Dealing:
    """The engagement whose weights are meant, and the developer whose they are."""

    engagement: str
    org: str

    def resource(self) -> Resource:
        """The weights as access rules see them."""
        return Resource("artefact", self.engagement, self.engagement, self.org, PARTIES)


@dataclass(frozen=True, slots=True)
class Statement:
    """Every recorded movement of an engagement's weights, file by file, in log order.

    *index* is the place of each act in the log.
    """

    engagement: str
    files: tuple[Told, ...]
    index: Mapping[str, int]
    unknown: str = custody.UNKNOWN_COPIES


def under(ctx: Context, on: Dealing) -> str:
    """The digest of the terms that weights come under.

    Raises: Denied; Refused, where none are in effect: nobody would be bound by anything.
    """
    ctx.require(Action.ARTEFACT_DEPOSIT, on.resource())
    with ctx.store.read() as view:
        found = agreed.text(view, on.engagement)
    if found is None:
        raise Refused("no terms are in effect; both parties sign the same text first")
    if ctx.now >= found.expires:
        raise Refused("the terms have expired; agree new ones")
    return found.digest


def receive(  # noqa: PLR0917 -- a delivery, its signature, and what checks them
    ctx: Context,
    on: Dealing,
    folder: Path,
    signature: bytes,
    verify: Verify,
    quarantine: Quarantine,
    terms: str = "",
    limits: Limits = DEFAULT,
) -> tuple[Taken, ...]:
    """Take in every file of *folder*: weights as safetensors, configuration and text beside them.

    *verify* returns if the signature over the folder verifies with a key agreed beforehand.

    Raises: Denied; Tampered, if it does not, or a file is another than was signed; Invalid, for
    anything that is not taken. Either way the refusal is recorded, and nothing enters custody.
    """
    ctx.require(Action.ARTEFACT_DEPOSIT, on.resource())
    announced = Upload(on.engagement, on.org, Purpose.WEIGHTS, "weights", sealed=True, terms=terms)
    try:
        signed = parse(signature)
        found = files.scan(folder)
        check_names(found, limits)
        _check_signed(found.keys(), signed)
        verify(folder, signature)
    except (Invalid, Tampered) as error:
        wrong = Hostile("weights", str(error))
        intake.refused(ctx, announced, intake.Running(limits, None), wrong)
        raise
    taken = []
    for path, digest in sorted(signed.items()):
        purpose = BESIDE.get(Path(path).suffix, Purpose.WEIGHTS)
        upload = Upload(on.engagement, on.org, purpose, path, found[path], sealed=True, terms=terms)
        enter(ctx, on, Movement.OFFERED, digest)
        one = intake.deposit(ctx, upload, files.chunks(folder, path), quarantine, limits)
        if one.digest != digest:
            told = f"a file of weights changed after its signature was verified: {one.id}"
            ctx.alarm("custody", one.id, told, engagement=on.engagement)
            raise Tampered(intake.shown(path), "other bytes than were signed")
        enter(ctx, on, Movement.RECEIVED, digest)
        enter(ctx, on, Movement.STORED, digest)
        taken.append(one)
    return tuple(taken)


def _check_signed(found: Iterable[str], signed: Mapping[str, str]) -> None:
    """A signature may leave files out; here each file is signed, and each signed file is there."""
    if apart := set(found) ^ set(signed):
        raise Tampered(intake.shown(min(apart)), "signed and absent, or there and not signed")


def enter(
    ctx: Context, on: Dealing, movement: Movement, digest: str, place: str = "", sent: int = 0
) -> Entry:
    """Write one movement down; one that does not follow from those before is an alert as well.

    *place* is the run or host, *sent* the bytes of a result.
    """
    ctx.require(Action.ARTEFACT_DEPOSIT, on.resource())
    return _enter(ctx, on.engagement, movement, digest, place, sent)


def _enter(
    ctx: Context, engagement: str, movement: Movement, digest: str, place: str = "", sent: int = 0
) -> Entry:
    act = ctx.act(
        Kind.CUSTODY_ENTERED,
        f"weights/{digest}",
        engagement,
        movement=movement.value,
        digest=digest,
        place=place,
        bytes=sent,
    )
    entry = Entry(act.id, movement, act.at, act.actor, digest, place, sent)
    with ctx.store.write() as tx:
        before = _entries(tx, engagement)
        tx.record(act)
    (told,) = custody.told(one for one in [*before, entry] if one.digest == digest)
    if why := told.irregular.get(act.id):
        what = f"custody of weights: {movement.value} {why}"
        ctx.alarm("custody", act.about, what, engagement=engagement)
    return entry


def emit(ctx: Context, on: Dealing, digest: str, run: str, sent: int) -> Entry:
    """Let a result of *sent* bytes leave *run*, within the day's allowance.

    Raises: Refused, with an alert, beyond the allowance: the result stays, and the run is to be ended.
    """
    ctx.require(Action.ARTEFACT_DEPOSIT, on.resource())
    return _emit(ctx, on.engagement, digest, run, sent)


@contextmanager
def in_use(ctx: Context, engagement: str, digest: str, run: str) -> Iterator[Callable[[int], None]]:
    """Mounted while inside; yields the meter, which each result passes with its bytes before it leaves.

    The deed that uses the weights has been required already. Where the engagement's weights of that
    *digest* were never received here, nothing is mounted and the meter counts nothing.

    Raises, from the meter: Refused, with an alert, beyond the day's allowance.
    """
    with ctx.store.read() as view:
        here = any(
            one.digest == digest and one.movement is Movement.RECEIVED
            for one in _entries(view, engagement)
        )
    if not here:
        yield lambda _sent: None
        return

    def meter(sent: int) -> None:
        _emit(ctx, engagement, digest, run, sent)

    _enter(ctx, engagement, Movement.MOUNTED, digest, run)
    try:
        yield meter
    finally:
        _enter(ctx, engagement, Movement.UNMOUNTED, digest, run)


def _emit(ctx: Context, engagement: str, digest: str, run: str, sent: int) -> Entry:
    with ctx.store.read() as view:
        entries = _entries(view, engagement)
        rows = view.find(Taken, engagement=engagement)
    size = sum(row.value.bytes for row in rows if row.value.purpose is Purpose.WEIGHTS)
    allowance = custody.daily_allowance(size)
    if sent < 0 or custody.exceeds(entries, ctx.now, sent, allowance):
        told = f"{run} wanted to send {sent} bytes beyond the allowance of {allowance} a day"
        ctx.alarm("custody", f"weights/{digest}", told, engagement=engagement)
        raise Refused(f"{told}; the result stays here, end the run")
    return _enter(ctx, engagement, Movement.RESULT_EMITTED, digest, run, sent)


def statement(ctx: Context, on: Dealing) -> Statement:
    """The custody statement of an engagement: what the record tells, and what no record can."""
    ctx.require(Action.RECORD_READ, Resource("record", on.engagement, on.engagement, on.org))
    with ctx.store.read() as view:
        entries = _entries(view, on.engagement)
        index = {one.act.id: one.index for one in view.acts(engagement=on.engagement)}
    told = custody.told(entries)
    acts = {entry.act for one in told for entry in one.entries}
    return Statement(on.engagement, told, {act: at for act, at in index.items() if act in acts})


def _entries(view: Reading, engagement: str) -> list[Entry]:
    """The movements of one engagement's weights, in log order."""
    opened = view.acts(engagement=engagement)
    entered = {str(o.act.detail["digest"]) for o in opened if o.act.kind is Kind.CUSTODY_ENTERED}
    shredded = {
        row.value.id: frozenset(row.value.digests) & entered
        for row in view.find(Shredding, engagement=engagement)
    }
    return [entry for one in opened for entry in _read(one, entered, shredded)]


def _read(
    opened: Opened, weights: set[str], shredded: Mapping[str, frozenset[str]]
) -> Iterable[Entry]:
    act = opened.act
    digest = str(act.detail.get("digest", ""))
    if act.kind is Kind.CUSTODY_ENTERED:
        movement, place = Movement(str(act.detail["movement"])), str(act.detail["place"])
        yield _entry(act, movement, digest, place, int(str(act.detail["bytes"])))
    elif act.kind is Kind.ARTEFACT_UNSEALED and digest in weights:
        yield _entry(act, Movement.KEY_RELEASED, digest, str(act.detail["request"]))
    elif act.kind is Kind.MATERIAL_SHREDDED:
        for gone in sorted(shredded.get(act.about, ())):
            yield _entry(act, Movement.SHREDDED, gone)


def _entry(act: Act, movement: Movement, digest: str, place: str = "", sent: int = 0) -> Entry:
    return Entry(act.id, movement, act.at, act.actor, digest, place, sent)
