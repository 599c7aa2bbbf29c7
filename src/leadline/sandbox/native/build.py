"""Rebuild what this folder ships: `python -m leadline.sandbox.native.build` from a checkout.

Writes `sbxinit-ARCH` (Debian's clang-14 and lld-14, one toolchain for both architectures),
`seccomp-ARCH.bpf` and `DIGESTS.json`. The outcome depends on nothing but the sources and the
compiler's version, which is recorded, so anyone with that version can compare byte for byte.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from leadline.sandbox import seccomp

HERE = Path(__file__).parent
ARCHITECTURES = ("x86_64", "aarch64")
COMPILER, LINKER = "clang-14", "ld.lld-14"
COMPILE = (
    *("-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-builtin"),
    *("-fno-stack-protector", "-fno-pic", "-fno-asynchronous-unwind-tables", "-fno-ident", "-c"),
)
LINK = ("-static", "-s", "-z", "noexecstack", "--build-id=none")


def toolchain() -> str:
    """First lines of both tools' versions: what decides the bytes."""
    lines = [
        subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout
        for tool in (COMPILER, LINKER)
    ]
    return "; ".join(text.splitlines()[0] for text in lines)


def sbxinit(architecture: str) -> bytes:
    """Compile and link sbxinit for *architecture*."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "sbxinit.c", Path(folder) / "sbxinit"
        source.write_bytes((HERE / "sbxinit.c").read_bytes())
        compile_ = [COMPILER, f"--target={architecture}-linux-gnu", *COMPILE, "sbxinit.c"]
        subprocess.run([*compile_, "-o", "sbxinit.o"], check=True, cwd=folder)
        subprocess.run([LINKER, *LINK, "-o", str(out), "sbxinit.o"], check=True, cwd=folder)
        return out.read_bytes()


def main() -> None:
    """Write every shipped file and the digests that are checked when a box starts."""
    files = {f"sbxinit-{arch}": sbxinit(arch) for arch in ARCHITECTURES}
    files |= {f"seccomp-{arch}.bpf": seccomp.program(arch) for arch in ARCHITECTURES}
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    document = {"toolchain": toolchain(), "sha256": digests}
    (HERE / "DIGESTS.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {', '.join(sorted(files))}\n")


if __name__ == "__main__":
    main()
