"""A sealed run in a process of its own: its inner side, and the outer side that speaks with it.

One message is its length in eight bytes and then that many bytes. A request is canonical JSON, with
the pack's ciphertext in a message after it; an answer is canonical JSON, with evidence after it. What
goes wrong inside is told by the kind of error and, for Leadline's own errors, by its words, which hold
no content of an item. Whatever else the inner process prints is thrown away.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO

from leadline.app.ports import Bounded, Material, Ran
from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, LeadlineError, Refused, Tampered, Unavailable
from leadline.core.record.act import Value
from leadline.core.sealed.pack import Scheme
from leadline.core.sealed.session import RunSession
from leadline.formats import canonical
from leadline.formats import pack as packs
from leadline.formats.pack import flat
from leadline.formats.values import plain
from leadline.runner.sealed import Inside, Measure, Measured

LENGTH_BYTES = 8
MESSAGE_BYTES_MAX = packs.PACK_BYTES_MAX + (1 << 20)
HEAD_BYTES_MAX = packs.INDEX_BYTES_MAX
STOP_SECONDS = 20
MEASURED = ("core/sealed", "formats/pack.py", "runner", "sandbox", "subjects", "suites")
ERRORS: Mapping[str, Callable[[str], LeadlineError]] = {
    "refused": Refused,
    "unavailable": Unavailable,
    "tampered": lambda words: Tampered("sealed run", words),
    "invalid": lambda words: Invalid("sealed run", words),
}


def measurement() -> str:
    """SHA-256 over every source file that runs and scores a sealed pack, in hex."""
    root = files("leadline")
    listed = tuple((name, digest) for part in MEASURED for name, digest in _sources(root, part))
    return sha256(canonical.encode(listed)).hexdigest()


def _sources(root: Traversable, part: str) -> Sequence[tuple[str, str]]:
    place = root / part
    if place.is_file():
        return [(part, sha256(place.read_bytes()).hexdigest())]
    found = list[tuple[str, str]]()
    for entry in sorted(place.iterdir(), key=lambda one: one.name):
        if entry.is_dir() or entry.name.endswith((".py", ".c", ".h")):
            found += _sources(root, f"{part}/{entry.name}")
    return found


def send(out: IO[bytes], data: bytes) -> None:
    """Write one message."""
    out.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    out.flush()


def take(source: IO[bytes]) -> bytes:
    """Read one message; raises Unavailable, if the other side ended or says too much."""
    head = source.read(LENGTH_BYTES)
    length = int.from_bytes(head, "big")
    if len(head) != LENGTH_BYTES or length > MESSAGE_BYTES_MAX:
        raise Unavailable("the sealed run ended before it answered")
    data = source.read(length)
    if len(data) != length:
        raise Unavailable("the sealed run ended in the middle of an answer")
    return data


def serve(inside: Inside, source: IO[bytes], out: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    while head := source.read(LENGTH_BYTES):
        request = canonical.decode(
            source.read(int.from_bytes(head, "big")), bytes_max=HEAD_BYTES_MAX
        )
        assert isinstance(request, Mapping)  # noqa: S101 -- our own other side writes it
        blob = take(source)
        try:
            answer, evidence = _answered(inside, request, blob)
        except LeadlineError as error:
            answer, evidence = {"error": error.code, "words": str(error)}, b""
        send(out, canonical.encode(answer, bytes_max=HEAD_BYTES_MAX))
        send(out, evidence)


def _answered(
    inside: Inside, request: Mapping[str, Value], blob: bytes
) -> tuple[dict[str, Value], bytes]:
    match request["do"]:
        case "hello":
            public, measured = inside.hello()
            return {"channel": public.hex(), "measurement": measured}, b""
        case "open":
            inside.open(flat(RunSession, "session", request["session"]), _material(request, blob))
            return {}, b""
        case "run":
            ran = inside.run()
            return {"items": ran.items, "ours": ran.ours}, b""
        case _:
            told = inside.report()
            return {"text": told.text.decode()}, told.evidence


def _material(request: Mapping[str, Value], blob: bytes) -> Material:
    told, scheme = request["material"], request["scheme"]
    assert isinstance(told, Mapping)  # noqa: S101 -- our own other side writes it
    shares, shown = told["shares"], told["shown"]
    assert isinstance(shares, Mapping)  # noqa: S101
    assert isinstance(shown, tuple)  # noqa: S101
    return Material(
        pack=str(told["pack"]),
        ciphertext=blob,
        scheme=flat(Scheme, "scheme", scheme),
        shares={int(number): str(sealed) for number, sealed in shares.items()},
        shown=tuple(str(one) for one in shown),
        seed=str(told["seed"]),
    )


class ChildEngine:
    """`leadline.runner.sealed.Engine` in a child process, which ends with this one or when closed."""

    def __init__(self, spec: str, budget: Budget) -> None:
        told = [spec, *(str(part) for part in (budget.runs, budget.tokens, budget.seconds))]
        argv = [sys.executable, "-m", "leadline.runner.sealed_process", *told]
        self._child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def hello(self) -> tuple[bytes, str]:
        """The channel's public key, and the digest of the code that runs."""
        told, _ = self._ask({"do": "hello"})
        return bytes.fromhex(str(told["channel"])), str(told["measurement"])

    def open(self, session: RunSession, material: Material) -> None:
        """Pass session, shares and ciphertext on."""
        told = replace(material, ciphertext=b"")
        named: dict[str, Value] = {
            "pack": told.pack,
            "shares": {str(number): sealed for number, sealed in told.shares.items()},
            "shown": told.shown,
            "seed": told.seed,
        }
        request: dict[str, Value] = {"do": "open", "session": plain(session), "material": named}
        self._ask({**request, "scheme": plain(told.scheme)}, material.ciphertext)

    def run(self) -> Ran:
        """Wait until every item was shown."""
        told, _ = self._ask({"do": "run"})
        return Ran(int(str(told["items"])), int(str(told["ours"])))

    def report(self) -> Bounded:
        """What leaves."""
        told, evidence = self._ask({"do": "report"})
        return Bounded(str(told["text"]).encode(), evidence)

    def close(self) -> None:
        """End the process; what it knew goes with it."""
        if self._child.stdin is not None and not self._child.stdin.closed:
            self._child.stdin.close()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def _ask(
        self, request: Mapping[str, Value], blob: bytes = b""
    ) -> tuple[Mapping[str, Value], bytes]:
        source, out = self._child.stdout, self._child.stdin
        if source is None or out is None or out.closed:
            raise Unavailable("the sealed run has ended")
        try:
            send(out, canonical.encode(request, bytes_max=HEAD_BYTES_MAX))
            send(out, blob)
            told = canonical.decode(take(source), bytes_max=HEAD_BYTES_MAX)
            evidence = take(source)
        except BrokenPipeError as error:
            raise Unavailable("the sealed run has ended") from error
        assert isinstance(told, Mapping)  # noqa: S101 -- our own other side writes it
        if "error" in told:
            raise ERRORS.get(str(told["error"]), Unavailable)(str(told["words"]))
        return told, evidence


def of_subject(spec: str, budget: Budget) -> Measure:
    """The measure that runs the subject named *spec* through Inspect, each attempt in a box."""

    def measure(items: Sequence[packs.PackedItem], folder: Path) -> Measured:
        # Inspect takes seconds to import, and nothing before the run needs it.
        from leadline.runner.sealed_suite import measured

        return measured(items, folder, spec, budget)

    return measure


def main() -> None:
    """The inner side: no core dump, nothing printed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spec, *numbers = sys.argv[1:]
    runs, tokens, seconds = (int(number) for number in numbers)
    source, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    inside = Inside(of_subject(spec, Budget(runs, tokens, seconds)), measurement())
    serve(inside, source, out)


if __name__ == "__main__":
    main()
