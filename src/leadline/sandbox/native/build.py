"""Rebuild what this folder ships: `python -m leadline.sandbox.native.build` from a checkout.

Writes `sbxinit-ARCH`, `sbxprobe-ARCH` and `plainstatx-ARCH` (Debian's clang-14 and lld-14, one toolchain for both architectures),
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
LIBRARY = "plainstatx"
COMPILER, LINKER = "clang-14", "ld.lld-14"
COMPILE = (
    *("-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-builtin"),
    *("-fno-stack-protector", "-fno-pic", "-fno-asynchronous-unwind-tables", "-fno-ident", "-c"),
)
LINK = ("-static", "-s", "-z", "noexecstack", "--build-id=none")
LIBRARY_COMPILE = ("-fPIC", "-fvisibility=hidden")
LIBRARY_LINK = ("-shared", "-s", "-z", "noexecstack", "--build-id=none", "--hash-style=gnu")


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
        return _made(program, architecture, Path(folder), COMPILE, LINK)


def library(architecture: str) -> bytes:
    """Compile and link what own-kernel boxes preload into a few programs."""
    flags = (*(flag for flag in COMPILE if flag != "-fno-pic"), *LIBRARY_COMPILE)
    with tempfile.TemporaryDirectory() as folder:
        return _made(LIBRARY, architecture, Path(folder), flags, LIBRARY_LINK)


def _made(
    name: str, architecture: str, folder: Path, flags: tuple[str, ...], link: tuple[str, ...]
) -> bytes:
    for source in (f"{name}.c", "freestanding.h"):
        (folder / source).write_bytes((HERE / source).read_bytes())
    target = f"--target={architecture}-linux-gnu"
    compile_ = [COMPILER, target, *flags, f"{name}.c", "-o", "made.o"]
    subprocess.run(compile_, check=True, cwd=folder)
    subprocess.run([LINKER, *link, "-o", "made", "made.o"], check=True, cwd=folder)
    return (folder / "made").read_bytes()


def shipped() -> dict[str, bytes]:
    """Every generated file by name, built anew."""
    pairs = [(program, arch) for program in PROGRAMS for arch in ARCHITECTURES]
    files = {f"{program}-{arch}": compiled(program, arch) for program, arch in pairs}
    files |= {f"{LIBRARY}-{arch}": library(arch) for arch in ARCHITECTURES}
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
