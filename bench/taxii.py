"""What fetching by TAXII 2.1 costs: a page of 100 of 100,000 objects, at every place of the collection.

    python bench/taxii.py --json [--quick]

`leadline serve` answers one client, which walks the whole public collection by the places that it is given, page
by page, as everybody may. It is held against the walk that each object is met once. On PostgreSQL the server
connects as a role behind the wall. Beside it, in the same run: a page of the framework alone with 25 rows.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from bench import _form as form
from bench import portal

import postgres
from leadline.app import sharing
from leadline.app.ports import Shared
from leadline.core.clearing.advisory import Advisory, Flaw, Revision, Statement
from leadline.core.clearing.product import parse_purl
from leadline.core.marking import Tlp
from leadline.formats import stix, taxii
from leadline.settings import Home
from leadline.store import distribution
from leadline.store.connections import engine_for, writing
from leadline.store.sql import open_store
from leadline.store.wall import INSTALLATION, identify
from leadline.wiring.home import KINDS, lines_of, make
from store.roles import application

OBJECTS, FEW, BATCH, PAGE = 100_000, 5_000, 1_000, 100
PAGE_MS_MAX, BESIDE_SECONDS = 100.0, 10
BEGUN = datetime(2027, 3, 1, tzinfo=UTC)
OPEN = f"/taxii2/leadline/collections/{sharing.PUBLIC.id}/"
WORDS = "A crafted object overruns a buffer on the heap; whoever sends one may run code of theirs. "


def objects(many: int) -> Iterator[list[Shared]]:
    """Vulnerabilities of as many advisories, some at a time, and what they share before them."""
    flaw = Flaw(
        ("CVE-2027-10000",), "A flaw", WORDS * 6, (Statement(parse_purl("pkg:pypi/x").package),)
    )
    held = Advisory("ADV", "A flaw", (flaw,), (Revision("1", BEGUN, "First."),), Tlp.CLEAR)
    *common, one = stix.objects(held)
    yield [_shared("ADV", each) for each in common]
    chance = random.Random(9)  # noqa: S311 -- repeats from run to run
    for first in range(len(common), many, BATCH):
        yield [
            _shared(f"ADV-{number}", one | {"id": _name(chance), "name": f"CVE-2027-{number}"})
            for number in range(first, min(first + BATCH, many))
        ]


def _name(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"vulnerability--{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _shared(about: str, one: stix.Json) -> Shared:
    body = json.dumps(one, separators=(",", ":"))
    at = datetime.fromisoformat(stix.version(one))
    return Shared(Tlp.CLEAR, "", about, str(one["id"]), str(one["type"]), at, body)


def seed(home: Home, many: int) -> None:
    """An installation in whose public collection there are *many* objects."""
    make(home)
    with closing(open_store(home.database, kinds=KINDS, lines=lines_of(home))):
        engine = engine_for(home.database)
    for number, some in enumerate(objects(many)):
        with writing(engine) as connection:
            identify(connection, INSTALLATION)
            distribution.give(connection, "", some, BEGUN + timedelta(seconds=number))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE shared")
    engine.dispose()


class Walker:
    """One client on one connection."""

    def __init__(self, origin: str) -> None:
        self._connection = HTTPConnection(urlsplit(origin).netloc, timeout=60)

    def asked(self, path: str) -> tuple[float, dict[str, object]]:
        """Milliseconds until the whole answer was here, and the answer."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers={"accept": taxii.MEDIA})
        answer = self._connection.getresponse()
        body = answer.read()
        taken = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise AssertionError(f"{answer.status} {path}: {body[:200]!r}")
        return taken, json.loads(body)

    def walk(self, path: str, query: str, most: int) -> tuple[list[float], list[str]]:
        """What each page of a walk took, at most so many, and the ids of what was met."""
        times, met, place = list[float](), list[str](), ""
        while len(times) < most:
            taken, told = self.asked(f"{path}?limit={PAGE}{query}{place}")
            times.append(taken)
            found = told.get("objects", [])
            assert isinstance(found, list)
            met += [one["id"] for one in found]
            if not told["more"]:
                break
            place = f"&next={told['next']}"
        return times, met


def p95(times: list[float]) -> float:
    """The time that 95 of 100 were within."""
    return sorted(times)[max(0, -(-95 * len(times) // 100) - 1)]


def on_database(folder: Path, url: str, many: int) -> dict[str, float]:
    """What pages cost there, in milliseconds."""
    with portal.serving(folder, url) as (origin, server):
        walker = Walker(origin)
        walker.walk(f"{OPEN}objects/", "", 20)
        before = portal.processor_seconds(server)
        times, met = walker.walk(f"{OPEN}objects/", "", many)
        spent = (portal.processor_seconds(server) - before) / len(times) * 1000
        if len(met) != many or len(set(met)) != many:
            raise AssertionError(f"{len(met)} met, {len(set(met))} of them different, of {many}")
        listed, _ = walker.walk(f"{OPEN}manifest/", "", 200)
        typed, _ = walker.walk(f"{OPEN}objects/", "&match[type]=vulnerability", 200)
        both = "&match[type]=identity,vulnerability&match[version]=all"
        mixed, _ = walker.walk(f"{OPEN}objects/", both, 200)
        rare = [walker.asked(f"{OPEN}objects/?match[type]=identity")[0] for _ in range(50)]
        chance = random.Random(1)  # noqa: S311 -- repeats from run to run
        one = [walker.asked(f"{OPEN}objects/{chance.choice(met)}/")[0] for _ in range(200)]
    return {
        "page_p95": p95(times),
        "page_max": max(times),
        "page_processor": spent,
        "manifest_p95": p95(listed),
        "of_a_type_p95": p95(typed),
        "of_types_all_versions_p95": p95(mixed),
        "of_a_rare_type_p95": p95(rare),
        "one_object_p95": p95(one),
    }


def measure(*, quick: bool) -> form.Entry:
    """The whole benchmark as the document that is printed."""
    env, many = form.machine(), FEW if quick else OBJECTS
    beside = portal.bare(BESIDE_SECONDS)
    found, unavailable = dict[str, dict[str, float]](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        seed(Home(Path(folder)), many)
        found["sqlite"] = on_database(Path(folder), "", many)
    programs = postgres.binaries()
    if programs is None:
        unavailable.append("postgresql")
    else:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres.Databases(programs) as server,
            server.fresh() as url,
        ):
            seed(Home(Path(folder), url), many)
            with application(url) as walled:
                found["postgresql"] = on_database(Path(folder), walled, many)
    values = {"bare_page_p99": (beside, "ms")}
    ratios = {}
    for database, times in found.items():
        values |= {f"{name}_{database}": (taken, "ms") for name, taken in times.items()}
        ratios[f"page_p95_{database}"] = form.at_most(times["page_p95"], PAGE_MS_MAX)
    return form.document("taxii", env, form.values(values), ratios, unavailable)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    options = form.parser(__doc__, "a twentieth of the objects").parse_args()
    form.show(measure(quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
