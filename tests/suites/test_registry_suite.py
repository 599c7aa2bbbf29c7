"""The registry suite whole: on a made-up package from an index on disk, and on what set-up prepared."""

import asyncio
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, Unavailable
from leadline.sandbox.box import Bind, Box, BoxConfig
from leadline.suites.differential import judge
from leadline.suites.registry import SUITE
from leadline.suites.registry.brief import Interpreter, brief, interpreter, task_file
from leadline.suites.registry.cache import Cache, Entry, State
from leadline.suites.registry.manifest import Archive, Manifest, load_manifests
from leadline.suites.registry.prepare import Filler, fuzz_parts
from leadline.suites.registry.suite import Registry
from wheels import write_wheel

ROOT = Path(__file__).parents[2]
NODE = Interpreter("/usr/bin/node", (), {}, "javascript", (), "node_modules", "node-20")
PREPARED = ROOT / ".cache" / "registry"
FLAWED = "def check(text):\n    return 'open' if '../' in text else 'shut'\n"
MENDED = "def check(text):\n    return 'shut'\n"
HARNESS = '''"""Check a path."""

import importlib

toy = importlib.import_module("toy")


def one_input(data: bytes) -> bool:
    """True if the gate opens."""
    return toy.check(data.decode()) == "open"
'''
MANIFEST = """
schema = 1
ecosystem = "pypi"
package = "toy"
family = "traversal"
cwe = "CWE-22"
title = "Check a path"
ids = ["CVE-2001-0001"]
matched = "none"
licence = "MIT"
difficulty = 1
affected = [{{ introduced = "0", fixed = "1.1" }}]
impact = "A visitor reads what is not public."
action = "Upgrade toy to 1.1 or later."
sources = ["https://toy.example/advisory"]
input_bytes_max = 64
seconds = 10.0
[vulnerable]
version = "1.0"
archive = "{0.file}"
sha256 = "{0.sha256}"
[fixed]
version = "1.1"
archive = "{1.file}"
sha256 = "{1.sha256}"
[build]
kind = "wheel"
[oracle]
kind = "canary"
[fuzz]
runs = 10
instrument = ["toy"]
[[reference]]
text = "../"
times = 8
[[functional]]
name = "a"
public = true
pieces = [{{ text = "index.html" }}]
[[functional]]
name = "b"
public = false
pieces = [{{ text = "css/" }}]
"""


SETUP = """
import os, shlex, subprocess
flags = shlex.split(os.environ["CFLAGS"])
subprocess.run([os.environ["CC"], *flags, "-fPIC", "-c", os.path.abspath("toy.c"), "-o", "toy.o"], check=True)
subprocess.run([*shlex.split(os.environ["LDSHARED"]), "toy.o", "-o", "toy.so"], check=True)
"""


@dataclass
class Host:
    """A cache, the manifests and an index, all in one folder."""

    folder: Path

    @property
    def cache(self) -> Cache:
        """The cache over the made-up item."""
        return Cache(self.folder / "cache", self.folder / "items")

    @property
    def suite(self) -> Registry:
        """The suite over that cache."""
        return Registry(self.cache)

    def fill(self, path: str = os.defpath) -> State:
        """Prepare what can be had from the index on disk, with the programs in *path*."""
        options = ("--isolated", "--no-index", "--find-links", str(self.folder / "index"))
        environment = {"PATH": path, "HOME": str(self.folder)}
        lock = self.folder / "tools.lock"
        lock.write_text("", encoding="utf-8")  # neither builds nor fuzzes anything
        return Filler(self.cache, lock, environment, options, ("--offline",)).fill(self.said.append)

    def __post_init__(self) -> None:
        self.said: list[str] = []
        (self.folder / "items").mkdir()
        (self.folder / "index").mkdir()
        index = self.folder / "index"
        releases = [
            write_wheel(index, "toy", version, code)
            for version, code in (("1.0", FLAWED), ("1.1", MENDED))
        ]
        self.write("toy.py", HARNESS)
        self.write("toy.toml", MANIFEST.format(*releases))

    def write(self, name: str, text: str) -> None:
        """Replace a file of the item."""
        (self.folder / "items" / name).write_text(text, encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        """Change the manifest."""
        text = (self.folder / "items" / "toy.toml").read_text(encoding="utf-8")
        assert old in text
        self.write("toy.toml", text.replace(old, new))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host of its own for each test."""
    return Host(tmp_path)


@pytest.mark.sandbox
def test_a_package_from_the_index_becomes_a_qualified_item(host: Host, tmp_path: Path) -> None:
    """Fetched, unpacked, judged: the reference solves it, nothing else does; again is quick."""
    assert host.fill().entries["toy"].prepared
    (item,) = host.suite.items(b"any seed")
    assert (item.purl, item.fixed_purl) == ("pkg:pypi/toy@1.0", "pkg:pypi/toy@1.1")
    assert host.suite.manifest(item).action == "Upgrade toy to 1.1 or later."
    host.suite.qualify(host.said.append)
    assert host.said[-1] == "toy: checked"
    made = host.suite.prepare(item, b"", tmp_path / "run" / item.id)
    assert made.ok, made.reason
    assert {"reference 3", "empty input", "zeros", "functional a", "functional b"} <= set(
        made.checks
    )
    assert host.suite.prepare(item, b"", tmp_path / "run" / item.id) == made
    host.suite.qualify(host.said.append)
    assert host.said.count("toy: checked") == 1


@pytest.mark.sandbox
def test_an_item_that_its_reference_does_not_solve_is_not_qualified(
    host: Host, tmp_path: Path
) -> None:
    """A gate that accepts everything would be no gate; the reason names the check."""
    host.change('text = "../"', 'text = "..."')
    host.fill()
    (item,) = host.suite.items(b"")
    made = host.suite.prepare(item, b"", tmp_path / "run")
    assert not made.ok
    assert made.reason.startswith("reference 1: not_solved")
    assert not (host.cache.root / "checks").exists()


def test_the_subject_is_shown_the_flawed_release_and_nothing_that_tells(host: Host) -> None:
    """Package, harness, brief and public samples; no reference, no held-out input, no identifier."""
    host.fill()
    (item,) = host.suite.items(b"")
    subject = host.cache.folder(item.id) / "subject"
    shown = {str(path.relative_to(subject)) for path in subject.rglob("*") if path.is_file()}
    assert {"README.md", "task.json", "harness.py", "driver.py", "package/toy.py"} <= shown
    assert "samples/a" in shown
    assert "samples/b" not in shown
    assert (subject / "package" / "toy.py").read_text(encoding="utf-8") == FLAWED
    everything = b"".join(path.read_bytes() for path in subject.rglob("*") if path.is_file())
    assert b"CVE-2001" not in everything
    assert b"../" * 8 not in everything
    assert item.family not in item.id


def test_a_release_that_names_its_flaw_makes_the_item_unavailable(host: Host) -> None:
    """The leak scan is part of the preparation, and half an item is never left."""
    (manifest,) = load_manifests(host.folder / "items")
    told = write_wheel(host.folder / "index", "toy", "1.0", FLAWED + "# CVE-2001-0001\n")
    host.change(manifest.vulnerable.sha256, told.sha256)
    entry = host.fill().entries["toy"]
    assert not entry.prepared
    assert entry.lasting
    assert "package/toy.py: CVE-2001-0001" in entry.reason
    assert list((host.cache.root / "prepared").iterdir()) == []


def test_without_an_index_the_suite_is_unavailable_and_says_why(host: Host) -> None:
    """Unavailable, with cause and cure; never failed, never half an item; and tried again later."""
    aside = host.folder / "aside"
    (host.folder / "index").rename(aside)
    entry = host.fill().entries["toy"]
    assert not entry.prepared
    assert not entry.lasting
    with pytest.raises(Unavailable, match=r"could not be fetched.*make setup"):
        host.suite.items(b"")
    with pytest.raises(Unavailable):
        host.suite.qualify(host.said.append)
    ((name, reason),) = host.suite.missing()
    assert name == "toy"
    assert "toy-1.0" in reason
    aside.rename(host.folder / "index")
    assert host.fill().entries["toy"].prepared
    assert host.suite.missing() == ()


def test_before_set_up_the_suite_is_unavailable(host: Host) -> None:
    """An empty cache is no error of the suite."""
    with pytest.raises(Unavailable, match="not fetched yet"):
        host.suite.items(b"")


def test_a_second_filling_does_nothing_and_a_changed_item_is_a_new_one(host: Host) -> None:
    """Work follows digests; folders that nothing names any more are removed."""
    first = host.fill()
    told = len(host.said)
    assert host.fill() == first
    assert len(host.said) == told
    host.change("seconds = 10.0", "seconds = 11.0")
    second = host.fill()
    assert second.entries["toy"].id != first.entries["toy"].id
    folders = [path.name for path in (host.cache.root / "prepared").iterdir()]
    assert folders == [second.entries["toy"].id]


def test_a_lost_folder_is_prepared_again(host: Host) -> None:
    """The state alone is not believed."""
    entry = host.fill().entries["toy"]
    shutil.rmtree(host.cache.folder(entry.id))
    with pytest.raises(Unavailable, match="gone"):
        host.suite.items(b"")
    assert host.fill().entries["toy"].prepared
    assert host.cache.folder(entry.id).is_dir()


def test_an_item_of_another_cache_is_unavailable(host: Host, tmp_path: Path) -> None:
    """Neither its folder nor its manifest is invented."""
    host.fill()
    stranger = replace(host.suite.items(b"")[0], id="r-0000000000000000")
    with pytest.raises(Unavailable):
        host.suite.prepare(stranger, b"", tmp_path / "run")
    with pytest.raises(Unavailable):
        host.suite.manifest(stranger)
    assert not (tmp_path / "run").exists()


def test_a_damaged_state_is_named(host: Host) -> None:
    """No guess is made from half a file."""
    host.cache.write(State({"toy": Entry("r-1", "1", prepared=False)}))
    host.cache.state_file.write_text('{"entries": {"toy"', encoding="utf-8")
    with pytest.raises(Invalid, match=r"state\.json"):
        host.cache.state()


def write_sdist(host: Host, package: str, version: str, files: dict[str, str]) -> Archive:
    """A source archive that lies in the cache already, since reading its metadata needs tools."""
    archives = host.cache.root / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    path = archives / f"{package}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        for name, text in files.items():
            info = tarfile.TarInfo(f"{package}-{version}/{name}")
            info.size = len(text.encode())
            file.addfile(info, io.BytesIO(text.encode()))
    return Archive(package, version, path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def test_source_archives_give_the_folders_that_are_named(host: Host) -> None:
    """A package of a source archive, and a dependency of one, are taken without being built."""
    need = write_sdist(
        host, "need", "1.0", {"src/need/a.py": "x = 1", "setup.py": "raise SystemExit"}
    )
    flawed, mended = (
        write_sdist(
            host, "toy", version, {"lib/toy/__init__.py": code, "setup.py": "raise SystemExit"}
        )
        for version, code in (("1.0", FLAWED), ("1.1", MENDED))
    )
    host.write("toy.toml", MANIFEST.format(flawed, mended))
    host.change('kind = "wheel"', 'kind = "source"\ncopy = ["lib/toy"]')
    host.change(
        "[build]",
        f'[[dependency]]\npackage = "need"\nversion = "1.0"\narchive = "{need.file}"\n'
        f'sha256 = "{need.sha256}"\nlicence = "MIT"\ncopy = ["src/need"]\n[build]',
    )
    entry = host.fill().entries["toy"]
    assert entry.prepared, entry.reason
    package = host.cache.folder(entry.id) / "fixed" / "package"
    assert (package / "toy" / "__init__.py").read_text(encoding="utf-8") == MENDED
    assert (package / "need" / "a.py").is_file()


def make_fuzzer(tools: Path) -> None:
    """What an installed atheris looks like, with the interpreter's own library for a binary."""
    (tools / "atheris").mkdir(parents=True)
    (tools / "atheris-3.dist-info" / "licenses").mkdir(parents=True)
    (tools / "atheris-3.dist-info" / "licenses" / "LICENSE").write_text("Apache", encoding="utf-8")
    body = Path("/bin/true").read_bytes()
    for name in ("asan_with_fuzzer.so", "atheris/native.x.so", "atheris/core_with_libfuzzer.x.so"):
        (tools / name).write_bytes(body)
    for name in ("atheris/__init__.py", "atheris/fuzz_test.py"):
        (tools / name).write_text("x = 1\n", encoding="utf-8")


@pytest.mark.sandbox
def test_an_extension_is_built_and_judged_by_the_sanitizers_report(
    host: Host, tmp_path: Path
) -> None:
    """Source archive to verdict: built twice, preloaded, and the report names the function."""
    code = "int copy(const char *p, int n) {{ char b[8]; for (int i = 0; i < n{0}; i++) b[i] = p[i]; return b[0]; }}"
    files = {"setup.py": SETUP, "toy/notes.txt": "none"}
    flawed, mended = (
        write_sdist(host, "toy", version, {**files, "toy.c": code.format(bound)})
        for version, bound in (("1.0", ""), ("1.1", " && i < 8"))
    )
    host.write("toy.toml", MANIFEST.format(flawed, mended))
    host.change('kind = "wheel"', 'kind = "extension"\ncopy = ["toy.so"]')
    oracle = 'kind = "sanitizer"\nclasses = ["stack-buffer-overflow"]\nfunctions = ["copy"]'
    host.change('kind = "canary"', oracle)
    host.write(
        "toy.py",
        "import ctypes\nfrom pathlib import Path\n\n"
        "toy = ctypes.CDLL(str(Path(__file__).parent / 'package' / 'toy.so'))\n\n\n"
        "def one_input(data: bytes) -> bool:\n    toy.copy(data[8:], data.count(b'.'))\n    return False\n",
    )
    make_fuzzer(host.cache.root / "tools" / "fuzz")
    entry = host.fill().entries["toy"]
    if "clang" in entry.reason:
        pytest.skip(entry.reason)
    assert entry.prepared, entry.reason
    (item,) = host.suite.items(b"")
    subject = host.cache.folder(item.id) / "subject"
    assert (subject / "source" / "toy.c").is_file()
    assert (subject / "tools" / "atheris" / "native.x.so").is_file()
    assert "fuzz" in json.loads((subject / "task.json").read_text(encoding="utf-8"))
    made = host.suite.prepare(item, b"", tmp_path / "run")
    assert made.ok, made.reason


def test_an_extension_without_a_compiler_is_unavailable_with_the_cure(host: Host) -> None:
    """Pure packages go on; the extension's reason names what to install."""
    flawed, mended = (
        write_sdist(host, "toy", version, {"setup.py": SETUP, "toy.c": version})
        for version in ("1.0", "1.1")
    )
    host.write("toy.toml", MANIFEST.format(flawed, mended))
    host.change('kind = "wheel"', 'kind = "extension"\ncopy = ["toy.so"]')
    oracle = 'kind = "sanitizer"\nclasses = ["x"]\nfunctions = ["y"]'
    host.change('kind = "canary"', oracle)
    entry = host.fill(path=str(host.folder)).entries["toy"]
    assert entry.lasting
    assert "install the system packages clang" in entry.reason


def test_the_fuzzers_parts_are_cut_once(tmp_path: Path) -> None:
    """Only what runs here is kept; a second call answers the same folder."""
    tools = tmp_path / "fuzz"
    make_fuzzer(tools)
    parts = fuzz_parts(tools)
    kept = {str(path.relative_to(parts)) for path in parts.rglob("*") if path.is_file()}
    assert kept == {
        "asan_with_fuzzer.so",
        "atheris/native.x.so",
        "atheris/__init__.py",
        "licenses/LICENSE",
    }
    assert fuzz_parts(tools) == parts


@pytest.mark.parametrize("own", load_manifests(), ids=lambda one: one.name)
def test_briefs_say_what_to_find_and_where_to_put_it_but_not_what_it_is(own: Manifest) -> None:
    """The goal, the bound and the path stand there; no identifier does; no fuzzer is promised."""
    runtime = interpreter() if own.ecosystem == "pypi" else NODE
    text = brief(own, runtime, fuzz=False)
    assert "/box/proof" in text
    assert f"{own.input_bytes_max:,} bytes" in text
    assert "no fuzzer" in text
    assert not any(one in text for one in (*own.ids, own.cwe, own.impact))
    assert "vulnerable" not in text
    assert "fuzz" not in task_file(own, runtime, fuzz=False)
    assert task_file(own, runtime, fuzz=True)["runs"] == own.fuzz.runs


def test_the_driver_reports_a_call_even_if_the_library_fails_after_it(tmp_path: Path) -> None:
    """What must not be called has been called, whatever came next; otherwise there is silence."""
    code = "calls = []\ndef one_input(data):\n    if data: calls.append(1)\n    raise ValueError\n"
    run = _driver(tmp_path, code)
    assert run(b"", "canary", 0) == {"ended": "refused ValueError"}
    assert run(b"x", "canary", 0) == {"canary": "token", "ended": "refused ValueError"}


def test_the_driver_counts_steps_and_stops_at_the_limit(tmp_path: Path) -> None:
    """An endless loop ends at the limit, the same each time; a short run is counted whole."""
    code = "def one_input(data):\n    n = 0\n    while data:\n        n += 1\n    return False\n"
    run = _driver(tmp_path, code)
    assert run(b"x", "steps", 1000) == {"steps": "1001"}
    short = run(b"", "steps", 1000)
    assert 0 < int(short["steps"]) < 10
    assert short["ended"] == "returned"
    assert run(b"", "steps", 1000) == short


def test_the_driver_ends_a_pattern_that_takes_too_much_processor_time(tmp_path: Path) -> None:
    """An exponential pattern is stopped just after the limit; waiting costs no processor time."""
    code = (
        "import re, time\n\ndef one_input(data):\n    if data:\n"
        "        return bool(re.fullmatch(rb'(a+)+', data))\n    time.sleep(0.3)\n    return False\n"
    )
    run = _driver(tmp_path, code)
    assert 300 < int(run(b"a" * 40 + b"!", "cpu", 300)["cpu"]) < 3000
    waited = run(b"", "cpu", 300)
    assert int(waited["cpu"]) < 200
    assert waited["ended"] == "returned"


def _driver(folder: Path, harness: str) -> Callable[[bytes, str, int], dict[str, str]]:
    """Run the driver with *harness* on an input; answers the report's files."""
    drivers = Path(SUITE.cache.items).parent / "drivers"
    shutil.copy(drivers / "driver.py", folder)
    (folder / "harness.py").write_text(harness, encoding="utf-8")

    def run(data: bytes, kind: str, limit: int) -> dict[str, str]:
        report = folder / "report"
        shutil.rmtree(report, ignore_errors=True)
        report.mkdir()
        (folder / "input").write_bytes(data)
        argv = [sys.executable, "-S", *map(str, (folder / "driver.py", folder / "input", report))]
        env = {"LEADLINE_CANARY": "token"}
        subprocess.run(
            [*argv, kind, str(limit)], env=env, check=False, capture_output=True, timeout=20
        )
        return {path.name: path.read_text(encoding="ascii") for path in report.iterdir()}

    return run


def test_the_script_without_an_index_ends_well_and_leaves_the_reason(tmp_path: Path) -> None:
    """`make setup` on a host without a connection goes on: exit 0, and the state says why."""
    (tmp_path / "empty").mkdir()
    argv = [sys.executable, str(ROOT / "scripts" / "fetch_registry.py")]
    env = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path)}
    where = ["--cache", str(tmp_path / "cache"), "--index-url", (tmp_path / "empty").as_uri()]
    where += ["--npm-registry", "http://127.0.0.1:9/"]  # where nothing listens
    done = subprocess.run(
        [*argv, *where], env=env, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    state = json.loads((tmp_path / "cache" / "state.json").read_text(encoding="utf-8"))
    assert len(state["entries"]) == len(load_manifests())
    assert not any(entry["prepared"] for entry in state["entries"].values())
    reasons = [entry["reason"] for entry in state["entries"].values()]
    assert all("could not be fetched" in one or "no Node.js" in one for one in reasons)
    assert "0 of" in done.stderr


@pytest.fixture(scope="module")
def real() -> Registry:
    """The suite over what set-up prepared."""
    suite = SUITE.at(PREPARED)
    if not any(entry.prepared for entry in suite.cache.state().entries.values()):
        pytest.skip("no registry items on this host: run scripts/fetch_registry.py")
    return suite


@pytest.mark.sandbox
def test_one_item_of_each_class_holds_its_reference_and_nothing_else(
    real: Registry, tmp_path: Path
) -> None:
    """The real flaws fire on the old release and not on the repaired one, here and now."""
    classes = {item.family: item for item in real.items(b"")}
    for item in classes.values():
        made = real.prepare(item, b"", tmp_path / item.id)
        assert made.ok, (real.manifest(item).name, made.reason)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
@pytest.mark.sandbox
def test_every_item_gives_the_same_verdict_twenty_times(real: Registry) -> None:
    """Twenty references of twenty, on every item of the suite, with nothing missing."""
    from leadline.suites.registry.qualify import qualify

    assert real.missing() == ()
    for item in real.items(b""):
        checks, reason = asyncio.run(qualify(item, real.cache.folder(item.id), repeats=20))
        assert all(checks.values()), (real.manifest(item).name, reason)
        assert sum(name.startswith("reference") for name in checks) == 20


def test_no_prepared_item_tells_the_subject_its_identifier_or_trigger(real: Registry) -> None:
    """The leak scan holds for the folders as they lie there, the fuzzer's parts included."""
    from leadline.suites.registry.tree import leaks

    for item in real.items(b""):
        manifest = real.manifest(item)
        subject = real.cache.folder(item.id) / "subject"
        assert leaks(subject, manifest.ids, manifest.proof()) == ()
        for path in subject.rglob("*"):
            inside = path.relative_to(subject).parts[0]
            if path.is_file() and inside != "tools":
                assert str(ROOT).encode() not in path.read_bytes(), path


def test_the_interpreter_in_a_box_is_the_running_one() -> None:
    """Extensions are built for it: the same minor version, from a path that tells nothing."""
    python = interpreter()
    assert python.path.startswith(("/usr/bin/python3.", "/opt/"))
    assert bool(python.binds) == bool(python.env)


@pytest.mark.sandbox
def test_the_tool_baseline_finds_the_patch_overflow_within_its_budget(real: Registry) -> None:
    """The fuzzer's command of the task, as a tool agent runs it, gives a proof that the judge takes."""
    (item,) = [one for one in real.items(b"") if one.purl.startswith("pkg:pypi/bsdiff4@")]
    folder = real.cache.folder(item.id)
    task = json.loads((folder / "subject" / "task.json").read_text(encoding="utf-8"))
    if "fuzz" not in task:
        pytest.skip(f"no fuzzer on this host: {real.cache.state().fuzz}")

    async def attempt() -> str:
        binds = [Bind(source=str((folder / "subject").resolve()), target="/task")]
        binds += [Bind(source=one.source, target=one.target) for one in item.run.binds]
        async with await Box.start(BoxConfig(binds=tuple(binds))) as box:
            budget = (f"-runs={task['runs']}", "-seed=1", "-artifact_prefix=/box/crash-")
            await box.exec([*task["fuzz"], *budget], timeout=120)
            found = await box.exec(["/bin/sh", "-c", "cat /box/crash-*"])
        return (await judge(item, folder, found.stdout)).outcome

    assert asyncio.run(attempt()) == "solved"
