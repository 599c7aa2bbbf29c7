"""Hostile inventories and the largest that are taken, one per run: prints seconds, MiB and the answer."""

import json
import re
import sys
import time
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
