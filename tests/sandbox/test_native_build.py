"""The shipped binaries are what the sources give."""

import hashlib
import json
import shutil
from importlib.resources import files

import pytest

from leadline.sandbox.native import build

FOLDER = files("leadline.sandbox.native")


def test_every_shipped_file_has_its_recorded_digest() -> None:
    """For both architectures."""
    recorded = json.loads((FOLDER / "DIGESTS.json").read_text())["sha256"]
    assert len(recorded) == 8
    for name, digest in recorded.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_binaries_are_small_static_and_for_their_machine() -> None:
    """ELF executables of some kilobytes without interpreter, one machine each."""
    machines = {"x86_64": 62, "aarch64": 183}
    for program in build.PROGRAMS:
        for arch, machine in machines.items():
            data = (FOLDER / f"{program}-{arch}").read_bytes()
            assert data[:5] == b"\x7fELF\x02"
            assert int.from_bytes(data[18:20], "little") == machine
            assert len(data) < 16_384
            assert b"/lib" not in data
            assert b"ld-linux" not in data


@pytest.mark.skipif(
    shutil.which(build.COMPILER) is None or shutil.which(build.LINKER) is None,
    reason=f"needs {build.COMPILER} and {build.LINKER}",
)
def test_a_rebuild_gives_the_same_bytes() -> None:
    """With the recorded compiler and linker, byte for byte."""
    recorded = json.loads((FOLDER / "DIGESTS.json").read_text())["toolchain"]
    if build.toolchain() != recorded:
        pytest.skip(f"built with {recorded}")
    for name, data in build.shipped().items():
        assert (FOLDER / name).read_bytes() == data, name
