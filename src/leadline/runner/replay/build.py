"""Builds one tree in a box, and keeps what came of it by its digest.

The tree, its build files and the bundle's options are all strangers': nothing of them runs on the host.
What comes out of the box is unpacked by a filter that lets no path and no link leave the folder.
"""

import asyncio
import functools
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from leadline.core.clearing.replaying import Build, BuildWith
from leadline.core.errors import Unavailable
from leadline.runner.replay.runs import TARGET
from leadline.runner.replay.unpacking import unpack
from leadline.sandbox.box import Bind, Box, BoxConfig, Unusable, identity, planned, python_binds
from leadline.sandbox.survey import python_env

SOURCE = "/source"
BUILD_SECONDS = 900.0
BUILT_BYTES_MAX = 512 << 20
CACHE_BYTES_MAX = 4 << 30
MAKER = (
    "leadline-replay-build/1"  # part of every digest: what is built another way is another build
)
_FAULT_CHARS = 300
# Functions stay apart, so that a report names the one that was written, whatever a project asks for.
_FLAGS = (
    *("-g", "-O1", "-fno-omit-frame-pointer"),
    *("-fno-inline", "-fno-optimize-sibling-calls"),
)
_TOOLS: Mapping[BuildWith, tuple[str, ...]] = {
    BuildWith.MAKE: ("make",),
    BuildWith.CMAKE: ("cmake",),
    BuildWith.MESON: ("meson", "ninja"),
    BuildWith.PYTHON: (),
    BuildWith.COMMAND: (),
}


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build below *folder*, or *problem*: why there is none.

    *reused* where it was kept; *left_out* are links that led out of the tree, and the like.
    """

    folder: Path
    digest: str
    problem: str = ""
    reused: bool = False
    left_out: tuple[str, ...] = ()


@functools.cache
def compiler() -> str:
    """The C compiler that boxes of this host have: clang where it is installed, else gcc."""
    return next((name for name in ("clang", "gcc") if _installed(name)), "cc")


def _installed(name: str) -> bool:
    return shutil.which(name, path="/usr/bin:/bin") is not None


@functools.cache
def _release(name: str) -> str:
    path = shutil.which(name, path="/usr/bin:/bin")
    if path is None:
        return ""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def steps(build: Build) -> tuple[tuple[str, ...], ...]:
    """The commands of a build, in order, in the tree; each is a list of words, none a shell's text.

    The sanitizer's flags go into the compiler's name, so that a project's own flags stay as they are.
    """
    flags = [*_FLAGS, *(f"-fsanitize={name}" for name in build.sanitizers)]
    flags += ["-fno-sanitize-recover=all"] if "undefined" in build.sanitizers else []
    cc, cxx = compiler(), {"clang": "clang++", "gcc": "g++"}.get(compiler(), "c++")
    one, two = " ".join([cc, *flags]), " ".join([cxx, *flags])
    if build.by is BuildWith.MAKE:
        return (("make", f"CC={one}", f"CXX={two}", *build.options, *build.targets),)
    if build.by is BuildWith.CMAKE:
        told = " ".join(flags)
        ready = ["cmake", "-S", ".", "-B", "build", f"-DCMAKE_C_COMPILER={cc}"]
        ready += [f"-DCMAKE_CXX_COMPILER={cxx}", f"-DCMAKE_C_FLAGS={told}"]
        ready += [f"-DCMAKE_CXX_FLAGS={told}", "-DCMAKE_BUILD_TYPE=None", *build.options]
        named = [word for target in build.targets for word in ("--target", target)]
        return (tuple(ready), ("cmake", "--build", "build", *named))
    if build.by is BuildWith.MESON:
        said = [f"-Db_sanitize={','.join(build.sanitizers)}"] if build.sanitizers else []
        setup = ("meson", "setup", "build", "-Db_lundef=false", "--buildtype=plain", *said)
        return ((*setup, *build.options), ("ninja", "-C", "build", *build.targets))
    return build.steps


def environment(build: Build) -> dict[str, str]:
    """Variables of every step: compilers as above, for builds that read them from there."""
    flags = " ".join([*_FLAGS, *(f"-fsanitize={name}" for name in build.sanitizers)])
    cc, cxx = compiler(), {"clang": "clang++", "gcc": "g++"}.get(compiler(), "c++")
    own = {"CC": f"{cc} {flags}", "CXX": f"{cxx} {flags}"}
    if build.by is BuildWith.MESON:
        own = {"CC": cc, "CXX": cxx, "CFLAGS": " ".join(_FLAGS), "CXXFLAGS": " ".join(_FLAGS)}
    # Configure scripts and build-time tools run instrumented, and must not fail for what they leak.
    return {**python_env(), **own, "ASAN_OPTIONS": "detect_leaks=0", "SOURCE_DATE_EPOCH": "1"}


def missing(build: Build) -> str:
    """The first program that a box of this host lacks for *build*; empty if none."""
    due = (*_TOOLS[build.by], *build.needs)
    if build.by in {BuildWith.MAKE, BuildWith.CMAKE, BuildWith.MESON} and not _installed(
        compiler()
    ):
        return "a C compiler (clang or gcc)"
    return next((name for name in due if not _installed(name)), "")


def digest_of(tree: str, build: Build, tier: str) -> str:
    """The digest of a build: the tree, the recipe, the compiler and the box it is made in.

    Raises: Unavailable, if this host cannot run boxes at all.
    """
    try:
        box = identity(planned(BoxConfig(workdir=TARGET, tier=tier))).seal
    except Unusable as error:
        raise Unavailable(f"no box to build in: {error}") from error
    made = [MAKER, tree, asdict(build), steps(build), _release(compiler()), box]
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds trees; finished ones stay in *cache*, the oldest go when it grows too large."""

    cache: Path
    tier: str = "shared-kernel"
    seconds: float = BUILD_SECONDS

    def build(self, source: Path, tree: str, recipe: Build) -> Built:
        """The tree below *source*, whose digest is *tree*, built as *recipe* says.

        A build that fails is an answer, not an error.

        Raises: Unavailable, if no box could be had.
        """
        digest = digest_of(tree, recipe, self.tier)
        place = self.cache / digest
        if place.is_dir():
            place.touch()
            return Built(place, digest, reused=True)
        lacking = missing(recipe)
        if lacking:
            return Built(place, digest, f"this host has no {lacking}; install it and try again")
        made = asyncio.run(self._made(source, recipe))
        if isinstance(made, str):
            return Built(place, digest, made)
        return Built(place, digest, left_out=self._keep(made, place))

    def ran(self, built: Built, argv: Sequence[str], recipe: Build) -> tuple[bool, str]:
        """Whether a command of the project ends with 0 in a fresh copy of a build, and its last words.

        For a project's own tests alone: of a proof an exit code says nothing.

        Raises: Unavailable, if no box could be had.
        """
        return asyncio.run(self._ran(built.folder, argv, recipe))

    def names(self, built: Built) -> frozenset[str]:
        """The names that a build's objects, archives and libraries give to others, read in a box.

        Raises: Unavailable, if no box could be had.
        """
        return asyncio.run(self._names(built.folder))

    async def _names(self, folder: Path) -> frozenset[str]:
        script = (
            "find . -type f \\( -name '*.o' -o -name '*.a' -o -name '*.so*' \\) "
            "-exec nm -g --defined-only -f posix {} + 2>/dev/null | head -c 8000000"
        )
        try:
            async with await Box.start(self._config(folder)) as box:
                done = await box.exec(["/bin/sh", "-c", script], cwd=SOURCE, timeout=self.seconds)
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"no box to read a build in: {error}") from error
        lines = [line.split() for line in done.stdout.decode("utf-8", "replace").splitlines()]
        return frozenset(words[0] for words in lines if len(words) > 2)  # noqa: PLR2004 -- name, type, value

    async def _made(self, source: Path, recipe: Build) -> bytes | str:
        """The built tree as a tar file, or why there is none."""
        try:
            async with await Box.start(self._config(source)) as box:
                problem = await self._copied(box)
                for argv in steps(recipe):
                    problem = problem or await self._step(box, argv, recipe)
                box.kill_all()  # what a step left running cannot change what is packed
                return problem or await self._packed(box)
        except TimeoutError:
            return f"the build did not end within {self.seconds:g} s"
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"no box to build in: {error}") from error

    async def _packed(self, box: Box) -> bytes | str:
        """The tree as a tar file, or why it is not taken."""
        script = 'test "$(du -s --apparent-size -B 1 . | cut -f1)" -le "$MOST"'
        env = {"MOST": str(BUILT_BYTES_MAX)}
        argv = ["/bin/sh", "-c", script]
        small = await box.exec(argv, cwd=TARGET, env=env, timeout=self.seconds)
        if small.returncode:
            return f"the build leaves more than {BUILT_BYTES_MAX >> 20} MiB"
        tar = ["tar", "-C", TARGET, "--exclude=.git", "-cf", "-", "."]
        packed = await box.exec(tar, timeout=self.seconds, output_bytes_max=2 * BUILT_BYTES_MAX)
        return packed.stdout

    async def _ran(self, folder: Path, argv: Sequence[str], recipe: Build) -> tuple[bool, str]:
        try:
            async with await Box.start(self._config(folder)) as box:
                problem = await self._copied(box) or await self._step(box, argv, recipe)
        except TimeoutError:
            return False, f"did not end within {self.seconds:g} s"
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"no box to run tests in: {error}") from error
        return not problem, problem

    @staticmethod
    async def _copied(box: Box) -> str:
        done = await box.exec(
            ["cp", "-r", "--preserve=mode,links,timestamps", f"{SOURCE}/.", TARGET]
        )
        return _words(done.stderr) if done.returncode else ""

    async def _step(self, box: Box, argv: Sequence[str], recipe: Build) -> str:
        """Why a step failed; empty if it did not. What it prints is cut, never an error."""
        shell = [
            "/bin/sh",
            "-c",
            '"$@" >/tmp/said 2>&1; code=$?; tail -c 20000 /tmp/said; exit $code',
        ]
        done = await box.exec(
            [*shell, "sh", *argv], cwd=TARGET, env=environment(recipe), timeout=self.seconds
        )
        if done.limit:
            return f"{argv[0]}: stopped at its limit of {done.limit}"
        return (
            f"{argv[0]}: {_words(done.stdout) or f'ended with {done.returncode}'}"
            if done.returncode
            else ""
        )

    def _config(self, source: Path) -> BoxConfig:
        bind = Bind(source=str(source.resolve(strict=True)), target=SOURCE)
        return BoxConfig(
            workdir=TARGET,
            binds=(bind, *python_binds()),
            tier=self.tier,
            disk_mb=2048,
            tmp_mb=512,
            memory_mb=4096,
            inodes=250_000,
            nproc=512,
        )

    def _keep(self, packed: bytes, place: Path) -> tuple[str, ...]:
        """Unpack into the cache under another name and rename when whole; answers what was left out."""
        self.cache.mkdir(parents=True, exist_ok=True, mode=0o755)
        _swept(self.cache, CACHE_BYTES_MAX)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=self.cache) as scratch:
            made = Path(scratch) / "built"
            made.mkdir()
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                left_out = unpack(archive, made)
            for path in (made, *made.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
            Path(scratch).chmod(0o755)
            if not place.exists():  # else another process was first
                made.rename(place)
        return left_out


def _swept(cache: Path, most: int) -> None:
    """Delete the builds used longest ago, until what is left is below *most* bytes."""
    found = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(".")]
    sizes = {path: _size(path) for path in found}
    total = sum(sizes.values())
    for path in sorted(found, key=lambda one: one.stat().st_mtime):
        if total <= most:
            return
        total -= sizes[path]
        shutil.rmtree(path, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _words(said: bytes) -> str:
    """The line that says what went wrong, as far as one does."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if "error" in line.lower()] or lines[-1:]
    text = errors[0] if errors else ""
    return "".join(c if c.isprintable() else " " for c in text)[:_FAULT_CHARS]
