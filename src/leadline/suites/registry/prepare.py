"""Prepared items: fetched, built, cut for the subject, searched for leaks.

Invariants: an item is prepared whole or not at all; an item that cannot be had here is unavailable
with a reason, never failed; a second run with nothing changed only compares digests.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from leadline.core.errors import Invalid, LeadlineError, Unavailable
from leadline.suites.item import REPORT, TARGET, Item, Oracle, Run
from leadline.suites.registry import tree
from leadline.suites.registry.brief import (
    Interpreter,
    brief,
    interpreter,
    node_interpreter,
    task_file,
)
from leadline.suites.registry.build import Compiler, build_extension, find_compiler
from leadline.suites.registry.cache import Cache, Entry, State
from leadline.suites.registry.fetch import Client, Npm, fetch, install_tools
from leadline.suites.registry.manifest import (
    DRIVERS,
    SUFFIXES,
    Archive,
    Ecosystem,
    Manifest,
    Release,
    content_digest,
    load_manifests,
)

BUILD_TOOLS = ("setuptools", "setuptools-scm", "packaging", "cffi", "pycparser", "wheel")
RUNTIME = "libclang_rt.asan.so"  # the runtime refuses to work under a name of another kind
WORKERS = 2
_FUZZ_PARTS = ("core_without_libfuzzer", "custom_", "native")


def environment(compiler: Compiler | None, runtime: Interpreter) -> dict[str, str]:
    """What of this host is part of the identity of an item that *runtime* runs."""
    makers = [
        Path(__file__).with_name(f"{name}.py") for name in ("brief", "build", "prepare", "tree")
    ]
    script = runtime.language == "javascript"
    return {
        "makers": hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest(),
        "runtime": f"{runtime.version}-{platform.machine()}",
        "compiler": compiler.version if compiler and not script else "",
    }


def make_item(manifest: Manifest, digest: str, runtime: Interpreter) -> Item:
    """The item of *manifest* on this host."""
    oracle = manifest.oracle
    argv = (
        *(runtime.path, *runtime.options, f"{TARGET}/driver{SUFFIXES[manifest.ecosystem]}"),
        *("/box/input", REPORT, oracle.kind, str(oracle.limit)),
    )
    env: dict[str, str] = dict(runtime.env)
    if runtime.language == "python":
        env["PYTHONHASHSEED"] = "0"
    if oracle.kind == "sanitizer":
        # The interpreter's own arenas would hide small objects from the sanitizer.
        env |= {"LD_PRELOAD": f"{TARGET}/{RUNTIME}", "PYTHONMALLOC": "malloc"}
    return Item(
        id=f"r-{digest[:16]}",
        suite="registry",
        family=manifest.family,
        cwe=manifest.cwe,
        title=manifest.title,
        digest=digest,
        oracle=Oracle(oracle.kind, tuple(oracle.classes), tuple(oracle.functions), oracle.limit),
        run=Run(argv=argv, env=env, binds=runtime.binds, seconds=manifest.seconds),
        input_bytes_max=manifest.input_bytes_max,
        features={"difficulty": manifest.difficulty},
        purl=manifest.purl(manifest.vulnerable),
        fixed_purl=manifest.purl(manifest.fixed),
        ids=tuple(manifest.ids),
        licence=manifest.licence,
    )


class Filler:
    """One filling of a cache: what to fetch with, and what was found on the way."""

    def __init__(
        self,
        cache: Cache,
        lock: Path,
        env: Mapping[str, str],
        options: Sequence[str] = (),
        npm_options: Sequence[str] = (),
    ) -> None:
        self.cache = cache
        self.lock = lock
        self.env = env
        self.tools = cache.root / "tools" / "build"
        self.fuzz = cache.root / "tools" / "fuzz"
        self.client = Client(self.tools, tuple(options), env)
        npm = shutil.which("npm", path=env.get("PATH", os.defpath)) or ""
        self.npm = Npm(npm, tuple(npm_options), env)
        self.runtimes: dict[Ecosystem, Interpreter] = {"pypi": interpreter()}
        self.no_node = ""
        try:
            self.runtimes["npm"] = node_interpreter(env.get("PATH", os.defpath))
        except Unavailable as error:
            self.no_node = str(error)
        self.compiler: Compiler | None = None
        self.no_compiler = ""
        try:
            self.compiler = find_compiler(env.get("PATH"))
        except Unavailable as error:
            self.no_compiler = str(error)

    def fill(self, progress: Callable[[str], None]) -> State:
        """Prepare every item that is not; answers the new state, which is also written."""
        manifests = load_manifests(self.cache.items)
        digests = {one.name: self._digest(one) for one in manifests}
        old = self.cache.state()
        entries = {
            name: old.entries[name]
            for name, digest in digests.items()
            if name in old.entries and self._stands(old.entries[name], digest)
        }
        wanted = [one for one in manifests if one.name not in entries]
        if not wanted:
            return old
        state = State(entries, self._install())
        missing = self._fetch(wanted, progress)
        with ThreadPoolExecutor(WORKERS) as pool:
            jobs = {
                one.name: pool.submit(self._entry, one, digests[one.name], missing, state.fuzz)
                for one in wanted
            }
            for name, job in jobs.items():
                entries[name] = entry = job.result()
                progress(f"{name}: {entry.reason or f'prepared in {entry.seconds:.1f} s'}")
        state = State(dict(sorted(entries.items())), state.fuzz)
        self.cache.write(state)
        self._sweep(state)
        return state

    def _digest(self, manifest: Manifest) -> str:
        """The content digest of the item on this host; also where its interpreter is absent."""
        runtime = self.runtimes.get(manifest.ecosystem, Interpreter("", version="absent"))
        return content_digest(self.cache.items, manifest, environment(self.compiler, runtime))

    def _fetch(
        self, wanted: Sequence[Manifest], progress: Callable[[str], None]
    ) -> dict[Archive, str]:
        """Fetch what *wanted* need, from both indexes at once; what is missing, with reasons."""
        archives = sorted({archive for one in wanted for archive in one.archives()})
        progress(f"fetching {len(archives)} archives of {len(wanted)} items")
        folder = self.cache.root / "archives"
        with ThreadPoolExecutor(WORKERS) as pool:
            jobs = [
                pool.submit(
                    fetch, [one for one in archives if one.ecosystem == name], folder, client
                )
                for name, client in (("pypi", self.client), ("npm", self.npm))
            ]
            return {archive: reason for job in jobs for archive, reason in job.result().items()}

    def _stands(self, entry: Entry, digest: str) -> bool:
        """Whether an entry of the last run needs no work now."""
        if entry.digest != digest:
            return False
        return entry.lasting or (entry.prepared and self.cache.folder(entry.id).is_dir())

    def _install(self) -> str:
        """Install the tools that are absent; answers why there is no fuzzer, if there is none.

        Without the build tools no source archive can be had, which the archives' own errors tell.
        """
        reasons = []
        for names, target in ((BUILD_TOOLS, self.tools), (("atheris",), self.fuzz)):
            try:
                if not target.is_dir():
                    install_tools(self.lock, names, target, self.client)
            except Unavailable as error:
                reasons.append(str(error))
        return "" if self.fuzz.is_dir() else reasons[-1]

    def _entry(
        self, manifest: Manifest, digest: str, missing: Mapping[Archive, str], no_fuzz: str
    ) -> Entry:
        runtime = self.runtimes.get(manifest.ecosystem)
        if runtime is None:
            return Entry(
                f"r-{digest[:16]}", digest, prepared=False, reason=self.no_node, lasting=True
            )
        item = make_item(manifest, digest, runtime)
        started = time.monotonic()
        absent = [one for one in manifest.archives() if one in missing]
        if absent:
            reason = f"{absent[0].file} could not be fetched: {missing[absent[0]]}"
            return Entry(item.id, digest, prepared=False, reason=reason)
        try:
            fuzz = runtime.language == "javascript" or not no_fuzz
            self._prepare(manifest, item, runtime, fuzz=fuzz)
        except (LeadlineError, subprocess.CalledProcessError, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
            return Entry(item.id, digest, prepared=False, reason=reason, lasting=True)
        seconds = round(time.monotonic() - started, 2)
        return Entry(item.id, digest, prepared=True, seconds=seconds)

    def _prepare(self, manifest: Manifest, item: Item, runtime: Interpreter, *, fuzz: bool) -> None:
        """Make the item's folder beside its place and move it there when it is whole."""
        place = self.cache.folder(item.id)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Built in the system's own temporary folder: clang 14 writes the paths of some headers into
        # the sanitizer's data unmapped, and the cache's path may name its owner.
        with (
            tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as scratch,
            tempfile.TemporaryDirectory(prefix="registry-") as aside,
        ):
            folder = Path(scratch) / "item"
            folder.mkdir()
            work = Path(aside)
            sources = {
                "vulnerable": self._release(manifest, manifest.vulnerable, work / "vulnerable"),
                "fixed": self._release(manifest, manifest.fixed, work / "fixed"),
            }
            for name in sources:
                self._judged(manifest, runtime, work / name / "package", folder / name)
            self._shown(manifest, runtime, sources["vulnerable"], folder, fuzz=fuzz)
            (folder / "reference").write_bytes(manifest.proof())
            functional = folder / "functional"
            functional.mkdir()
            for sample in manifest.functional:
                (functional / sample.name).write_bytes(sample.data())
            # Imported when needed: it brings Inspect, and a run that finds all in place takes none.
            from leadline.suites.differential import save_item

            save_item(item, folder)
            tree.seal(folder)
            folder.chmod(0o755)
            if place.exists():
                shutil.rmtree(place)
            folder.rename(place)

    def _release(self, manifest: Manifest, release: Release, work: Path) -> Path:
        """Make ``work/package``, importable, and answer the release's own sources."""
        archives = self.cache.root / "archives"
        package, source = work / "package", work / "source"
        build = manifest.build
        if build.kind == "package":
            tree.unpack(archives / release.archive, package / manifest.package, build.omit)
            for need in manifest.dependency:
                tree.unpack(archives / need.archive, package / need.package)
            return package
        place = package if build.kind == "wheel" else source
        tree.unpack(archives / release.archive, place, build.omit)
        if build.kind == "extension":
            if self.compiler is None:
                raise Unavailable(self.no_compiler)
            build_extension(source, self.compiler, self.tools, self.env)
        if build.kind != "wheel":
            tree.take(source, build.copy_, package)
        tree.take(self.tools, [f"{module}*.so" for module in build.tools], package)
        for number, one in enumerate(manifest.dependency):
            if one.copy_:
                aside = work / f"dependency-{number}"
                tree.unpack(archives / one.archive, aside)
                tree.take(aside, one.copy_, package)
            else:
                tree.unpack(archives / one.archive, package)
        return package if build.kind == "wheel" else source

    def _judged(
        self, manifest: Manifest, runtime: Interpreter, package: Path, target: Path
    ) -> None:
        """The judge's build: package, harness, driver, and the sanitizer's runtime."""
        target.mkdir()
        suffix = SUFFIXES[manifest.ecosystem]
        tree.link(package, target / runtime.packages)
        shutil.copy(self.cache.items / f"{manifest.name}{suffix}", target / f"harness{suffix}")
        shutil.copy(DRIVERS / f"driver{suffix}", target)
        if manifest.oracle.kind == "sanitizer" and self.compiler:
            shutil.copy(self.compiler.runtime, target / RUNTIME)

    def _shown(
        self, manifest: Manifest, runtime: Interpreter, source: Path, folder: Path, *, fuzz: bool
    ) -> None:
        """What the subject sees; searched for leaks last.

        Raises: Invalid, if a file tells an identifier or the trigger.
        """
        subject = folder / "subject"
        subject.mkdir()
        suffix, packages = SUFFIXES[manifest.ecosystem], runtime.packages
        shutil.copytree(folder / "vulnerable" / packages, subject / packages)
        tree.strip(subject / packages)
        if manifest.build.kind == "extension":
            shutil.copytree(source, subject / "source")
            tree.strip(subject / "source")
        for name in (f"harness{suffix}", f"driver{suffix}"):
            shutil.copy(folder / "vulnerable" / name, subject / name)
        samples = subject / "samples"
        samples.mkdir()
        for sample in manifest.functional:
            if sample.public:
                (samples / sample.name).write_bytes(sample.data())
        task = task_file(manifest, runtime, fuzz=fuzz)
        (subject / "task.json").write_text(json.dumps(task, indent=1) + "\n", encoding="utf-8")
        (subject / "README.md").write_text(brief(manifest, runtime, fuzz=fuzz), encoding="utf-8")
        found = tree.leaks(subject, manifest.ids, manifest.proof())
        if found:
            raise Invalid(
                f"{manifest.name}.toml", f"the subject's files tell the answer: {found[0]}"
            )
        # The fuzzer is the same for every item and tells nothing.
        if fuzz:
            shutil.copy(DRIVERS / f"fuzz{suffix}", subject)
        if fuzz and runtime.language == "python":
            tree.link(fuzz_parts(self.fuzz), subject / "tools")

    def _sweep(self, state: State) -> None:
        """Remove prepared folders that no entry names any more."""
        kept = {entry.id for entry in state.entries.values()}
        for folder in (self.cache.root / "prepared").glob("r-*"):
            if folder.name not in kept:
                shutil.rmtree(folder)


def fuzz_parts(tools: Path) -> Path:
    """The parts of atheris that run here, without their debug information (4 MB instead of 140)."""
    parts = tools.with_name("fuzz-parts")
    if parts.is_dir():
        return parts
    with tempfile.TemporaryDirectory(dir=tools.parent, prefix="incoming-") as scratch:
        fresh = Path(scratch) / "parts"
        (fresh / "atheris").mkdir(parents=True)
        shutil.copy(tools / "asan_with_fuzzer.so", fresh)
        for path in sorted((tools / "atheris").iterdir()):
            if path.name.endswith("_test.py"):
                continue
            if path.suffix == ".py" or path.name.startswith(_FUZZ_PARTS):
                shutil.copy(path, fresh / "atheris")
        stripper = shutil.which("strip") or shutil.which("llvm-strip")
        if stripper:
            libraries = [str(path) for path in fresh.rglob("*.so")]
            subprocess.run([stripper, "-g", *libraries], check=True, capture_output=True)
        shutil.copytree(
            tools / next(tools.glob("atheris-*.dist-info")).name / "licenses", fresh / "licenses"
        )
        try:
            fresh.rename(parts)
        except OSError:
            if not parts.is_dir():  # another worker was first
                raise
    return parts
