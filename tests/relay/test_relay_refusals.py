"""Whoever may not ask gets one answer and leaves an entry; nothing of it reaches the API."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, NotFound, Refused
from leadline.relay.exchange import Limits
from leadline.relay.server import Listening, upstream_at
from leadline.relay.state import REFUSALS_A_MINUTE
from relay.relay_world import (
    OTHER,
    QUICK,
    Holder,
    World,
    caps,
    dialect,
    relaying,
    status,
    until,
)

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 78\r\n\r\n{"model":"model-a-1","usage":{"prompt_tokens":60,"completion_tokens":40},"x":1}'
OK = OK.replace(b"78", str(len(OK.partition(b"\r\n\r\n")[2])).encode())


def why(world: World) -> str:
    """The reason of the last refusal."""
    return str(world.entries("request.refused")[-1].detail["why"])


def test_every_bad_credential_looks_alike_and_leaves_an_entry(tmp_path: Path) -> None:
    """Expired, revoked, guessed, none, of another case, two at once: one answer, byte for byte."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            other = world.issue(engagement="engagement-2")
            short, gone = world.issue(minutes=1), world.issue()
            good = world.issue(minutes=600)
            world.state.revoke([gone.made.id], "test")
            world.clock.now += timedelta(minutes=2)
            cases = [
                (short.request(), "expired"),
                (gone.request(), "revoked"),
                (good.request(secret="llr_guessed"), "unknown"),
                (good.request(secret=good.made.digest), "unknown"),
                (good.request(prefix=other.made.prefix), "another path"),
                (good.request(prefix="v1"), "another path"),
                (good.request().replace(b"Bearer ", b"Basic "), "no credential"),
                (good.request(headers=[f"Authorization: Bearer {good.secret}"]), "two credentials"),
            ]
            answers = set[bytes]()
            for raw, reason in cases:
                answers.add(await good.ask(raw))
                assert reason in why(world)
            assert len(answers) == 1
            assert status(answers.pop()) == 401
            assert world.api.requests == []
            assert len(world.entries("request.refused")) == len(cases)
            assert world.entries("request.refused")[0].detail["credential"] == short.made.id
            assert good.secret not in (tmp_path / "journal.jsonl").read_text()
            assert status(await good.ask()) == 200

    asyncio.run(run())


def test_guessing_cannot_fill_the_disk(tmp_path: Path) -> None:
    """So many a minute are entered one by one; of the others their number, once the minute is over."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue()
            for _ in range(REFUSALS_A_MINUTE + 30):
                await holder.ask(holder.request(secret="llr_guess"))
            assert len(world.entries("request.refused")) == REFUSALS_A_MINUTE
            world.clock.now += timedelta(minutes=1)
            await until(lambda: bool(world.entries("requests.refused")))
            assert [one.detail["count"] for one in world.entries("requests.refused")] == [30]
            assert world.state.journal.ledger.counts["refused"] == REFUSALS_A_MINUTE + 30

    asyncio.run(run())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"GET http://other.example/ HTTP/1.1\r\nHost: a\r\n\r\n", "target"),
        (b"CONNECT other.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", "target"),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "target"),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "version"),
        (b"GET / HTTP/1.1\r\n\r\n", "Host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "Host"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Content-Length",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "Length",
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", "Length"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "Encoding"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", "field"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", "field"),
        (b"GET / HTTP/1.1\nHost: a\n\r\n\r\n", "request line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", "X"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", "request line"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "head"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(tmp_path: Path, raw: bytes, reason: str) -> None:
    """Smuggling, other hosts, other versions: 400, an entry, and the connection ends."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue()
            assert status(await holder.ask(raw + holder.request())) == 400
            assert reason in why(world)
            assert world.api.requests == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("target", "body", "headers", "told"),
    [
        ("/v1/chat/completions", b'{"model":"model-b"}', (), 403),
        ("/v1/chat/completions", b'{"model":"model-a","model":"model-b"}', (), 400),
        ("/v1/chat/completions", b'{"messages":[]}', (), 400),
        ("/v1/chat/completions", b"\xff", (), 400),
        ("/v1/chat/completions", b'{"model":"model-a"}', ("Content-Encoding: gzip",), 415),
        ("/v1/files", b"{}", (), 403),
        ("/v1/models/../files", b"{}", (), 403),
        ("/v1/models/%2e%2e/files", b"{}", (), 403),
        ("//v1/chat/completions", b'{"model":"model-a"}', (), 403),
        ("/v1/chat/completions", b'{"model":"' + b"a" * (33 << 20) + b'"}', (), 413),
    ],
)
def test_a_credential_covers_its_paths_and_models(
    tmp_path: Path, target: str, body: bytes, headers: tuple[str, ...], told: int
) -> None:
    """Another path, another model, or one that two readers could take for another."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue()
            raw = holder.request(target, body, headers=headers)
            assert status(await holder.ask(raw)) == told
            assert world.api.requests == []

    asyncio.run(run())


def test_a_path_that_is_given_is_covered(tmp_path: Path) -> None:
    """Also one that the dialect does not name: relayed, with nothing read in it."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue(paths=("/v1/files/",))
            assert status(await holder.ask(holder.request("/v1/files/a", b"x"))) == 200
            assert world.ends()[-1]["counted"] == "none"
            assert status(await holder.ask(holder.request("/v1/filesystem", b"x"))) == 403

    asyncio.run(run())


async def statuses(holder: Holder, times: int) -> list[int]:
    """The statuses of requests one after the other."""
    return [status(await holder.ask()) for _ in range(times)]


@pytest.mark.parametrize(
    ("given", "passed", "cap"),
    [
        ({"requests_a_minute": 2}, 2, "requests a minute"),
        ({"tokens": 150}, 2, "tokens"),
        ({"micros": 350, "price_in": 1_000_000, "price_out": 2_000_000}, 3, "money"),
        ({"bytes": 90}, 1, "bytes"),
        ({"case_tokens": 100}, 1, "the case's tokens"),
    ],
)
def test_caps_end_it(tmp_path: Path, given: dict[str, int], passed: int, cap: str) -> None:
    """What is used up is told, entered, and goes no further; the cap is looked at beforehand."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue(caps=caps(**given))
            assert await statuses(holder, 4) == [200] * passed + [429] * (4 - passed)
            assert why(world) == f"cap: {cap}"
            assert len(world.api.requests) == passed
            if "micros" in given:
                assert world.ends()[0]["micros"] == 140
            if cap == "requests a minute":
                world.clock.now += timedelta(minutes=1)
                assert await statuses(holder, 1) == [200]
            if cap.startswith("the case"):
                second = world.issue(caps=caps(**given))
                assert await statuses(second, 1) == [429]

    asyncio.run(run())


def test_so_many_streams_at_a_time(tmp_path: Path) -> None:
    """One too many is refused; once one ends, there is room again."""

    async def run() -> None:
        async with relaying(tmp_path, [OK[:-3], 1.5, OK[-3:]]) as world:
            holder = world.issue(caps=caps(streams=2))
            told = await asyncio.gather(*(holder.ask() for _ in range(3)))
            assert sorted(status(one) for one in told) == [200, 200, 429]
            assert status(await holder.ask()) == 200

    asyncio.run(run())


def test_an_unknown_api_is_capped_by_requests_and_bytes(tmp_path: Path) -> None:
    """Nothing is read in it, so nothing is counted in tokens."""

    async def run() -> None:
        async with relaying(tmp_path, [OK], dialects=(OTHER,)) as world:
            holder = world.issue(models=(), caps=caps(bytes=50))
            assert await statuses(holder, 2) == [200, 429]
            assert (world.ends()[0]["tokens"], world.ends()[0]["models"]) == (0, ())

    asyncio.run(run())


def test_another_model_is_told_at_once_and_ever_after(tmp_path: Path) -> None:
    """The head of the very answer tells it, the journal too; a stream that changes within does later."""

    async def run() -> None:
        changed = OK.replace(b"model-a-1", b"model-z-9")
        async with relaying(tmp_path, [OK], [changed], [OK]) as world:
            holder = world.issue()
            told = [await holder.ask() for _ in range(3)]
            assert told[0] == OK
            assert b"Leadline-Subject-Changed: model-a-1 -> model-z-9\r\n" in told[1]
            assert told[1].partition(b"\r\n\r\n")[2] == changed.partition(b"\r\n\r\n")[2]
            assert b"Leadline-Subject-Changed" in told[2]
            [entry] = world.entries("subject.changed")
            assert entry.detail["credential"] == holder.made.id
            pinned = world.issue(answers=("model-a-1",), models=("model-a", "model-b"))
            raw = pinned.request(body=b'{"model":"model-b"}')
            assert b"Leadline-Subject-Changed" not in await pinned.ask(raw)

    asyncio.run(run())


def test_a_models_name_cannot_write_headers(tmp_path: Path) -> None:
    """Whatever an API calls itself, it is told in one line of printable ASCII, and entered so."""

    async def run() -> None:
        body = rb'{"model":"m\r\nX-Evil: 1\r\n\r\n\ud800\u00fc"}'
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        async with relaying(tmp_path, [OK], [head % len(body) + body]) as world:
            holder = world.issue()
            await holder.ask()
            told = (await holder.ask()).partition(b"\r\n\r\n")[0].split(b"\r\n")
            assert len(told) == 3
            due = rb"Leadline-Subject-Changed: model-a-1 -> m\r\nX-Evil: 1\r\n\r\n\ud800\xfc"
            assert told[2] == due
            assert world.ends()[1]["models"] == (due.decode().rpartition("> ")[2],)

    asyncio.run(run())


def test_a_change_within_a_stream_is_told_from_the_next_answer_on(tmp_path: Path) -> None:
    """Its own head had gone already."""

    async def run() -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"
        one, two = b'data: {"model":"model-a-1"}\n\n', b'data: {"model":"model-z-9"}\n\n'
        async with relaying(tmp_path, [head % 58 + one, 0.1, two]) as world:
            holder = world.issue()
            assert b"Changed" not in await holder.ask()
            assert len(world.entries("subject.changed")) == 1
            assert b"Leadline-Subject-Changed: model-a-1 -> model-z-9" in await holder.ask()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("steps", "told", "outcome"),
    [
        (["reset"], 502, "upstream_gone"),
        (["close"], 502, "upstream_gone"),
        ([30.0], 504, "slow"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab"], 502, "upstream_malformed"),
        ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"], 502, "upstream_malformed"),
        ([b"SSH-2.0-x\r\n\r\n"], 502, "upstream_malformed"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "close"], 502, "upstream_cut"),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "close"],
            502,
            "upstream_malformed",
        ),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore"], 502, "upstream_malformed"),
    ],
)
def test_an_api_that_fails_has_a_name_for_it(
    tmp_path: Path, steps: list[bytes | float | str], told: int, outcome: str
) -> None:
    """Down, slow, gone, malformed: the evaluator is told, the entry says which, at the worst case."""

    async def run() -> None:
        limits = replace(QUICK, answer=4)
        async with relaying(tmp_path, steps, limits=limits) as world:
            holder = world.issue()
            assert status(await holder.ask()) == told
            [entry] = world.ends()
            assert entry["outcome"] == outcome
            assert world.state.journal.ledger.open == {}
            assert world.state.streams[holder.made.id] == 0

    asyncio.run(run())


def test_a_cut_stream_has_no_clean_end(tmp_path: Path) -> None:
    """What came is passed on; the missing end is missing, and counts at the worst case."""

    async def run() -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        event = b'1d\r\ndata: {"model":"model-a-1"}\n\n\r\n'
        async with relaying(tmp_path, [head, event, 0.3, "reset"]) as world:
            holder = world.issue()
            assert await holder.ask() == head + event
            [entry] = world.ends()
            assert (entry["outcome"], entry["counted"]) == ("upstream_cut", "worst case")

    asyncio.run(run())


def test_nothing_listens_there(tmp_path: Path) -> None:
    """An upstream that is down is told as such, and nothing was begun."""

    async def run() -> None:
        async with relaying(tmp_path, upstream="http://127.0.0.1:9") as world:
            assert status(await world.issue().ask()) == 502
            assert world.entries("exchange.begun") == []

    asyncio.run(run())


def test_a_client_that_leaves_ends_the_upstream(tmp_path: Path) -> None:
    """Also while nothing flows."""

    async def run() -> None:
        async with relaying(tmp_path, [30.0, OK]) as world:
            holder = world.issue()
            _, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(holder.request())
            await until(lambda: bool(world.entries("exchange.begun")))
            writer.close()
            await until(lambda: bool(world.ends()))
            assert world.ends()[0]["outcome"] == "client_gone"

    asyncio.run(run())


def test_a_slow_sender_is_not_waited_for(tmp_path: Path) -> None:
    """A head that does not end, and a body that does not come."""

    async def run() -> None:
        limits = Limits(idle=0.3, head=0.3, body=0.3)
        async with relaying(tmp_path, [OK], limits=limits) as world:
            holder = world.issue()
            assert await holder.ask(b"GET / HT") == b""
            assert status(await holder.ask(holder.request()[:-3])) == 408
            assert world.api.requests == []

    asyncio.run(run())


def test_no_more_connections_than_it_can_hold(tmp_path: Path) -> None:
    """One beyond the bound is told so."""

    async def run() -> None:
        async with relaying(tmp_path, [OK], limits=Limits(connections=1)) as world:
            holder = world.issue()
            _, writer = await asyncio.open_connection("127.0.0.1", world.port)
            await asyncio.sleep(0.05)
            assert status(await holder.ask(b"")) == 503
            writer.close()

    asyncio.run(run())


def test_what_cannot_be_issued(tmp_path: Path) -> None:
    """Each with its cure; nothing is entered."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            for wanted in (
                {"minutes": 1441},
                {"minutes": 0},
                {"engagement": ""},
                {"bound": "face:x"},
                {"bound": "dpop:x"},
                {"models": ()},
            ):
                with pytest.raises(Invalid):
                    world.issue(**wanted)
            with pytest.raises(Invalid, match="--minutes"):
                world.issue(minutes=1441)
            with pytest.raises(Invalid, match="prices"):
                caps(micros=1)
            with pytest.raises(Invalid, match="whole number"):
                caps(tokens=-1)
            with pytest.raises(Invalid, match="cannot be read"):
                caps(worst_tokens=0)
            with pytest.raises(NotFound):
                world.state.revoke(["relay-none"], "test")
            assert world.entries("credential.issued") == []

    asyncio.run(run())


def test_where_it_listens_and_what_it_reaches() -> None:
    """Beyond this machine only with TLS; upstream only an https URL, or this machine."""
    with pytest.raises(Refused, match="--certificate"):
        Listening("0.0.0.0")  # noqa: S104 -- what is refused
    with pytest.raises(Refused):
        Listening("relay.example")
    assert Listening("localhost").port == 0
    for url in ("ftp://a", "https://", "https://a/?x=1", "https://u@a/", "http://a.example/"):
        with pytest.raises(Invalid):
            upstream_at(url, "key", None)
    for key in ("", "a b", "ü", "a\n"):
        with pytest.raises(Invalid):
            upstream_at("https://a.example", key, None)
    assert upstream_at("https://a.example/v/", "key", None).base == b"/v"
    assert dialect("vllm").id == "vllm"
