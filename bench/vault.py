"""What sealing and opening an artefact costs, beside AES-GCM in memory measured in the same minute.

    python bench/vault.py --json [--quick] [--folder DIR]

One figure is one whole use of the vault: bytes in memory to a synced, sealed copy on disk, and from
there to verified plaintext in quarantine. The baseline is pyca's AESGCM over the same bytes in memory;
plain synced writes of them to the same disk stand beside it. `seal_cpu` and `open_cpu` count processor
time of the ciphering thread alone. Runs alternate, and each ratio is the median over neighbours. A
single worker uses a second processor for the digest, so scaling is measured with every worker held to
one processor: two workers beside one.
"""

import multiprocessing
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from leadline.core.account import RegisteredKey
from leadline.core.errors import NotFound
from leadline.core.marking import Marking, Tlp
from leadline.formats.tlog_policy import Policy
from leadline.vault.compartments import CompartmentKeys
from leadline.vault.keks import FileWrappingKeys
from leadline.vault.sealed import SealedVault

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import _form as form

RATIO_MIN, SCALING_MIN = 0.12, 1.0
MIB = 1 << 20
READY: list[Barrier] = [multiprocessing.Barrier(1)]
NOW = datetime(2027, 3, 1, tzinfo=UTC)


def nobody(id_: str) -> RegisteredKey:
    """No person has a key here: what is measured is working content."""
    raise NotFound(id_)


def vault(folder: Path) -> SealedVault:
    """A vault in *folder* with its keys beside it."""
    keys = CompartmentKeys(
        folder / "vault" / "compartments",
        FileWrappingKeys(folder / "keys"),
        folder / "marks",
        clock=lambda: NOW,
        roster=nobody,
        policy=Policy,
    )
    return SealedVault(folder / "vault", keys)


def pieces(content: bytes) -> Iterator[bytes]:
    """The content as an upload brings it."""
    view = memoryview(content)
    for at in range(0, len(content), MIB):
        yield bytes(view[at : at + MIB])


@dataclass(frozen=True, slots=True)
class Rates:
    """MiB per second, and per second of processor time of the thread that ciphers."""

    seal: float
    open: float
    seal_cpu: float
    open_cpu: float


def once(folder: Path, size: int) -> Rates:
    """One artefact of *size* MiB in and out, each begun when every worker is ready for it."""
    held, content = vault(folder), secrets.token_bytes(size * MIB)
    parts = list(pieces(content))
    READY[0].wait()
    begun, begun_cpu = time.perf_counter(), time.thread_time()
    deposit = held.receive(
        parts,
        marking=Marking(Tlp.RED),
        engagement="bench",
        owner="agency",
        sealed=False,
        bytes_max=size * MIB,
    )
    sealed, sealed_cpu = time.perf_counter() - begun, time.thread_time() - begun_cpu
    READY[0].wait()
    begun, begun_cpu = time.perf_counter(), time.thread_time()
    with held.open(deposit.digest) as file:
        opened, opened_cpu = time.perf_counter() - begun, time.thread_time() - begun_cpu
        assert file.read(1) == content[:1]
    held.erase("bench", "agency")
    return Rates(
        size / sealed,
        size / opened,
        size / sealed_cpu,
        size / opened_cpu,
    )


def alone(folder: Path, size: int, cpu: int) -> Rates:
    """`once`, on one processor."""
    os.sched_setaffinity(0, {cpu})
    return once(folder, size)


def pinned(folder: Path, size: int, workers: int) -> Rates:
    """What so many processes do at the same time, each on a processor and with a vault of its own."""
    cpus = sorted(os.sched_getaffinity(0))
    return _side_by_side(
        alone, [(folder / f"{cpus[number]}", size, cpus[number]) for number in range(workers)]
    )


def together(folder: Path, size: int) -> Rates:
    """What one process does that may use every processor."""
    return _side_by_side(once, [(folder / "one", size)])


def _side_by_side(what: Callable[..., Rates], each: list[tuple[Path, *tuple[int, ...]]]) -> Rates:
    fork = multiprocessing.get_context("fork")
    READY[0] = fork.Barrier(len(each))  # inherited by those who fork
    with fork.Pool(len(each)) as pool:
        for place, *_ in each:
            place.mkdir(exist_ok=True)
        found = pool.starmap(what, each, chunksize=1)
    columns = zip(*(astuple(one) for one in found), strict=True)
    return Rates(*(sum(column) for column in columns))


def in_memory(content: bytes) -> float:
    """AES-256-GCM over *content* in pieces of 1 MiB, MiB per second."""
    cipher, parts = AESGCM(secrets.token_bytes(32)), list(pieces(content))
    begun = time.perf_counter()
    for number, piece in enumerate(parts):
        cipher.encrypt(number.to_bytes(12, "big"), piece, b"")
    return len(parts) / (time.perf_counter() - begun)


def written(folder: Path, content: bytes) -> float:
    """Plain writes of *content* to a new file, synced at the end, MiB per second."""
    place, parts = folder / "plain", list(pieces(content))
    begun = time.perf_counter()
    with place.open("wb", buffering=0) as file:
        for piece in parts:
            file.write(piece)
        os.fsync(file.fileno())
    taken = time.perf_counter() - begun
    place.unlink()
    return len(parts) / taken


def measure(folder: Path, size: int, repeats: int) -> dict[str, list[float]]:
    """Every figure, as often as asked, taking turns."""
    found: dict[str, list[float]] = {}

    def note(**rates: float) -> None:
        for name, rate in rates.items():
            found.setdefault(name, []).append(rate)

    together(folder, 8)  # the first use loads libraries and makes keys
    content = secrets.token_bytes(size * MIB)
    for _ in range(repeats):
        note(memory=in_memory(content))
        free, one, two = together(folder, size), pinned(folder, size, 1), pinned(folder, size, 2)
        note(seal=free.seal, open=free.open, seal_cpu=free.seal_cpu, open_cpu=free.open_cpu)
        note(seal_1=one.seal, open_1=one.open, seal_2=two.seal, open_2=two.open)
        note(plain_write=written(folder, content))
    return found


def quotient(over: list[float], under: list[float], least: float) -> form.Entry:
    """The median of the quotients of neighbours, with what it should be."""
    value = statistics.median(a / b for a, b in zip(over, under, strict=True))
    return form.ratio(value, least, ">=", round(statistics.median(under), 1))


def main() -> None:
    """Measure and print; exit 0 whenever it measured."""
    parser = form.parser(__doc__, "smaller, fewer repeats")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else the default")
    given = parser.parse_args()
    size, repeats = (64, 3) if given.quick else (256, 5)
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        env = form.machine(Path(place))
        found = measure(Path(place), size, repeats)
    ratios = {
        "seal": quotient(found["seal"], found["memory"], RATIO_MIN),
        "open": quotient(found["open"], found["memory"], RATIO_MIN),
        "seal_scaling": quotient(found["seal_2"], found["seal_1"], SCALING_MIN),
        "open_scaling": quotient(found["open_2"], found["open_1"], SCALING_MIN),
    }
    values = {name: (statistics.median(rates), "MiB/s") for name, rates in found.items()}
    told = form.document("vault", env, form.values(values), ratios)
    form.show(told, as_json=given.json)


if __name__ == "__main__":
    main()
