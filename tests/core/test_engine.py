"""Many operators at once and change by change: the same facts as the slow judge, one by one (A3, A5)."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from clearing_values import advisory, statement
from leadline.core.clearing import engine
from leadline.core.clearing.advisory import Advisory, Statement
from leadline.core.clearing.engine import UNIDENTIFIED, Bulk, Portfolio
from leadline.core.clearing.judge import Index
from leadline.core.clearing.product import (
    Component,
    Interval,
    Name,
    Naming,
    Package,
    Releases,
    package,
    parse_purl,
)
from leadline.core.clearing.reading import CAUTION, Status, read

PACKAGES = [package("pypi", "", f"p{number}") for number in range(6)]
VERSIONS = ["0.9", "1.0", "1.0.0", "1.5rc1", "2.0", "2.5", "3.0", "odd!", "", "1.0-bank"]


def statements(rng: random.Random) -> Iterator[Statement]:
    """One or two statements about the same few packages."""
    for _ in range(rng.randint(1, 2)):
        low, high = sorted(rng.sample(VERSIONS[:7], 2))
        yield Statement(
            rng.choice(PACKAGES),
            affected=Releases((Interval(low, high),), (rng.choice(VERSIONS[:8]),)),
            fixed=Releases(listed=(high,)),
            complete=rng.random() < 0.7,
            doubts=("odd",) if rng.random() < 0.2 else (),
        )


def advisories(rng: random.Random, count: int) -> list[Advisory]:
    """Advisories over few packages, some withdrawn."""
    return [
        advisory(*statements(rng), id=f"A-{number}", withdrawn=rng.random() < 0.1)
        for number in range(count)
    ]


def slow(held: Sequence[Advisory], named: Package, version: str) -> dict[int, Status]:
    """What the slow judge says of one component: the more cautious of each advisory's answers."""
    told: dict[int, Status] = {}
    for owner, one in enumerate(held):
        for flaw in [] if one.withdrawn else one.flaws:
            for spoken in flaw.statements:
                if spoken.package == named:
                    status = read(spoken, version).status
                    told[owner] = min(status, told.get(owner, status), key=CAUTION.index)
    return {
        owner: status
        for owner, status in told.items()
        if status in {Status.AFFECTED, Status.UNKNOWN}
    }


def drawn(rng: random.Random, count: int) -> tuple[list[str], list[str]]:
    """Texts of one inventory; some packages nobody speaks of, some texts are no Package-URL."""
    names = [*(held.purl() for held in PACKAGES), "pkg:pypi/P_0", "pkg:npm/else", "no purl"]
    return rng.choices(names, k=count), rng.choices(VERSIONS, k=count)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("packed", [True, False])
def test_bulk_equals_one_by_one(
    seed: int,
    packed: bool,  # noqa: FBT001 -- both ways of finding distinct pairs
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A3: every component of every operator, in two batches, and the operators of every advisory."""
    if not packed:
        monkeypatch.setattr(engine, "_PACKED_MAX", 0)
    rng = random.Random(seed)  # noqa: S311 -- a seed for a test
    held = advisories(rng, 30)
    bulk = Bulk(Index(held))
    running: dict[int, set[int]] = {}
    for batch in range(2):
        inventories = [drawn(rng, rng.randint(0, 40)) for _ in range(9)]
        before, lists = 0, bulk.lists(inventories)
        for operator, (names, versions) in enumerate(inventories):
            expected = set()
            for place, (name, version) in enumerate(zip(names, versions, strict=True)):
                if name == "no purl":
                    told = {UNIDENTIFIED: Status.UNKNOWN}
                else:
                    told = slow(held, parse_purl(name).package, version)
                for owner, status in told.items():
                    expected.add((before + place, owner, status))
                    if status is Status.AFFECTED:
                        running.setdefault(owner, set()).add(operator + 9 * batch)
            before += len(names)
            assert set(lists.of(operator)) == expected
    assert bulk.operators == 18
    assert {owner: set(found.tolist()) for owner, found in bulk.running().items()} == running


def test_an_empty_batch_and_an_empty_index_say_nothing() -> None:
    """No operators, no components, no advisories."""
    bulk = Bulk(Index())
    assert bulk.lists([]).advisory.tolist() == []
    assert list(bulk.lists([([], []), (["pkg:pypi/x"], ["1"])]).of(1)) == []
    assert bulk.running() == {}
    with pytest.raises(ValueError, match="stands beside each package"):
        bulk.lists([(["pkg:pypi/x"], [])])


def test_a_source_package_is_judged_in_bulk_too() -> None:
    """The distribution's source is named in the Package-URL; its release decides, the worst stands."""
    openssl = package("deb", "debian", "openssl")
    ssl3 = package("deb", "debian", "libssl3")
    held = [
        advisory(
            statement(package=one, affected=Releases((Interval(high="3.0.11-1"),)), branch="12"),
            id=one.name,
        )
        for one in (openssl, ssl3)
    ]
    bulk = Bulk(Index(held))
    text = "pkg:deb/debian/libssl3?upstream=openssl&distro=debian-"
    lists = bulk.lists([([f"{text}12", f"{text}11"], ["3.0.9-1", "3.0.9-1"])])
    assert list(lists.of(0)) == [(0, 1, Status.AFFECTED), (0, 0, Status.AFFECTED)]


def component(rng: random.Random) -> Component:
    """A component of one of the packages, some under another name as well."""
    own, other = rng.choice(PACKAGES), rng.choice(PACKAGES)
    naming = rng.choice([Naming.MAPPED, Naming.POSSIBLE])
    names = (Name(other, rng.choice(VERSIONS), naming, "so"),) if rng.random() < 0.3 else ()
    known = None if rng.random() < 0.1 else own
    return Component("1", own.name, rng.choice(VERSIONS), known, names=names)


def facts(portfolio: Portfolio, names: Sequence[str]) -> dict[str, list[set[str]]]:
    """Who runs what, by advisory and status."""
    statuses = (Status.AFFECTED, Status.UNKNOWN, Status.FIXED)
    return {name: [set(portfolio.running(name, status)) for status in statuses] for name in names}


def test_a_thousand_changes_leave_what_a_rebuild_gives() -> None:
    """A5: inventories and advisories come, change and go; the state is that of the survivors alone."""
    rng = random.Random(5)  # noqa: S311 -- a seed for a test
    portfolio = Portfolio()
    held: dict[str, Advisory] = {}
    running: dict[str, list[Component]] = {}
    for step in range(1_000):
        name, operator = f"A-{rng.randrange(25)}", f"operator-{rng.randrange(20)}"
        match rng.randrange(6):
            case 0 | 1:
                held[name] = advisory(*statements(rng), id=name, withdrawn=rng.random() < 0.1)
                portfolio.put_advisory(held[name])
            case 2:
                held.pop(name, None)
                portfolio.withdraw(name)
            case 3 | 4:
                running[operator] = [component(rng) for _ in range(rng.randrange(12))]
                portfolio.put_inventory(operator, running[operator])
            case _:
                running.pop(operator, None)
                portfolio.drop_inventory(operator)
        if step % 50 == 49:
            rebuilt = Portfolio()
            for one in held.values():
                rebuilt.put_advisory(one)
            for who, components in running.items():
                rebuilt.put_inventory(who, components)
            assert facts(portfolio, list(held)) == facts(rebuilt, list(held))
            for who in running:
                assert portfolio.concerning(who) == rebuilt.concerning(who)
    assert any(any(found) for found in facts(portfolio, list(held)).values())


def test_a_portfolio_says_what_the_slow_judge_says() -> None:
    """Every operator and advisory, by the worst of the operator's components."""
    rng = random.Random(6)  # noqa: S311 -- a seed for a test
    held = advisories(rng, 40)
    portfolio = Portfolio()
    running = {f"o{number}": [component(rng) for _ in range(5)] for number in range(12)}
    for number, (who, components) in enumerate(running.items()):
        portfolio.put_inventory(who, components)
        for added in held[number * 4 : number * 4 + 4]:
            portfolio.put_advisory(added)
    for who, components in running.items():
        expected: dict[str, Status] = {}
        for one in components:
            keys = [(one.package, one.version)] if one.package else []
            keys += [(n.package, n.version) for n in one.names if n.naming is Naming.MAPPED]
            for named, version in keys:
                for owner, status in slow(held, named, version).items():
                    known = expected.get(held[owner].id, status)
                    expected[held[owner].id] = min(status, known, key=CAUTION.index)
        assert portfolio.concerning(who) == expected


def test_who_is_not_affected_is_not_kept() -> None:
    """The question is refused, and so is one about an advisory that is not held."""
    portfolio = Portfolio().put_advisory(advisory())
    with pytest.raises(ValueError, match="are kept by"):
        portfolio.running("ADV-1", Status.NOT_AFFECTED)
    with pytest.raises(KeyError):
        portfolio.running("ADV-2")
    portfolio.drop_inventory("nobody")
    gone = replace(advisory(), withdrawn=True)
    assert portfolio.put_advisory(gone).running("ADV-1") == ()
    portfolio.put_inventory("o", [Component("1", "p", "1", PACKAGES[0])])
    portfolio.drop_inventory("o")
    assert portfolio.put_inventory("o", []).concerning("o") == {}
