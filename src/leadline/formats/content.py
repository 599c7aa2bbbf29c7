"""What an upload is, decided by its content; names and announced types count for nothing.

There is a list of what is taken, and everything else is refused: weights that run code when loaded
(pickles in all their wrappings), programs, packed data, and what no reader here knows. Some get an error
of their own, so that the sender learns the cure. Files that are two things at once are refused.

Text is opaque here. That nothing in it is a text pickle or a Python program is looked for, but is only a
warning to its sender: nothing of this installation would run it.
"""

import codecs
import pickletools
import re
from types import MappingProxyType
from typing import BinaryIO

from leadline.core.errors import Invalid
from leadline.core.intake import DEFAULT, Content, Hostile, Judged, Limits
from leadline.formats import archive, document, safetensors

CHUNK_BYTES = 1 << 18
HEAD_BYTES = 1 << 16
_ZIP_END_BYTES = 22
_COMMENT_BYTES_MAX = 0xFFFF
_OPS_MAX = 2000
_TAR_AT = 257

_CODE = MappingProxyType({
    b"\x89HDF\r\n\x1a\n": "HDF5, which Keras loads code from",
    b"\x93NUMPY": "NumPy arrays, which may hold pickles",
    b"GGUF": "GGUF, for which there is no bounded reader here",
    b"\x7fELF": "a program", b"MZ": "a program", b"\xca\xfe\xba\xbe": "a program",
    b"\xcf\xfa\xed\xfe": "a program", b"\xce\xfa\xed\xfe": "a program", b"\0asm": "a program",
    b"\x1bLua": "a program", b"dex\n": "a program", b"#!": "a program", b"RIFF": "packed media",
})  # fmt: skip
_PYTHON = re.compile(
    r"^(?:from[ \t]+[\w.]+[ \t]+import[ \t]+(?:[(*].*|\w+(?:[ \t]+as[ \t]+\w+)?"
    r"(?:[ \t]*,[ \t]*\w+(?:[ \t]+as[ \t]+\w+)?)*)[ \t]*(?:[;#].*)?$"
    r"|import[ \t]+[\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+)*[ \t]*(?:[;#].*)?$"
    r"|(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*(?:\([^()\n]*\))?[ \t]*:"
    r"|(?:exec|eval|__import__)[ \t]*\()",
    re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_JSON_ARRAY = re.compile(rb"\[\s*(?:[\[{\"\]]|-?\d+\s*,)")
_RUNS = frozenset(
    {"GLOBAL", "INST", "REDUCE", "OBJ", "BUILD", "STACK_GLOBAL", "NEWOBJ", "NEWOBJ_EX"}
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\xf8-\xff]")


def judge(file: BinaryIO, size: int, limits: Limits = DEFAULT) -> Judged:
    """What the *size* bytes of *file* are; every rule about that kind of content was checked.

    Memory stays below 256 MiB, and the time below two seconds for whatever is refused.

    Raises: Hostile, for what could run code or mislead; Invalid, for what is not taken or damaged.
    """
    if not size:
        raise Invalid("upload", "empty")
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if (
        head[8:9] == b"{" and head[5:8] == b"\0\0\0"
    ):  # before the rest: any two bytes can be a length
        return _weights(file, size)
    _refuse_code(head)
    if (packed := _packed(file, size, head, limits)) is not None:
        return packed
    _refuse_second_archive(file, size)
    if head[8:9] == b"{" and _NO_TEXT.search(head[:8]):
        return _weights(file, size)
    if head.startswith(b"%PDF-"):
        return _pdf(file, size, limits)
    return _text(file, size, limits)


def _packed(file: BinaryIO, size: int, head: bytes, limits: Limits) -> Judged | None:
    """An archive that is taken; None, if it is none."""
    kind = _kind(head)
    if kind is None:
        if archive.nested(head):
            raise Hostile(
                "upload", "packed or archived in a form that is not taken; unpack it first"
            )
        return None
    _fits("an archive", size, limits.archive_bytes)
    if kind is Content.ZIP:
        return Judged(kind, len(archive.read_zip(file, size, limits)))
    file.seek(0)
    gzipped = kind is Content.TAR_GZIP
    return Judged(kind, len(archive.read_tar(file, limits, gzipped=gzipped)))


def _kind(head: bytes) -> Content | None:
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return Content.ZIP
    if head.startswith(b"\x1f\x8b"):
        return Content.TAR_GZIP
    return Content.TAR if head[_TAR_AT : _TAR_AT + 5] == b"ustar" else None


def _refuse_code(head: bytes) -> None:
    if archive.pickled(head):
        raise Hostile("upload", "a pickle, which runs code when loaded; convert it to safetensors")
    binary = _NO_TEXT.search(head)
    for sign, what in _CODE.items():
        if head.startswith(sign) and (binary or sign == b"#!"):
            raise Hostile("upload", f"{what}; it is not taken")


def _fits(what: str, size: int, bytes_max: int) -> None:
    if size > bytes_max:
        raise Invalid("upload", f"{what} of {size} bytes; at most {bytes_max} are taken")


def _refuse_second_archive(file: BinaryIO, size: int) -> None:
    """A zip reader starts at the end: a file that ends as a zip archive is one, whatever else it is."""
    file.seek(max(0, size - _ZIP_END_BYTES - _COMMENT_BYTES_MAX))
    tail = file.read(_ZIP_END_BYTES + _COMMENT_BYTES_MAX)
    at = tail.rfind(b"PK\5\6")
    while at >= 0:
        comment = int.from_bytes(tail[at + 20 : at + 22], "little")
        if at + _ZIP_END_BYTES + comment == len(tail):
            raise Hostile("upload", "two things at once: it ends as a zip archive")
        at = tail.rfind(b"PK\5\6", 0, at)


def _weights(file: BinaryIO, size: int) -> Judged:
    file.seek(0)
    try:
        length = safetensors.header_length(file.read(safetensors.LENGTH_BYTES), size)
        rest = size - safetensors.LENGTH_BYTES - length
        found = safetensors.parse_header(file.read(length), rest)
    except Invalid as error:
        raise Hostile(error.field, error.problem) from None
    return Judged(Content.SAFETENSORS, len(found.tensors), found.parameters)


def _pdf(file: BinaryIO, size: int, limits: Limits) -> Judged:
    _fits("a PDF", size, limits.pdf_bytes)
    file.seek(max(0, size - 1024))
    _, sign, after = file.read(1024).rpartition(b"%%EOF")
    if not sign or after.strip():
        raise Invalid("upload", "a PDF that does not end as one; write it again")
    return Judged(Content.PDF)


def _text(file: BinaryIO, size: int, limits: Limits) -> Judged:
    _fits("text", size, limits.text_bytes)
    file.seek(0)
    data = file.read(size)
    start = data[:HEAD_BYTES].removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"{") or _JSON_ARRAY.match(start):
        document.value(data, "JSON")
        return Judged(Content.JSON)
    if _text_pickle(data[:HEAD_BYTES], whole=size <= HEAD_BYTES):
        raise Hostile("upload", "a pickle in text form, which runs code when loaded")
    text = _decoded(data)
    if not _FENCE.search(text) and _PYTHON.search(text):
        raise Hostile("upload", "a Python program; describe the model instead, it is never run")
    return Judged(Content.TEXT)


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("upload", "no format on the list, and no UTF-8 text") from None
    if _CONTROL.search(text):
        raise Invalid("upload", "no format on the list; control characters are not text")
    return text


def _text_pickle(head: bytes, *, whole: bool) -> bool:
    """Whether *head* reads as a pickle of protocol 0 that would call something, to its STOP.

    One that goes on beyond *head* counts if it got far enough that no text would have.
    """
    runs, count = False, 0
    try:
        for op, _, _ in pickletools.genops(head):
            runs = runs or op.name in _RUNS
            count += 1
            if count > _OPS_MAX:
                break
    except ValueError:
        return runs and not whole and count > _OPS_MAX // 20
    return runs or count > _OPS_MAX
