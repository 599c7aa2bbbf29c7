"""What authorisation costs: one decision, and a filtered list over 10,000 engagements.

    python bench/access.py --json [--quick]

The list is timed as a person gets it: the filter is compiled from the rules, runs in the database, and
the records are read. It is timed for a person named for 500 engagements, for one named for three, and
for an auditor, who sees all of them.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from bench import _form as form

import postgres
from leadline.access import cedar
from leadline.core.access import Action, Circumstances, Principal, Resource
from leadline.core.engagement.engagement import Engagement
from leadline.core.marking import Marking, Tlp
from leadline.store.sql import SqlStore, open_store

LIST_MS_MAX = 100.0
NOW = datetime(2027, 3, 1, tzinfo=UTC)
GIVEN = Circumstances(NOW, assurance=2)
PARTIES = Marking(Tlp.AMBER_STRICT)
LISTED = Action.ENGAGEMENT_READ


def person(role: str, engagements: frozenset[str]) -> Principal:
    """A person with one role."""
    until = NOW + timedelta(days=30)
    return Principal("p", "P", "programme", frozenset({role}), engagements, access_until=until)


def milliseconds(action: Callable[[], object], repeats: int) -> float:
    """The median of *repeats* runs."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def decisions(count: int) -> dict[str, tuple[float, str]]:
    """One decision, yes and no, and the building of one list's filter."""
    access = cedar.shipped()
    evaluator = person("evaluator", frozenset(f"e{n}" for n in range(20)))
    named = Resource("assessment", "a", "e7", "dev", PARTIES)
    other = Resource("assessment", "a", "far", "dev", PARTIES)
    for thing, expected in ((named, True), (other, False)):
        allowed = access.decide(evaluator, Action.ASSESSMENT_RUN, thing, GIVEN).allowed
        assert allowed is expected
    begun = time.perf_counter()
    for n in range(count):
        access.decide(evaluator, Action.ASSESSMENT_RUN, named if n % 2 else other, GIVEN)
    each = (time.perf_counter() - begun) / count
    clause = milliseconds(lambda: access.visible(evaluator, LISTED, "engagement", GIVEN), 50)
    return {
        "decision": (each * 1e6, "us"),
        "decisions": (1 / each, "1/s"),
        "filter": (clause, "ms"),
    }


def lists(url: str, count: int, repeats: int) -> dict[str, float]:
    """Milliseconds of a list over *count* engagements, by who asks."""
    access, chance = cedar.shipped(), random.Random(1)  # noqa: S311 -- repeats from run to run
    ids = [f"engagement-{n:05}" for n in range(count)]
    some = frozenset(chance.sample(ids, count // 20))
    askers = {
        "named_for_three": (person("evaluator", frozenset(ids[:3])), 3),
        "named_for_500": (person("evaluator", some), len(some)),
        "auditor": (person("auditor", frozenset()), count),
    }
    found = {}
    with closing(open_store(url, kinds={Engagement: "engagement"})) as store:
        with store.write() as tx:
            for id_ in ids:
                org = f"developer-{chance.randrange(50)}"
                value = Engagement(id_, "us-eo-14409", "d" * 64, org, "model", "s" * 64, NOW)
                tx.put(id_, value, marking=PARTIES, engagement=id_, org=org)
        for name, (asker, due) in askers.items():
            own = store.acting(access.tenancy(asker))

            def listed(asker: Principal = asker, own: SqlStore = own, due: int = due) -> None:
                clause = access.visible(asker, LISTED, "engagement", GIVEN)
                with own.read() as view:
                    assert len(view.find(Engagement, visible=clause)) == due

            listed()
            found[name] = milliseconds(listed, repeats)
    return found


def on_postgresql(count: int, repeats: int) -> dict[str, float] | None:
    """The same on a server of its own; None where there is none."""
    programs = postgres.binaries()
    if programs is None:
        return None
    with postgres.Databases(programs) as server, server.fresh() as url:
        return lists(url, count, repeats)


def measure(*, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    env, repeats, count = form.machine(), 5 if quick else 15, 10_000
    values = decisions(2_000 if quick else 20_000)
    ratios, unavailable = {}, []
    with tempfile.TemporaryDirectory() as folder:
        found = {"sqlite": lists(f"sqlite:///{folder}/bench.db", count, repeats)}
    server = on_postgresql(count, repeats)
    if server is None:
        unavailable.append("postgresql")
    else:
        found["postgresql"] = server
    for database, times in found.items():
        for asker, taken in times.items():
            values[f"list_{asker}_{database}"] = (taken, "ms")
        ratios[f"list_{database}"] = form.ratio(times["named_for_500"], LIST_MS_MAX, "<=")
    return form.document("access", env, form.values(values), ratios, unavailable)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    options = form.parser(__doc__, "fewer repeats").parse_args()
    form.show(measure(quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
