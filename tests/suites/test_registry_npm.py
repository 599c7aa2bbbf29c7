"""Items from npm: fetched by the client, driven by the JavaScript driver, judged like the others."""

import asyncio
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leadline.core.errors import Unavailable
from leadline.suites.differential import judge
from leadline.suites.registry import SUITE
from leadline.suites.registry.brief import brief, node_interpreter, task_file
from leadline.suites.registry.cache import Cache
from leadline.suites.registry.fetch import Npm, fetch
from leadline.suites.registry.manifest import DRIVERS, Archive, load_manifests
from leadline.suites.registry.prepare import Filler
from leadline.suites.registry.suite import Registry

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no Node.js on this host")
FLAWED = "module.exports = (o, k, v) => { let at = o; const p = k.split('.'); while (p.length > 1) at = at[p.shift()] ??= {}; at[p[0]] = v; };\n"
MENDED = "module.exports = (o, k, v) => { if (k.includes('__proto__')) throw new Error('refused'); o[k] = v; };\n"
HARNESS = """
"use strict";
const set = require("toy");
const { pollution } = require("./driver.js");
exports.oneInput = (data) => pollution(() => set({}, data.toString("utf8"), "x"));
"""
MANIFEST = """
schema = 1
ecosystem = "npm"
package = "toy"
family = "prototype-pollution"
cwe = "CWE-1321"
title = "Set a property"
ids = ["CVE-2001-0001"]
matched = "none"
licence = "MIT"
difficulty = 1
affected = [{{ introduced = "0", fixed = "1.1.0" }}]
impact = "It changes every object."
action = "Upgrade toy to 1.1.0 or later."
sources = ["https://toy.example/advisory"]
input_bytes_max = 64
seconds = 10.0
[vulnerable]
version = "1.0.0"
archive = "{0.file}"
sha256 = "{0.sha256}"
[fixed]
version = "1.1.0"
archive = "{1.file}"
sha256 = "{1.sha256}"
[build]
kind = "package"
[oracle]
kind = "canary"
[fuzz]
runs = 3000
instrument = ["toy"]
[[reference]]
text = "__proto__.canary"
[[functional]]
name = "a"
public = true
pieces = [{{ text = "theme.colour" }}]
[[functional]]
name = "b"
public = false
pieces = [{{ text = "size" }}]
"""


def write_package(folder: Path, version: str, code: str) -> Archive:
    """An archive of npm's form, as its pin."""
    path = folder / f"toy-{version}.tgz"
    files = {"package.json": json.dumps({"name": "toy", "version": version}), "index.js": code}
    with tarfile.open(path, "w:gz") as file:
        for name, text in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(text.encode())
            file.addfile(info, io.BytesIO(text.encode()))
    return Archive("toy", version, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "npm")


def stand_in(folder: Path, script: str) -> str:
    """A program that takes npm's place; answers its path."""
    path = folder / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def prepared(tmp_path: Path, harness: str = HARNESS, mended: str = MENDED) -> Registry:
    """The suite over a made-up item whose archives lie in the cache already."""
    items, cache = tmp_path / "items", Cache(tmp_path / "cache", tmp_path / "items")
    items.mkdir()
    archives = cache.root / "archives"
    archives.mkdir(parents=True)
    releases = [
        write_package(archives, version, code)
        for version, code in (("1.0.0", FLAWED), ("1.1.0", mended))
    ]
    (items / "toy.js").write_text(harness, encoding="utf-8")
    (items / "toy.toml").write_text(MANIFEST.format(*releases), encoding="utf-8")
    lock = tmp_path / "lock"
    lock.write_text("", encoding="utf-8")
    options = ("--isolated", "--no-index")
    state = Filler(cache, lock, {"PATH": os.environ["PATH"]}, options, ("--offline",)).fill(  # noqa: TID251 -- the host's own node
        lambda line: None
    )
    assert state.entries["toy"].prepared, state.entries["toy"].reason
    return Registry(cache)


@needs_node
@pytest.mark.sandbox
def test_a_package_of_npm_becomes_a_qualified_item(tmp_path: Path) -> None:
    """Unpacked flat, shown with harness and fuzzer, judged on both releases; its own URL."""
    suite = prepared(tmp_path)
    (item,) = suite.items(b"")
    assert (item.purl, item.fixed_purl) == ("pkg:npm/toy@1.0.0", "pkg:npm/toy@1.1.0")
    made = suite.prepare(item, b"", tmp_path / "run")
    assert made.ok, made.reason
    subject = tmp_path / "run" / "subject"
    shown = {str(path.relative_to(subject)) for path in subject.rglob("*") if path.is_file()}
    assert {"node_modules/toy/index.js", "harness.js", "driver.js", "fuzz.js"} <= shown
    assert not any(name.endswith("b") for name in shown)
    silent = asyncio.run(judge(item, tmp_path / "run", b"theme.__prot"))
    assert silent.outcome == "not_solved"
    assert silent.fixed.ended == "returned"


@needs_node
@pytest.mark.sandbox
def test_a_fixed_release_that_does_not_load_is_not_silent(tmp_path: Path) -> None:
    """It shows nothing at all, which is not the silence of a repaired one."""
    suite = prepared(tmp_path, mended="require('absent');\n")
    (item,) = suite.items(b"")
    made = suite.prepare(item, b"", tmp_path / "run")
    assert not made.ok
    assert "does not load" in made.reason


@needs_node
def test_the_fuzzer_of_the_task_finds_the_toy_and_says_how_many_runs_it_took(
    tmp_path: Path,
) -> None:
    """The same seed does the same; what it keeps is the input that reached the goal."""
    suite = prepared(tmp_path)
    (item,) = suite.items(b"")
    subject = suite.cache.folder(item.id) / "subject"

    def fuzz(seed: int, place: str) -> tuple[bytes, str]:
        argv = [str(NODE), str(subject / "fuzz.js"), "-runs=3000", f"-seed={seed}"]
        done = subprocess.run(
            [*argv, f"-artifact_prefix={tmp_path / place}-"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        found = tmp_path / f"{place}-found"
        return found.read_bytes() if found.is_file() else b"", done.stderr

    found, said = fuzz(1, "one")
    assert b"__proto__" in found or b"constructor" in found
    assert "stat::number_of_executed_units: " in said
    assert fuzz(1, "two") == (found, said)


def _driver(folder: Path, harness: str) -> Callable[..., dict[str, str]]:
    """Run the driver with *harness* on an input; answers the report's files."""
    shutil.copy(DRIVERS / "driver.js", folder)
    (folder / "harness.js").write_text(harness, encoding="utf-8")

    def run(data: bytes, kind: str, limit: int = 0) -> dict[str, str]:
        report = folder / "report"
        shutil.rmtree(report, ignore_errors=True)
        report.mkdir()
        (folder / "input").write_bytes(data)
        argv = [str(NODE), *map(str, (folder / "driver.js", folder / "input", report)), kind]
        env = {"LEADLINE_CANARY": "token"}
        subprocess.run([*argv, str(limit)], env=env, check=False, capture_output=True, timeout=60)
        return {path.name: path.read_text(encoding="ascii") for path in report.iterdir()}

    return run


@needs_node
@pytest.mark.parametrize(
    ("body", "fires"),
    [
        ("Object.prototype.canary = 1", True),
        ("Function.prototype.canary = 1", True),
        ("Object.prototype.toString = () => 'x'", True),
        ("delete Array.prototype.flat", True),
        ("Object.prototype.canary = 1; throw new Error('late')", True),
        ("({}).canary = 1", False),
        ("throw new Error('refused')", False),
    ],
)
def test_pollution_is_seen_on_every_shared_prototype(
    tmp_path: Path, body: str, *, fires: bool
) -> None:
    """Added, replaced or removed, also if the library fails afterwards; own objects are ordinary."""
    harness = f"const {{ pollution }} = require('./driver.js');\nexports.oneInput = () => pollution(() => {{ {body} }});\n"
    found = _driver(tmp_path, harness)(b"", "canary")
    assert ("canary" in found) == fires
    assert found["ended"] == "returned"


@needs_node
def test_a_call_counts_even_if_it_takes_the_process_down(tmp_path: Path) -> None:
    """What was called has been called; the token is not in the environment when the harness runs."""
    harness = """
const calls = []; exports.calls = calls;
exports.oneInput = async (data) => {
  if (data.length === 0) throw new TypeError(String(process.env.LEADLINE_CANARY));
  calls.push(1);
  setImmediate(() => { throw new Error("uncaught"); });
  await new Promise(() => {});
};
"""
    run = _driver(tmp_path, harness)
    assert run(b"", "canary") == {"ended": "refused TypeError"}
    assert run(b"x", "canary")["canary"] == "token"


@needs_node
def test_processor_time_ends_a_pattern_that_never_would(tmp_path: Path) -> None:
    """An exponential pattern is stopped just after the limit; waiting costs no processor time."""
    harness = """
exports.oneInput = async (data) => {
  if (data.length > 0) return /^(a+)+$/.test(data.toString());
  await new Promise((resolve) => setTimeout(resolve, 300));
  return false;
};
"""
    run = _driver(tmp_path, harness)
    assert 300 < int(run(b"a" * 40 + b"!", "cpu", 300)["cpu"]) < 3000
    waited = run(b"", "cpu", 300)
    assert int(waited["cpu"]) < 200
    assert waited["ended"] == "returned"


def test_npm_brings_archives_by_hash_or_tells_why_not(tmp_path: Path) -> None:
    """The right bytes arrive; other bytes, no npm, and npm's own errors are reasons in words."""
    served = tmp_path / "served"
    served.mkdir()
    good = write_package(served, "1.0.0", FLAWED)
    copies = f'for last; do :; done\ncp {served}/toy-1.0.0.tgz "$PWD"/'
    npm = Npm(stand_in(tmp_path, copies), (), {"PATH": os.defpath})
    assert fetch([good], tmp_path / "got", npm) == {}
    other = Archive("toy", "1.0.0", good.file, "0" * 64, "npm")
    assert "another hash" in fetch([other], tmp_path / "bad", npm)[other]
    absent = Npm("", (), {})
    assert "nodejs and npm" in fetch([good], tmp_path / "none", absent)[good]
    says = 'echo "npm error code ETARGET\nnpm error notarget No matching version found" >&2; exit 1'
    failing = Npm(stand_in(tmp_path, says), (), {"PATH": os.defpath})
    assert fetch([good], tmp_path / "fail", failing) == {good: "No matching version found"}
    silent = Npm(stand_in(tmp_path, "exit 3"), (), {"PATH": os.defpath})
    assert fetch([good], tmp_path / "quiet", silent) == {good: "npm ended with 3"}
    slow = Npm(stand_in(tmp_path, "sleep 5"), (), {"PATH": os.defpath}, seconds=0.05)
    assert "did not finish" in fetch([good], tmp_path / "slow", slow)[good]


def test_npm_takes_many_packages_in_one_call() -> None:
    """Each once, in order, sixty at a time."""
    wanted = [Archive(f"toy{n:03}", "1.0.0", f"toy{n}", "0", "npm") for n in range(70)]
    groups = Npm("npm").groups([*reversed(wanted), wanted[0]])
    assert [len(group) for group in groups] == [60, 10]
    assert [one for group in groups for one in group] == wanted


def test_node_is_found_where_it_is_and_must_be_new_enough(tmp_path: Path) -> None:
    """Outside /usr it is bound at a neutral path; absent or old, the cure is named."""
    with pytest.raises(Unavailable, match="install the system packages nodejs"):
        node_interpreter(str(tmp_path))
    program = tmp_path / "node"
    for said, works in (("v18.20.4", True), ("v16.1.0", False), ("none", False)):
        program.write_text(f"#!/bin/sh\necho {said}\n", encoding="utf-8")
        program.chmod(0o755)
        if works:
            found = node_interpreter(str(tmp_path))
            assert (found.path, found.version) == ("/opt/node/node", "node-18.20.4")
            assert [(one.source, one.target) for one in found.binds] == [
                (str(program.resolve()), found.path)
            ]
        else:
            with pytest.raises(Unavailable, match="at least 18"):
                node_interpreter(str(tmp_path))


def test_without_node_the_items_of_npm_are_unavailable_with_the_cure(tmp_path: Path) -> None:
    """The others go on; these are listed with the reason, and tried again with another Node.js."""
    items = tmp_path / "items"
    shutil.copytree(SUITE.cache.items, items)
    for path in items.glob("*.toml"):
        if path.stem != "dset":
            path.unlink()
    (tmp_path / "lock").write_text("", encoding="utf-8")
    cache = Cache(tmp_path / "cache", items)
    (manifest,) = load_manifests(items)
    for one in manifest.archives():
        assert one.ecosystem == "npm"
    Filler(cache, tmp_path / "lock", {"PATH": str(tmp_path)}, ("--no-index",)).fill(
        lambda line: None
    )
    ((name, reason),) = Registry(cache).missing()
    assert name == "dset"
    assert "no Node.js" in reason


@needs_node
def test_a_task_of_npm_names_its_command_and_its_bound() -> None:
    """The fuzzer's command is Node.js itself; processor time is told as a bound."""
    node = node_interpreter()
    (slow,) = [one for one in load_manifests() if one.name == "semver"]
    task = task_file(slow, node, fuzz=True)
    assert task["fuzz"] == [node.path, "/task/fuzz.js"]
    assert (task["cpu_ms_max"], task["steps_max"]) == (3000, 0)
    assert "processor time" in brief(slow, node, fuzz=True)
