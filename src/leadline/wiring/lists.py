"""Public lists as files that somebody fetched: read where they lie, or kept by an installation.

Leadline fetches nothing: who carries a list in says so, and the record holds its digest. A kept list that
is no longer what was recorded is not read.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from leadline.app.context import Context
from leadline.app.given import content
from leadline.app.priority import CASE, Lists, Row, queue
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.exploited import LISTED, Answer
from leadline.core.errors import Invalid, Tampered
from leadline.core.record.act import Kind
from leadline.formats import epss, kev, vulnrichment
from leadline.settings import Home

T = TypeVar("T")
FOLDER = "lists"
KINDS: Mapping[str, str] = {"kev": "kev.json", "epss": "epss.csv.gz", "records": "records.json"}
BYTES_MAX = 32 << 20
RECORD_BYTES_MAX = 4 << 20
RECORDS_MAX = 50_000
INTAKE = "intake"
# What people call the directive's inputs, with their words for the values.
INPUTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "exposed": ("cisa:PE:1.0.0", {"yes": LISTED, "no": "N"}),
    "automatable": ("ssvc:A:2.0.0", {"yes": "Y", "no": "N"}),
    "impact": ("ssvc:TI:1.0.0", {"partial": "P", "total": "T"}),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken in: *count* entries, of the moment or version that the list itself states."""

    kind: str
    digest: str
    count: int
    stated: str


def spoken(what: str, value: str) -> tuple[str, str]:
    """The input's id and the value's key for what people call them; anything else as it stands.

    Raises: Invalid, naming the words of the input.
    """
    if what not in INPUTS:
        return what, value
    point, words = INPUTS[what]
    if value != "unknown" and value not in words:
        raise Invalid(what, f"is one of {', '.join(words)}, unknown")
    return point, words.get(value, value)


def said(inputs: Mapping[str, str], by: str) -> tuple[Answer, ...]:
    """What a person answers to the directive's inputs; an empty or unknown one is left out."""
    found = []
    for what, value in inputs.items():
        point, key = spoken(what, value or "unknown")
        if key != "unknown":
            found.append(Answer(point, key, by, f"said by {by}"))
    return tuple(found)


def lists_of(kev_file: Path | None, epss_file: Path | None, records: Path | None) -> Lists:
    """The lists in files that a person names; those without a file are not here.

    Raises: NotFound or Invalid, naming the file.
    """
    return Lists(
        kev.parse(content(kev_file, BYTES_MAX), kev_file.name) if kev_file else None,
        epss.parse(content(epss_file, BYTES_MAX), epss_file.name) if epss_file else None,
        _answers(_records(records)) if records else {},
    )


def kept(ctx: Context, home: Home) -> Lists:
    """The lists that this installation keeps.

    Raises: Tampered, if one is not what was recorded; Invalid, if one cannot be read.
    """
    found = {kind: _kept(ctx, home, kind) for kind in KINDS}
    return Lists(_KEV(found["kev"]), _EPSS(found["epss"]), _RECORDS(found["records"]) or {})


def take_in(ctx: Context, home: Home, kind: str, path: Path) -> Imported:
    """Keep a list and record its digest; it takes the place of the one before.

    *records* may be a folder of CVE records.

    Raises: Denied; NotFound or Invalid, naming file and problem: then nothing changed.
    """
    if kind not in KINDS:
        raise Invalid("kind", f"{kind!r:.40} is none of {', '.join(KINDS)}")
    ctx.require(Action.PRIORITY_SET, Resource("case", INTAKE, marking=CASE, case=INTAKE))
    if kind == "records":
        texts = [data.decode() for data in _records(path)]
        count, stated = len(_answers(map(str.encode, texts))), f"{len(texts)} records"
        data = json.dumps(texts).encode()
    else:
        data = content(path, BYTES_MAX)
        count, stated = _stated(kind, data, path.name)
    digest = sha256(data).hexdigest()
    _write(home.folder / FOLDER / KINDS[kind], data)
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(Kind.FEED_IMPORTED, f"list/{kind}", "", digest=digest, entries=count, of=stated)
        )
    return Imported(kind, digest, count, stated)


def _stated(kind: str, data: bytes, name: str) -> tuple[int, str]:
    if kind == "kev":
        held = kev.parse(data, name)
        return len(held.listed), f"{held.released:%Y-%m-%d %H:%M} UTC, version {held.version}"
    scores = epss.parse(data, name)
    return len(scores.scores), f"{scores.scored:%Y-%m-%d %H:%M} UTC, model {scores.model}"


class _Last(Generic[T]):
    """What the bytes of a list were read as last; the same bytes are not read a second time.

    A day's EPSS has some 300,000 rows: reading them takes longer than everything else that a page does.
    """

    def __init__(self, read: Callable[[bytes], T]) -> None:
        self._read = read
        self._held: tuple[str, T | None] = "", None

    def __call__(self, kept: tuple[str, bytes]) -> T | None:
        """The list of this digest and these bytes; None where none was ever taken in."""
        digest, data = kept
        if not digest:
            return None
        held = self._held
        if held[0] != digest:
            held = self._held = digest, self._read(data)
        return held[1]


def _kept(ctx: Context, home: Home, kind: str) -> tuple[str, bytes]:
    """The list's digest and bytes; both are empty where none was ever taken in."""
    with ctx.store.read() as view:
        acts = view.acts(about=f"list/{kind}", kind=Kind.FEED_IMPORTED)
    if not acts:
        return "", b""
    try:
        data = (home.folder / FOLDER / KINDS[kind]).read_bytes()
    except OSError:
        raise Tampered(kind, "the list that was taken in is gone; import it anew") from None
    digest = sha256(data).hexdigest()
    if digest not in {one.act.detail.get("digest") for one in acts}:
        raise Tampered(kind, "the list is not what was taken in; import it anew")
    return digest, data


def _records(path: Path) -> Iterator[bytes]:
    """The CVE records in a file, or in every JSON file below a folder, in order of path."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files or len(files) > RECORDS_MAX:
        raise Invalid(
            str(path), f"holds {len(files)} records; between 1 and {RECORDS_MAX} are read"
        )
    for file in files:
        yield content(file, RECORD_BYTES_MAX)


def _answers(records: Iterable[bytes]) -> dict[str, tuple[Answer, ...]]:
    found: dict[str, tuple[Answer, ...]] = {}
    for data in records:
        cve, answers = vulnrichment.parse(data)
        found[cve] = (*found.get(cve, ()), *answers)
    return found


_KEV, _EPSS = _Last(kev.parse), _Last(epss.parse)
_RECORDS = _Last(lambda data: _answers(map(str.encode, json.loads(data))))


def _write(path: Path, data: bytes) -> None:
    """The file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with new.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)


def queue_of(ctx: Context, home: Home, zone: ZoneInfo) -> tuple[Row, ...]:
    """The cases that this person may read, the most urgent first, by the lists kept here; none that is closed."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.CASE_READ, "case", given)
    with ctx.store.read() as view:
        mine = frozenset(row.id for row in view.find(CaseFile, visible=visible))
        closed = {one.act.about for one in view.acts(about=mine, kind=Kind.CASE_CLOSED)}
        touched: dict[str, set[str]] = {case: set() for case in sorted(mine - closed)}
        for one in view.acts(naming=frozenset(touched), kind=Kind.NOTICE_SENT):
            if (case := str(one.act.detail.get("case", ""))) in touched:
                touched[case].add(str(one.act.detail.get("operator", "")))
    counts = {id_: len(operators) for id_, operators in touched.items()}
    return queue(ctx, counts, kept(ctx, home), zone)
