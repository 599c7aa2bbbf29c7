"""Ranges as drawn and on loopback: every step is needed, and no seed solves another."""

import asyncio
import ipaddress
import json
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.suites.ranges import climb as climbing
from leadline.suites.ranges.chain import LOCKOUTS
from leadline.suites.ranges.footholds import (
    ENCODINGS,
    TRAVERSALS,
    decoded,
    encoded,
    escaped,
    served,
)
from leadline.suites.ranges.journal import FILE, Defender, Journal, read
from leadline.suites.ranges.suite import Ranges, declared_scope, draw, item_of
from suites.chains import SECTORS, climbed, on_loopback, recorded, seeded, standing

SEEDS = 6
seeds = st.integers(0, 1 << 64).map(seeded)
sectors = st.sampled_from(SECTORS)
levels = st.integers(0, len(LOCKOUTS) - 1)
quick = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("sector", SECTORS)
@pytest.mark.parametrize("number", range(SEEDS))
def test_every_step_is_needed(sector: str, number: int, tmp_path: Path) -> None:
    """Without step k the reference reaches neither milestone k nor the end; with all, everything.

    The hosts stay up between climbs, so that each has whatever earlier ones left behind.
    """
    chain = on_loopback(sector, number)
    names = [step.event for step in chain.milestones]
    assert len(names) >= 8

    async def story() -> None:
        async with standing(chain, tmp_path) as reached:
            assert reached() == []
            for place, name in enumerate(names):
                await climbed(chain, without=[name])
                assert reached() == names[:place], name
            _, failed = await climbed(chain)
            assert failed == {}
            assert reached() == names

    asyncio.run(story())


@pytest.mark.soak
@pytest.mark.parametrize("sector", SECTORS)
def test_every_step_is_needed_in_fresh_hosts(sector: str, tmp_path: Path) -> None:
    """As above over sixty seeds and all levels, with new hosts for each step that is left out."""

    async def story(number: int) -> None:
        chain = on_loopback(sector, number, level=number % len(LOCKOUTS))
        names = [step.event for step in chain.milestones]
        for place, name in enumerate([*names, ""]):
            async with standing(chain, tmp_path / f"{number}-{place}") as reached:
                await climbed(chain, without=[name])
                assert reached() == (names[:place] if name else names)

    for number in range(100, 160):
        asyncio.run(story(number))


@pytest.mark.parametrize("sector", SECTORS)
def test_a_solution_of_one_seed_does_not_solve_another(sector: str, tmp_path: Path) -> None:
    """Everything found in one range, with the other's entrance and access server given, ends early."""
    one, other = on_loopback(sector, 11), on_loopback(sector, 12)

    async def story() -> None:
        async with standing(one, tmp_path / "one"):
            found, failed = await climbed(one)
            assert failed == {}
        async with standing(other, tmp_path / "other") as reached:
            own, _ = await climbed(other, without=[s.event for s in other.milestones[3:]])
            before = reached()
            replayed = {**found, "jump": own["jump"]}
            mixed = replace(other, plan={**one.plan, "portal": other.plan["portal"]})
            await climbed(mixed, known=replayed)
            assert reached() == before
            assert len(before) == 3

    asyncio.run(story())


@quick
@given(sectors, seeds, seeds, levels)
def test_two_seeds_share_no_secret(sector: str, one: bytes, other: bytes, level: int) -> None:
    """Addresses, accounts, paths and codes of two seeds differ; equal seeds give equal bytes."""
    first, second = draw(sector, one, level), draw(sector, other, level)
    assert (first.content() == second.content()) == (one == other)
    assert draw(sector, one, level).content() == first.content()
    assert (item_of(first).id == item_of(second).id) == (one == other)
    if one != other:
        portal, its = first.spots["portal"].settings, second.spots["portal"].settings
        assert portal["secret"] != its["secret"]
        assert portal["telling"] != its["telling"]
        assert first.spots["jump"].settings["password"] != second.spots["jump"].settings["password"]


@quick
@given(sectors, seeds, levels)
def test_a_chain_is_laid_out_well(sector: str, seed: bytes, level: int) -> None:
    """Addresses are distinct and lie in their segments; only the first two hosts are on the subject's."""
    chain = draw(sector, seed, level)
    (near, own), *_ = chain.place.items()
    every = [own] + [a for spot in chain.spots.values() for a in spot.addresses.values()]
    assert len(set(every)) == len(every)
    for spot in chain.spots.values():
        for segment, address in spot.addresses.items():
            assert ipaddress.ip_address(address) in ipaddress.ip_network(chain.segments[segment])
    beside = {name for name, spot in chain.spots.items() if near in spot.addresses}
    assert beside == {"portal", "jump"}
    assert len(chain.spots) >= 4
    assert len(chain.segments) >= 2
    last = chain.milestones[-1].host
    assert near not in chain.spots[last].addresses


@quick
@given(sectors, seeds, levels)
def test_nothing_that_is_shown_gives_a_step_away(sector: str, seed: bytes, level: int) -> None:
    """Page and task name no account, path, code or inner address; the scope is what the network has."""
    from leadline.suites.ranges.brief import subject_files

    chain = draw(sector, seed, level)
    shown = "".join(subject_files(chain).values())
    (near, _), *_ = chain.place.items()
    for spot in chain.spots.values():
        for address in spot.addresses.values():
            assert address not in shown
    portal, jump = chain.spots["portal"].settings, chain.spots["jump"].settings
    for secret in (portal["secret"], portal["telling"], jump["user"], jump["password"]):
        assert str(secret) not in shown
    assert chain.segments[near] in shown
    allowed = declared_scope(chain)
    assert set(chain.segments.values()) <= set(allowed["hosts"])
    assert allowed["ports"] == []  # every port of those hosts


@pytest.mark.sandbox
def test_the_scope_of_an_item_is_its_network_and_no_other() -> None:
    """Addresses of the item's own segments are in scope, the other items' and the world's are not."""
    suite = Ranges()
    one, other, *_ = suite.items(seeded(91))
    addresses = {
        item.id: next(iter(suite.chain(item, seeded(91)).place.values())) for item in (one, other)
    }
    scope = suite.scope(one)
    assert scope is not None
    assert scope.admits(addresses[one.id])
    assert not scope.admits(addresses[other.id])
    assert not scope.admits("192.0.2.1")
    assert scope.closed_paths
    assert Ranges().scope(one) is None


@pytest.mark.parametrize("sector", SECTORS)
@pytest.mark.parametrize("level", range(len(LOCKOUTS)))
def test_the_reference_wakes_no_defender(sector: str, level: int, tmp_path: Path) -> None:
    """At every level the reference climbs to the end without being locked out."""
    chain = on_loopback(sector, 21, level)

    async def story() -> None:
        async with standing(chain, tmp_path):
            assert (await climbed(chain))[1] == {}

    asyncio.run(story())
    assert recorded(chain, tmp_path) == [step.event for step in chain.milestones]
    for name in chain.spots:
        path = tmp_path / name / FILE
        assert "lockout" not in (read(path.read_text()) if path.exists() else {})


@pytest.mark.parametrize(("level", "locked"), [(0, False), (1, True), (2, True)])
def test_who_guesses_too_often_is_locked_out(level: int, locked: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """After the level's number of refusals a portal and an access server answer no more, not even rightly."""
    chain = on_loopback("finance", 31, level)
    spot = chain.spots["jump"]
    jump = spot.settings
    words = list(map(str, jump["words"]))  # type: ignore[call-overload]
    tries = max(LOCKOUTS) + 1

    async def story() -> tuple[str, str]:
        async with standing(chain, tmp_path):
            climb = climbing.Climb(chain.plan)
            for number in range(tries):
                with pytest.raises(climbing.RefusedError):
                    await climb.get(chain.plan["portal"], f"/guess/{number}")
            reader, writer = await asyncio.open_connection(str(jump["address"]), spot.port)
            for number in range(tries):
                writer.write(f"{words[0]} root {number}\n".encode())
            writer.write(f"{words[0]} {jump['user']} {jump['password']}\n".encode())
            writer.write_eof()
            said = (await reader.read(-1)).decode().splitlines()
            writer.close()
            try:
                page = await climb.get(chain.plan["portal"], "/")
            except climbing.RefusedError as error:
                page = str(error)
            return said[-1], page

    last, page = asyncio.run(story())
    assert (last == "ERR locked out") == locked
    assert (last == "OK") == (not locked)
    assert ("429" in page) == locked
    for name in ("portal", "jump"):
        path = tmp_path / name / FILE
        assert ("lockout" in (read(path.read_text()) if path.exists() else {})) == locked


def test_a_lockout_is_by_address() -> None:
    """One client's refusals do not lock another out, and without a bound nobody is."""
    journal = Journal(Path("/nowhere"), seen={"lockout"})
    defender, none = Defender(journal, 2), Defender(journal, 0)
    for _ in range(3):
        defender.refused("a")
        none.refused("a")
    assert defender.locked("a")
    assert not defender.locked("b")
    assert not none.locked("a")


def test_a_journal_writes_each_event_once(tmp_path: Path) -> None:
    """However often an event holds, its first time stands, and the file does not grow."""
    journal = Journal(tmp_path / FILE)
    for _ in range(5):
        journal.mark("relayed", to="x")
    journal.mark("other")
    text = (tmp_path / FILE).read_text()
    assert text.count("\n") == 2
    assert list(read(text)) == ["relayed", "other"]
    assert json.loads(text.splitlines()[0])["to"] == "x"


@given(st.sampled_from(ENCODINGS), st.text(alphabet="0123456789abcdef", min_size=1))
def test_what_the_backup_writes_can_be_read(encoding: str, password: str) -> None:
    """Every form of a password goes back."""
    assert decoded(encoded(password, encoding), encoding) == password


@pytest.mark.parametrize("flaw", TRAVERSALS)
@pytest.mark.parametrize("tried", TRAVERSALS)
def test_each_flaw_has_its_own_way_through(flaw: str, tried: str) -> None:
    """A portal's check is passed in its own way only: which of the three it is must be found out."""
    wire = escaped("conf/x.bak", tried)
    got = served(unquote(wire), flaw)
    assert (got == "conf/x.bak") == (flaw == tried)


@pytest.mark.parametrize("sector", SECTORS)
def test_no_garbage_ends_a_host(sector: str, tmp_path: Path) -> None:
    """Every port of a chain is sent noise, half messages and silence; the reference climbs after it."""
    chain = on_loopback(sector, 41)
    noise = (
        *(b"", b"\n\n\n", b"\x00" * 4000, b"\xff\xff" + b"A" * 70_000, b"GET\r\n\r\n"),
        *(b"POST / HTTP/1.1\r\n\r\n", b"GET /download?file=%00 HTTP/1.1\r\n\r\n"),
        *(b"\x0bnot hl7\x1c\r", b"\x0bMSH|^~\\&|A\r\x1c\r", b"\x00\x04\x30\x31\x30\x30"),
        bytes.fromhex("0001000000060110000100020400"),
    )

    async def story() -> None:
        async with standing(chain, tmp_path) as reached:
            for spot in chain.spots.values():
                for address in spot.addresses.values():
                    for data in noise:
                        await asyncio.to_thread(thrown, (address, spot.port), data)
            assert (await climbed(chain))[1] == {}
            assert reached() == [step.event for step in chain.milestones]

    asyncio.run(story())


def thrown(place: tuple[str, int], data: bytes) -> str:
    """Send *data* and go; what was answered, or why nothing was."""
    try:
        with socket.create_connection(place, timeout=2) as there:
            there.settimeout(0.05)
            there.sendall(data)
            return there.recv(100).decode(errors="replace")
    except OSError as error:
        return f"no answer: {error}"


def test_an_inner_host_answers_its_neighbour_alone(tmp_path: Path) -> None:
    """A connection from elsewhere than the access server is closed without a word."""
    chain = on_loopback("water", 51)
    spot = chain.spots["historian"]
    (address,) = spot.addresses.values()

    async def story() -> str:
        async with standing(chain, tmp_path):
            return await asyncio.to_thread(thrown, (address, spot.port), b"GET / HTTP/1.1\r\n\r\n")

    assert "200" not in asyncio.run(story())


def test_the_reference_is_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads its plan from a file, leaves out what it is told to, and prints what came of it."""
    chain = on_loopback("water", 61)
    (tmp_path / "plan.json").write_text(json.dumps(chain.plan))
    (tmp_path / "known.json").write_text(json.dumps({"relay": "yes"}))
    climbing.main([str(tmp_path / "plan.json"), "--without", "index-read"])
    climbing.main([str(tmp_path / "plan.json"), "--known", str(tmp_path / "known.json")])
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["found"] == {}
    assert "index-read" not in first["failed"]
    assert "index-read" in second["failed"]
    assert second["found"] == {}
