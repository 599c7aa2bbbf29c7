"""A decision as one document: its plan, the seed of its draws, and the log of what was drawn and seen.

Canonical JSON, ``{"plan", "seed", "log"}``: the form of ``decision.json`` in a bundle. Fractions in the plan
are decimals in text, so that the document has one digest wherever it is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadline.core.errors import Invalid, LeadlineError
from leadline.core.measure.sequential import Design, Plan, Record, read_record
from leadline.formats.canonical import decode, encode
from leadline.formats.values import plain

BYTES_MAX = 64 << 20
_DECIMALS = ("threshold", "alpha_above", "alpha_below", "zone")
_ACTIVE = ("tau", "floor", "family_share")
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """What a decision was planned as, the seed of its draws, and every line of its log."""

    plan: Plan
    seed: bytes
    log: tuple[Record, ...]


def write_decision(told: DecisionLog) -> bytes:
    """The document of *told*."""
    log = [record.to_dict() for record in told.log]
    document = {"plan": told.plan.to_dict(), "seed": told.seed.hex(), "log": log}
    return encode(plain(document), bytes_max=BYTES_MAX)


def read_decision(content: bytes) -> DecisionLog:
    """What `write_decision` wrote.

    Raises: Invalid, naming the field, for anything else; Tampered, for a line of the log that is none.
    """
    root = decode(content, bytes_max=BYTES_MAX)
    if not isinstance(root, Mapping) or set(root) != {"plan", "seed", "log"}:
        raise Invalid("decision", "an object of plan, seed and log, and nothing else")
    seed, log, plan = root["seed"], root["log"], root["plan"]
    if not isinstance(log, Sequence) or isinstance(log, str | bytes):
        raise Invalid("log", "a list of records")
    records = []
    for number, line in enumerate(log, 1):
        if not isinstance(line, Mapping):
            raise Invalid("log", f"record {number} is no object")
        records.append(read_record(line, f"decision log, record {number}"))
    return DecisionLog(_plan(plan), _seed(seed), tuple(records))


def _seed(text: object) -> bytes:
    try:
        seed = bytes.fromhex(str(text))
    except ValueError:
        raise Invalid("seed", "hexadecimal digits") from None
    if seed.hex() != text:
        raise Invalid("seed", "small hexadecimal digits and nothing else")
    return seed


def _plan(told: object) -> Plan:
    """The plan that *told* states, if it is just what that plan would state of itself."""
    if not isinstance(told, Mapping):
        raise Invalid("plan", "an object")
    try:
        plan = _made(told)
        same = plain(plan.to_dict()) == told
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Invalid("plan", f"not a plan of a decision ({type(error).__name__})") from None
    except LeadlineError as error:
        raise Invalid("plan", str(error)) from None
    if not same:
        raise Invalid("plan", "has a field that this plan would not state so")
    return plan


def _made(told: Row) -> Plan:
    active: dict[str, object] = {}
    if told["design"] == Design.ACTIVE:
        weights = _row(told["weights"])
        active = {name: float(str(told[name])) for name in _ACTIVE} | {
            "batch": told["batch"],
            "weights": {name: float(str(value)) for name, value in weights.items()} or None,
            "discriminations": _numbers(told["discriminations"]),
            "difficulties": _numbers(told["difficulties"]),
        }
    return Plan(
        suite_digest=str(told["suite_digest"]),
        items=_texts(told["items"]),
        families=_texts(told["families"]),
        seed_commitment=str(told["seed_commitment"]),
        design=Design(str(told["design"])),
        max_runs=told["max_runs"],  # type: ignore[arg-type] # compared with what the plan states
        max_tokens=told["max_tokens"],  # type: ignore[arg-type] # likewise
        **{name: float(str(told[name])) for name in _DECIMALS},  # type: ignore[arg-type] # decimals
        **active,  # type: ignore[arg-type] # by the names of the plan's fields
    )


def _row(value: object) -> Row:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError
    return tuple(str(one) for one in value)


def _numbers(value: object) -> tuple[float, ...]:
    return tuple(float(one) for one in _texts(value))
