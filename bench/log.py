"""What the record costs: acknowledged acts a second, and proofs from a large log.

    python bench/log.py --json [--quick]

256 client threads each write a state row, an act and its log leaf through the store's own `write`, and
count a write when it has returned, so when it is durable. The files lie beside this script, on whatever
disk that is; `fsync_ms` says what a sync takes there. A cold proof comes from a database opened anew
whose pages the kernel was asked to forget, so that every page is read from the disk; `opened_anew` leaves
the kernel its pages. pymerkle does what it can of the same in the same run: a leaf
made durable (no state, no act), and an inclusion proof.
"""

import gc
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pymerkle import SqliteTree  # type: ignore[import-untyped]

from leadline.core.marking import Marking, Tlp
from leadline.core.record import tlog
from leadline.core.record.act import Act, Kind, Value
from leadline.store.connections import writing
from leadline.store.database import open_database
from leadline.store.sql import fresh_blinder, open_store
from leadline.store.tail import LogTail

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]
from bench import _form as form  # noqa: E402

import postgres  # noqa: E402 -- the suite's own server, started with syncs on

CLIENTS = 256
ACKS_MIN, COLD_MS_MAX = 2000.0, 10.0
MARKING = Marking(Tlp.AMBER_STRICT, frozenset())
NOW = datetime(2027, 3, 1, tzinfo=UTC)
FILL = 20_000  # leaves in one transaction while a large log is made


@dataclass(frozen=True, slots=True)
class Remark:
    """A state row of ordinary size."""

    text: str
    author: str
    count: int


KINDS: dict[type, str] = {Remark: "remark"}


def act(id_: str) -> Act:
    """An act as a finding leaves it."""
    detail: dict[str, Value] = {"digest": "ab" * 32, "severity": 7, "replayed": True}
    return Act(id_, Kind.FINDING_RECORDED, NOW, "person-0001", id_, "engagement-0001", detail)


def clients(write: Callable[[str], object], threads: int, seconds: float) -> list[float]:
    """Let *threads* clients write for a while; the seconds that each acknowledged write took."""
    taken: list[float] = []
    begin = threading.Barrier(threads + 1)
    last = [0.0]

    def client(name: int) -> None:
        mine = list[float]()
        begin.wait()
        for number in count():
            begun = time.perf_counter()
            if begun > last[0]:
                break
            write(f"act-{name}-{number}")
            mine.append(time.perf_counter() - begun)
        taken.extend(mine)

    running = [threading.Thread(target=client, args=(name,)) for name in range(threads)]
    for thread in running:
        thread.start()
    last[0] = time.perf_counter() + seconds
    begin.wait()
    for thread in running:
        thread.join()
    return taken


def quantile(taken: list[float], share: float) -> float:
    """Milliseconds that *share* of the times stay within."""
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))] * 1000


def acknowledged(url: str, threads: int, seconds: float) -> tuple[float, list[float]]:
    """Acts a second through the real write path, and what each took; every one is looked for after."""
    with closing(open_store(url, kinds=KINDS)) as store:

        def write(id_: str) -> None:
            with store.write() as tx:
                tx.put(id_, Remark("an ordinary remark", "person-0001", 3), marking=MARKING)
                tx.record(act(id_))

        begun = time.perf_counter()
        taken = clients(write, threads, seconds)
        spent = time.perf_counter() - begun
        with store.read() as view:
            assert view.log_size() == len(taken)
            assert len(view.find(Remark)) == len(taken)
            sample = view.acts(about="act-0-0")
            proof = view.inclusion(sample[0].index, len(taken))
        assert proof
    return len(taken) / spent, taken


def pymerkle_appends(folder: Path, threads: int, seconds: float) -> float:
    """Leaves a second that pymerkle makes durable, one commit each, as it does by itself."""
    with SqliteTree(str(folder / "pymerkle-append.db")) as tree:
        entry = os.urandom(33)
        begun = time.perf_counter()
        taken = clients(lambda _: tree.append_entry(entry), threads, seconds)
        return len(taken) / (time.perf_counter() - begun)


def fill(url: str, leaves: int) -> float:
    """A log of that size, acts and blinders included, in large transactions; leaves a second."""
    engine, edge, record = open_database(url), tlog.Edge(), os.urandom(300)
    begun = time.perf_counter()
    for start in range(0, leaves, FILL):
        with writing(engine) as connection:
            tail = LogTail(connection, edge)
            for number in range(start, min(leaves, start + FILL)):
                tail.add(act(f"act-{number}"), record, fresh_blinder())
            tail.flush()
        edge = tail.edge
    spent = time.perf_counter() - begun
    engine.dispose()
    return leaves / spent


def forget(file: Path) -> None:
    """Ask the kernel to drop the file's pages from memory."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(action: Callable[[], object]) -> float:
    """Seconds that one call takes, without the collector's."""
    gc.disable()
    begun = time.perf_counter()
    action()
    spent = time.perf_counter() - begun
    gc.enable()
    return spent


def places(size: int, repeats: int) -> Iterator[int]:
    """Leaves all over the log, the same in every run."""
    chance = random.Random(size)  # noqa: S311 -- repeats from run to run
    return (chance.randrange(size) for _ in range(repeats))


def proofs(file: Path, size: int, repeats: int) -> dict[str, list[float]]:
    """Seconds for inclusion proofs, cold and warm, each verified against the root."""
    kinds = ("cold", "opened_anew", "warm", "consistency")
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    with closing(open_store(f"sqlite:///{file}", kinds=KINDS)) as store:
        with store.read() as view:
            root = view.log_root()

        def prove(index: int) -> tuple[bytes, ...]:
            with store.read() as view:
                return view.inclusion(index, size)

        def connect(old: int) -> tuple[bytes, ...]:
            with store.read() as view:
                return view.consistency(old, size)

        for index in places(size, repeats):
            store.close()  # the next read connects anew
            forget(file)
            taken["cold"].append(timed(lambda index=index: prove(index)))  # type: ignore[misc]
            store.close()
            taken["opened_anew"].append(timed(lambda index=index: prove(index)))  # type: ignore[misc]
            taken["warm"].append(timed(lambda index=index: prove(index)))  # type: ignore[misc]
            taken["consistency"].append(timed(lambda index=index: connect(index or 1)))  # type: ignore[misc]
        leaf = leaf_of(file, 0)
        tlog.verify_inclusion(0, size, leaf, prove(0), root)
    return taken


def leaf_of(file: Path, index: int) -> bytes:
    """The leaf hash, from the entry itself."""
    engine = open_database(f"sqlite:///{file}")
    with engine.connect() as connection:
        query = "SELECT data FROM entry WHERE leaf = ?"
        data: bytes = connection.exec_driver_sql(query, (index,)).scalar_one()
    engine.dispose()
    return tlog.leaf_hash(data)


def pymerkle_proofs(
    file: Path, size: int, repeats: int, seconds: float
) -> tuple[float, list[float]]:
    """Leaves a second in bulk, and seconds for cold inclusion proofs of a tree of the same size."""
    entry = os.urandom(33)
    with SqliteTree(str(file)) as tree:
        begun = time.perf_counter()
        tree.append_entries((entry for _ in range(size)), chunksize=FILL)
        bulk = size / (time.perf_counter() - begun)
    taken = list[float]()
    begun = time.perf_counter()
    for index in places(size, repeats):
        forget(file)

        def prove(index: int = index) -> None:
            with SqliteTree(str(file)) as tree:
                tree.prove_inclusion(index + 1)

        taken.append(timed(prove))
        if time.perf_counter() - begun > seconds:
            break
    return bulk, taken


def on_postgresql(seconds: float) -> tuple[float, list[float]] | None:
    """As `acknowledged`, on a server of our own that syncs; None where none is installed."""
    programs = postgres.binaries()
    if programs is None:
        return None
    with postgres.serving(programs, postgres.DURABLE) as server:
        return acknowledged(server.create("bench"), CLIENTS, seconds)


def measure(*, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    seconds, size, repeats = (3.0, 100_000, 100) if quick else (10.0, 1_000_000, 300)
    found: dict[str, tuple[float, str]] = {}
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=HERE) as name:
        folder = Path(name)
        env = form.machine(folder)
        for threads in (1, 16, CLIENTS):
            url = f"sqlite:///{folder / f'acts-{threads}.db'}"
            rate, taken = acknowledged(url, threads, seconds if threads == CLIENTS else seconds / 3)
            found[f"sqlite_{threads}_clients"] = (rate, "acts/s")
            found[f"sqlite_{threads}_clients_p99"] = (quantile(taken, 0.99), "ms")
        found["pymerkle_256_clients"] = (
            pymerkle_appends(folder, CLIENTS, seconds / 3),
            "leaves/s",
        )
        log = folder / "large.db"
        found["fill"] = (fill(f"sqlite:///{log}", size), "acts/s")
        for kind, taken in proofs(log, size, repeats).items():
            for share in (0.5, 0.99):
                found[f"{kind}_proof_p{share * 100:.0f}"] = (quantile(taken, share), "ms")
        bulk, taken = pymerkle_proofs(folder / "pymerkle.db", size, repeats, 30.0)
        found["pymerkle_fill"] = (bulk, "leaves/s")
        for share in (0.5, 0.99):
            found[f"pymerkle_cold_proof_p{share * 100:.0f}"] = (quantile(taken, share), "ms")
    unavailable = ["postgresql"]
    if (server := on_postgresql(seconds)) is not None:
        unavailable = []
        found["postgresql_256_clients"] = (server[0], "acts/s")
        found["postgresql_256_clients_p99"] = (quantile(server[1], 0.99), "ms")
    ratios = {
        "sqlite_256_clients": form.ratio(found["sqlite_256_clients"][0], ACKS_MIN, ">="),
        "cold_proof_p99": form.ratio(found["cold_proof_p99"][0], COLD_MS_MAX, "<="),
    }
    values = form.values(found) | {"leaves": {"value": size, "unit": "leaves"}}
    return form.document("log", env, values, ratios, unavailable)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    options = form.parser(__doc__, "a smaller log, shorter runs").parse_args()
    form.show(measure(quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
