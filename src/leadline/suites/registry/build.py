"""C extensions of old releases, built in place with AddressSanitizer for the running interpreter.

One build serves the judge and the tool baseline: it carries the sanitizer's checks and the coverage
counters of libFuzzer, whose functions the sanitizer's runtime offers as empty ones. Nothing is linked
against the runtime; whoever runs the extension preloads it. Functions are not inlined, so that a
report names the one at fault (and because one file of cmark takes half a minute otherwise).
"""

import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import Unavailable

BUILD_SECONDS_MAX = 300.0
_FLAGS = "-g -O1 -fno-inline -fno-omit-frame-pointer -fsanitize=address,fuzzer-no-link -w"
# Some packages strip their symbols when they link; reports without names cannot be matched.
_DRIVER = """#!/bin/sh
for argument; do
  shift
  case $argument in -s | -Wl,-s | -Wl,--strip-all) ;; *) set -- "$@" "$argument" ;; esac
done
exec "{compiler}" "$@"
"""


@dataclass(frozen=True, slots=True)
class Compiler:
    """The clang that builds, and the sanitizer's shared runtime that belongs to it."""

    clang: str
    runtime: Path
    version: str


def find_compiler(path: str | None = None) -> Compiler:
    """Debian's clang, looked for in *path* (the process's own search path if None).

    Raises: Unavailable, naming the packages to install.
    """
    clang = shutil.which("clang", path=path)
    cure = "install the system packages clang, libclang-rt-dev (where it is one) and python3-dev"
    if clang is None:
        raise Unavailable(f"no clang; {cure}")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise Unavailable(f"no Python.h for {sys.executable}; {cure}")
    machine = platform.machine()
    answers = [
        subprocess.run([clang, argument], check=True, capture_output=True, text=True).stdout
        for argument in (f"-print-file-name=libclang_rt.asan-{machine}.so", "--version")
    ]
    runtime = Path(answers[0].strip())
    if not runtime.is_file():
        raise Unavailable(f"clang has no sanitizer runtime for {machine}; {cure}")
    return Compiler(clang, runtime, answers[1].splitlines()[0])


def build_extension(source: Path, compiler: Compiler, tools: Path, env: Mapping[str, str]) -> None:
    """Build the extensions of the unpacked source archive *source* in place.

    *tools* is the folder with the pinned setuptools and its companions.

    Raises: Unavailable, with the compiler's last words; so too if no extension came out.
    """
    drivers = []
    for name, compiler_path in (("cc", compiler.clang), ("c++", f"{compiler.clang}++")):
        driver = source.parent / name
        driver.write_text(_DRIVER.format(compiler=compiler_path), encoding="utf-8")
        driver.chmod(0o755)
        drivers.append(str(driver.resolve()))
    # Reports and the subject must not tell where this host builds.
    own = {
        source.resolve(): ".",
        Path(sysconfig.get_path("include")): "python",
        tools.resolve(): "tools",
    }
    flags = " ".join((_FLAGS, *(f"-ffile-prefix-map={path}={name}" for path, name in own.items())))
    variables = {
        **env,
        "CC": drivers[0],
        "CXX": drivers[1],
        "CFLAGS": flags,
        "CXXFLAGS": flags,
        "LDSHARED": f"{drivers[0]} -shared",
        "LDCXXSHARED": f"{drivers[1]} -shared",
        "PYTHONPATH": str(tools.resolve()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    argv = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    try:
        done = subprocess.run(
            argv,
            cwd=source,
            env=variables,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{source.name}: not built within {BUILD_SECONDS_MAX:g} s") from error
    built = [path for path in source.rglob("*.so") if "build" not in path.relative_to(source).parts]
    if done.returncode != 0 or not built:
        words = " | ".join(done.stderr.strip().splitlines()[-3:])[-400:]
        raise Unavailable(f"{source.name} does not build with {sys.version.split()[0]}: {words}")
    shutil.rmtree(source / "build", ignore_errors=True)
