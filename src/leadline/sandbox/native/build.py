"""Rebuild what this folder ships: `python -m leadline.sandbox.native.build` from a checkout.

Writes `sbxinit-ARCH` and `sbxprobe-ARCH` (Debian's clang-14 and lld-14, one toolchain for both architectures),
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
PROGRAMS = ("sbxinit", "sbxprobe")
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


def compiled(program: str, architecture: str) -> bytes:
    """Compile and link *program* for *architecture*."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (f"{program}.c", "freestanding.h"):
            (Path(folder) / name).write_bytes((HERE / name).read_bytes())
        target = f"--target={architecture}-linux-gnu"
        compile_ = [COMPILER, target, *COMPILE, f"{program}.c", "-o", "program.o"]
        subprocess.run(compile_, check=True, cwd=folder)
        subprocess.run([LINKER, *LINK, "-o", "program", "program.o"], check=True, cwd=folder)
        return (Path(folder) / "program").read_bytes()


def shipped() -> dict[str, bytes]:
    """Every generated file by name, built anew."""
    pairs = [(program, arch) for program in PROGRAMS for arch in ARCHITECTURES]
    files = {f"{program}-{arch}": compiled(program, arch) for program, arch in pairs}
    return files | {f"seccomp-{arch}.bpf": seccomp.program(arch) for arch in ARCHITECTURES}


def main() -> None:
    """Write every shipped file and the digests that are checked when a box starts."""
    files = shipped()
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    document = {"toolchain": toolchain(), "sha256": digests}
    (HERE / "DIGESTS.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {', '.join(sorted(files))}\n")


if __name__ == "__main__":
    main()
