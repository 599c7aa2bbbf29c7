"""Extensions are built with the sanitizer, keep their symbols, and tell nothing of this host."""

import os
import subprocess
from pathlib import Path

import pytest

from leadline.core.errors import Unavailable
from leadline.suites.registry.build import Compiler, build_extension, find_compiler

SETUP = """
import os, shlex, subprocess
flags = shlex.split(os.environ["CFLAGS"])
subprocess.run([os.environ["CC"], *flags, "-fPIC", "-c", os.path.abspath("toy.c"), "-o", "toy.o"], check=True)
subprocess.run([*shlex.split(os.environ["LDSHARED"]), "-Wl,--strip-all", "-s", "toy.o", "-o", "toy.so"], check=True)
"""
C = "int first(int *p, int n) { return p[n]; }\nint second(int *p) { return first(p, 1); }\n"
ENV = {"PATH": os.defpath}


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    """This host's clang."""
    try:
        return find_compiler()
    except Unavailable as error:
        pytest.skip(str(error))


def make_source(folder: Path, setup: str = SETUP) -> Path:
    """The unpacked source archive of a package with one C file."""
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "setup.py").write_text(setup, encoding="utf-8")
    (source / "toy.c").write_text(C, encoding="utf-8")
    return source


def test_a_built_extension_is_checked_and_keeps_its_names(
    tmp_path: Path, compiler: Compiler
) -> None:
    """Sanitizer calls are in it, both functions by name, and no path of this host."""
    source = make_source(tmp_path)
    build_extension(source, compiler, tmp_path / "tools", ENV)
    data = (source / "toy.so").read_bytes()
    assert b"__asan_report_load4" in data
    assert b"__sanitizer_cov_" in data
    assert b"\0first\0" in data
    assert b"\0second\0" in data
    assert str(tmp_path).encode() not in data


def test_a_build_that_fails_is_unavailable_with_the_compilers_words(
    tmp_path: Path, compiler: Compiler
) -> None:
    """Old code on a new interpreter: the item is unavailable, and the reason is readable."""
    source = make_source(tmp_path)
    (source / "toy.c").write_text("#error too old\n", encoding="utf-8")
    with pytest.raises(Unavailable, match="does not build"):
        build_extension(source, compiler, tmp_path / "tools", ENV)


def test_a_build_without_a_product_is_unavailable(tmp_path: Path, compiler: Compiler) -> None:
    """A success without an extension is no success."""
    source = make_source(tmp_path, "print('nothing to do')\n")
    with pytest.raises(Unavailable, match="does not build"):
        build_extension(source, compiler, tmp_path / "tools", ENV)


def test_the_compilers_own_runtime_is_found(compiler: Compiler) -> None:
    """The runtime belongs to the compiler that builds, and is a shared object."""
    shown = subprocess.run(
        [compiler.clang, "--version"], check=True, capture_output=True, text=True
    ).stdout
    assert shown.startswith(compiler.version)
    assert compiler.runtime.read_bytes()[:4] == b"\x7fELF"


def test_without_clang_or_its_runtime_the_packages_to_install_are_named(tmp_path: Path) -> None:
    """The cure is a list of system packages, whichever part is missing."""
    with pytest.raises(Unavailable, match=r"no clang; install .* clang"):
        find_compiler(str(tmp_path))
    fake = tmp_path / "clang"
    fake.write_text("#!/bin/sh\necho /nowhere/libclang_rt.asan.so\n", encoding="ascii")
    fake.chmod(0o755)
    with pytest.raises(Unavailable, match=r"no sanitizer runtime .* libclang-rt-dev"):
        find_compiler(str(tmp_path))
