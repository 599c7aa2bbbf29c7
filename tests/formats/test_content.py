"""What an upload is, by its content: what is taken, what is refused, and with which cure."""

import gzip
import io
import json
import pickle
import random
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from leadline.core.errors import Invalid
from leadline.core.intake import (
    DEFAULT,
    TAKEN,
    Content,
    Hostile,
    Judged,
    Limits,
    Purpose,
    check_purpose,
)
from leadline.formats.content import judge
from refusal import answer


def judged(raw: bytes, limits: Limits = DEFAULT) -> Judged:
    """Judge bytes."""
    return judge(io.BytesIO(raw), len(raw), limits)


def weights(length: int | None = None, padding: int = 0, **tensors: Any) -> bytes:
    """A safetensors file of one tensor, or with the announced *length*."""
    tensors = tensors or {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    header = json.dumps(tensors).encode() + b" " * padding
    return (len(header) if length is None else length).to_bytes(8, "little") + header + b"data"


def zipped(name: str = "a.txt", content: bytes = b"text") -> bytes:
    """A zip archive of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


class Calls:
    """Runs a harmless function when unpickled."""

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return (len, ("x",))


def tarred() -> bytes:
    """A tar archive of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"text"))
    return out.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF\n"
TAKEN_IN = {
    "weights": (weights(), Judged(Content.SAFETENSORS, 1, 4)),
    "configuration": (b'{"hidden_size": 4096, "eps": 1e-5}', Judged(Content.JSON)),
    "a list": (b'\xef\xbb\xbf [["a", "b"]]', Judged(Content.JSON)),
    "numbers": (b"[1, 2]", Judged(Content.JSON)),
    "markdown": (
        b"[1] A footnote\n\n# Model\n\n```python\nimport torch\n```\n",
        Judged(Content.TEXT),
    ),
    "prose": ("We import goods from Zürich; class of 2026: all.\n".encode(), Judged(Content.TEXT)),
    "prose that begins as a program would": (b"MZ is a drum machine.\n", Judged(Content.TEXT)),
    "a PDF": (PDF, Judged(Content.PDF)),
    "a zip": (zipped(), Judged(Content.ZIP, 1)),
    "a tar": (tarred(), Judged(Content.TAR, 1)),
    "a packed tar": (gzip.compress(tarred()), Judged(Content.TAR_GZIP, 1)),
}


@pytest.mark.parametrize(("raw", "expected"), TAKEN_IN.values(), ids=TAKEN_IN)
def test_content_on_the_list_is_recognised(raw: bytes, expected: Judged) -> None:
    """By content alone; there is no name to go by."""
    assert judged(raw) == expected


def test_any_length_of_a_header_is_weights() -> None:
    """Header lengths whose bytes spell PK or the sign of gzip are still lengths."""
    for length in (0x4B50, 0x8B1F, 0x5A4D):
        padding = length - len(weights()) + 12
        assert judged(weights(padding=padding)).content is Content.SAFETENSORS


HOSTILE = {
    **{f"a pickle of protocol {n}": (pickle.dumps(Calls(), n), "pickle") for n in range(6)},
    "a long text pickle": (pickle.dumps([Calls()] * 9000 + [list(range(9000))], 0), "pickle"),
    "PyTorch, old form": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "pickle"),
    "PyTorch, new form": (zipped("archive/data.pkl", pickle.dumps(Calls(), 2)), "pickle"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(8), "HDF5"),
    "NumPy": (b"\x93NUMPY\1\0", "NumPy"),
    "GGUF": (b"GGUF\3\0\0\0", "GGUF"),
    "a program": (b"\x7fELF\2\1\1", "a program"),
    "a Windows program": (b"MZ\x90\0", "a program"),
    "a script": (b"#!/bin/sh\necho\n", "a program"),
    "Python": (b"import torch\n\nclass Model(torch.nn.Module):\n    pass\n", "Python"),
    "Python imports": (b"'''doc'''\nfrom os import system as s, path\ns('id')\n", "Python"),
    "a packed file": (b"\xfd7zXZ\0\0", "unpack"),
    "PDF and zip at once": (PDF + zipped(), "two things at once"),
    "weights and zip at once": (b"x" * 9 + weights() + zipped(), "two things at once"),
    "text and zip with a comment": (
        b"text" + zipped()[:-2] + b"\7\0" + b"PK\5\6abc",
        "two things at once",
    ),
}


@pytest.mark.parametrize(("raw", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_what_could_run_or_mislead_is_hostile(raw: bytes, problem: str) -> None:
    """An alert's worth: each with words of its own."""
    with pytest.raises(Hostile, match=problem):
        judged(raw)


REFUSED = {
    "nothing": (b"", "empty"),
    "noise": (bytes(range(128, 256)), "no format on the list"),
    "control characters": (b"text\x07", "control characters"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(20), "no format on the list"),
    "a PDF without end": (PDF[:-8], "does not end"),
    "a PDF with more behind": (PDF + b"more", "does not end"),
    "a lying header length": (weights(length=1 << 30), "header length"),
    "an absurd header length": (b"\xff" * 8 + weights()[8:], "header length"),
    "a header cut off": (weights()[:30], "in a file of"),
    "trailing bytes": (weights() + b"!", "the file at 5"),
    "a key twice": (b'{"a":1,"a":2}', "stands twice"),
    "a list with a key twice": (b'[{"a":1,"a":2}]', "stands twice"),
    "deep": (b"[" * 100 + b"]" * 100, "deeply"),
    "very deep": (b"[" * 100_000, "deeply|no JSON"),
    "NaN": (b'{"a":NaN}', "no number"),
    "a huge integer": (b'{"a":' + b"9" * 100_000 + b"}", "beyond"),
    "a damaged zip": (zipped()[:-1], "no end record"),
    "no tar inside": (gzip.compress(b"text"), "damaged header"),
}


@pytest.mark.parametrize(("raw", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_on_the_list_is_refused(raw: bytes, problem: str) -> None:
    """No attack, perhaps; not taken, certainly."""
    with pytest.raises(Invalid, match=problem):
        judged(raw)


@pytest.mark.parametrize(
    "raw", [b"{}" + b" " * 90, b"text" * 30, PDF + b" " * 60, zipped(), tarred()]
)
def test_each_kind_has_its_cap(raw: bytes) -> None:
    """Whatever it is, too much of it is refused before it is read."""
    with pytest.raises(Invalid, match="at most 80 are taken"):
        judged(raw, Limits(text_bytes=80, pdf_bytes=80, archive_bytes=80))


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_takes_its_own(purpose: Purpose) -> None:
    """Archives come only as evidence, weights only as weights."""
    for content in Content:
        if content in TAKEN[purpose]:
            check_purpose(purpose, Judged(content))
        else:
            with pytest.raises(Invalid, match=f"{content} is not taken as {purpose}"):
                check_purpose(purpose, Judged(content))
    assert (Content.SAFETENSORS in TAKEN[purpose]) == (purpose is Purpose.WEIGHTS)
    assert (Content.ZIP in TAKEN[purpose]) == (purpose is Purpose.EVIDENCE)


def test_no_text_takes_long() -> None:
    """Text that comes near every pattern, at the largest size taken, within two seconds each."""
    size = DEFAULT.text_bytes
    for part in (
        b"import a, ",
        b"from a ",
        b"class a(",
        b"I1\n",
        b"(",
        b"c\n",
        b"[ ",
        b"` ",
        b"def ",
    ):
        raw = (part * (size // len(part)))[:size]
        began = time.process_time()
        answer(judged, raw)
        assert time.process_time() - began < 2, part


@given(st.binary(max_size=400))
def test_any_bytes_are_judged_or_refused(raw: bytes) -> None:
    """Only our own errors come out."""
    answer(judged, raw)


@given(st.sampled_from([raw for raw, _ in TAKEN_IN.values()]), st.randoms(use_true_random=False))
def test_a_damaged_upload_is_judged_or_refused(raw: bytes, chance: random.Random) -> None:
    """As before, from near what is taken."""
    damaged = bytearray(raw)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.randrange(3)] = chance.choice(
            [b"", b"\0", b"\xff", struct.pack("<L", chance.randrange(1 << 32)), b"{" * 9]
        )
    answer(judged, bytes(damaged))


def test_the_worst_inputs_stay_within_bounds() -> None:
    """In a process of its own: two seconds of a processor and 256 MiB for whatever the limits let in."""
    here = Path(__file__)
    told = subprocess.run(
        [sys.executable, str(here.parent / "worst_uploads.py")],
        env={"PYTHONPATH": str(here.parents[2] / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(lines) == 7
    for name, seconds, peak, told_of in lines:
        assert seconds <= 2, (name, seconds)
        assert peak <= 256, (name, peak)
        assert told_of == "taken" or "bomb" in name
