"""Notices to 20,000 operators at once: how long a release takes, how far first and last lie apart, what a kill leaves.

    python bench/release.py --json [--quick]

20,000 operators of one tier, each with one person and a sealed inventory of 800 components, one of which
is affected. *advance* tells all of them before publication; their inventories lie in the vault as giving
them left them, each alone. *published* tells them all again once the case is public. Each release is a
process of its own; its clock runs from the call to its end: every inventory opened and matched, every page
written from its reader's own components and signed (Ed25519 and ML-DSA-44), row, act and log leaf of each
committed together. It is the wall's, for syncs are part of it; processor time stands beside it.

*spread* is from the first notice to the last, once as recorded, once as another process saw them come that
looked all the time. *inboxes* is what the delivery loop then takes to enter them in everybody's inbox.

*kills*: a release is killed (SIGKILL) at a random moment and called again, in an installation of its own.
Wrong is every operator that then has another number of notices than one, and every notice without its act.

*csaf* is what one CSAF document of that advisory takes in this process: written, and tried by its schema and the
33 mandatory tests.

The floor is what no release can do without, measured in the same run on a part and scaled: opening as many
inventories, signing as many texts, and one `executemany` of the rows into a plain table of SQLite.
"""

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import _form as form

if TYPE_CHECKING:
    from leadline.app.context import Context
    from leadline.core.clearing.advisory import Advisory
    from leadline.wiring.home import Parts

COMPONENTS, BODIES, SOME = 800, 100, 1_000
SECONDS_MAX, CSAF_MS_MAX, DOCUMENTS = 60.0, 100.0, 40
SEED = 20_261_122
LOOK_SECONDS = 0.02
AFFECTED, REPAIRED = "5.1.0", "5.2.0"


@dataclass(frozen=True, slots=True)
class Size:
    """How many operators are told, and in the kills how many, how often."""

    operators: int = 20_000
    killed: int = 1_000
    kills: int = 10


QUICK = Size(500, 200, 3)


def tell(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


@contextmanager
def opened(home: Path) -> Iterator["Parts"]:
    """The installation."""
    from leadline.settings import Home
    from leadline.wiring import home as wiring

    with wiring.opened(Home(home)) as parts:
        yield parts


def acting(parts: "Parts", person: str) -> "Context":
    """That person now, signed in with a key."""
    with parts.store.read() as view:
        principal = view.principal(person)
    return replace(parts.context(principal), assurance=2)


def flaw() -> "Advisory":
    """The package `common` up to 5.2.0."""
    from leadline.core.clearing.advisory import Advisory, Flaw, Revision, Statement
    from leadline.core.clearing.product import Interval, Releases, package
    from leadline.core.marking import Tlp
    from leadline.wiring.home import clock

    said = Statement(
        package("pypi", "", "common"),
        affected=Releases((Interval("2.0", REPAIRED),)),
        fixed=Releases(listed=(REPAIRED,)),
        complete=True,
    )
    one = Flaw((), "Overflow", "A crafted object overruns a buffer.", (said,), "CWE-787",
               remedy=f"Replace common by {REPAIRED}.")  # fmt: skip
    first = Revision("1", clock().replace(year=2026, month=1, day=1, hour=0, minute=0, second=0,
                                          microsecond=0), "First.")  # fmt: skip
    return Advisory(id="BENCH-1", title="Overflow in common", flaws=(one,), revisions=(first,),
                    tlp=Tlp.AMBER_STRICT)  # fmt: skip


def bodies() -> list[bytes]:
    """Inventories as the vault has them, in which the place of the operator's own id is `OWN`."""
    from leadline.app import shelving
    from leadline.core.clearing.product import Component, Inventory, package

    chance = random.Random(SEED)  # noqa: S311 -- a corpus, no secret
    made = list[bytes]()
    for _ in range(BODIES):
        numbers = chance.sample(range(30_000), COMPONENTS - 1)
        named = [(f"sample-{one}", f"1.{one % 12}.{chance.randrange(30)}") for one in numbers]
        named.insert(chance.randrange(COMPONENTS), ("common", AFFECTED))
        parts = [
            Component(f"OWN-{at}", name, version, package("pypi", "", name))
            for at, (name, version) in enumerate(named)
        ]
        made.append(shelving.dump(Inventory(tuple(parts))))
    return made


def founded(home: Path, operators: int) -> None:
    """An installation with a coordinator, an owner of the software, and operators that were vetted."""
    from leadline.app.operators import publish_tiers
    from leadline.core.access import Principal
    from leadline.formats.tiers_toml import load_tiers
    from leadline.settings import Home
    from leadline.store.sql import open_store
    from leadline.wiring import home as wiring

    place = Home(home)
    wiring.make(place)
    store = open_store(place.database, kinds=wiring.KINDS, lines=wiring.lines_of(place))
    until = wiring.clock() + timedelta(days=30)
    with store.write() as tx:
        for id_, role, cases in (
            ("coordinator", "coordinator", ("intake",)),
            ("owner", "maintainer", ()),
        ):
            tx.put_principal(
                Principal(id_, id_, f"{id_}-org", frozenset({role}), access_until=until,
                          cases=frozenset(cases))
            )  # fmt: skip
    store.close()
    import leadline

    file = Path(leadline.__file__).parent / "data" / "tiers" / "leadline-default.toml"
    with opened(home) as parts:
        publish_tiers(acting(parts, "coordinator"), load_tiers(file.read_bytes(), file.name))
        held = bodies()
        for first in range(0, operators, SOME):
            enrolled(parts, held, range(first, min(first + SOME, operators)))


def enrolled(parts: "Parts", held: list[bytes], which: range) -> None:
    """Some operators, with what was recorded of them and what they gave."""
    from leadline.app.operators import OWN
    from leadline.app.shelving import Shelf
    from leadline.core.access import Principal
    from leadline.core.clearing.operator import Enrolment, Exposure, Mode, Snapshot
    from leadline.core.record.act import Kind, instant

    shelf = Shelf(parts.store, parts.vault, lambda prefix: prefix)
    ctx = acting(parts, "coordinator")
    at = ctx.now - timedelta(hours=1)
    read = {
        n: shelf.keep(held[n % BODIES].replace(b"OWN", f"operator-{n:05}".encode())) for n in which
    }
    with parts.store.write() as tx:
        for n in which:
            id_, org = f"operator-{n:05}", f"hospital-{n:05}"
            person = Principal(
                f"person-{n:05}", f"Person {n}", org, frozenset({"operator"}),
                access_until=ctx.now + timedelta(days=30),
            )  # fmt: skip
            tx.put_principal(person)
            said = (id_, org, f"Hospital {n}", ("health",), 9_000, Exposure.UNKNOWN, 2)
            tx.put(id_, Enrolment(*said, "Ask IT.", Mode.HOSTED, (), at), marking=OWN, org=org)
            tx.record(ctx.act(Kind.OPERATOR_VETTED, id_, "", grounds="0" * 64))
            raw = sha256(id_.encode()).hexdigest()
            made = Snapshot(
                f"inventory-{n:05}", id_, at, at, raw, read[n], "list", COMPONENTS, 0, 0
            )
            tx.put(made.id, made, marking=OWN, org=org)
            tx.record(
                ctx.act(
                    Kind.INVENTORY_ACCEPTED, made.id, "", operator=id_, inventory=raw,
                    taken=instant(at), components=COMPONENTS, unknown=0, faults=0,
                )
            )  # fmt: skip


def case(parts: "Parts", number: int) -> str:
    """A case whose owner has a fix, and for whose publication everybody agreed on a day."""
    from leadline.app import cases
    from leadline.core.access import Bounds
    from leadline.core.clearing.case_words import Answer, FixState, Report, Role
    from leadline.core.clearing.coordination import Stated
    from leadline.core.clearing.finding import Finding
    from leadline.core.marking import Marking, Tlp

    finding = Finding(
        "tool", "a fuzzer", "", "", "", "f", f"found {number}", "pkg:pypi/common@5.1.0", "", "a" * 64,
        "", parts.clock(),
    )  # fmt: skip
    id_ = f"{number:064x}"
    with parts.store.write() as tx:
        bounds = Bounds(case="intake", owner="coordinator")
        tx.put(id_, finding, marking=Marking(Tlp.RED), bounds=bounds)
    made = cases.open_case(
        acting(parts, "coordinator"), [id_], title=f"case {number}", policy="leadline-default"
    )
    owner = cases.add_party(
        acting(parts, "coordinator"), made, cases.NewParty(Role.OWNER, "the owner", person="owner")
    )
    for said in (Report.RECEIVED, Report.VALID, Report.ACCEPTED):
        cases.state(acting(parts, "owner"), made, owner, Stated(report=said))
    cases.state(acting(parts, "owner"), made, owner, Stated(fix=FixState.READY))
    cases.propose(acting(parts, "coordinator"), made, parts.clock() + timedelta(days=2))
    cases.answer(acting(parts, "owner"), made, Answer.ACCEPT)
    return made


def released(home: Path, case_id: str, stage: str, ready: Path | None) -> None:
    """In a process of its own: release, and print what it took."""
    from leadline.app import notices
    from leadline.core.clearing.tiers import Stage

    with opened(home) as parts:
        ctx = acting(parts, "coordinator")
        if ready is not None:
            ready.touch()
        begun, used = time.perf_counter(), time.process_time()
        told = notices.release(ctx, case_id, flaw(), Stage(stage))
        taken = {"wall": time.perf_counter() - begun, "cpu": time.process_time() - used}
        moments = [one.sent for one in told] or [ctx.now]
    spread = (max(moments) - min(moments)).total_seconds()
    sys.stdout.write(json.dumps(taken | {"told": len(told), "spread": spread}) + "\n")


def releasing(home: Path, case_id: str, stage: str, ready: Path | None = None) -> list[str]:
    """The command that does it."""
    words = [sys.executable, __file__, "--release", str(home), case_id, stage]
    return words + (["--ready", str(ready)] if ready else [])


def in_process(words: list[str]) -> dict[str, float]:
    """What a process printed. Raises: AssertionError, if it failed."""
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, "the releasing process failed"
    found: dict[str, float] = json.loads(done.stdout)
    return found


class Watcher:
    """Another process's eyes: when notices became visible, and how many at a time."""

    def __init__(self, home: Path) -> None:
        self._at, self._over = home / "leadline.db", threading.Event()
        self.seen = list[tuple[float, int]]()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(LOOK_SECONDS * 2)
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        count = "SELECT count(*) FROM state WHERE kind = 'notice-delivery'"
        connection = sqlite3.connect(f"file:{self._at}?mode=ro", uri=True)
        while not self._over.wait(LOOK_SECONDS):
            ((many,),) = connection.execute(count)
            if not self.seen or self.seen[-1][1] != many:
                self.seen.append((time.perf_counter(), many))
        connection.close()

    @property
    def spread(self) -> float:
        """Seconds from the first change that was seen to the last."""
        moved = [at for at, _ in self.seen[1:]]
        return max(moved) - min(moved)


def inboxes(home: Path) -> tuple[float, int]:
    """Seconds until nothing is left to be entered, and how many entries there are of notices."""
    from leadline.app import outbox
    from leadline.core.attention import Item, Of
    from leadline.wiring.notify import own_eyes

    with opened(home) as parts:
        begun = time.perf_counter()
        while outbox.gather(own_eyes(parts), parts.context):
            pass
        taken = time.perf_counter() - begun
        with parts.store.read() as view:
            rows = view.find(Item)
    return taken, sum(row.value.event.of is Of.NOTICE for row in rows)


def wrong_in(parts: "Parts", case_id: str, operators: int) -> int:
    """Operators without exactly one notice of this case, and notices without exactly one act."""
    from leadline.core.clause import Fact, one_of
    from leadline.core.clearing.delivery import Delivery
    from leadline.core.record.act import Kind

    with parts.store.read() as view:
        rows = view.find(Delivery, visible=one_of(Fact.CASE, [case_id]))
        acts = Counter(
            one.act.about
            for one in view.acts(kind=Kind.NOTICE_SENT)
            if one.act.detail["case"] == case_id
        )
        view.log_files()  # raises, where a leaf or a tile is missing
    told = Counter(row.value.operator for row in rows)
    never = operators - len(told)
    return (
        never
        + sum(many != 1 for many in (*told.values(), *acts.values()))
        + abs(len(rows) - len(acts))
    )


def killed(folder: Path, size: Size) -> dict[str, float]:
    """Releases that were killed and called again."""
    home, chance = folder / "killed", random.Random(SEED)  # noqa: S311 -- moments of a test
    founded(home, size.killed)
    with opened(home) as parts:
        whole = case(parts, 0)
    longest = in_process(releasing(home, whole, "advance"))["wall"]
    found = {"struck": 0.0, "nothing_left": 0.0, "part_left": 0.0, "wrong": 0.0, "again_s": 0.0}
    for number in range(1, size.kills + 1):
        with opened(home) as parts:
            made = case(parts, number)
        ready = folder / f"ready-{number}"
        with subprocess.Popen(
            releasing(home, made, "advance", ready), stdout=subprocess.DEVNULL
        ) as process:
            while not ready.exists() and process.poll() is None:
                time.sleep(0.002)
            try:
                process.wait(chance.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                found["struck"] += 1
        with opened(home) as parts:
            left = len(told_of(parts, made))
            found["nothing_left"] += left == 0
            found["part_left"] += left not in {0, size.killed}
        found["again_s"] += in_process(releasing(home, made, "advance"))["wall"]
        with opened(home) as parts:
            found["wrong"] += wrong_in(parts, made, size.killed)
    return found


def told_of(parts: "Parts", case_id: str) -> list[str]:
    """The notices of a case."""
    from leadline.core.clause import Fact, one_of
    from leadline.core.clearing.delivery import Delivery

    with parts.store.read() as view:
        return [row.id for row in view.find(Delivery, visible=one_of(Fact.CASE, [case_id]))]


def floor(home: Path, folder: Path, operators: int) -> Mapping[str, float]:
    """Seconds for *operators* of what cannot be left out, measured on some."""
    from leadline.app.notices import statement
    from leadline.core.clearing.operator import Snapshot

    with opened(home) as parts:
        with parts.store.read() as view:
            some = [row.value for row in view.find(Snapshot)][:SOME]
        begun = time.perf_counter()
        for one in some:
            parts.vault.get(one.read)
        opening = time.perf_counter() - begun
        begun = time.perf_counter()
        rows = [
            (one.id, parts.signer.sign(statement(one.id, one.raw)), "x" * 2_000) for one in some
        ]
        signing = time.perf_counter() - begun
    connection = sqlite3.connect(folder / "plain.db")
    connection.execute("CREATE TABLE plain (id TEXT PRIMARY KEY, signed TEXT, page TEXT)")
    begun = time.perf_counter()
    with connection:
        connection.executemany("INSERT INTO plain VALUES (?, ?, ?)", rows)
    inserting = time.perf_counter() - begun
    connection.close()
    times = operators / len(some)
    found = {"open": opening * times, "sign": signing * times, "insert": inserting * times}
    return found | {"all": sum(found.values())}


def csaf_ms() -> list[float]:
    """Milliseconds of writing and trying one document, each time anew; the first, which loads, is left out."""
    from leadline.core.marking import Tlp
    from leadline.formats import csaf

    taken, told = list[float](), replace(flaw(), tlp=Tlp.CLEAR, status="final")
    for _ in range(DOCUMENTS + 1):
        begun = time.perf_counter()
        data = csaf.render(told)
        wrong = (*csaf.faults(data), *csaf.mandatory_faults(data))
        taken.append((time.perf_counter() - begun) * 1000)
        assert not wrong, f"the document has faults: {wrong[:3]}"
    return sorted(taken[1:])


def measured(folder: Path, size: Size) -> form.Entry:
    """The document."""
    from leadline.app import cases
    from leadline.core.clearing.coordination import Moved
    from leadline.core.clearing.disclosure import Move

    env, home = form.machine(folder), folder / "home"
    begun = time.perf_counter()
    founded(home, size.operators)
    with opened(home) as parts:
        held = case(parts, 0)
    inboxes(home)
    tell(f"{size.operators} operators in {time.perf_counter() - begun:.0f} s")
    least = floor(home, folder, size.operators)
    found = {f"floor_{name}_s": (taken, "s") for name, taken in least.items()}
    ratios = dict[str, form.Entry]()
    for stage in ("advance", "published"):
        with Watcher(home) as seen:
            took = in_process(releasing(home, held, stage))
        assert took["told"] == size.operators, "somebody was not told"
        waited, entries = inboxes(home)
        tell(f"{stage}: {took['wall']:.1f} s, inboxes {waited:.1f} s")
        found |= {
            f"{stage}_s": (took["wall"], "s"),
            f"{stage}_cpu_s": (took["cpu"], "s"),
            f"{stage}_spread_recorded_s": (took["spread"], "s"),
            f"{stage}_spread_seen_s": (seen.spread, "s"),
            f"{stage}_inboxes_s": (waited, "s"),
        }
        ratios[f"{stage}_s"] = form.at_most(took["wall"], SECONDS_MAX * size.operators / 20_000)
        ratios[f"{stage}_spread_seen_s"] = form.at_most(seen.spread, LOOK_SECONDS * 2)
        if stage == "advance":
            ratios["inboxes_without_entry"] = form.at_most(size.operators - entries, 0)
            with opened(home) as parts:
                public = Moved(Move.PUBLIC, evidence="e" * 64)
                cases.move(acting(parts, "coordinator"), held, public)
            inboxes(home)
    documents = csaf_ms()
    found["csaf_median"] = (documents[len(documents) // 2], "ms")
    ratios["csaf_p95_ms"] = form.at_most(documents[int(DOCUMENTS * 0.95)], CSAF_MS_MAX)
    hit = killed(folder, size)
    tell(f"{hit['struck']:.0f} kills, {hit['nothing_left']:.0f} left nothing")
    found |= {f"kills_{name}": (value, "") for name, value in hit.items()}
    ratios["kills_part_left"] = form.at_most(hit["part_left"], 0)
    ratios["kills_wrong"] = form.at_most(hit["wrong"], 0)
    found["advance_over_floor"] = (found["advance_s"][0] / least["all"], "x")
    return form.document("release", env, form.values(found), ratios)


def main() -> None:
    """Measure, or release in a process of its own."""
    made = form.parser(__doc__, "500 operators, 3 kills")
    made.add_argument("--release", nargs=3, help=argparse.SUPPRESS)
    made.add_argument("--ready", type=Path, help=argparse.SUPPRESS)
    asked = made.parse_args()
    if asked.release:
        home, case_id, stage = asked.release
        released(Path(home), case_id, stage, asked.ready)
        return
    with tempfile.TemporaryDirectory() as folder:
        told = measured(Path(folder), QUICK if asked.quick else Size())
    form.show(told, as_json=asked.json)


if __name__ == "__main__":
    main()
