"""What a file carries besides what it shows: each thing that has leaked somewhere, and clean files."""

import base64
import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import embedded
from leadline.formats.embedded import inspect

CANARY = b"CANARY-5f1c0e77"


def rules(name: str, data: bytes) -> list[str]:
    """The rules that speak against publishing *data*."""
    return [flaw.rule for flaw in inspect(name, data, [CANARY]).flaws]


def zipped(**files: bytes) -> bytes:
    """A zip archive; in names, __ stands for a slash and _ for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A picture with these chunks before its end."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in [(b"IHDR", bytes(13)), *chunks, (b"IEND", b"")]:
        parts.append(struct.pack(">L", len(data)) + kind + data + bytes(4))
    return b"".join(parts)


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A picture with these segments before its scan."""
    head = b"".join(
        b"\xff" + bytes([mark]) + struct.pack(">H", len(data) + 2) + data for mark, data in segments
    )
    return b"\xff\xd8" + head + b"\xff\xda\0\2scan\xff\xd9"


def printed(author: str = "") -> bytes:
    """A PDF as a real program prints it."""
    setting = f'#set document(title: "T", author: "{author}")' if author else ""
    made = typst.compile(f"{setting}\nWords.".encode())
    assert isinstance(made, bytes)
    return made


def pdf(*parts: bytes) -> bytes:
    """A PDF of these parts."""
    return b"%PDF-1.7\n" + b"\n".join(parts) + b"\n%%EOF\n"


def stream(data: bytes) -> bytes:
    """A deflated stream."""
    return b"1 0 obj <</Filter/FlateDecode>> stream\n" + zlib.compress(data) + b"\nendstream"


def tarred(name: str, data: bytes) -> bytes:
    """A gzipped tar archive of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue())


CLEAN = {
    "text": b"A roadmap. See https://example.org/a:b and mail a@example.org.\n",
    "JSON": b'{"version": 3, "mappings": {}}',
    "a PDF": printed(),
    "a linearized PDF": b"%PDF-1.7 /Linearized\n/Author ( ) stream\nno deflate\n%%EOF\n%%EOF\n",
    "a PNG": png((b"IDAT", b"data")),
    "a JPEG": jpeg((0xE0, b"JFIF\0")),
    "a zip": zipped(a_txt=b"text", docProps__core_xml=b"<dc:creator></dc:creator>"),
    "a tar": tarred("a.txt", b"text"),
}
SECRET_PEM = b"-----BEGIN " + b"EC PRIVATE KEY-----"
CARRIES = {
    "a private key": (b"x" + SECRET_PEM, "secret"),
    "an encrypted key": (b"-----BEGIN " + b"ENCRYPTED PRIVATE KEY-----", "secret"),
    "a log's key": (b"PRIVATE" + b"+KEY+name+0011", "secret"),
    "a cloud key": (b"id = " + b"AKIA" + b"Q" * 16, "secret"),
    "a forge's": (b"gh" + b"p_" + b"a" * 36, "secret"),
    "ours": (b"fwn" + b"_" + b"a" * 43, "secret"),
    "a password": (b"postgres://me:" + b"hunter22@db/x", "secret"),
    "a source map": (b"code();\n//# sourceMappingURL=cli.js.map\n", "source map"),
    "an embedded map": (b'{"version":3,"mappings":"AAAA,CAAC"}', "source map"),
    "sources": (b'{"sourcesContent": ["x"]}', "source map"),
    "a person's folder": (b"built in /home/jane/work", "person"),
    "a Windows folder": (b"C:\\Users\\Jane\\x", "person"),
    "a canary": (b"x" + CANARY, "canary"),
    "a wide canary": (CANARY.decode().encode("utf-16-le"), "canary"),
    "XMP": (b"<dc:creator><rdf:Seq><rdf:li>Jane</rdf:li></rdf:Seq></dc:creator>", "metadata"),
    "a place": (b'<rdf:Description exif:GPSLatitude="52"', "metadata"),
    "a printed author": (printed("Jane"), "metadata"),
    "a written author": (pdf(b"/Author (Jane)"), "metadata"),
    "a hex author": (pdf(b"/Author <4a616e65>"), "metadata"),
    "an author elsewhere": (pdf(b"/Author 7 0 R"), "metadata"),
    "an author in disguise": (pdf(b"/#41uthor(Jane)"), "metadata"),
    "an author in a stream": (pdf(stream(b"<</Author(Jane)>>")), "metadata"),
    "a canary in a stream": (pdf(stream(b"x" * 99 + CANARY)), "canary"),
    "a stream without end": (pdf(stream(CANARY).removesuffix(b"endstream")), "canary"),
    "another packing": (pdf(b"1 0 obj <</Filter/#4cZWDecode>> stream\nx\nendstream"), "opaque"),
    "a damaged part": (pdf(b"1 0 obj <</Filter/FlateDecode>> stream\nx\nendstream"), "opaque"),
    "an attachment": (pdf(b"/EmbeddedFile"), "hidden content"),
    "comments": (pdf(b"/Subtype /FreeText"), "hidden content"),
    "a script": (pdf(b"/JavaScript (x)"), "active content"),
    "an earlier version": (pdf(b"%%EOF\nmore"), "hidden content"),
    "encryption": (pdf(b"/Encrypt 3 0 R"), "opaque"),
    "a photo in a PDF": (
        pdf(b"stream\n" + jpeg((0xE1, b"Exif\0\0")) + b"\nendstream"),
        "metadata",
    ),
    "words in a PNG": (png((b"tEXt", b"Author\0Jane")), "metadata"),
    "Exif in a PNG": (png((b"eXIf", b"MM")), "metadata"),
    "data behind a PNG": (png() + b"x", "hidden content"),
    "Exif in a JPEG": (jpeg((0xE1, b"Exif\0\0MM")), "metadata"),
    "a comment in a JPEG": (jpeg((0xFE, b"Jane")), "metadata"),
    "data behind a JPEG": (jpeg() + b"x", "hidden content"),
    "a short JPEG": (b"\xff\xd8\xff\xe0", "hidden content"),
    "an Office author": (
        zipped(docProps__core_xml=b"<dc:creator>Jane</dc:creator>"),
        "metadata",
    ),
    "an Office company": (zipped(docProps__app_xml=b"<Company>Acme<"), "metadata"),
    "tracked changes": (zipped(word__document_xml=b'<w:del w:id="1">'), "hidden content"),
    "a hidden sheet": (zipped(xl__workbook_xml=b'<sheet state="hidden"/>'), "hidden content"),
    "macros": (zipped(word__vbaProject_bin=b"x"), "hidden content"),
    "a photo in a document": (zipped(word__media__a_jpg=jpeg((0xE1, b"Exif"))), "metadata"),
    "a hidden file": (tarred("a/.env", b"x"), "hidden"),
    "a map's name": (zipped(cli_js_map=b"x"), "source map"),
    "an archive that misleads": (zipped(a_txt=b"x")[:-1], "archive"),
    "an archive inside": (zipped(a_bin=gzip.compress(b"x")), "archive"),
    "a packed file": (b"BZh91AY", "opaque"),
}


@pytest.mark.parametrize(("name", "data"), CLEAN.items(), ids=CLEAN)
def test_clean_files_pass(name: str, data: bytes) -> None:
    """Real files carry much that tells nothing."""
    assert inspect(name, data, [CANARY]).flaws == ()


@pytest.mark.parametrize(("data", "rule"), CARRIES.values(), ids=CARRIES)
def test_what_leaks_elsewhere_is_found(data: bytes, rule: str) -> None:
    """The rule is named, and in plain files alone."""
    assert set(rules("file", data)) == {rule}


def test_no_flaw_repeats_the_secret() -> None:
    """Flaws go into the record: they say where, never what."""
    told = str(inspect("f", SECRET_PEM + b"MIGk" + CANARY, [CANARY]).flaws)
    assert "MIGk" not in told
    assert CANARY.decode() not in told


def test_files_are_listed_with_their_lengths() -> None:
    """An archive's files, not the archive; a plain file itself."""
    assert inspect("x", zipped(a_txt=b"abc", b__c_txt=b"d")).files == {"a.txt": 3, "b/c.txt": 1}
    assert inspect("x", b"abc").files == {"x": 3}


def test_a_short_canary_is_refused() -> None:
    """It would be found anywhere."""
    with pytest.raises(Invalid, match="at least 8"):
        inspect("x", b"abc", [b"abc"])


def test_a_stream_that_inflates_without_end_is_a_flaw() -> None:
    """What is beyond the limit was not looked into, and that is said."""
    assert rules("a.pdf", pdf(stream(bytes(embedded.INFLATED_BYTES_MAX + 1)))) == ["opaque"]


@given(
    st.binary(max_size=300),
    st.sampled_from([b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\3\4"]),
)
def test_any_bytes_are_looked_into(data: bytes, sign: bytes) -> None:
    """Nothing comes out but flaws; a canary in the clear is always one of them."""
    inspect("x", sign + data)
    flat = sign[:1] + base64.b64encode(data) + CANARY
    assert "canary" in rules("x", flat)
