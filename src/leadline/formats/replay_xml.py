"""Cyber Grand Challenge replays (polls and proofs of vulnerability) as the bytes that they write.

A replay alternates ``write`` and ``read``; here only what it writes counts, joined. A replay whose
writes depend on what it read (``var``, ``slice``) is no fixed input and is refused by name.

Source: DARPA CGC replay.dtd: ``cfepoll``/``pov`` > ``replay`` > ``write`` > ``data`` (format
``asciic`` or ``hex``), ``decl``, ``read``, ``delay``.
"""

import re
from xml.etree import ElementTree as ET

from leadline.core.errors import Invalid

BYTES_MAX = 32 << 20
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_SINGLE = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def is_replay(data: bytes) -> bool:
    """Whether *data* looks like a replay rather than an input's own bytes."""
    head = data[:1024].lstrip()
    return head.startswith(b"<") and (b"<pov" in head or b"<cfepoll" in head)


def read(data: bytes, name: str) -> bytes:
    """What the replay in *data* writes, joined.

    Raises: Invalid, if it is no replay in UTF-8, declares entities, or writes what it read before.
    """
    if len(data) > BYTES_MAX:
        raise Invalid(name, f"longer than {BYTES_MAX} bytes")
    try:
        document = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(name, f"no UTF-8: {error}") from None
    # As UTF-8 whatever it declares itself to be: in another encoding, which the parser would also
    # guess from zero bytes, entities could be declared that are not seen here.
    if "\0" in document:
        raise Invalid(name, "no XML: has zero bytes")
    if "<!ENTITY" in document:
        raise Invalid(name, "declares entities, which no replay needs")
    try:
        root = ET.fromstring(document)  # noqa: S314 -- without entities there is nothing to expand
    except ET.ParseError as error:
        raise Invalid(name, f"no XML: {error}") from None
    if root.tag not in {"pov", "cfepoll"}:
        raise Invalid(name, f"a {root.tag} is no replay")
    written = []
    for write in root.iter("write"):
        for part in write:
            if part.tag != "data":
                raise Invalid(name, f"writes a {part.tag}, which depends on what it read")
            written.append(_data(part.text or "", part.get("format", "asciic"), name))
    return b"".join(written)


def _data(text: str, form: str, name: str) -> bytes:
    if form == "hex":
        try:
            return bytes.fromhex("".join(text.split()))
        except ValueError:
            raise Invalid(name, "data of format hex is no hexadecimal") from None
    if form != "asciic":
        raise Invalid(name, f"data has the unknown format {form!r}")
    try:
        return _ESCAPE.sub(_escaped, text.replace("\n", "")).encode("latin-1")
    except UnicodeEncodeError:
        raise Invalid(name, "data of format asciic has characters beyond one byte") from None


def _escaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 8) & 0xFF)
    return _SINGLE.get(found[3], found[3])
