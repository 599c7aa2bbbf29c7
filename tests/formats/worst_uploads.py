"""The largest inputs that each limit lets in, judged one by one: prints processor seconds and MiB of each."""

import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from leadline.core.errors import LeadlineError
from leadline.core.intake import DEFAULT
from leadline.formats.content import judge


def worst() -> Iterator[tuple[str, bytes]]:
    """Names and inputs, each as large as it may be, or one that grows as much as it may."""
    size = DEFAULT.text_bytes
    yield "many objects", b"[" + b",".join([b'{"a":{}}'] * 249_000) + b"]"
    yield "many keys", b"{" + b",".join(b'"%x":0' % n for n in range(490_000)) + b"}"
    yield "long text in JSON", b'["' + b"a" * (size - 10) + "\U0001f600".encode() + b'"]'
    yield "long text", b"a " * ((size - 10) // 2) + "\U0001f600".encode()
    header = json.dumps(
        {f"t{n}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for n in range(76_000)}
    ).encode()
    yield "many tensors", len(header).to_bytes(8, "little") + header
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(140):
            archive.writestr(f"f{number}", bytes(range(200)) * 80 + bytes(1 << 20))
    yield "a bomb of many entries", out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(10_000):
            archive.writestr(f"f{number}", b"x")
    yield "many entries", out.getvalue()


def peak() -> int:
    """The largest resident size of this process in MiB; getrusage would count its parent's as well."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) >> 10


def main() -> None:
    """One line per input: name, seconds, the process's largest resident size in MiB so far."""
    for name, data in worst():
        began = time.process_time()
        try:
            judge(io.BytesIO(data), len(data))
            answer = "taken"
        except LeadlineError as error:
            answer = str(error)
        seconds = time.process_time() - began
        sys.stdout.write(json.dumps([name, seconds, peak(), answer]) + "\n")


if __name__ == "__main__":
    main()
