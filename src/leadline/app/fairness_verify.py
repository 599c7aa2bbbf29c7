"""The offline verifier of a fairness report: recomputed from its openings, with no store and no clock.

Upheld here: the document is signed by every key in the key file; each act of the case stands in the log
at its place, opened or as the leaf that stands for it; the acts are numbered without a gap, and no act
says another number than its own; what an act told of intake opens to what is shown; every figure of the
report follows from the acts that are shown. Left to others: what `limits` in the document says.

Written apart from `leadline.core.clearing.fairness` and plainly, so that one can be held against the other.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from leadline.app.proof import check_head
from leadline.app.signature import check
from leadline.core.errors import Invalid, Tampered
from leadline.core.record import commitment, tlog
from leadline.core.record.act import Value
from leadline.formats import canonical, cosignature, note, tlog_policy
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import Opening

FORMAT = "leadline/fairness/v1"
BYTES_MAX = 256 << 20
PLACE = "fairness report"
FIELDS = (
    "format",
    "case",
    "made",
    "audience",
    "checkpoint",
    "acts",
    "withheld",
    "expected",
    "intake",
    "counts",
    "report",
    "limits",
    "signature",
)
PUBLIC_MOVES = ("public", "public-elsewhere", "public-fix", "exploit-public")
Record = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found true. *unexplained* differences are the report's own finding, not a fault of it."""

    case: str
    audience: str
    origin: str
    size: int
    acts: int
    withheld: int
    notices: int
    unexplained: int


def verify(data: bytes, vkeys: str) -> Verified:
    """Verify a report with the verifier keys in the text *vkeys*, which comes from elsewhere.

    Raises: Tampered, naming the place, for anything that does not verify; Invalid, for a text that holds
    no verifier keys.
    """
    keys = [one for one in map(cosignature.text_key, note.parse_vkeys(vkeys)) if one is not None]
    body = _body(data)
    signed = _note("signature", _text(body, "signature"))
    unsigned = {name: value for name, value in body.items() if name != "signature"}
    digest = sha256(canonical.encode(unsigned, bytes_max=BYTES_MAX)).hexdigest()
    if signed.text != f"{FORMAT}\n{_text(body, 'case')}\n{digest}\n":
        raise Tampered("signature", "it was made over another document")
    cosignature.require("signature", signed, keys, check)
    head, _ = check_head(_note("checkpoint", _text(body, "checkpoint")), tlog_policy.alone(vkeys))
    shown = _acts(body, head)
    _intake(body, head)
    _recompute(body, [record for _, record in shown])
    report = _record(body.get("report"), "report")
    differences = _records(report.get("differences"), "report.differences")
    return Verified(
        case=_text(body, "case"),
        audience=_text(body, "audience"),
        origin=head.origin,
        size=head.size,
        acts=len(shown),
        withheld=len(_records(body.get("withheld"), "withheld")),
        notices=sum(record["kind"] == "notice.sent" for _, record in shown),
        unexplained=sum(not one.get("why") for one in differences),
    )


def _body(data: bytes) -> Record:
    try:
        body = _record(canonical.decode(data, bytes_max=BYTES_MAX), PLACE)
    except Invalid as error:
        raise Tampered(PLACE, str(error)) from error
    if set(body) != set(FIELDS) or body["format"] != FORMAT:
        raise Tampered(PLACE, f"the fields of {FORMAT} are due, and no others")
    return body


def _note(place: str, text: str) -> note.Note:
    try:
        return note.parse(text.encode())
    except Invalid as error:
        raise Tampered(place, str(error)) from error


def _acts(body: Record, head: Checkpoint) -> list[tuple[int, Record]]:
    """The acts that are shown, by number, once all of the case's leaves were found in the log."""
    shown, places = list[tuple[int, Record]](), list[tuple[int, int]]()
    for name in ("acts", "withheld"):
        for one in _records(body.get(name), name):
            number, index = _whole(one, "number"), _whole(one, "index")
            place = f"act {number} of the case"
            entry = _entry(one, index, place) if name == "acts" else _closed(one, place)
            _included(place, index, entry, _text(one, "proof"), head)
            places.append((number, index))
            if name == "acts":
                shown.append((number, _record(one.get("record"), place)))
    places.sort()
    if [number for number, _ in places] != list(range(1, len(places) + 1)):
        raise Tampered("acts", "their numbers have a gap, or one stands twice")
    indices = [index for _, index in places]
    if indices != sorted(set(indices)):
        raise Tampered("acts", "their numbers are not in the order of the log")
    for number, record in shown:
        said = _record(record.get("detail"), "detail").get("n", number)
        if said != number:
            raise Tampered(
                f"act {number} of the case", f"it says of itself that it is number {said}"
            )
    return shown


def _entry(one: Record, index: int, place: str) -> bytes:
    try:
        return Opening(index, bytes.fromhex(_text(one, "blinder")), one.get("record")).entry
    except (Invalid, ValueError) as error:
        raise Tampered(place, str(error)) from error


def _closed(one: Record, place: str) -> bytes:
    try:
        entry = bytes.fromhex(_text(one, "entry"))
    except ValueError as error:
        raise Tampered(place, str(error)) from error
    commitment.check_entry(place, entry)
    return entry


def _included(place: str, index: int, entry: bytes, proof: str, head: Checkpoint) -> None:
    try:
        hashes = [b64decode(part, validate=True) for part in proof.split()]
        tlog.verify_inclusion(index, head.size, tlog.leaf_hash(entry), hashes, head.root)
    except (Invalid, ValueError) as error:
        raise Tampered(place, str(error)) from error


def _intake(body: Record, head: Checkpoint) -> None:
    """Each act of handing in stands in the log, and opens to the finding that it committed to."""
    for one in _records(body.get("intake"), "intake"):
        index = _whole(one, "index")
        entry = _entry(one, index, "intake") if "record" in one else _closed(one, "intake")
        _included("intake", index, entry, _text(one, "proof"), head)
        if "opening" not in one:
            continue
        said = _of(_record(one.get("record"), "intake"), "commitment")
        opening = _record(one.get("opening"), "intake")
        content = _text(opening, "content").encode()
        try:
            made = commitment.commit_finding(bytes.fromhex(_text(opening, "blinder")), content)
        except (Invalid, ValueError) as error:
            raise Tampered("intake", str(error)) from error
        if made.hex() != said:
            raise Tampered("intake", "a finding is not the one that was committed to")


def _recompute(body: Record, acts: Sequence[Record]) -> None:
    """Every figure again, from plain records."""
    report = _record(body.get("report"), "report")
    expected = _records(body.get("expected"), "expected")
    sent = [one for one in acts if one["kind"] == "notice.sent"]
    corrections = {_of(one, "by") for one in acts if one["kind"] == "notice.corrected"}
    first = {
        (_of(one, "operator"), _of(one, "stage")) for one in sent if one["about"] not in corrections
    }
    _same(report, "told", len({_of(one, "operator") for one in sent}))
    _same(report, "spreads", _spreads(sent, corrections))
    _same(report, "differences", _differences(first, expected))
    _same(report, "extensions", _extensions(acts))
    _same(report, "credits", _credits(acts))
    _same(report, "public", _public(acts))
    _same(report, "opened", next((one["at"] for one in acts if one["kind"] == "case.opened"), None))
    _same(report, "periods", _periods(acts, _text(body, "made")))
    _same(report, "readers", _readers(acts))
    _same(report, "silent_parties", _silent_parties(acts))
    whole = _whole(_record(report.get("numbering"), "report.numbering"), "acts")
    if whole != len(acts) + len(_records(body.get("withheld"), "withheld")):
        raise Tampered("report.numbering", "it counts other acts than there are")
    if body["audience"] == "full":
        _same(report, "silent", _silent(acts))


def _same(report: Record, name: str, found: Value) -> None:
    if report.get(name) != found:
        raise Tampered(f"report.{name}", "it does not follow from the acts that are shown")


def _spreads(sent: Sequence[Record], corrections: set[Value]) -> Value:
    groups = dict[tuple[str, str], list[str]]()
    for one in sent:
        stage = "correction" if one["about"] in corrections else str(_of(one, "stage"))
        groups.setdefault((stage, str(_of(one, "tier"))), []).append(str(one["at"]))
    return tuple(
        {
            "stage": stage,
            "tier": tier,
            "notices": len(at),
            "first": min(at),
            "last": max(at),
            "seconds": _seconds(min(at), max(at)),
        }
        for (stage, tier), at in groups.items()
    )


def _differences(sent: set[tuple[Value, Value]], expected: Sequence[Record]) -> Value:
    found = list[tuple[str, str, str, str]]()
    matching = set[tuple[Value, Value]]()
    excuse = dict[tuple[Value, Value], Value]()
    for one in expected:
        key = (one["operator"], one["stage"])
        if one["match"]:
            matching.add(key)
            if key not in sent:
                why = "" if one["due"] else one["why"]
                found.append(("match-without-notice", str(key[0]), str(key[1]), str(why)))
        elif one["due"]:
            excuse[key] = one["why"]
    found += [
        ("notice-without-match", str(key[0]), str(key[1]), str(excuse.get(key, "")))
        for key in sent - matching
    ]
    return tuple(
        {"fault": fault, "operator": operator, "stage": stage, "why": why}
        for fault, operator, stage, why in sorted(found)
    )


def _extensions(acts: Sequence[Record]) -> Value:
    return tuple(
        {"at": one["at"], "until": _of(one, "until"), "reason": _of(one, "reason")}
        for one in acts
        if one["kind"] == "embargo.revised"
        or (one["kind"] == "case.moved" and _of(one, "move") == "extended")
    )


def _credits(acts: Sequence[Record]) -> Value:
    return tuple(
        {
            "party": _of(one, "party"),
            "shared": _of(one, "shared") is True,
            "name": _of(one, "name"),
            "at": one["at"],
        }
        for one in acts
        if one["kind"] == "credit.decided"
    )


def _public(acts: Sequence[Record]) -> Value:
    moments = [
        str(one["at"])
        for one in acts
        if one["kind"] in {"advisory.published", "embargo.ended"}
        or (one["kind"] == "case.moved" and _of(one, "move") in PUBLIC_MOVES)
    ]
    return min(moments, default=None)


def _periods(acts: Sequence[Record], made: str) -> Value:
    marks = list[tuple[str, str]]()
    for kind, state in (
        ("case.opened", "opened"),
        ("embargo.begun", "date agreed"),
        ("case.closed", "closed"),
    ):
        marks += [(str(one["at"]), state) for one in acts if one["kind"] == kind][:1]
    public = _public(acts)
    if public is not None:
        marks.append((str(public), "public"))
    marks.sort(key=lambda one: one[0])
    ends: list[str | None] = [at for at, _ in marks[1:]]
    return tuple(
        {"state": state, "since": since, "until": until, "seconds": _seconds(since, until or made)}
        for (since, state), until in zip(marks, [*ends, None], strict=False)
    )


def _seconds(since: str, until: str) -> int:
    between = datetime.fromisoformat(until) - datetime.fromisoformat(since)
    return int(between.total_seconds())


def _readers(acts: Sequence[Record]) -> Value:
    public = _public(acts)
    stage = {one["about"]: _of(one, "stage") for one in acts if one["kind"] == "notice.sent"}
    found = dict[tuple[Value, Value, Value], list[str]]()
    for one in acts:
        if public is not None and str(one["at"]) >= str(public):
            continue
        key: tuple[Value, Value, Value]
        if one["kind"] == "notice.opened" and one["about"] in stage:
            key = (_of(one, "operator"), "operator", stage[one["about"]])
        elif one["kind"] == "notice.opened":
            key = (one["actor"], "coordinator", "who was told")
        elif one["kind"] == "participant.added":
            key = (_of(one, "party"), _of(one, "role"), "")
        else:
            continue
        found.setdefault(key, []).append(str(one["at"]))
    return tuple(
        {"who": who, "role": role, "stage": at_stage, "first": at[0], "times": len(at)}
        for (who, role, at_stage), at in found.items()
    )


def _silent_parties(acts: Sequence[Record]) -> Value:
    asked = dict.fromkeys(
        _of(one, "party")
        for one in acts
        if one["kind"] == "participant.added"
        and _of(one, "role") in {"owner", "upstream", "downstream"}
    )
    spoke = {_of(one, "party") for one in acts if one["kind"] == "status.stated"}
    return tuple(party for party in asked if party not in spoke)


def _silent(acts: Sequence[Record]) -> Value:
    spoke = {_of(one, "operator") for one in acts if one["kind"] == "notice.answered"}
    proved = {
        _of(one, "operator")
        for one in acts
        if one["kind"] == "remedy.proved" and _of(one, "shown") == "fixed"
    }
    told = {_of(one, "operator") for one in acts if one["kind"] == "notice.sent"}
    return tuple(sorted(str(one) for one in told - spoke - proved))


def _of(one: Record, name: str) -> Value:
    found = _record(one.get("detail"), "detail").get(name)
    return "" if found is None else found


def _record(value: Value, place: str) -> Record:
    if not isinstance(value, Mapping):
        raise Tampered(place, "an object is due")
    return value


def _records(value: Value, place: str) -> list[Record]:
    if not isinstance(value, tuple):
        raise Tampered(place, "a list is due")
    return [_record(one, place) for one in value]


def _text(value: Record, name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise Tampered(name, "a text is due")
    return found


def _whole(value: Record, name: str) -> int:
    found = value.get(name)
    if type(found) is not int:
        raise Tampered(name, "a whole number is due")
    return found
