"""The scanner of the tool baseline, on hosts of this machine; and hosts' programs as started."""

import asyncio
import json
import random
import socket
import threading
from pathlib import Path

import pytest

from leadline.core.errors import Invalid
from leadline.subjects import scan_range
from leadline.subjects.prober import RangeTask, parse_range
from leadline.subjects.scan_range import Scanner
from leadline.suites.ranges import serve
from leadline.suites.ranges.journal import FILE, Journal, read
from suites.chains import on_loopback, standing

FEW = 200_000


def scanned(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, left: int = FEW, **chain: int
) -> list[dict[str, object]]:
    """What a scan of the two first hosts of a chain on loopback finds, and its hosts recorded."""
    drawn = on_loopback("water", **chain)
    spots = {name: drawn.spots[name] for name in ("portal", "jump")}
    scanner = Scanner(left, 7)
    scanner.ports = tuple(spot.port for spot in spots.values())

    async def story() -> None:
        async with standing(drawn, tmp_path):
            for spot in spots.values():
                address = next(iter(spot.addresses.values()))
                await asyncio.to_thread(scanner.run, f"{address}/32", "127.0.0.1")

    asyncio.run(story())
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_scanner_reads_what_anybody_may(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It finds both hosts, follows every link, meets the login, and is let in nowhere."""
    found = scanned(capsys, tmp_path)
    kinds = [one["found"] for one in found]
    assert kinds.count("host") == 2
    assert kinds.count("page") == 6
    assert [one["answered"] for one in found if one["found"] == "guess"] == [False] * 3
    accounts = [one for one in found if one["found"] == "account"]
    assert len(accounts) == scan_range.REFUSALS_MAX
    assert not any(str(one["answer"]).startswith("OK") for one in accounts)
    assert set(read((tmp_path / "portal" / FILE).read_text())) == {"index-read", "note-read"}
    assert not (tmp_path / "jump" / FILE).exists()


def test_the_scanner_stops_when_its_connections_are_used_up(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The budget is a number of connections, and what was found until then is told."""
    task = {"language": "range", "segment": "127.0.0.0/31", "address": "127.0.0.0"}
    (tmp_path / "task.json").write_text(json.dumps(task))
    scan_range.main(["scan_range.py", str(tmp_path / "task.json"), "3", "1"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["found"] for one in found] == ["end", "left"]
    assert found[-1]["connections"] == 0


def test_a_default_account_is_taken_where_it_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A host that lets `root` in with `root` is found out, and no further account is tried."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def host() -> None:
            for _ in range(3):
                there, _ = server.accept()
                with there:
                    there.sendall(b"X | LOGIN <user> <password>\n")
                    there.settimeout(30)
                    said = there.recv(100)
                    there.sendall(b"OK\n" if said == b"LOGIN root root\n" else b"ERR\n")

        thread = threading.Thread(target=host, daemon=True)
        thread.start()
        Scanner(FEW, 1).accounts("127.0.0.1", port, "LOGIN")
        thread.join(60)
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["answer"] for one in found] == ["ERR", "ERR", "OK"]


def test_silent_ports_are_asked_in_the_known_protocols(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A port that greets nobody and serves no page gets one question of each protocol."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def host() -> None:
            for _ in range(5):
                there, _ = server.accept()
                with there:
                    there.settimeout(30)
                    asked.append(there.recv(400))

        thread = threading.Thread(target=host, daemon=True)
        thread.start()
        Scanner(FEW, 1).look("127.0.0.1", port)
        thread.join(60)
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in found] == ["modbus", "hl7", "iso8583"]
    assert asked[-3:] == [scan_range.MODBUS, scan_range.HL7, scan_range.ISO]
    assert Scanner(FEW, 1).ask("127.0.0.1", port, b"") == b""  # nobody is there any more


def test_the_order_of_hosts_follows_the_seed() -> None:
    """Equal seeds scan alike: the scanner draws its order from the seed alone."""
    assert Scanner(1, 5).random.random() == random.Random(5).random()  # noqa: S311 - an order


@pytest.mark.parametrize("text", ["", "[]", '{"language": "range"}', '{"segment": "x"}'])
def test_what_is_no_task_is_refused(text: str) -> None:
    """A description that cannot be read is named."""
    with pytest.raises(Invalid, match=r"task\.json"):
        parse_range(text)


def test_other_tasks_are_left_to_others() -> None:
    """A task in C is none of the scanner's; a range is read."""
    assert parse_range('{"language": "c"}') is None
    told = '{"language": "range", "segment": "10.1.0.0/27", "address": "10.1.0.2"}'
    assert parse_range(told) == RangeTask("10.1.0.0/27", "10.1.0.2")


async def opened(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection, as soon as somebody listens."""
    for _ in range(500):
        try:
            return await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.01)
    raise TimeoutError


def test_a_hosts_program_serves_until_it_is_ended(tmp_path: Path) -> None:
    """What a host's file says is served, and the host records what happens there."""
    chain = on_loopback("health", 81)
    spot = chain.spots["portal"]
    (address,) = spot.addresses.values()
    told = {"module": spot.module, "program": spot.program, "settings": spot.settings}

    async def story() -> bytes:
        ended = asyncio.Event()
        journal = Journal(tmp_path / FILE)
        serving = asyncio.create_task(serve.run(json.dumps(told), journal, ended))
        reader, writer = await opened(address, spot.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        page = await reader.read(-1)
        writer.close()
        ended.set()
        await serving
        return page

    assert b"200 OK" in asyncio.run(story())
    assert list(read((tmp_path / FILE).read_text())) == ["index-read"]
