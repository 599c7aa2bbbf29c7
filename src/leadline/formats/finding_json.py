"""Reports in Leadline's own JSON, and what all forms of reports share.

The schema is `schemas/finding-1.json`. A report is taken whole or not at all: every fault is listed with
its JSON pointer and what would be right. Fields named ``x-...`` are the sender's; they stay in the
report's bytes, which are kept and carried on unchanged.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from leadline.core.clearing.finding import (
    UNNAMED_MODEL,
    Attachment,
    Evidence,
    Finding,
    Hop,
    Location,
    Origin,
    Severity,
)
from leadline.core.clearing.product import Fault, parse_purl
from leadline.core.clearing.report import Beside, Draft, Faulty, Told
from leadline.core.errors import Invalid
from leadline.formats import schemas
from leadline.formats.document import load, record, records, text, texts
from leadline.formats.document import moment as named_moment

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "finding-json"
SCHEMA = "finding-1.json"
VERSION = "leadline-finding-1"
REPORT_BYTES_MAX = 256 << 10
ATTACHMENT_BYTES_MAX = 64 << 20
TITLE_CHARACTERS_MAX = 200
_SUITE = "report"
_UNLABELLED = (
    "does not say who or what found it; say `ai`, `tool` or `person`: whatever a model found is labelled "
    "`ai`, also when a person ran the model"
)


@dataclass(frozen=True, slots=True)
class Label:
    """Who or what found it, as every later page says it."""

    origin: Origin
    found_by: str
    consent: str = ""


def label(told: Told, place: str, faults: list[Fault], tool: str = "") -> Label:
    """The label that *told* gives, else of a tool called *tool*; a missing one is a fault at *place*.

    A model is named only with its developer's consent, because that a model is under review is
    confidential.
    """
    if told.origin is None:
        faults.append(Fault(place, _UNLABELLED))
        return Label("person", "unlabelled")
    if told.origin == "ai":
        if told.found_by and not told.consent:
            cure = "leave the name out, or say in `consent` how its developer agreed"
            faults.append(Fault(place, f"names a model without its developer's consent; {cure}"))
        return Label("ai", nfc(told.found_by) or UNNAMED_MODEL, nfc(told.consent))
    named = nfc(told.found_by or (tool if told.origin == "tool" else ""))
    unnamed = "a tool that is not named" if told.origin == "tool" else "a person"
    return Label(told.origin, named or unnamed)


def nfc(value: str) -> str:
    """Text as acts and digests take it: Unicode normal form C; the report's own bytes stay as they are."""
    return unicodedata.normalize("NFC", value)


def one_line(value: str, otherwise: str = "") -> str:
    """A title out of any text: its first line that says something, shortened."""
    lines = (" ".join(line.split()) for line in value.splitlines())
    first = next((line for line in lines if line), otherwise)
    return nfc(first)[:TITLE_CHARACTERS_MAX]


def sound(value: object, place: str, faults: list[Fault]) -> None:
    """Note every text in *value* that no later page could show: half a surrogate pair, a NUL.

    The names of members count as well.
    """
    waiting: list[tuple[str, object]] = [(place, value)]
    while waiting:
        at, one = waiting.pop()
        if isinstance(one, Mapping):
            for key, held in one.items():
                waiting += [(f"{at}/{ascii(key)[1:-1]}", held), (at, key)]
        elif isinstance(one, list | tuple):
            waiting.extend((f"{at}/{number}", held) for number, held in enumerate(one))
        elif isinstance(one, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in one):
            faults.append(Fault(at, "holds a NUL or half a surrogate pair; write it as other text"))


def loaded(data: bytes, name: str, bytes_max: int = REPORT_BYTES_MAX) -> Mapping[str, object]:
    """The JSON object of a report.

    Raises: Faulty, if it is too large, too deep or no JSON object.
    """
    try:
        return load(data, name, bytes_max)
    except Invalid as error:
        raise Faulty(name, [Fault("/", error.problem)]) from None


def moment(value: str, place: str, faults: list[Fault]) -> datetime | None:
    """A moment with its offset; a fault at *place* without one, None where nothing is said."""
    if not value:
        return None
    at = named_moment(value)
    if at is None:
        faults.append(Fault(place, f"{value[:40]!r} is no moment with an offset"))
    return at


def purl(value: str, place: str, faults: list[Fault]) -> str:
    """A Package-URL as it came; a fault at *place* if it is none."""
    if value:
        try:
            parse_purl(value)
        except Invalid as error:
            faults.append(Fault(place, error.problem))
    return nfc(value)


def recognises(document: Mapping[str, object]) -> bool:
    """Whether this is a report of this form, of whatever version."""
    return text(document.get("schema")).startswith("leadline-finding")


def read(data: bytes, name: str, told: Told, beside: Beside) -> tuple[Draft, ...]:
    """One report with its files.

    Raises: Faulty, with every fault.
    """
    document = loaded(data, name)
    faults = list[Fault]()
    sound(document, "", faults)
    faults += [] if faults else schemas.faults(SCHEMA, document)
    if not faults:
        draft = _Reading(told, beside, faults).draft(document, data)
        if not faults:
            return (draft,)
    raise Faulty(name, _cured(faults, document))


def _cured(faults: Sequence[Fault], document: Mapping[str, object]) -> list[Fault]:
    """The faults, with the words for what is asked about most: the label."""
    if record(document.get("found")).get("by") in {"ai", "tool", "person"}:
        return list(faults)
    kept = [one for one in faults if not one.place.startswith("/found/by")]
    return [Fault("/found/by", _UNLABELLED), *kept]


@dataclass(slots=True)
class _Reading:
    """One report under way: what is beside it, and what was wrong so far."""

    told: Told
    beside: Beside
    faults: list[Fault]
    files: dict[str, bytes] = field(default_factory=dict)

    def draft(self, document: Mapping[str, object], data: bytes) -> Draft:
        """The report as a finding; worth nothing if faults were found."""
        found, evidence = record(document.get("found")), record(document.get("reproducer"))
        links, severity = record(document.get("links")), record(document.get("severity"))
        proof = self._bytes(evidence, "/reproducer", "")
        said = Told(
            self.told.at,
            _origin(found.get("by")),
            text(found.get("name")),
            text(found.get("consent")),
        )
        named = label(said, "/found/name", self.faults)
        finding = Finding(
            origin=named.origin,
            found_by=named.found_by,
            consent=named.consent,
            suite=_SUITE,
            item=FORMAT,
            run=nfc(text(found.get("run"))),
            family="",
            title=one_line(text(document.get("title"))),
            purl=purl(text(document.get("component")) or self.told.purl, "/component", self.faults),
            target_digest="",
            proof_sha256=hashlib.sha256(proof).hexdigest() if proof is not None else "",
            observation=nfc(text(evidence.get("oracle"))),
            at=moment(text(found.get("at")), "/found/at", self.faults) or self.told.at,
            cwe=text(document.get("weakness")),
            ids=texts(document.get("ids")),
            severity=Severity(text(severity.get("level")) or "unknown"),
            vector=text(severity.get("vector")),
            assessor=nfc(text(severity.get("assessor"))),
            confirmed_by=nfc(text(found.get("confirmed_by")) or self.told.confirmed_by),
            locations=tuple(_location(one) for one in records(document.get("locations"))),
            evidence=Evidence(
                nfc(text(evidence.get("oracle"))),
                tuple(nfc(one) for one in texts(evidence.get("command"))),
                nfc(text(evidence.get("image"))),
                self._digest(document, "patch"),
                self._digest(document, "test"),
            ),
            needs=_needs(links),
            related=texts(links.get("related")),
            credits=tuple(nfc(one) for one in texts(document.get("credits"))),
            hops=tuple(_hop(one) for one in records(document.get("hops"))),
            attachments=tuple(self._attachments(document)),
            exploited=nfc(text(document.get("exploited"))),
            project=nfc(text(document.get("project")) or self.told.project),
            report=hashlib.sha256(data).hexdigest(),
        )
        return Draft(finding, data, proof, self.files)

    def _bytes(self, told: Mapping[str, object], place: str, keep_as: str) -> bytes | None:
        """The bytes of a file that the report names or holds; a fault if they are not there."""
        if not told:
            return None
        path, inline = text(told.get("file")), text(told.get("base64"))
        data = self._beside(path) if path else _decoded(inline)
        if isinstance(data, str):
            self.faults.append(Fault(place, data))
            return None
        if len(data) > ATTACHMENT_BYTES_MAX:
            self.faults.append(Fault(place, f"longer than {ATTACHMENT_BYTES_MAX} bytes"))
            return None
        due = text(told.get("sha256"))
        if due and hashlib.sha256(data).hexdigest() != due:
            self.faults.append(Fault(f"{place}/sha256", "is not the digest of these bytes"))
        if keep_as:
            self.files[keep_as] = data
        return data

    def _beside(self, path: str) -> bytes | str:
        data = self.beside(path)
        told = f"no file {path!r} beside the report; hand it in with the report"
        return told if data is None else data

    def _digest(self, document: Mapping[str, object], name: str) -> str:
        data = self._bytes(record(document.get(name)), f"/{name}", name)
        return "" if data is None else hashlib.sha256(data).hexdigest()

    def _attachments(self, document: Mapping[str, object]) -> "Iterable[Attachment]":
        for number, one in enumerate(records(document.get("attachments"))):
            name, place = nfc(text(one.get("name"))), f"/attachments/{number}"
            if name in self.files:
                self.faults.append(Fault(f"{place}/name", f"{name!r} is taken; choose another"))
            data = self._bytes(one, place, name)
            if data is not None:
                yield Attachment(name, hashlib.sha256(data).hexdigest())


def _decoded(inline: str) -> bytes | str:
    """The bytes, or why there are none."""
    try:
        return base64.b64decode(inline, validate=True)
    except ValueError as error:
        return f"no base64 of RFC 4648: {error}"


def _origin(word: object) -> Origin | None:
    return word if word in {"ai", "tool", "person"} else None


def _location(told: Mapping[str, object]) -> Location:
    lines = told.get("lines")
    first, last = lines if isinstance(lines, list) else (0, 0)
    return Location(
        nfc(text(told.get("file"))),
        nfc(text(told.get("function"))),
        first,
        last,
        nfc(text(told.get("repository"))),
        text(told.get("commit")),
    )


def _hop(told: Mapping[str, object]) -> Hop:
    return Hop(*(nfc(text(told.get(key))) for key in ("name", "handle", "at", "url")))


def _needs(links: Mapping[str, object]) -> tuple[tuple[str, ...], ...]:
    each = tuple((one,) for one in texts(links.get("needs_all")))
    any_of = texts(links.get("needs_any"))
    return (*each, any_of) if any_of else each
