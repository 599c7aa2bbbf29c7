"""Hostile inventories and the largest that are taken, one per run: prints seconds, MiB and the answer."""

import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from leadline.app.match import read_inventory
from leadline.core.errors import Invalid

HEAD = b'{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":['
SPDX = b'{"spdxVersion":"SPDX-2.3","packages":['
ONE = b'{"type":"library","name":"x"}'
LIMIT = 64 << 20


def _genuine(count: int) -> bytes:
    """An ordinary document of so many components."""
    parts = (
        b'{"type":"library","bom-ref":"c%d","name":"n%d","version":"1.%d","purl":"pkg:npm/n%d@1.%d"}'
        % (n, n, n, n, n)
        for n in range(count)
    )
    return HEAD + b",".join(parts) + b"]}"


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "too long": lambda: HEAD + b" " * LIMIT,
    "long text": lambda: HEAD + b'{"name":"' + b"a" * (LIMIT - 200) + b'"}]}',
    "long wide text": lambda: HEAD + b'{"name":"\xf0\x9f\x98\x80' + b"a" * (LIMIT - 200) + b'"}]}',
    "many components": lambda: HEAD + b",".join([ONE] * 500_000) + b"]}",
    "many empty objects": lambda: HEAD + b",".join([b"{}"] * 1_400_000) + b"]}",
    "many keys": lambda: HEAD[:-14] + b",".join(b'"%x":0' % n for n in range(1_400_000)) + b"}",
    "many arrays": lambda: HEAD + b",".join([b"[]"] * 1_400_000) + b"]}",
    "many wrong components": lambda: HEAD + b",".join([b'{"type":"odd"}'] * 190_000) + b"]}",
    "deep": lambda: HEAD + b'{"components":[' * 100_000,
    "deeply nested components": lambda: HEAD + (ONE[:-1] + b',"components":[') * 60_000,
    "many commas": lambda: HEAD + b"," * (LIMIT - 200),
    "a key twice": lambda: HEAD[:-14] + b'"a":1,' * 400_000 + b'"a":1}',
    "spdx packages": lambda: SPDX + b",".join([b'{"name":"x"}'] * 800_000) + b"]}",
    "spdx lines": lambda: b"SPDXVersion: SPDX-2.3\n" + b"\n" * (LIMIT - 100),
    "spdx odd lines": lambda: b"SPDXVersion: SPDX-2.3\n" + b"odd\n" * 1_900_000,
    "spdx packages in text": lambda: b"SPDXVersion: SPDX-2.3\n" + b"PackageName: x\n" * 3_000_000,
    "spdx open text": lambda: b"SPDXVersion: SPDX-2.3\nA: <text>" + b"x\n" * 1_900_000,
    "xml": lambda: b"<bom>" + b"<!ENTITY a 'b'>" * 1_000_000,
}


def _book(
    sheet: bytes, texts: bytes = b"<sst/>", styles: bytes = b"<s/>", sheets: int = 1, more: str = ""
) -> bytes:
    """A workbook with this sheet so many times, these shared texts and styles, and more relations, packed."""
    kinds = {
        "rId1": ("worksheet", "s.xml"),
        "rId2": ("sharedStrings", "t.xml"),
        "rId3": ("styles", "f.xml"),
    }
    related = more + "".join(
        f'<Relationship Id="{ident}" Type="x/{kind}" Target="{target}"/>'
        for ident, (kind, target) in kinds.items()
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels", '<r><Relationship Id="a" Type="x/officeDocument" Target="b.xml"/></r>'
        )
        listed = '<sheet name="s" id="rId1"/>' * sheets
        archive.writestr("b.xml", f"<b>{listed}</b>")
        archive.writestr("_rels/b.xml.rels", f"<r>{related}</r>")
        archive.writestr("s.xml", sheet)
        archive.writestr("t.xml", texts)
        archive.writestr("f.xml", styles)
    return out.getvalue()


def _styles(count: int, code: str) -> bytes:
    """So many styles, each with a format of its own that ends in this code."""
    formats = (f"<numFmt numFmtId='{n}' formatCode='{n}{code}'/>" for n in range(count))
    cells = (f"<xf numFmtId='{n}'/>" for n in range(count))
    return f"<s>{''.join(formats)}<cellXfs>{''.join(cells)}</cellXfs></s>".encode()


def _wide(count: int, end: bytes = b"") -> bytes:
    """A row of so many columns, and rows below it."""
    rows = b"<row><c r='A2' t='str'><v>x</v></c></row>" * 60_000
    return b"<w><row>" + b"<c t='str'><v>x</v></c>" * count + b"</row>" + rows + end + b"</w>"


def _cells(count: int, each: bytes = b"<c t='str'><v>x</v></c>", end: bytes = b"</w>") -> bytes:
    """Rows of eight such cells."""
    return b"<w>" + (b"<row>" + each * 8 + b"</row>") * (count // 8) + end


HOSTILE = {
    **HOSTILE,
    "workbook cells": lambda: _book(_cells(2_000_000)),
    "workbook broken at its end": lambda: _book(_cells(280_000, end=b"</x>")),
    "workbook numbers": lambda: _book(_cells(280_000, b"<c><v>4.6</v></c>", b"</x>")),
    "workbook one text in many cells": lambda: _book(
        _cells(280_000, b"<c t='s'><v>0</v></c>"),
        b"<sst><si><t>" + b"a " * 16_000 + b"</t></si></sst>",
    ),
    "workbook texts": lambda: _book(_cells(8), b"<sst>" + b"<si/>" * 1_150_000 + b"</x>"),
    "workbook long text": lambda: _book(
        _cells(8, end=b"</x>"), b"<sst><si><t>" + b"a " * (20 << 20)
    ),
    "workbook far columns": lambda: _book(
        b"<w>" + b"<row><c r='ALL1' t='str'><v>x</v></c></row>" * 190_000 + b"</w>"
    ),
    "workbook merged": lambda: _book(
        _cells(100_000, end=b"<mergeCell ref='A1:A99999'/>" * 300_000 + b"</w>")
    ),
    "workbook merged over blanks": lambda: _book(
        _cells(100_000, end=b"<mergeCell ref='K1:K99999'/>" * 300_000 + b"</w>")
    ),
    "workbook merged in every column": lambda: _book(
        _wide(900, b"".join(b"<mergeCell ref='%s1:%s99999'/>" % (c, c) for c in _letters(900)))
    ),
    "workbook words": lambda: _book(
        _cells(8), b"<sst><si><t>" + b"ab " * (15 << 20) + b"</t></si></sst>"
    ),
    "workbook words in a cell": lambda: _book(
        b"<w><row><c t='str'><v>" + b"ab " * (15 << 20) + b"</v></c></row></w>"
    ),
    "workbook long format": lambda: _book(
        _cells(80, b"<c s='0'><v>4.6</v></c>"), styles=_styles(1, "[" * 900_000)
    ),
    "workbook many formats": lambda: _book(
        b"<w><row>"
        + b"".join(b"<c s='%d'><v>4.6</v></c>" % n for n in range(140_000))
        + b"</row></w>",
        styles=_styles(140_000, "[" * 240),
    ),
    "workbook formats in every cell": lambda: _book(
        b"<w>"
        + b"".join(b"<row><c s='%d'><v>4.6</v></c></row>" % n for n in range(150_000))
        + b"</w>",
        styles=_styles(4_900, "[" * 240),
    ),
    "workbook relations": lambda: _book(
        _cells(8),
        more="".join(
            f'<Relationship Id="q{n}" Type="/sharedStrings" Target="t.xml"/>'
            for n in range(600_000)
        ),
    ),
    "workbook headings": lambda: _book(
        b"<w>" + (b"<row>" + b"<c t='s'><v>0</v></c>" * 999 + b"</row>") * 15 + b"</w>",
        b"<sst><si><t>" + b"a b " * 8_000 + b"</t></si></sst>",
        sheets=60,
    ),
    "workbook wide sheets": lambda: _book(
        b"<w>" + b"<row><c r='ALL1' t='str'><v>x</v></c></row>" * 700 + b"</w>", sheets=250
    ),
    "table headings": lambda: (b"a b " * 1_000 + b",") * 900 * 15,
    "table of headings": lambda: ((b"a b " * 1_000 + b",") * 800 + b"\n") * 15,
    "table of signs": lambda: (("\ufdfa" * 1_000 + ",") * 900 + "\n").encode() * 15,
    "workbook zeros": lambda: _book(bytes(60 << 20)),
    "workbook brackets": lambda: _book(b"<" * (60 << 20)),
    "workbook deep": lambda: _book(b"<a>" * 1_100_000),
    "workbook attributes": lambda: _book(
        b"<w " + b" ".join(b"a%d='x'" % n for n in range(1_000_000)) + b"/>"
    ),
}


def _letters(count: int) -> list[bytes]:
    """The names of so many columns, from A on."""
    names = [""]
    for name in names:
        names += [name + chr(letter) for letter in range(ord("A"), ord("Z") + 1)]
        if len(names) > count:
            break
    return [name.encode() for name in names[1 : count + 1]]


def peak() -> int:
    """The largest resident size of this process in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) >> 10


def main() -> None:
    """Seconds, MiB and the answer for the input that is named; without a name, all names."""
    if len(sys.argv) == 1:
        sys.stdout.write(json.dumps([*HOSTILE, "genuine"]) + "\n")
        return
    name = sys.argv[1]
    data = HOSTILE[name]() if name in HOSTILE else _genuine(200_000)
    read_inventory(_genuine(1), "warm", {})  # the schema is compiled once in a process's life
    began = time.process_time()
    try:
        answer = f"{len(read_inventory(data, 'x', {}).components)} components"
    except Invalid as error:
        answer = f"refused: {error.problem[:200]}"
    seconds = time.process_time() - began
    sys.stdout.write(json.dumps([seconds, peak(), len(data) >> 20, answer]) + "\n")


if __name__ == "__main__":
    main()
