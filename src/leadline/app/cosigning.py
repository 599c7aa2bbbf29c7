"""A log asking its witnesses: what they have seen, and for their cosignatures.

A witness that does not answer is a reason told to the operator, never an error: it takes nothing
from anybody but a cosignature. What a witness answers is believed as far as its key reaches.

Source: C2SP tlog-witness.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from leadline.app.ports import Outlet, Reply
from leadline.app.signature import check
from leadline.core.errors import Invalid, Tampered, Unavailable
from leadline.formats import checkpoint, cosignature, tlog_witness
from leadline.formats.note import Note, Signature
from leadline.formats.tlog_policy import Policy, Witness
from leadline.formats.tlog_witness import AddCheckpoint

OK, CONFLICT = 200, 409
AT_ONCE_MAX = 16
NO_URL = "the policy gives no URL"

Silent = dict[str, str]


def words(silent: Mapping[str, str]) -> str:
    """The reasons in one line."""
    return "; ".join(f"{name}: {why}" for name, why in sorted(silent.items())) or "none missing"


def sizes(outlet: Outlet, policy: Policy, signed: Note) -> tuple[dict[str, int], Silent]:
    """What each witness has seen of the log, and why the others do not say.

    Asked with *signed*, which was signed before, so that nothing new is signed to learn it.
    """
    asking, silent = _reachable(policy)
    own = checkpoint.parse(signed.text).size
    seen = dict[str, int]()
    requests = {witness: AddCheckpoint(0, (), signed) for witness in asking}
    for name, reply in _ask(outlet, requests).items():
        if isinstance(reply, str):
            silent[name] = reply
        elif reply.status == OK:
            seen[name] = own
        elif reply.status == CONFLICT and reply.kind == tlog_witness.SIZE_TYPE:
            try:
                seen[name] = tlog_witness.parse_size(reply.body)
            except Invalid as error:
                silent[name] = str(error)
        else:
            silent[name] = f"answered {reply.status}"
    return seen, silent


def gather(
    outlet: Outlet,
    policy: Policy,
    signed: Note,
    proofs: Mapping[str, tuple[int, tuple[bytes, ...]]],
) -> tuple[Note, Silent]:
    """*signed* with every cosignature that could be had and verifies, and why others are missing.

    *proofs* has for each witness the size it has seen and the proof from there.
    """
    requests = {
        witness: AddCheckpoint(*proofs[witness.name], signed)
        for witness in policy.witnesses
        if witness.name in proofs
    }
    lines, silent = list(signed.signatures), Silent()
    for name, reply in _ask(outlet, requests).items():
        witness = next(one for one in requests if one.name == name)
        if isinstance(reply, str):
            silent[name] = reply
        elif reply.status != OK:
            silent[name] = f"answered {reply.status}"
        else:
            try:
                lines = _joined(signed, lines, witness, reply)
            except (Invalid, Tampered) as error:
                silent[name] = str(error)
    return Note(signed.text, tuple(lines)), silent


def _joined(
    signed: Note, lines: list[Signature], witness: Witness, reply: Reply
) -> list[Signature]:
    """*lines* with the cosignature of *witness*, in place of an earlier one of its own."""
    answered = tlog_witness.parse_cosignatures(signed, reply.body)
    own = tuple(line for line in answered if line.by(witness.key))
    cosignature.require("cosignature", Note(signed.text, own), [witness.key], check)
    return [line for line in lines if not line.by(witness.key)] + list(own[:1])


def _reachable(policy: Policy) -> tuple[list[Witness], Silent]:
    asking = [witness for witness in policy.witnesses if witness.url]
    return asking, {one.name: NO_URL for one in policy.witnesses if not one.url}


def _ask(outlet: Outlet, requests: Mapping[Witness, AddCheckpoint]) -> dict[str, Reply | str]:
    """All at once, so that one slow witness costs no more than its own time limit."""

    def ask(witness: Witness) -> Reply | str:
        try:
            url = witness.url.rstrip("/") + tlog_witness.PATH
            return outlet.post(url, requests[witness].body)
        except Unavailable as error:
            return str(error)

    if not requests:
        return {}
    with ThreadPoolExecutor(min(len(requests), AT_ONCE_MAX)) as pool:
        return {
            one.name: reply for one, reply in zip(requests, pool.map(ask, requests), strict=True)
        }
