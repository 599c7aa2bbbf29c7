"""Whether a decision recomputes from its log, and whether it is the one that a record speaks of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from leadline.app import folder as files
from leadline.core.errors import NotFound, Tampered
from leadline.core.measure.deciding import replay
from leadline.core.measure.sequential import Status
from leadline.core.record.act import Act, Kind, from_record
from leadline.core.record.commitment import derived_seed, seed_commitment
from leadline.formats.canonical import encode
from leadline.formats.decision_log import BYTES_MAX, DecisionLog, read_decision
from leadline.formats.manifest import ACTS, decode_opening
from leadline.formats.values import plain

DECISION = "decision.json"
DRAWS = "draws"  # what the seed of the decision's draws is derived for


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A decision that recomputes. *checked* says what else agrees, in a sentence each.

    *apart* is whether the log stood alone, with no record to compare it with.
    """

    status: Status
    told: DecisionLog
    checked: tuple[str, ...]
    apart: bool


def verify_decision(path: Path) -> Recomputed:
    """Recompute every draw, bet and hash of the log in *path*: a ``decision.json``, or a bundle with one.

    With a bundle also: the seed is the one that was committed to before the first run and revealed after
    the last, the record holds the head of the log after each batch, and the determination rests on it.
    That the bundle itself is what was signed is for `leadline log verify` to say.

    Raises: Tampered, naming the place, where anything does not recompute or agree; Invalid, for a
    document that is none; NotFound, if there is none; Unavailable, if it cannot be read.
    """
    folder = path if path.is_dir() else None
    place = path / DECISION if folder else path
    if not place.is_file():
        raise NotFound(f"there is no {DECISION} in {path}" if folder else f"{path} is no file")
    told = read_decision(files.read(place.parent, place.name, bytes_max=BYTES_MAX))
    status = replay(told.plan, told.seed, told.log)
    words = (f"{len(told.log)} draws, their chances, bets and hashes recompute",)
    if folder is None:
        return Recomputed(status, told, words, apart=True)
    return Recomputed(status, told, words + tuple(_agreeing(told, _acts(folder))), apart=False)


def _acts(folder: Path) -> list[Act]:
    """Every act that the bundle opens."""
    lines = files.read(folder, ACTS, bytes_max=BYTES_MAX).splitlines(keepends=True)
    found = []
    for line in lines:
        record = decode_opening(line).record
        assert isinstance(record, Mapping)  # noqa: S101 -- `decode_opening` takes nothing else
        found.append(from_record(record))
    return found


def _agreeing(told: DecisionLog, acts: Sequence[Act]) -> Iterator[str]:
    """What the record says of this decision, one sentence for each thing that agrees."""
    yield _revealed(told, _of(acts, Kind.SEED_REVEALED))
    yield _advanced(told, _of(acts, Kind.DECISION_ADVANCED))
    if determined := _of(acts, Kind.DETERMINATION_RECORDED):
        basis = sha256(encode(plain([record.to_dict() for record in told.log]))).hexdigest()
        if determined[-1].detail.get("basis") != basis:
            raise Tampered(determined[-1].about, "the determination rests on another log")
        yield "the determination rests on this log"


def _of(acts: Sequence[Act], kind: Kind) -> list[Act]:
    return [act for act in acts if act.kind is kind]


def _revealed(told: DecisionLog, revealed: Sequence[Act]) -> str:
    """Raises: Tampered, unless the draws' seed is the committed one."""
    if not revealed:
        raise Tampered(DECISION, "the record reveals no seed, so that the draws may be anybody's")
    try:
        seed, salt = (bytes.fromhex(str(revealed[-1].detail[name])) for name in ("seed", "salt"))
    except (KeyError, ValueError):
        raise Tampered(revealed[-1].about, "reveals no seed and salt") from None
    if seed_commitment(salt, seed).hex() != told.plan.seed_commitment:
        raise Tampered(DECISION, "the seed that was revealed is not the one committed to")
    if derived_seed(seed, DRAWS) != told.seed:
        raise Tampered(DECISION, "the draws come from another seed than the one committed to")
    return "the draws come from the seed that was committed to before the first run"


def _advanced(told: DecisionLog, acts: Sequence[Act]) -> str:
    """Raises: Tampered, unless the record holds heads of this log, the last of them its own."""
    if not acts and not told.log:
        return "nothing was drawn, and the record holds no head"
    for act in acts:
        runs = act.detail.get("runs")
        known = isinstance(runs, int) and 0 < runs <= len(told.log)
        if not known or act.detail.get("head") != told.log[int(str(runs)) - 1].digest:
            raise Tampered(act.about, "the record holds the head of another log")
        if act.detail.get("plan") != told.plan.digest:
            raise Tampered(act.about, "the record holds the plan of another decision")
    if not acts or acts[-1].detail.get("runs") != len(told.log):
        raise Tampered(DECISION, "the record does not hold the head of the whole log")
    return f"the record held the log's head after each of {len(acts)} batches"
