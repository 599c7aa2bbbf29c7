"""What sealing and opening an artefact costs, beside AES-GCM in memory measured in the same minute.

    python bench/vault.py --json [--quick] [--folder DIR]

One figure is one whole use of the vault: bytes in memory to a synced, sealed copy on disk, and from
there to verified plaintext in quarantine. The baseline is pyca's AESGCM over 1 MiB pieces of the same
bytes. `seal_cpu` and `open_cpu` count processor time of the ciphering thread alone: what a host with
idle cores and a quick disk comes near to. Runs alternate, and each ratio is the median over neighbours. With two workers, two processes
seal or open an artefact of their own at the same time; the figure is what both do together. One of
them keeps more than one core busy, because digest and disk work beside the cipher, so that on two
cores the second adds less than its like.
"""

import argparse
import json
import multiprocessing
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from leadline.core.account import RegisteredKey
from leadline.core.errors import NotFound
from leadline.core.marking import Marking, Tlp
from leadline.formats.tlog_policy import Policy
from leadline.vault.compartments import CompartmentKeys
from leadline.vault.keks import FileWrappingKeys
from leadline.vault.sealed import SealedVault

RATIO_MIN, SCALING_MIN = 0.12, 1.0
MIB = 1 << 20
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
    """One artefact of *size* MiB in and out."""
    held, content = vault(folder), secrets.token_bytes(size * MIB)
    parts = list(pieces(content))
    begun, begun_cpu = time.perf_counter(), time.thread_time()
    deposit = held.receive(
        parts,
        marking=Marking(Tlp.RED),
        engagement="bench",
        owner="agency",
        sealed=False,
        bytes_max=size * MIB,
    )
    sealed, sealed_cpu = time.perf_counter(), time.thread_time()
    with held.open(deposit.digest) as file:
        opened, opened_cpu = time.perf_counter(), time.thread_time()
        assert file.read(1) == content[:1]
    held.erase("bench", "agency")
    return Rates(
        size / (sealed - begun),
        size / (opened - sealed),
        size / (sealed_cpu - begun_cpu),
        size / (opened_cpu - sealed_cpu),
    )


def together(folder: Path, size: int, workers: int) -> Rates:
    """What so many processes do at the same time, each with a vault of its own."""
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        each = [(folder / f"{workers}-{number}", size) for number in range(workers)]
        for place, _ in each:
            place.mkdir(exist_ok=True)
        found = pool.starmap(once, each)
    columns = zip(*(astuple(one) for one in found), strict=True)
    return Rates(*(sum(column) for column in columns))


def in_memory(size: int) -> float:
    """AES-256-GCM over 1 MiB pieces, MiB per second."""
    cipher, piece = AESGCM(secrets.token_bytes(32)), secrets.token_bytes(MIB)
    begun = time.perf_counter()
    for number in range(size):
        cipher.encrypt(number.to_bytes(12, "big"), piece, b"")
    return size / (time.perf_counter() - begun)


def fsync_ms(folder: Path) -> float:
    """The median time to bring 4 KiB to this disk."""
    taken = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(20):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def measure(folder: Path, size: int, repeats: int) -> dict[str, list[float]]:
    """Every figure, as often as asked, taking turns."""
    found: dict[str, list[float]] = {
        name: []
        for name in ("memory", "seal_1", "open_1", "seal_2", "open_2", "seal_cpu", "open_cpu")
    }
    together(folder, 8, 1)  # the first use loads libraries and makes keys
    for _ in range(repeats):
        found["memory"].append(in_memory(size))
        for workers in (1, 2):
            rates = together(folder, size, workers)
            found[f"seal_{workers}"].append(rates.seal)
            found[f"open_{workers}"].append(rates.open)
            if workers == 1:
                found["seal_cpu"].append(rates.seal_cpu)
                found["open_cpu"].append(rates.open_cpu)
    return found


def ratio(over: list[float], under: list[float], least: float) -> dict[str, object]:
    """The median of the quotients of neighbours, with what it should be."""
    value = statistics.median(a / b for a, b in zip(over, under, strict=True))
    return {
        "value": round(value, 3),
        "baseline": round(statistics.median(under), 1),
        "target": least,
        "sense": ">=",
        "met": value >= least,
    }


def main() -> None:
    """Measure and print; exit 0 whenever it measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else the default")
    given = parser.parse_args()
    size, repeats = (64, 3) if given.quick else (512, 5)
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        load, fsync = os.getloadavg()[0], fsync_ms(Path(place))
        found = measure(Path(place), size, repeats)
    cpus = len(os.sched_getaffinity(0))
    ratios = {
        "seal": ratio(found["seal_1"], found["memory"], RATIO_MIN),
        "open": ratio(found["open_1"], found["memory"], RATIO_MIN),
        "seal_scaling": ratio(found["seal_2"], found["seal_1"], SCALING_MIN),
        "open_scaling": ratio(found["open_2"], found["open_1"], SCALING_MIN),
    }
    values = {
        name: {"value": round(statistics.median(rates), 1), "unit": "MiB/s"}
        for name, rates in found.items()
    }
    document = {
        "bench": "vault",
        "ok": all(bool(one["met"]) for one in ratios.values()),
        "env": {"cpus": cpus, "load": round(load, 2), "fsync_ms": round(fsync, 2)},
        "values": values,
        "ratios": ratios,
        "unavailable": [],
    }
    if not given.json:
        for name, one in values.items():
            print(f"{name:8} {one['value']:>10} MiB/s")
        for name, one in ratios.items():
            print(f"{name:13} {one['value']} (target >= {one['target']})")
    print(json.dumps(document))


if __name__ == "__main__":
    main()
