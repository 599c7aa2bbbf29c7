"""One run of a proof: a fresh box without a network, and what only its oracle may say about it.

Invariants: nothing that a program prints can make an oracle fire, but for a planted secret, which is
random and new in each run; a sanitizer's report counts only from the file whose random name its runtime
was given; a signal counts only where the shell in the box saw it, not as an exit code. What a program
that is itself hostile could still do is said in docs/reference/replay.md.
"""

import asyncio
import json
import re
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from leadline.core.clearing.replaying import Bundle, OracleKind, Shown
from leadline.core.errors import Invalid, Unavailable
from leadline.sandbox.box import Bind, Box, BoxConfig, identity, planned, python_binds
from leadline.sandbox.survey import python_env
from leadline.suites.crash import REPORT_BYTES_MAX, CrashReport, own_frames, parse_report

_R = TypeVar("_R")
TARGET, REPORT, GIVEN = "/target", "/report", "/box"
BOXES_AT_ONCE = 3
KEPT_BYTES_MAX = 64 << 10  # of what a program printed
_READ_SECONDS = 10.0
_SCRIPT_SECONDS = 30.0
_FLAG_BITS = 128
_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV"}
_ASAN = "detect_leaks=0:allocator_may_return_null=1:print_legend=0:symbolize={symbolize}"
_UBSAN = (
    "halt_on_error=1:print_stacktrace=1:report_error_type=1:print_summary=1:symbolize={symbolize}"
)
# What is left on the shell's own standard error is its word that a signal ended the program: that tells
# a signal from an exit code of 128 and more.
_RUN = ("/bin/sh", "-c", '( exec "$@" <"$GIVEN_INPUT" >/report/out 2>/report/err ); exit $?', "sh")
_NOT_STARTED = re.compile(
    r"exec: |not found|Permission denied|error while loading shared libraries"
    r"|symbol lookup error"
)
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named [\w'.]+|can't open file '[^'\n]*'")
_NO_PROGRAM = (126, 127)
_PLACE = re.compile(rf"^ *#\d+ 0x[0-9a-f]+ in (\w+) {TARGET}/([\w./+-]+:\d+)", re.MULTILINE)
_SUMMARY = re.compile(r"^SUMMARY: \w+Sanitizer: (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Raw:
    """How one run ended, before its oracle is asked: a signal's name, ``timeout``, a limit, or nothing."""

    ended: str
    returncode: int
    report: str
    out: bytes
    err: bytes
    millis: int
    complaint: bool  # the shell itself said that a signal ended the program


@dataclass(frozen=True, slots=True)
class HostBench:
    """A built program in *folder*; see `leadline.app.replay.Bench`."""

    bundle: Bundle
    folder: Path
    build: str
    tier: str = "shared-kernel"

    @property
    def environment(self) -> str:
        """The digest of the box that every run gets, its own binds apart."""
        return identity(planned(BoxConfig(workdir=REPORT, tier=self.tier))).seal

    def runs(self, data: bytes, times: int) -> Sequence[Shown]:
        """See the protocol; a few run at once."""
        return _all([partial(self._once, data)] * times)

    def each(self, inputs: Sequence[bytes]) -> Sequence[Shown]:
        """What each of *inputs* shows, in order, each in a box of its own."""
        return _all([partial(self._once, data) for data in inputs])

    def explained(self, data: bytes) -> str:
        """The report of one more run with names and lines in it; empty where there is none."""
        return _all([partial(self._report, data)])[0]

    async def _once(self, data: bytes) -> Shown:
        token = secrets.token_hex(_FLAG_BITS // 8)
        raw = await self._run(data, token, symbolize=False)
        code_ends = raw.returncode in _NO_PROGRAM and _NOT_STARTED.search(_text(raw.err))
        lacks = self.bundle.command[0] == "python3" and _NO_MODULE.search(_text(raw.err))
        if code_ends or lacks:
            told = lacks[0] if lacks else _first_line(raw.err)
            why = f"the program does not start here: {told}"
            return Shown(None, "not started", why=why, millis=raw.millis)
        if self.bundle.oracle.kind is OracleKind.SANITIZER:
            return self._sanitizer(raw)
        if self.bundle.oracle.kind is OracleKind.SIGNAL:
            fired = raw.complaint and self.bundle.oracle.fires(raw.ended, ())
            return Shown(fired, raw.ended, why=_ended(raw), millis=raw.millis)
        if self.bundle.oracle.kind is OracleKind.FLAG:
            fired = token.encode() in raw.out or token.encode() in raw.err
            return Shown(
                fired, "planted secret" if fired else raw.ended, why=_ended(raw), millis=raw.millis
            )
        return await self._script(raw)

    def _sanitizer(self, raw: Raw) -> Shown:
        report = parse_report(raw.report)
        if report is None:
            summary = _SUMMARY.search(raw.report)
            if summary is None:
                return Shown(fired=False, kind=raw.ended, why=_ended(raw), millis=raw.millis)
            report = CrashReport(summary[1], (), raw.report)
        try:
            named, _ = own_frames(report, self._host_path)
        except (Invalid, OSError):
            named = ()
        frames = tuple(name for name in named if name != "_start")
        fired = self.bundle.oracle.fires(report.kind, frames)
        near = f" in {' < '.join(frames[:3])}" if frames else ""
        why = "" if fired else f"another report: {report.kind}{near}"
        return Shown(fired, report.kind, frames, why, raw.millis)

    def _host_path(self, module: str) -> Path | None:
        path = PurePosixPath(module)
        if not path.is_relative_to(TARGET) or ".." in path.parts:
            return None
        found = (self.folder / path.relative_to(TARGET)).resolve()
        return found if found.is_relative_to(self.folder.resolve()) and found.is_file() else None

    async def _report(self, data: bytes) -> str:
        raw = await self._run(data, secrets.token_hex(_FLAG_BITS // 8), symbolize=True)
        return raw.report

    async def _run(self, data: bytes, token: str, *, symbolize: bool) -> Raw:
        """One run in a fresh box.

        Raises: Unavailable, if no box could be had.
        """
        channel = secrets.token_hex(8)
        env = self._env(channel, symbolize=symbolize)
        try:
            with self._given(data, token) as config:
                async with await Box.start(config) as box:
                    started = time.monotonic()
                    ended, code, complaint = await self._exec(box, env)
                    millis = round(1000 * (time.monotonic() - started))
                    box.kill_all()
                    report = await _head(box, f"{REPORT}/{channel}.*", REPORT_BYTES_MAX)
                    out = await _head(box, f"{REPORT}/out", KEPT_BYTES_MAX)
                    err = await _head(box, f"{REPORT}/err", KEPT_BYTES_MAX)
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"no box to run the proof in: {error}") from error
        return Raw(ended, code, _text(report), out, err, millis, complaint)

    async def _exec(self, box: Box, env: Mapping[str, str]) -> tuple[str, int, bool]:
        argv = [*_RUN, *self._argv()]
        try:
            done = await box.exec(argv, cwd=TARGET, env=env, timeout=self.bundle.seconds)
        except TimeoutError:
            return "timeout", -1, False
        signal = _SIGNALS.get(done.returncode - 128, "")
        complaint = bool(done.stderr.strip()) and bool(signal)
        return done.limit or (signal if complaint else ""), done.returncode, complaint

    def _argv(self) -> list[str]:
        places = {name: f"{GIVEN}/files/{name}" for name in self.bundle.files}
        first, *rest = self.bundle.argv(places | {"proof": f"{GIVEN}/proof"})
        if first == "python3":
            script, *more = rest
            return ["/usr/bin/env", "python3", f"{TARGET}/{script}", *more]
        return [f"{TARGET}/{first}", *rest]

    def _env(self, channel: str, *, symbolize: bool) -> dict[str, str]:
        log = f":log_path={REPORT}/{channel}"
        flags = {"symbolize": int(symbolize)}
        return {
            **python_env(),
            "HOME": "/tmp",  # noqa: S108 -- inside the box
            "PYTHONPATH": f"{TARGET}/src:{TARGET}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIVEN_INPUT": f"{GIVEN}/proof" if self.bundle.stdin else "/dev/null",
            "ASAN_OPTIONS": _ASAN.format(**flags) + log,
            "UBSAN_OPTIONS": _UBSAN.format(**flags) + log,
        }

    @contextmanager
    def _given(self, data: bytes, token: str) -> Iterator[BoxConfig]:
        """The box of one run: build, proof and files read-only; the report's folder is its only own."""
        with tempfile.TemporaryDirectory(prefix="leadline-replay-") as scratch:
            root = Path(scratch)
            shown = {TARGET: self.folder.resolve(strict=True), GIVEN: root / "box"}
            files = {f"box/files/{name}": held for name, held in self.bundle.files.items()}
            if self.bundle.oracle.flag:
                files[self.bundle.oracle.flag.lstrip("/")] = token.encode()
                shown["/flag"] = root / "flag"
            _write(root, {"box/proof": data, **files})
            binds = [Bind(source=str(path), target=at) for at, path in shown.items()]
            yield BoxConfig(
                workdir=REPORT,
                binds=(*binds, *python_binds()),
                tier=self.tier,
                disk_mb=64,
                tmp_mb=64,
                fsize_mb=32,
            )

    async def _script(self, raw: Raw) -> Shown:
        """What the bundle's script says of a run, in a box that never saw the program."""
        told = {
            "ended": raw.ended,
            "returncode": raw.returncode,
            "signal": raw.complaint,
            "report": raw.report,
            "millis": raw.millis,
        }
        seen = {"out": raw.out, "err": raw.err, "run.json": json.dumps(told).encode()}
        try:
            with tempfile.TemporaryDirectory(prefix="leadline-script-") as scratch:
                _write(Path(scratch), {**self.bundle.files, **seen})
                bind = Bind(source=scratch, target=GIVEN)
                config = BoxConfig(workdir=REPORT, binds=(bind, *python_binds()), tier=self.tier)
                async with await Box.start(config) as box:
                    argv = ["/usr/bin/env", "python3", f"{GIVEN}/{self.bundle.oracle.script}"]
                    done = await box.exec(
                        argv, cwd=GIVEN, env=python_env(), timeout=_SCRIPT_SECONDS
                    )
        except TimeoutError:
            return Shown(None, "script", why="the script did not end", millis=raw.millis)
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"no box to run the script in: {error}") from error
        return _judged(done.stdout, raw)


def _judged(said: bytes, raw: Raw) -> Shown:
    """The script's typed word: one JSON object ``{"fired": true or false, "why": text}``."""
    try:
        word = json.loads(said)
        fired, why = word["fired"], str(word["why"])[:300]
    except (ValueError, TypeError, KeyError, RecursionError):
        fired, why = None, ""
    if not isinstance(fired, bool):
        cure = 'the script gave no verdict: one JSON object with "fired" and "why" is due'
        return Shown(None, "script", why=cure, millis=raw.millis)
    return Shown(fired, "script", why=why, millis=raw.millis)


def _all(jobs: Sequence[Callable[[], Awaitable[_R]]]) -> list[_R]:
    """What each job answers, in order, a few at a time; not from a running event loop."""

    async def every() -> list[_R]:
        places = asyncio.Semaphore(BOXES_AT_ONCE)

        async def one(job: Callable[[], Awaitable[_R]]) -> _R:
            async with places:
                return await job()

        return list(await asyncio.gather(*(one(job) for job in jobs)))

    return asyncio.run(every())


async def _head(box: Box, pattern: str, most: int) -> bytes:
    """The first *most* bytes of what *pattern* names in the box; empty where nothing is."""
    script = f'for one in {pattern}; do [ -f "$one" ] && cat "$one"; done | head -c {most}'
    try:
        done = await box.exec(["/bin/sh", "-c", script], timeout=_READ_SECONDS)
    except TimeoutError as error:
        return f"unreadable: {type(error).__name__}".encode()
    return done.stdout[:most]


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """Write *files* below *root*, readable by a box's user whatever the umask is."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o644)
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def place_in(report: str) -> str:
    """The first own function of a report and its line, such as ``parse at src/a.c:12``; empty without."""
    found = _PLACE.search(report)
    return f"{found[1]} at {found[2]}" if found else ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _first_line(data: bytes) -> str:
    lines = _text(data).strip().splitlines() or [""]
    return "".join(c if c.isprintable() else " " for c in lines[0])[:200]


def _ended(raw: Raw) -> str:
    if raw.ended == "timeout":
        return "stopped at its time limit"
    if raw.ended in {"memory", "inodes", "unmeasured"}:
        return f"stopped at its limit of {raw.ended}"
    return f"ended by {raw.ended}" if raw.ended else ""
