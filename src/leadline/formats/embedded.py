"""What a file carries besides what it shows, looked for in the very bytes that would be published.

Looked for: source maps, metadata that names persons or places (PDF, PNG, JPEG, Office files), earlier
versions and attachments, private keys and credentials, folders of persons, canary strings. Packed parts
are inflated within limits; what cannot be looked into is a flaw of its own. Finding nothing means that
nothing known here was found.

Sources: ISO 32000-1 7 and 14.3 (PDF), PNG third edition 11.3, JEITA CP-3451 (Exif), ECMA-376 part 2
(Office core properties), Source Map revision 3.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from leadline.core.errors import Invalid
from leadline.core.publication import Flaw, check_paths
from leadline.formats import archive

INFLATED_BYTES_MAX = 64 << 20
CANARY_BYTES_MIN = 8
_SECRETS: Mapping[str, re.Pattern[bytes]] = MappingProxyType(
    {
        "a private key": re.compile(
            rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY|AGE-SECRET-KEY-1|PRIVATE\+KEY\+"
        ),
        "a cloud credential": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}"),
        "a credential of a forge or registry": re.compile(
            rb"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22}|\bglpat-[A-Za-z0-9_-]{20}"
            rb"|\bnpm_[A-Za-z0-9]{36}|\bpypi-AgE[A-Za-z0-9_-]{20}|\bhf_[A-Za-z0-9]{30}"
        ),
        "a credential of a service": re.compile(
            rb"\bsk-[A-Za-z0-9_-]{20}|\bxox[abeoprs]-[A-Za-z0-9-]{10}|\bfwn_[A-Za-z0-9_-]{20}"
        ),
        "a password in an address": re.compile(rb"://[^/\s:@\"'<>]{1,64}:[^/\s:@\"'<>]{3,64}@"),
    }
)
_SOURCE_MAP = re.compile(
    rb"[#@][ \t]{0,8}sourceMappingURL=|\"sourcesContent\"[ \t\r\n]{0,64}:|\"mappings\"[ \t\r\n]{0,64}:[ \t\r\n]{0,64}\"[A-Za-z0-9+/,;]{4}"
)
_PERSONS_FOLDER = re.compile(
    rb"/home/[a-z_][a-z0-9_-]{0,31}/|/Users/[^/\s\"]{1,32}/|[A-Z]:\\{1,2}Users\\"
)
_PDF_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_DICTIONARY_BYTES = 4096
_PDF_OTHER = re.compile(rb"/(?:LZW|ASCII85|ASCIIHex|RunLength|Crypt)")
_PDF_STREAM = re.compile(rb"\bstream\r?\n")
_PDF: Sequence[tuple[str, str, re.Pattern[bytes]]] = (
    ("metadata", "names its author", re.compile(rb"/Author\s{0,64}(?:\((?!\s{0,64}\))|<(?![<>\s])|\d)")),
    ("hidden content", "holds attached files", re.compile(rb"/EmbeddedFiles?\b|/FileAttachment\b")),
    ("hidden content", "holds comments", re.compile(rb"/Subtype\s{0,64}/(?:Text|FreeText|Popup)\b")),
    ("active content", "runs something", re.compile(rb"/(?:JavaScript|JS|Launch)\b")),
)  # fmt: skip
_XMP = re.compile(
    rb"<dc:creator>(?:\s|<rdf:(?:Seq|Bag|li)[^>]{0,64}>){0,16}[^<\s]|<photoshop:(?:Author|City|History)"
    rb"|<xmpMM:History|<exif:GPS|exif:GPS\w{1,32}=|<pdf:Author"
)
_OFFICE: Mapping[str, re.Pattern[bytes]] = MappingProxyType(
    {
        "docProps/core.xml": re.compile(rb"<(?:dc:creator|cp:lastModifiedBy)[^>]{0,200}>[^<\s]"),
        "docProps/app.xml": re.compile(rb"<(?:Company|Manager)>[^<\s]"),
    }
)
_TRACKED = re.compile(
    rb"<w:(?:ins|del|moveFrom)\s|<w:comment\s|<(?:p:cm|comment)\s|state=\"(?:very)?[hH]idden\""
)
_OFFICE_PARTS = re.compile(
    r"vbaProject\.bin$|^customXml/item|^docProps/custom\.xml$|/people\.xml$|/comments"
)
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_SCAN = 0xDA  # the picture itself begins
_JPEG_TELLS = frozenset({0xE1, 0xED, 0xFE})  # Exif and XMP, IPTC, comment
_PNG_TELLS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True, slots=True)
class Inspected:
    """The files that would be published, by path with their lengths, and what speaks against it."""

    files: Mapping[str, int]
    flaws: tuple[Flaw, ...]


def inspect(name: str, data: bytes, canaries: Sequence[bytes] = ()) -> Inspected:
    """Look into one file, or into every file of a zip or tar archive.

    Raises: Invalid, for a canary that is shorter than eight bytes: it would be found anywhere.
    """
    if any(len(canary) < CANARY_BYTES_MIN for canary in canaries):
        raise Invalid("canary", f"at least {CANARY_BYTES_MIN} bytes are due")
    files, flaws = dict[str, int](), list[Flaw]()

    def visit(path: str, content: bytes) -> None:
        files[path] = len(content)
        flaws.extend(_content(path, content, canaries))
        flaws.extend(_office(path, content))

    kind = _archive(data)
    try:
        if kind == "zip":
            archive.read_zip(io.BytesIO(data), len(data), visit=visit)
        elif kind == "tar":
            gzipped = data.startswith(b"\x1f\x8b")
            archive.read_tar(io.BytesIO(data), gzipped=gzipped, visit=visit)
        else:
            files[name] = len(data)
            flaws.extend(_content(name, data, canaries))
    except Invalid as error:
        flaws.append(Flaw("archive", name, str(error)))
    flaws.extend(check_paths(files))
    return Inspected(files, tuple(dict.fromkeys(flaws)))


def _archive(data: bytes) -> str:
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip"
    return "tar" if data.startswith(b"\x1f\x8b") or data[257:262] == b"ustar" else ""


def _content(path: str, data: bytes, canaries: Sequence[bytes]) -> Iterator[Flaw]:
    yield from _strings(path, data, canaries)
    if data.startswith(b"%PDF-"):
        yield from _pdf(path, data, canaries)
    elif data.startswith(_PNG):
        yield from _png(path, data)
    elif data.startswith(_JPEG):
        yield from _jpeg(path, data)
    elif data.startswith(_PACKED):
        yield Flaw("opaque", path, "packed in a form that cannot be looked into")


def _strings(path: str, data: bytes, canaries: Sequence[bytes]) -> Iterator[Flaw]:
    for what, pattern in _SECRETS.items():
        if pattern.search(data):
            yield Flaw("secret", path, f"holds {what}")
    if _SOURCE_MAP.search(data):
        yield Flaw("source map", path, "refers to its sources, or holds them")
    if _PERSONS_FOLDER.search(data):
        yield Flaw("person", path, "names a person's folder")
    if _XMP.search(data):
        yield Flaw("metadata", path, "names its author, its history or a place")
    for canary in canaries:
        wide = canary.decode("utf-8", "replace").encode("utf-16-le")
        if canary in data or wide in data:
            yield Flaw("canary", path, "holds a canary string")
            return


def _pdf(path: str, data: bytes, canaries: Sequence[bytes]) -> Iterator[Flaw]:
    versions = data.count(b"%%EOF")
    if versions > (2 if b"/Linearized" in data[:1024] else 1):
        yield Flaw("hidden content", path, "holds earlier versions of itself; print it anew")
    if b"/Encrypt" in data:
        yield Flaw("opaque", path, "encrypted; nothing in it can be looked into")
    yield from _pdf_part(path, data)
    left = INFLATED_BYTES_MAX
    for found in _PDF_STREAM.finditer(data):
        end = data.find(b"endstream", found.end())
        stream = data[found.end() : end if end > 0 else None]
        if stream.startswith(_JPEG):
            yield from _jpeg(path, stream.rstrip())
        before = data[max(0, found.start() - _DICTIONARY_BYTES) : found.start()]
        kind = _unescaped(before.rpartition(b"obj")[2])
        if _PDF_OTHER.search(kind):
            yield Flaw("opaque", path, "a part is packed in a form that cannot be looked into")
        if b"Flate" not in kind:
            continue
        try:
            inflated = zlib.decompressobj().decompress(stream, left)
        except zlib.error:
            yield Flaw("opaque", path, "a part is damaged and cannot be looked into")
            continue
        left -= len(inflated)
        yield from _pdf_part(path, inflated)
        yield from _strings(path, inflated, canaries)
        if left <= 0:
            yield Flaw("opaque", path, f"inflates to more than {INFLATED_BYTES_MAX} bytes")
            return
        if end < 0:
            return


def _pdf_part(path: str, data: bytes) -> Iterator[Flaw]:
    named = _unescaped(data)
    for rule, why, pattern in _PDF:
        if pattern.search(named):
            yield Flaw(rule, path, why)


def _unescaped(data: bytes) -> bytes:
    """*data* with every byte of a PDF name that is written in hex as it is meant."""
    return _PDF_NAME.sub(lambda found: bytes.fromhex(found[1].decode()), data)


def _png(path: str, data: bytes) -> Iterator[Flaw]:
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
        if kind in _PNG_TELLS:
            yield Flaw("metadata", path, f"holds a {kind.decode()} chunk; strip it")
        if kind == b"IEND":
            break
    if at != len(data):
        yield Flaw("hidden content", path, "something follows the picture, or it is cut off")


def _jpeg(path: str, data: bytes) -> Iterator[Flaw]:
    at = 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        mark, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if mark == _SCAN:
            break
        if mark in _JPEG_TELLS:
            yield Flaw("metadata", path, "holds Exif, XMP, IPTC or a comment; strip it")
        at += 2 + length
    if not data.endswith(b"\xff\xd9"):
        yield Flaw("hidden content", path, "something follows the picture, or it is cut off")


def _office(path: str, data: bytes) -> Iterator[Flaw]:
    """Parts of Office files: they lie in a zip archive like any other file."""
    if path in _OFFICE and _OFFICE[path].search(data):
        yield Flaw("metadata", path, "names its author, company or last editor")
    if _OFFICE_PARTS.search(path):
        yield Flaw("hidden content", path, "comments, macros or data that no page shows")
    if path.endswith(".xml") and _TRACKED.search(data):
        yield Flaw("hidden content", path, "tracked changes, comments or hidden sheets")
