"""How fast reports are taken, how fast their proofs are replayed, and that a kill loses none.

    python bench/intake.py --json [--quick]

*accepted_s*: 10,000 reports of 50 projects, one JSON line each with its proof, from the start of a process that
hands them in over the command's own path to its end: read and checked, judged by contracts, sealed, committed.

*kills*: the same lines are handed in to another installation by a process that is killed (SIGKILL) at random
moments of its first second, 20 times, each time begun again with the first report that was not acknowledged. What a process
printed after a transaction is acknowledged. Lost is every acknowledged report whose finding, receipt, act and
proof are not all there afterwards, byte for byte, and every act that is not in the log.

*replays*: a sample of the proofs waits in the shard table and is drained by one worker: proof out of the vault, five
runs of a tiny program in fresh boxes, verdict and act into the record. The rate is printed, and what the 10,000
would take at that rate.

*overhead*: one run of that proof in a fresh box, begun, asked and taken away, beside the same program run bare, one
after the other; the difference of the medians is what replaying adds to a program's own run.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import _form as form

if TYPE_CHECKING:
    from leadline.app.context import Context

COUNT, KILLS, REPLAYS = 10_000, 20, 200
QUICK_COUNT, QUICK_KILLS, QUICK_REPLAYS = 1_000, 4, 10
PROJECTS, PEOPLE = 50, 20
SECONDS_MAX = 60.0
OVERHEAD_MS_MAX, RUNS = 50.0, 40
LONGEST = 1.0  # seconds until a kill, from the moment its process begins to hand in
SEED = 20_261_121
PROGRAM = b'#!/bin/sh\nread -r word < "$1"\ncase "$word" in boom*) kill -SEGV $$;; esac\n'
FINDER, SCREENER = "bench-finder", "bench-screener"


def tell(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def proof_of(number: int) -> bytes:
    """The proof of one report; each differs."""
    return f"boom {number}\n".encode()


def lines(count: int) -> Iterator[bytes]:
    """The reports, the same for every run."""
    chance = random.Random(SEED)  # noqa: S311 -- a corpus, no secret
    for number in range(count):
        project = chance.randrange(PROJECTS)
        told = {
            "schema": "leadline-finding-1",
            "title": f"Overflow {number} in decoder {project}",
            "description": f"Input {number} writes past the end of a buffer. " * 8,
            "found": {"by": chance.choice(["ai", "tool"]), "confirmed_by": "A person"},
            "component": f"pkg:pypi/sample-{project}@1.{chance.randrange(9)}",
            "weakness": chance.choice(["CWE-787", "CWE-125", "CWE-400"]),
            "severity": {"level": chance.choice(["low", "medium", "high", "critical"])},
            "locations": [
                {"file": f"src/part_{chance.randrange(40)}.c", "lines": [number + 1, number + 2]}
            ],
            "reproducer": {
                "base64": base64.b64encode(proof_of(number)).decode(),
                "oracle": "SIGSEGV",
            },
        }
        yield json.dumps(told).encode() + b"\n"


def contexts(home: Path) -> tuple["Context", "Context"]:
    """A finder and a coordinator of an installation."""
    from leadline.settings import Home
    from leadline.store.sql import open_store
    from leadline.wiring import home as wiring

    place = Home(home)
    parts = wiring.open_parts(place, open_store(place.database, kinds=wiring.KINDS))
    with parts.store.read() as view:
        people = [view.principal(one) for one in (FINDER, SCREENER)]
    finder, screener = (parts.context(person) for person in people)
    return finder, replace(screener, assurance=2)


def founded(home: Path) -> None:
    """An installation with two people and the terms of 50 projects, some of which share their readers."""
    from leadline.app import contracts
    from leadline.core.access import Principal
    from leadline.formats.contract_toml import load_contract
    from leadline.settings import Home
    from leadline.store.sql import open_store
    from leadline.wiring import home as wiring

    place = Home(home)
    wiring.make(place)
    store = open_store(place.database, kinds=wiring.KINDS)
    until = wiring.clock() + timedelta(days=30)
    with store.write() as tx:
        for id_, role, cases in ((FINDER, "finder", ()), (SCREENER, "coordinator", ("intake",))):
            roles, named = frozenset({role}), frozenset(cases)
            tx.put_principal(
                Principal(
                    id_, f"Sample {role}", f"{id_}-org", roles, access_until=until, cases=named
                )
            )
    store.close()
    _, screener = contexts(home)
    for number in range(PROJECTS):
        text = (
            f'project = "sample-{number}"\ncontact = "security@example.org"\n'
            f'packages = ["pkg:pypi/sample-{number}"]\nmaintainers = ["Person {number % PEOPLE}"]\n'
            f"per_week = {1 + number % 7}\nmax_open = 5\n"
            '[[exclusion]]\nclause = "1"\nsays = "Slow input."\nweaknesses = ["CWE-400"]\n'
        ).encode()
        contracts.add(screener, load_contract(text), text)


def accept(home: Path, file: Path, skip: int, ready: Path | None) -> None:
    """In a process of its own: hand in all lines but the first *skip*; print the ids of each transaction."""
    from leadline.app import offered, reports
    from leadline.core.clearing.report import Receipt, Told

    finder, _ = contexts(home)
    found = offered.offered(file, Told(finder.now))
    drafts = (draft for one in found for draft in one.drafts)
    for _ in range(skip):
        next(drafts)
    if ready is not None:
        ready.touch()
    for some in reports.submitting(finder, drafts):
        ids = [one.finding for one in some if isinstance(one, Receipt)]
        assert len(ids) == len(some), "a report was not taken"
        sys.stdout.write(" ".join(ids) + "\n")
        sys.stdout.flush()


def accepting(
    home: Path, file: Path, skip: int = 0, ready: Path | None = None
) -> "subprocess.Popen[str]":
    """The process that accepts; it makes *ready* when it begins to hand in."""
    words = [sys.executable, __file__, "--accept", str(home), str(file), "--skip", str(skip)]
    words += ["--ready", str(ready)] if ready else []
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def whole(text: str) -> list[str]:
    """The ids in what a process printed; a line that a kill cut short acknowledges nothing."""
    return [
        one
        for line in text.splitlines(keepends=True)
        if line.endswith("\n")
        for one in line.split()
    ]


def accepted(folder: Path, file: Path) -> tuple[float, list[str]]:
    """Seconds of the whole process, and the ids."""
    home = folder / "accepted"
    founded(home)
    begun = time.perf_counter()
    process = accepting(home, file)
    told, _ = process.communicate()
    taken = time.perf_counter() - begun
    assert process.returncode == 0, "the accepting process failed"
    return taken, whole(told)


def killed(folder: Path, file: Path, count: int, kills: int) -> tuple[int, int, int]:
    """Kills that struck, acknowledged reports that are lost, and reports that are there twice or not at all."""
    chance = random.Random(SEED)  # noqa: S311 -- moments of a test
    home = folder / "killed"
    founded(home)
    known, struck = list[str](), 0
    while struck < kills:
        ready = folder / "ready"
        ready.unlink(missing_ok=True)
        process = accepting(home, file, len(known), ready)
        while not ready.exists() and process.poll() is None:
            time.sleep(0.005)
        try:
            told, _ = process.communicate(timeout=chance.uniform(0.0, LONGEST))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            told, _ = process.communicate()
            struck += 1
        known += whole(told)
        if len(known) >= count and struck < kills:
            # Everything is in: what is left of the kills strikes another installation.
            lost, wrong = missing(home, known)
            assert not wrong
            if lost:
                return struck, lost, wrong
            home = folder / f"killed-{struck}"
            founded(home)
            known = []
    process = accepting(home, file, len(known))
    told, _ = process.communicate()
    known += whole(told)
    lost, wrong = missing(home, known)
    return struck, lost, wrong + abs(count - len(set(known)))


def missing(home: Path, known: list[str]) -> tuple[int, int]:
    """How many of the acknowledged are not wholly there, and how many acts are out of order."""
    from leadline.app import reports
    from leadline.core.clearing.finding import Finding
    from leadline.core.clearing.report import Report, standing
    from leadline.core.record.act import Kind

    _, screener = contexts(home)
    lost, parcels = 0, dict[str, bytes]()
    with screener.store.read() as view:
        acts = {one.act.about: one.act for one in view.acts(kind=Kind.FINDING_SUBMITTED)}
        recorded = len(view.acts(kind=Kind.FINDING_SUBMITTED))
        rows = {row.id: row.value for row in view.find(Finding)}
        kept = {row.value.finding: row.value for row in view.find(Report)}
        view.log_files()  # raises, where a leaf or a tile is missing
    for id_ in known:
        row, report, act = rows.get(id_), kept.get(id_), acts.get(id_)
        if row is None or report is None or report.proof is None or act is None:
            lost += 1
            continue
        if report.parcel not in parcels:
            parcels[report.parcel] = screener.vault.get(report.parcel)
        span = report.proof
        data = parcels[report.parcel][span.start : span.start + span.length]
        sound = hashlib.sha256(data).hexdigest() == row.proof_sha256 and standing([act]) is not None
        lost += not sound
    if known:
        assert reports.proof(screener, known[0])
    # An act without an acknowledgement is one that was durable when its process was killed: none is doubled.
    return lost, recorded - len(acts)


def overhead(folder: Path) -> tuple[float, float]:
    """Milliseconds of one run in a box, and of the same program bare: medians."""
    from leadline.core.clearing.replaying import Build, BuildWith, Bundle, Oracle, OracleKind
    from leadline.runner.replay.runs import HostBench

    built, proof = folder / "alone", folder / "alone.proof"
    built.mkdir()
    (built / "parser").write_bytes(PROGRAM)
    (built / "parser").chmod(0o755)
    proof.write_bytes(proof_of(0))
    bundle = Bundle(
        *("sample", "", "", (), Build(BuildWith.COMMAND, steps=(("true",),), sanitizers=())),
        command=("./parser", "{proof}"),
        proof="proof",
        oracle=Oracle(OracleKind.SIGNAL),
        files={"proof": proof_of(0)},
    )
    bench, boxed, bare = HostBench(bundle, built, "0" * 64), list[float](), list[float]()
    for _ in range(RUNS):
        begun = time.perf_counter()
        (shown,) = bench.runs(proof_of(0), 1)
        boxed.append((time.perf_counter() - begun) * 1000)
        assert shown.fired, "the proof did not work"
        begun = time.perf_counter()
        done = subprocess.run([built / "parser", proof], check=False, stdout=subprocess.DEVNULL)
        bare.append((time.perf_counter() - begun) * 1000)
        assert done.returncode == -signal.SIGSEGV, "the program did not crash"
    return statistics.median(boxed), statistics.median(bare)


def replayed(home: Path, ids: list[str], folder: Path) -> tuple[float, int]:
    """Seconds to drain the queue of these proofs, and how many were confirmed."""
    from leadline.app import replay, reports
    from leadline.core.clearing.replaying import Build, BuildWith, Bundle, Oracle, OracleKind
    from leadline.runner.replay.runs import HostBench
    from leadline.settings import Home
    from leadline.store.shards import open_executor
    from leadline.wiring.home import clock

    built = folder / "built"
    built.mkdir()
    (built / "parser").write_bytes(PROGRAM)
    (built / "parser").chmod(0o755)
    digest = hashlib.sha256(PROGRAM).hexdigest()
    finder, screener = contexts(home)
    del finder
    table = open_executor(Home(home).database)
    for id_ in ids:
        table.submit("bench", "replay", {"finding": id_}, total=1)
    confirmed, begun = 0, time.perf_counter()
    while shard := table.claim("bench-worker", now=clock(), lease_seconds=600.0, job="bench"):
        id_ = shard.input["finding"]
        bundle = Bundle(
            *("sample", "", "", (), Build(BuildWith.COMMAND, steps=(("true",),), sanitizers=())),
            command=("./parser", "{proof}"),
            proof="proof",
            oracle=Oracle(OracleKind.SIGNAL),
            files={"proof": reports.proof(screener, id_)},
        )
        result = replay.validate(
            screener, id_, bundle, lambda one: replay.replayed(one, HostBench(one, built, digest))
        )
        confirmed += result.confirmed
        table.finish(shard, now=clock(), result=digest)
    taken = time.perf_counter() - begun
    left = [one for one in table.shards("bench") if one.state != "done"]
    assert not left, "the queue did not drain"
    table.close()
    return taken, confirmed


def measured(*, quick: bool) -> form.Entry:
    """The document."""
    count, kills, sample = (
        (QUICK_COUNT, QUICK_KILLS, QUICK_REPLAYS) if quick else (COUNT, KILLS, REPLAYS)
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        env = form.machine(folder)
        file = folder / "reports.jsonl"
        file.write_bytes(b"".join(lines(count)))
        tell(f"{count} reports of {PROJECTS} projects, {file.stat().st_size >> 10} KiB")
        seconds, ids = accepted(folder, file)
        assert len(set(ids)) == count
        tell(f"accepted in {seconds:.1f} s; killing {kills} times")
        struck, lost, wrong = killed(folder, file, count, kills)
        tell(f"{struck} kills, {lost} acknowledged reports lost; replaying {sample}")
        from leadline.app.queueing import queued

        finder, _ = contexts(folder / "accepted")
        begun = time.perf_counter()
        waiting = queued(finder, ids)
        placed = time.perf_counter() - begun
        chosen = [one for one in ids if waiting.stands[one].stage.waits][:sample]
        drained, confirmed = replayed(folder / "accepted", chosen, folder)
        boxed, alone = overhead(folder)
    rate = len(chosen) / drained
    tell(f"{rate:.2f} findings replayed a second, {confirmed} of {len(chosen)} confirmed")
    found = {
        "accepted": (float(count), "reports"),
        "accepted_s": (seconds, "s"),
        "accepted_rate": (count / seconds, "reports/s"),
        "places_s": (placed, "s"),
        "kills": (float(struck), "kills"),
        "replays": (float(len(chosen)), "findings"),
        "replay_rate": (rate, "findings/s"),
        "replay_runs_rate": (5 * rate, "runs/s"),
        "drain_10000_h": (COUNT / rate / 3600, "h"),
        "run_in_a_box": (boxed, "ms"),
        "run_bare": (alone, "ms"),
        "load_after": (os.getloadavg()[0], ""),
    }
    ratios = {
        "accepted_s": form.at_most(seconds, SECONDS_MAX),
        "kills": form.ratio(struck, kills, ">="),
        "lost": form.at_most(lost, 0),
        "doubled_or_absent": form.at_most(wrong, 0),
        "not_confirmed": form.at_most(len(chosen) - confirmed, 0),
        "overhead_ms": form.at_most(boxed - alone, OVERHEAD_MS_MAX),
    }
    return form.document("intake", env, form.values(found), ratios)


def main() -> None:
    """Measure, or accept in a process of its own."""
    made = form.parser(__doc__, "1,000 reports, 4 kills, 10 replays")
    made.add_argument("--accept", nargs=2, type=Path, help=argparse.SUPPRESS)
    made.add_argument("--ready", type=Path, help=argparse.SUPPRESS)
    made.add_argument("--skip", type=int, default=0, help=argparse.SUPPRESS)
    asked = made.parse_args()
    if asked.accept:
        home, file = asked.accept
        accept(home, file, asked.skip, asked.ready)
        return
    form.show(measured(quick=asked.quick), as_json=asked.json)


if __name__ == "__main__":
    main()
