"""What the relay adds: 200 streams of ten chunks a second, through it and past it in turns.

    python bench/relay.py --json [--quick]

API, relay and load are a process each, on loopback and without TLS. Each chunk carries the time at
which the API wrote it, so that a chunk's delay is its own; the clock is the machine's monotonic one,
which all processes share. Turns of the two ways alternate, so that the machine's load falls on both;
in each the streams begin within four seconds, and then all run for ten.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STREAMS, CHUNKS_A_SECOND, SPREAD_SECONDS = 200, 10, 4.0
COMMAND = ("-c", "from leadline.cli.relay import app; app()")
ADDED_MS_MAX = 10.0
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
BODY = b'{"model":"bench-model","stream":true}'


def chunk(*, last: bool = False) -> bytes:
    """One event of a stream, in the form of a chat completion, with the time it was written."""
    told = {
        "id": "chatcmpl-1",
        "model": "bench-model-1",
        "choices": [{"index": 0, "delta": {"content": "word"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 10} if last else None,
        "t": time.monotonic_ns(),
    }
    data = b"data: " + json.dumps(told).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


async def api(seconds: float) -> None:
    """The API: answers every request with a stream; prints its port first."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(BODY))
        begun, count = time.monotonic(), int(seconds * CHUNKS_A_SECOND)
        writer.write(HEAD)
        for number in range(count):
            writer.write(chunk(last=number == count - 1))
            await asyncio.sleep(max(0.0, begun + (number + 1) / CHUNKS_A_SECOND - time.monotonic()))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@dataclass
class Seen:
    """What one way took: milliseconds to the first chunk of each stream, and of every later chunk."""

    first: list[float] = field(default_factory=list)
    chunks: list[float] = field(default_factory=list)


async def stream(port: int, head: bytes, after: float, seen: Seen) -> None:
    """One stream, begun after *after* seconds."""
    await asyncio.sleep(after)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = time.monotonic_ns()
    writer.write(head + BODY)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    first = True
    while size := int(await reader.readline(), 16):
        data = await reader.readexactly(size + 2)
        now = time.monotonic_ns()
        if first:
            seen.first.append((now - asked) / 1e6)
            first = False
        else:
            seen.chunks.append((now - json.loads(data[6:-4])["t"]) / 1e6)
    writer.close()


async def load(port: int, head: bytes, streams: int) -> Seen:
    """All streams of one turn."""
    seen = Seen()
    starts = [number * SPREAD_SECONDS / streams for number in range(streams)]
    await asyncio.gather(*(stream(port, head, after, seen) for after in starts))
    return seen


def request(path: str, port: int, secret: str) -> bytes:
    """A request's head."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    ).encode()


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(*words: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that ends with the block; *stdout* has what it says in either way."""
    argv = [sys.executable, *words]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def measure(*, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    seconds, pairs, streams = (5.0, 1, 50) if quick else (14.0, 2, STREAMS)
    before = os.getloadavg()[0]
    seen = {"direct": Seen(), "relay": Seen()}
    with tempfile.TemporaryDirectory() as folder, running(__file__, "--api", str(seconds)) as api_:
        assert api_.stdout is not None
        port = int(api_.stdout.readline())
        key = Path(folder, "key")
        key.write_text("sk-upstream")
        key.chmod(0o600)
        state = ["--state", str(Path(folder, "state"))]
        serve = [*COMMAND, "serve", *state, "--upstream", f"http://127.0.0.1:{port}"]
        serve += ["--dialect", "openai-chat", "--key-file", str(key), "--listen", "127.0.0.1:0"]
        with running(*serve) as relay:
            assert relay.stdout is not None
            own = int(relay.stdout.readline().rpartition(":")[2])
            issue = [sys.executable, *COMMAND, "issue", *state, "--engagement", "bench"]
            issue += ["--model", "bench-model", "--requests", "100000", "--streams", str(streams)]
            made = json.loads(subprocess.check_output([*issue, "--json"]))
            path = "/v1/chat/completions"
            heads = {
                "direct": (port, request(path, port, "sk-upstream")),
                "relay": (own, request(f"/{made['prefix']}{path}", own, made["secret"])),
            }
            used = processor_seconds(relay.pid)
            for pair in range(pairs):
                for way in ("direct", "relay") if pair % 2 == 0 else ("relay", "direct"):
                    found = asyncio.run(load(*heads[way], streams))
                    seen[way].first += found.first
                    seen[way].chunks += found.chunks
            used = processor_seconds(relay.pid) - used
    return told(seen, used / (pairs * seconds), before)


def told(seen: dict[str, Seen], processor: float, load_before: float) -> dict[str, object]:
    """The document of what was seen."""
    values = {"relay_processor": {"value": round(processor, 3), "unit": "cpu-s/s"}}
    ratios = dict[str, dict[str, object]]()
    for name in ("first", "chunks"):
        times = {way: getattr(one, name) for way, one in seen.items()}
        medians = {way: statistics.median(one) for way, one in times.items()}
        for way, one in times.items():
            p99 = statistics.quantiles(one, n=100)[98]
            values[f"{name}_{way}_ms"] = {"value": round(medians[way], 3), "unit": "ms, median"}
            values[f"{name}_{way}_p99_ms"] = {"value": round(p99, 3), "unit": "ms, p99"}
        added = medians["relay"] - medians["direct"]
        ratios[f"{name}_added_ms"] = {
            "value": round(added, 3),
            "baseline": None,
            "target": ADDED_MS_MAX,
            "sense": "<=",
            "met": added <= ADDED_MS_MAX,
        }
    values["chunks"] = {"value": len(seen["relay"].chunks), "unit": "chunks relayed"}
    return {
        "bench": "relay",
        "ok": all(bool(one["met"]) for one in ratios.values()),
        "env": {
            "cpus": os.cpu_count(),
            "load": round(load_before, 2),
            "fsync_ms": round(fsync_ms(), 3),
        },
        "values": values,
        "ratios": ratios,
        "unavailable": [],
    }


def fsync_ms() -> float:
    """What making 4 kB durable takes here: the median of nine."""
    with tempfile.TemporaryFile() as file:
        taken = []
        for _ in range(9):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    parser.add_argument("--quick", action="store_true", help="fewer streams, shorter")
    parser.add_argument("--api", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.api:
        asyncio.run(api(options.api))
        return
    document = measure(quick=options.quick)
    if not options.json:
        for name, entry in dict(document["values"]).items():  # type: ignore[call-overload]
            sys.stdout.write(f"{name:24} {entry['value']:10} {entry['unit']}\n")
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
