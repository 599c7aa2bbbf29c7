"""Matching packages: throughput, latency of a change, differences from an oracle, and tools beside it.

    LEADLINE_VECTORS=FOLDER python bench/match.py --json [--quick] [--rivals VENV]

Inventories are made from a seed over the real advisories (PyPA and Go). The clock of the throughput runs
from raw texts (package, release) to lists per operator and to the operators of every advisory, with the
advisories prepared; reading and preparing them is a value of its own. All of it is one thread that waits
for nothing, so processor time is measured, and other load on the machine does not count. The oracle is
univers, walked through OSV's own evaluation, advisory by advisory. Whole commands are measured by the
wall clock, from start to answer. ``--rivals`` names a virtual environment that holds pip-audit and
cve-bin-tool; their databases are built from the same advisories.
"""

import gc
import json
import random
import re
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import _form as form
from bench import _inventories as made
from bench import _osv_oracle as oracle
from bench import _sbom_tools as tools

from leadline.app.match import match_files
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.engine import Bulk, Portfolio
from leadline.core.clearing.judge import Index
from leadline.core.clearing.product import Component, parse_purl
from leadline.formats import cyclonedx, osv
from leadline.formats.bounded_yaml import load_texts
from leadline.formats.document import load

OPERATORS, BATCHES = 2_000, 10
PER_SECOND_MIN, SCALE_MAX, RSS_MAX_MIB = 700_000, 11.0, 2048.0
NEW_ADVISORY_P99_MAX_MS, NEW_INVENTORY_P99_MAX_MS = 5.0, 25.0
SAMPLES = 20_000
ARCHIVES = ("pypa-advisories.tar.gz", "go-vulndb-osv.tar.gz")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    operators: int
    batches: int
    samples: int
    advisories: int
    inventories: int


FULL = Sizes(OPERATORS, BATCHES, SAMPLES, 2_000, 1_100)
QUICK = Sizes(1_000, 10, 2_000, 400, 100)


def told(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{text}\n")


def documents(folder: Path) -> Iterator[Mapping[str, object]]:
    """Every advisory of the vectors as it stands."""
    for name in ARCHIVES:
        with tarfile.open(folder / "advisories" / name) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file:
                    data = file.read()
                    held = load_texts(data, name) if "pypa" in name else load(data, name)
                    assert isinstance(held, dict)
                    yield held


def prepared(advisories: Sequence[Advisory]) -> Index:
    """An index with the table of every package."""
    index = Index(advisories)
    for package in list(index.packages):
        index.table(package)
    return index


def throughput(index: Index, market: made.Market, sizes: Sizes) -> dict[str, tuple[float, str]]:
    """Seconds for one batch of operators and for ten, everything kept in memory."""
    bulk = Bulk(index)
    kept, spent, instances, first, first_count = [], 0.0, 0, 0.0, 0
    for batch in range(sizes.batches):
        texts = list(made.inventories(market, sizes.operators, 100 + batch))
        instances += sum(len(packages) for packages, _ in texts)
        gc.collect()
        begun = time.process_time()
        kept.append(bulk.lists(texts))
        spent += time.process_time() - begun
        if batch == 0:
            begun = time.process_time()
            bulk.running()
            first = spent + time.process_time() - begun
            first_count = instances
        told(f"  batch {batch + 1} of {sizes.batches}: {instances} instances in {spent:.2f} s")
    begun = time.process_time()
    running = bulk.running()
    spent += time.process_time() - begun
    return {
        "instances_small": (first_count, "instances"),
        "seconds_small": (first, "s"),
        "instances_large": (instances, "instances"),
        "seconds_large": (spent, "s"),
        "pairs_listed": (sum(len(one.advisory) for one in kept), "pairs"),
        "advisories_with_operators": (len(running), "advisories"),
        "rss": (tools.peak_mib(), "MiB"),
    }


def components(texts: made.Texts) -> list[Component]:
    """The components of one inventory."""
    return [
        Component(str(place), "", version, parse_purl(package).package)
        for place, (package, version) in enumerate(zip(*texts, strict=True))
    ]


def sbom(texts: made.Texts) -> bytes:
    """The inventory as CycloneDX."""
    parts = [
        {
            "type": "library",
            "bom-ref": f"c{place}",
            "name": package.rpartition("/")[2],
            "version": version,
            "purl": f"{package}@{version}",
        }
        for place, (package, version) in enumerate(zip(*texts, strict=True))
    ]
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    return json.dumps(head | {"components": parts}).encode()


def latencies(
    advisories: Sequence[Advisory], market: made.Market, sizes: Sizes
) -> dict[str, tuple[float, str]]:
    """A new advisory against all operators, and a new inventory (with reading it) against all advisories.

    As `Portfolio` says of processes that keep one: what was loaded is frozen, and garbage is collected
    between arrivals, which is told apart. The last tenth arrives with the collector left to itself, so that
    the difference shows.
    """
    portfolio = Portfolio()
    for advisory in advisories:
        portfolio.put_advisory(advisory)
    for number, texts in enumerate(made.inventories(market, sizes.operators, 7)):
        portfolio.put_inventory(f"operator-{number}", components(texts))
    rng = random.Random(8)  # noqa: S311 -- a seed for a measurement
    chosen = rng.sample(advisories, min(sizes.advisories, len(advisories)))
    gc.collect()
    gc.freeze()
    gc.disable()
    new_advisory, new_inventory, left_alone, between = [], [], [], []
    for advisory in chosen:
        portfolio.withdraw(advisory.id)
        begun = time.process_time()
        portfolio.put_advisory(advisory)
        portfolio.running(advisory.id)
        new_advisory.append((time.process_time() - begun) * 1000)
    files = [sbom(texts) for texts in made.inventories(market, sizes.inventories, 9)]
    cyclonedx.parse(files[0])  # compiles the schema once
    for number, data in enumerate(files):
        begun = time.process_time()
        portfolio.put_inventory(f"new-{number}", cyclonedx.parse(data).components)
        portfolio.concerning(f"new-{number}")
        taken = (time.process_time() - begun) * 1000
        if number >= len(files) - len(files) // 10:
            left_alone.append(taken)
            gc.enable()
            continue
        new_inventory.append(taken)
        begun = time.process_time()
        gc.collect(1)
        between.append((time.process_time() - begun) * 1000)
    told(f"  {len(new_advisory)} advisories and {len(new_inventory)} inventories came anew")
    return {
        "new_advisory_median": (statistics.median(new_advisory), "ms"),
        "new_advisory_p99": (statistics.quantiles(new_advisory, n=100)[98], "ms"),
        "new_inventory_median": (statistics.median(new_inventory), "ms"),
        "new_inventory_p99": (statistics.quantiles(new_inventory, n=100)[98], "ms"),
        "collecting_between_median": (statistics.median(between), "ms"),
        "collector_left_alone_worst": (max(left_alone), "ms"),
    }


def differences(
    held: Sequence[Mapping[str, object]], index: Index, market: made.Market, sizes: Sizes
) -> dict[str, tuple[float, str]]:
    """Instances, drawn among those whose package is named, on which engine and oracle differ."""
    other = oracle.Oracle(held)
    drawn: list[tuple[str, str]] = []
    for packages, versions in made.inventories(market, sizes.samples // 100 + 1, 11):
        pairs = zip(packages, versions, strict=True)
        drawn += [pair for pair in pairs if not pair[0].startswith("pkg:pypi/sample-")][:100]
    drawn = drawn[: sizes.samples]
    bulk = Bulk(index)
    lists = bulk.lists([([package for package, _ in drawn], [version for _, version in drawn])])
    ours: dict[int, set[int]] = {}
    for component, advisory, status in lists.of(0):
        if status == "affected":
            ours.setdefault(component, set()).add(advisory)
    differing = [
        (pair, ours.get(place, set()) ^ other.affected(*pair))
        for place, pair in enumerate(drawn)
        if ours.get(place, set()) != other.affected(*pair)
    ]
    for pair, advisories in differing[:10]:
        told(f"  differs: {pair} {sorted(str(held[number]['id']) for number in advisories)}")
    return {
        "oracle_samples": (len(drawn), "instances"),
        "oracle_distinct": (len(set(drawn)), "pairs"),
        "oracle_differences": (len(differing), "instances"),
    }


def beside(
    folder: Path, held: Sequence[Mapping[str, object]], texts: made.Texts, rivals: Path | None
) -> tuple[dict[str, tuple[float, str]], list[str]]:
    """Whole commands on one inventory of Python packages: seconds and advisories found."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "bom.json").write_bytes(sbom(texts))
        (work / "advisories").mkdir()
        for archive in ARCHIVES:
            (work / "advisories" / archive).symlink_to(folder / "advisories" / archive)
        answer = match_files(work / "bom.json", work / "advisories")
        affected = {m.advisory for m in answer.matching.matches if m.status == "affected"}
        argv = [sys.executable, "-m", "leadline", "match", str(work / "bom.json")]
        argv += ["--advisories", str(work / "advisories"), "--json"]
        seconds = tools.timed(argv, work)[0]
        found: dict[str, tuple[float, str]] = {
            "leadline_whole_command": (seconds, "s"),
            "leadline_advisories": (len(affected), "advisories"),
        }
        missing = []
        for tool in (tools.pip_audit, tools.cve_bin_tool):
            told(f"  {tool.__name__} ...")
            try:
                seconds, count = tool(rivals, work, held, texts)
            except tools.UnavailableError as error:
                missing.append(f"{tool.__name__.replace('_', '-')}: {error}")
                continue
            found[f"{tool.__name__}_whole_command"] = (seconds, "s")
            found[f"{tool.__name__}_advisories"] = (count, "advisories")
        return found, missing


def python_only(texts: made.Texts) -> made.Texts:
    """The components of PyPI, each package once, so that every tool can read the list."""
    held: dict[str, str] = {}
    for package, version in zip(*texts, strict=True):
        if package.startswith("pkg:pypi/") and re.fullmatch(r"[0-9][0-9A-Za-z.]*", version):
            held.setdefault(package, version)
    return list(held), list(held.values())


def measured(folder: Path, sizes: Sizes, rivals: Path | None) -> form.Entry:
    """Everything, as the document that is printed."""
    env = form.machine()
    begun = time.process_time()
    held = list(documents(folder))
    advisories = [osv.read(document) for document in held]
    read = time.process_time() - begun
    index = prepared(advisories)
    ready = time.process_time() - begun - read
    market = made.market(advisories, 1)
    told(f"{len(advisories)} advisories read in {read:.2f} s and prepared in {ready:.2f} s")
    values = throughput(index, market, sizes)
    values |= {"advisories_read": (read, "s"), "advisories_prepared": (ready, "s")}
    values |= differences(held, index, market, sizes)
    values |= latencies(advisories, market, sizes)
    texts = python_only(next(made.inventories(market, 1, 12)))
    found, missing = beside(folder, held, texts, rivals)
    values |= found | {"whole_command_components": (len(texts[0]), "components")}
    small, large = values["seconds_small"][0], values["seconds_large"][0]
    rate = values["instances_small"][0] / small
    values["instances_per_second"] = (rate, "1/s")
    ratios = {
        "instances_per_second": form.ratio(rate, PER_SECOND_MIN, ">="),
        "ten_times_as_many": form.ratio(large / small, SCALE_MAX, "<=", round(small, 4)),
        "rss_mib": form.at_most(values["rss"][0], RSS_MAX_MIB),
        "new_advisory_p99_ms": form.at_most(values["new_advisory_p99"][0], NEW_ADVISORY_P99_MAX_MS),
        "new_inventory_p99_ms": form.at_most(
            values["new_inventory_p99"][0], NEW_INVENTORY_P99_MAX_MS
        ),
        "oracle_differences": form.at_most(values["oracle_differences"][0], 0),
    }
    return form.document("match", env, form.values(values), ratios, missing)


def main() -> None:
    """Print what was measured."""
    parser = form.parser(__doc__, "fewer operators, samples and repeats")
    parser.add_argument("--rivals", type=Path, help="a virtual environment with the other tools")
    asked = parser.parse_args()
    folder = form.vectors()
    if folder is None:
        sys.exit("LEADLINE_VECTORS names no folder of published vectors")
    form.show(measured(folder, QUICK if asked.quick else FULL, asked.rivals), as_json=asked.json)


if __name__ == "__main__":
    main()
