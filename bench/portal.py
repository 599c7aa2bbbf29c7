"""The portal under load: lists, details and search over an installation as large as is foreseen.

    python bench/portal.py --json [--quick]

Seeds 100,000 engagements, 100,000 cases, 1,000,000 findings and 2,000 operators straight into the tables,
beside cases and engagements that use cases opened; serves the portal with `leadline serve` as it is and
asks for 50 pages a second, whether or not the last were answered (open loop), with at most 20 in flight.
A page's time counts from the moment at which it was due. On PostgreSQL the portal connects by a role of its own,
for which row-level security holds (docs/reference/access.md). Beside it, in the same run, a bare page of the
framework: FastAPI and a Jinja template with 25 rows, from memory.

Beside the times stands what a page of each kind costs the server's processes in processor time, asked for
one after the other: that is nearly the same however busy the machine is. What a PostgreSQL server spends
is not in it, and the share of both processors that was idle, or that other machines of the same host took,
stands beside the times. Every finding was handed in by an act, so that the queue of reports is as full as the lists are;
the boards are of about 300 cases, of one of which 20,000 operators were told. People were told of all that was seeded, as they are where a record grows day
by day; what telling them of a million acts at once would cost is not in it.
"""

import argparse
import os
import queue
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import sqlalchemy as sa
from bench import _form as form

import postgres
from identity.people import HERE, House, house
from leadline.app import cases, engagement, outbox, sign_in
from leadline.app.cases import NewParty
from leadline.app.engagement import Dealings
from leadline.app.ports import Line, Opened, Stored
from leadline.core.access import Bounds
from leadline.core.assessment import Subject
from leadline.core.attention import Reached
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.contract import lane_of
from leadline.core.clearing.disclosure import Role
from leadline.core.clearing.finding import Finding, Severity
from leadline.core.clearing.operator import Enrolment, Exposure, Mode
from leadline.core.clearing.queue import changes
from leadline.core.engagement.engagement import Engagement
from leadline.core.marking import Marking, Tlp
from leadline.core.record import tlog
from leadline.core.record.act import Act, Kind, Value, to_record
from leadline.formats import canonical
from leadline.http.api.caller import COOKIE
from leadline.settings import Home, environment
from leadline.store import listing, projections
from leadline.store.connections import engine_for, writing
from leadline.store.records import Records
from leadline.store.sql import fresh_blinder
from leadline.store.tables import LISTING, STATE
from leadline.store.tail import LogTail
from leadline.wiring.desk import library
from leadline.wiring.home import KINDS, clock
from ports import free_port
from store.roles import application

PAGE_MS_MAX, CASE_MS_MAX = 150.0, 300.0
RATE, FLIGHT, PARTIES, OPENED = 50, 20, 200, 20
ALL_PARTIES = 500  # of a case with 2,000 acts: each was sent a message and answered twice
WORDS = [
    "parser",
    "buffer",
    "overflow",
    "header",
    "decoder",
    "socket",
    "index",
    "cache",
    "token",
    "image",
    "archive",
    "driver",
]
OWN = Marking(Tlp.AMBER_STRICT)
NAMED = (
    300  # cases that the coordinator is named for beside intake, and engagements of the evaluator
)
BATCH = 20_000
WORDS_AGAIN = {
    "sqlite": "INSERT INTO listing_words(listing_words) VALUES ('rebuild')",
    "postgresql": "INSERT INTO listing_words SELECT seq, array_to_tsvector(string_to_array(words, ' ')) "
    "FROM listing ON CONFLICT DO NOTHING",
}
MEMORY = (
    "shared_buffers=1GB"  # less than the quarter of this machine's that PostgreSQL's manual advises
)
PROJECTS = 5_000  # whose queues the findings wait in
COUNTED = 60  # pages of each kind whose processor time is counted
SECONDS_TO_BEGIN = 120
UNITS = {"seed_s": "s", "idle": "%", "stolen": "%"}  # others are milliseconds


@dataclass(frozen=True, slots=True)
class Size:
    """How much is seeded, and how long pages are asked for."""

    engagements: int = 100_000
    cases: int = 100_000
    findings: int = 1_000_000
    operators: int = 2_000
    seconds: int = 60
    told: int = (
        20_000  # operators that have a notice of one case; all opened it, three quarters answered
    )


QUICK = Size(2_000, 2_000, 20_000, 200, 10)


def title(chance: random.Random) -> str:
    """Three words and a number."""
    return f"{' '.join(chance.sample(WORDS, 3))} {chance.randrange(10**6)}"


def rows(
    size: Size, now: datetime, named: frozenset[str]
) -> Iterator[tuple[Stored[object], Line, Sequence[Act]]]:
    """Everything that is seeded, with what lists show of it and what is recorded.

    Every finding was handed in; of cases only those that somebody is *named* for have acts.
    """
    chance = random.Random(1)  # noqa: S311 -- repeats from run to run
    for n in range(size.engagements):
        id_, org, at = f"engagement-{n:06}", f"developer-{n % 500}", now - timedelta(minutes=n)
        facts = Engagement(id_, "us-eo-14409", "d" * 64, org, title(chance), "s" * 64, at)
        state = ("draft", "inquiry", "access-closed", "withdrawn")[n % 4]
        line = Line(facts.model, f"{org} us-eo-14409", state, "", "us-eo-14409", at, at)
        yield Stored(id_, facts, 1, id_, org, OWN), line, ()
    for n in range(size.cases):
        id_, at = f"case-{n:06}", now - timedelta(minutes=chance.randrange(10**6))
        file = CaseFile(id_, title(chance), foreign=(f"CVE-2026-{n}",))
        state, due = ("open", "public", "closed")[n % 3], at + timedelta(days=90)
        line = Line(file.title, file.foreign[0], state, "", "leadline-default", at, at, due)
        acts = _opening(id_, at) if id_ in named else ()
        if id_ == min(named):
            acts = [*acts, *_notices(id_, at, size.told)]
        yield Stored(id_, file, 1, "", "", OWN, Bounds(case=id_)), line, acts
    for n in range(size.findings):
        id_, at = f"{n:064x}", now - timedelta(minutes=chance.randrange(10**6))
        purl = f"pkg:pypi/{chance.choice(WORDS)}-{n % 5_000}@1.{n % 50}"
        made = Finding(
            "tool", "a fuzzer", "", "", "", "memory-safety", title(chance), purl, "", "a" * 64, "", at,
            "CWE-125", severity=Severity.HIGH,
        )  # fmt: skip
        state = ("received", "screened", "confirmed", "case")[n % 4]
        case = "intake" if n % 4 < 2 else f"case-{n // 10 % size.cases:06}"
        line = Line(made.title, f"{purl} CWE-125 memory-safety", state, "", "high", at, at)
        owner = f"finder-{n % 997}"
        told: dict[str, Value] = {
            "lane": lane_of(f"project {n % PROJECTS}"),
            "severity": "high",
            "state": state,
        }
        act = Act(f"act-finding-{n}", Kind.FINDING_SUBMITTED, at, owner, id_, "", told)
        yield Stored(id_, made, 1, "", "", OWN, Bounds(case=case, owner=owner)), line, (act,)
    for n in range(size.operators):
        id_, org = f"operator-{n:05}", f"hospital-{n}"
        said = (id_, org, f"Hospital {title(chance)}", ("health",), 9_000, Exposure.UNKNOWN, 2)
        held = Enrolment(*said, "Ask IT.", Mode.HOSTED, (), now)
        yield (
            Stored(id_, held, 1, "", org, OWN),
            Line(held.name, f"{org} health", "vetted", "", "health", now, now),
            (),
        )


def _opening(case: str, at: datetime) -> Sequence[Act]:
    """What is recorded of a case once it is open; its findings are in no act, as they are many."""
    policy = cases.shipped()["leadline-default"]
    chosen: dict[str, Value] = {"disclosure": policy.id, "digest": policy.digest}
    return (
        Act(f"act-{case}", Kind.CASE_OPENED, at, "coordinator", case, "", {"findings": ()}),
        Act(f"act-{case}-policy", Kind.DISCLOSURE_CHOSEN, at, "coordinator", case, "", chosen),
    )


def _notices(case: str, at: datetime, told: int) -> Iterator[Act]:
    """What is recorded beside a case of which operators were told."""
    for n in range(told):
        detail: dict[str, Value] = {"case": case, "operator": f"{n:032x}", "n": n}
        sent = detail | {"stage": "public", "tier": "1", "digest": f"{n:064x}"}
        yield Act(f"sent-{n}", Kind.NOTICE_SENT, at, "coordinator", f"notice-{n}", "", sent)
        after, about = at + timedelta(seconds=30 * n), f"notice-{n}"
        yield Act(f"opened-{n}", Kind.NOTICE_OPENED, after, "operator", about, "", detail)
        if n % 4:
            said = detail | {"answer": "applied"}
            yield Act(f"said-{n}", Kind.NOTICE_ANSWERED, after, "operator", about, "", said)


def _record(connection: sa.Connection, edge: tlog.Edge, acts: Sequence[Act]) -> tlog.Edge:
    """Into the log and what is projected from it, as a transaction that records them does."""
    tail, blinder = LogTail(connection, edge), fresh_blinder()
    for act in acts:
        tail.add(act, canonical.encode(to_record(act)), blinder)
    tail.flush()
    moved = [Opened(act, 0, blinder) for act in acts if changes(act)]
    projections.enqueue(connection, [one.act.about for one in moved], moved)
    return tail.edge


def seed(url: str, size: Size, now: datetime, named: frozenset[str]) -> None:
    """Into the tables, in bulk; the words are indexed at the end."""
    records, engine, edge = Records(KINDS), engine_for(url), tlog.Edge()
    all_rows = rows(size, now, named)
    while batch := list(islice(all_rows, BATCH)):
        lines = [listing.row_of(records.kind(type(s.value)), s, line) for s, line, _ in batch]
        kept = (
            "kind",
            "id",
            "engagement",
            "org",
            "tlp",
            "case_id",
            "owner",
            "level",
            "embargo_until",
        )
        states = [
            {name: line[name] for name in kept} | {"version": 1, "body": records.dump(stored.value)}
            for (stored, _, _), line in zip(batch, lines, strict=True)
        ]
        with writing(engine) as connection:
            _insert(connection, STATE, states)
            _insert(connection, LISTING, lines)
            edge = _record(connection, edge, [act for *_, acts in batch for act in acts])
    with writing(engine) as connection:
        connection.exec_driver_sql(WORDS_AGAIN[engine.dialect.name])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name != "sqlite" else "SELECT 1")
    engine.dispose()


def _insert(
    connection: sa.Connection, table: sa.Table, many: Sequence[Mapping[str, object]]
) -> None:
    names = list(many[0])
    if connection.dialect.name == "sqlite":
        connection.execute(table.insert(), [dict(one) for one in many])
        return
    raw = connection.connection.cursor()
    with raw.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as into:
        for one in many:
            into.write_row([one[name] for name in names])


@dataclass(frozen=True, slots=True)
class Asked:
    """One page that is asked for: what it is counted as, by whom, and where it is."""

    kind: str
    token: str
    path: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Who visits, and what they open."""

    tokens: Mapping[str, str]
    cases: Sequence[str]
    engagements: Sequence[str]
    big: str
    biggest: str
    told: str


def prepare(folder: Path, url: str, size: Size) -> Prepared:
    """People, and the cases and engagements that are opened; then everything else beside them."""
    with house(folder, url) as at:
        at.clock.now = clock()
        chance = random.Random(2)  # noqa: S311 -- repeats from run to run
        named = frozenset(f"case-{chance.randrange(size.cases):06}" for _ in range(NAMED))
        at.enrol("coordinator", "coordinator", cases=named | {"intake"}, engagements=frozenset())
        some = frozenset(
            f"engagement-{chance.randrange(size.engagements):06}" for _ in range(NAMED)
        )
        at.enrol("evaluator", "evaluator", engagements=some)
        at.enrol("auditor", "auditor", org="an-auditor", engagements=frozenset())
        at.enrol("developer", "developer", org="developer-7", engagements=frozenset())
        opened = [_case(at, n, 3) for n in range(OPENED)]
        big = _case(at, OPENED, PARTIES)
        biggest = _case(at, OPENED + 1, ALL_PARTIES, answered=True)
        dealings = [_engagement(at, n) for n in range(OPENED)]
        seed(at.home.database, size, at.clock.now, named)
        with at.door.parts.store.write() as tx:
            tx.put(outbox.CURSOR, Reached(tx.log_size()), marking=OWN)
        people = ("coordinator", "evaluator", "auditor", "developer")
        tokens = {one: _signed_in(at, one) for one in people}
        return Prepared(tokens, opened, dealings, big, biggest, min(named))


def _case(at: House, number: int, parties: int, *, answered: bool = False) -> str:
    finding = Finding(
        "tool", "a fuzzer", "", "", "", "f", f"opened {number}", "pkg:pypi/opened@1.0", "", "a" * 64, "",
        at.clock.now,
    )  # fmt: skip
    id_ = f"{10**9 + number:064x}"
    with at.door.parts.store.write() as tx:
        tx.put(id_, finding, marking=OWN, bounds=Bounds(case="intake", owner="coordinator"))
    ctx, named = at.ctx("coordinator"), f"Opened {number}"
    case = cases.open_case(ctx, [id_], title=named, policy="leadline-default")
    vendors = [
        NewParty(Role.DOWNSTREAM, f"Vendor {n}", f"security@v{n}.example") for n in range(parties)
    ]
    ids = cases.add_parties(at.ctx("coordinator"), case, vendors)
    with at.door.parts.store.write() as tx:
        for party in ids if answered else ():
            for kind in (Kind.DRAFT_SENT, Kind.STATUS_STATED, Kind.STATUS_STATED):
                tx.record(ctx.act(kind, case, "", party=party, report="valid", sent=""))
    return case


def _engagement(at: House, number: int) -> str:
    texts, id_ = library(), f"engagement-opened-{number}"
    on = Dealings(id_, "developer-7", texts.newest("us-eo-14409"), texts)
    ctx = at.ctx("developer")
    engagement.open_draft(ctx, on, f"opened {number}", Subject("model", "m", "d" * 64))
    engagement.set_anchor(ctx, on, at.clock.now + timedelta(days=20), "UTC")
    return id_


def _signed_in(at: House, person: str) -> str:
    at.password(person)
    key = at.key(person)
    first = at.signed_in(person).session
    made, to_sign, _ = at.door.challenge()
    return sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), HERE, first).token


def pages(made: Prepared) -> Iterator[Asked]:
    """Lists, details and searches in turn, each by somebody who has the right to it."""
    chance, by = random.Random(3), made.tokens  # noqa: S311 -- repeats from run to run
    lists = ("case", "finding", "engagement", "operator")
    while True:
        kind, order = chance.choice(lists), chance.choice(("changed", "opened", "title"))
        person = {"engagement": chance.choice(("auditor", "evaluator", "developer"))}.get(
            kind, "coordinator"
        )
        state = (
            chance.choice(("", "&state=open", "&state=received")) if kind != "engagement" else ""
        )
        yield Asked("list", by[person], f"/search?kind={kind}&order={order}{state}")
        yield Asked("case", by["coordinator"], f"/cases/{chance.choice(made.cases)}")
        words = "+".join(chance.sample(WORDS, chance.choice((1, 2, 3))))
        yield Asked("search", by[chance.choice(list(by))], f"/search?words={words}")
        yield Asked(
            "engagement", by["developer"], f"/engagements/{chance.choice(made.engagements)}"
        )


def desks(made: Prepared, size: Size) -> Iterator[Asked]:
    """What a coordinator works from: a report with its place in the queue, the boards, and a case of which many were told."""
    chance, by = random.Random(4), made.tokens["coordinator"]  # noqa: S311 -- as above
    for _ in range(COUNTED // 4):
        # at intake, which the coordinator reads
        finding = chance.randrange(size.findings // 4) * 4 + chance.randrange(2)
        yield Asked("report", by, f"/reports/{finding:064x}")
    for _ in range(COUNTED // 10):
        yield Asked("case_board", by, "/cases")
        yield Asked("fix_board", by, "/fixes")
        yield Asked("urgency", by, "/priority")
        yield Asked("case_told", by, f"/cases/{made.told}")
        yield Asked("notices_told", by, f"/cases/{made.told}/notices")


def asked_for(origin: str, wanted: Iterable[Asked], seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each page from when it was due, by kind; raises for an answer that is no page."""
    host, due = origin.removeprefix("http://"), queue.Queue[tuple[float, Asked] | None]()
    taken, wrong = defaultdict[str, list[float]](list), list[str]()

    def visitor() -> None:
        connection = HTTPConnection(host, timeout=120)
        while (one := due.get()) is not None:
            at, page = one
            connection.request("GET", page.path, headers={"cookie": f"{COOKIE}={page.token}"})
            answer = connection.getresponse()
            answer.read()
            taken[page.kind].append((time.perf_counter() - at) * 1000)
            if answer.status != 200:
                wrong.append(f"{answer.status} {page.path}")
        connection.close()

    visitors = [threading.Thread(target=visitor) for _ in range(FLIGHT)]
    for one in visitors:
        one.start()
    begun = time.perf_counter()
    for n, page in zip(range(int(seconds * RATE)), wanted, strict=False):
        at = begun + n / RATE
        time.sleep(max(0.0, at - time.perf_counter()))
        due.put((at, page))
    for _ in visitors:
        due.put(None)
    for one in visitors:
        one.join()
    if wrong:
        raise AssertionError(f"{len(wrong)} pages were not served, first {wrong[0]}")
    return taken


def spent(origin: str, server: int, wanted: Sequence[Asked]) -> dict[str, float]:
    """Milliseconds of processor time that a page of each kind costs all the server's processes."""
    of = defaultdict[str, list[Asked]](list)
    for one in wanted:
        of[one.kind].append(one)
    found = dict[str, float]()
    for kind, asked in of.items():
        connection = HTTPConnection(origin.removeprefix("http://"), timeout=120)
        before = 0.0
        for some in (asked[:4], asked):  # the first ones are not counted
            before = processor_seconds(server)
            for one in some:
                connection.request("GET", one.path, headers={"cookie": f"{COOKIE}={one.token}"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != HTTPStatus.OK:
                    raise AssertionError(f"{answer.status} {one.path}")
        found[kind] = (processor_seconds(server) - before) / len(asked) * 1000
        connection.close()
    return found


def processor_seconds(pid: int) -> float:
    """What a process and its children have used until now."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    used = 0
    for one in (pid, *children):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def processors() -> tuple[int, int, int]:
    """Ticks of all processors until now: idle, taken by other machines of the same host, and altogether."""
    with Path("/proc/stat").open() as told:
        ticks = [int(one) for one in told.readline().split()[1:9]]
    return ticks[3], ticks[7], sum(ticks)


@contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[str, int]]:
    """`leadline serve` in processes of its own; answers where, and the first process."""
    port = free_port()
    words = ["serve", "--home", str(folder), "--listen", f"127.0.0.1:{port}"]
    argv = [sys.executable, "-m", "leadline", *words]
    with subprocess.Popen(argv, env=environment(Home(folder, url))) as server:
        try:
            _answers(port)
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _answers(port: int) -> None:
    end = time.monotonic() + SECONDS_TO_BEGIN
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS_TO_BEGIN)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()


@contextmanager
def bare_serving() -> Iterator[str]:
    """The bare page in a process of its own; answers where."""
    argv = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
            server.wait(30)


def serve() -> None:
    """Serve the bare page until the standard input ends."""
    from bench import _bare_page

    with _bare_page.served() as origin:
        sys.stdout.write(f"{origin}\n")
        sys.stdout.flush()
        sys.stdin.read()


def tell(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def p99(times: Sequence[float]) -> float:
    """The 99th of 100."""
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


def on_database(folder: Path, url: str, size: Size) -> dict[str, float]:
    """Milliseconds by kind of page."""
    begun = time.perf_counter()
    made = prepare(folder, url, size)
    found = {"seed_s": time.perf_counter() - begun}
    tell(f"seeded in {found['seed_s']:.0f} s")
    with application(url) if url else nullcontext(url) as served:
        return found | on_pages(folder, served, size, made)


def on_pages(folder: Path, url: str, size: Size, made: Prepared) -> dict[str, float]:
    """Milliseconds by kind of page, over what is seeded already."""
    found = dict[str, float]()
    big, biggest = (
        Asked(f"case_{many}_parties", made.tokens["coordinator"], f"/cases/{case}")
        for many, case in ((PARTIES, made.big), (ALL_PARTIES, made.biggest))
    )
    large = [*[big] * (COUNTED // 4), *[biggest] * (COUNTED // 4)]
    counted = [*islice(pages(made), COUNTED * 4), *large, *desks(made, size)]
    with serving(folder, url) as (origin, server):
        asked_for(origin, pages(made), 2)
        found |= {f"{kind}_cpu": ms for kind, ms in spent(origin, server, counted).items()}
        tell(f"{RATE} pages a second for {size.seconds} s")
        before = processors()
        taken = asked_for(origin, pages(made), size.seconds)
        share = [now - then for then, now in zip(before, processors(), strict=True)]
        found |= {"idle": share[0] / share[2] * 100, "stolen": share[1] / share[2] * 100}
        alone = [asked_for(origin, [big], 1 / RATE)[big.kind][0] for _ in range(20)]
        whole = [asked_for(origin, [biggest], 1 / RATE)[biggest.kind][0] for _ in range(20)]
    for kind, times in taken.items():
        found |= {f"{kind}_p50": statistics.median(times), f"{kind}_p99": p99(times)}
    found["p99"] = p99([one for times in taken.values() for one in times])
    return found | {
        "case_200_parties_p50": statistics.median(alone),
        "case_200_parties_max": max(alone),
        "case_500_parties_p50": statistics.median(whole),
        "case_500_parties_p95": sorted(whole)[18],
    }


def bare(seconds: int) -> float:
    """The 99th percentile of the bare page under the same load."""
    with bare_serving() as origin:
        ever = (Asked("bare", "", "/") for _ in iter(int, 1))
        asked_for(origin, ever, 1)
        return p99(asked_for(origin, ever, seconds)["bare"])


def measure(*, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    env, size = form.machine(), QUICK if quick else Size()
    beside = bare(min(size.seconds, 20))
    found, unavailable = dict[str, dict[str, float]](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        found["sqlite"] = on_database(Path(folder), "", size)
    programs = postgres.binaries()
    if programs is None:
        unavailable.append("postgresql")
    else:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres.Databases(programs, (*postgres.FAST, MEMORY)) as server,
            server.fresh() as url,
        ):
            found["postgresql"] = on_database(Path(folder), url, size)
    values = {"bare_page_p99": (beside, "ms")}
    ratios = {}
    for database, times in found.items():
        for name, taken in times.items():
            values[f"{name}_{database}"] = (taken, UNITS.get(name, "ms"))
        ratios[f"p99_{database}"] = form.at_most(times["p99"], PAGE_MS_MAX)
        ratios[f"case_200_parties_{database}"] = form.at_most(
            times["case_200_parties_max"], CASE_MS_MAX
        )
        ratios[f"case_500_parties_p95_{database}"] = form.at_most(
            times["case_500_parties_p95"], CASE_MS_MAX
        )
    return form.document("portal", env, form.values(values), ratios, unavailable)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    parser: argparse.ArgumentParser = form.parser(__doc__, "a fiftieth of the rows, ten seconds")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    form.show(measure(quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
