"""The tool baseline's fuzzer for programs that are no C source: it runs by itself, in the box.

    python3 mutator.py TASK -runs=N -seed=N -artifact_prefix=PATH

TASK is a folder with ``task.json``. A Python task names a driver with a class ``Stand`` (folder
``src``); a task without source names a program that reads the files on its command line. Everything
known about the input comes from the samples: a format of a header and records of tag, length and
payload is guessed from them. Inputs are changed by records, by bytes and by a list of payloads of
the kind that scanners carry; constants and names of a Python source fill them. Inputs that reach new
lines of a Python source are kept and changed further. The first input that brings out the secret,
or ends the program by a signal or a sanitizer's report, is written to PATH and ends the run.

Equal arguments do the same: the only source of choices is the seed.
"""

import ast
import contextlib
import importlib
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import FrameType
from typing import Protocol

_BATCH = 64  # inputs that one start of a program without source reads
_SECONDS = 5  # after which one input of a Python program is given up
_HEAD_MAX = 24
_KEPT_MAX = 400
_SMALL = 255
# What scanners carry; * is the shell's. <x> stands for a word of the source of kind x, see `Words`.
_PAYLOADS = (
    *(";cat *", "|cat *", "\ncat *", "&cat *", "$(cat *)", "';cat *;'", "';cat *;#", '";cat *;"'),
    *("'\ncat *\n'", "'|cat * #", "'&cat *&'", "1;cat *", "1|cat *", "1\ncat *", "1&cat *"),
    *("a\ncat *", "a;cat *", "' OR 1=1--", "' OR ''='", "1 OR 1=1"),
    *("' UNION SELECT <c> FROM <t>--", "' UNION SELECT <c> FROM <t> WHERE ''='"),
    *("'/**/UNION/**/SELECT/**/<c>/**/FROM/**/<t>--", "<c>,(SELECT <c> FROM <t>)"),
    *("../<p>", "../../<p>", "....//<p>", "..././<p>", "%2e%2e/<p>", "..%2f<p>", "/etc/passwd"),
    *("{{7*7}}", "{{<v>}}", "{{0 or <v>}}", "{{1+<v>}}", "{<k>.<a>}", "{<k>.<a>.<a>}"),
    *("{<k>.__init__.__globals__}", "cos\nsystem\n(S'cat *'\ntR."),
    *("cbuiltins\neval\n(S\"open('<p>').read()\"\ntR.", "cbuiltins\nopen\n(S'<p>'\ntR."),
    *("<v>", "<V>", " <v>", "<v> ", "<v>.", "<v>:<v>", ";<v>:<v>", "\0<v>:<v>", "", "\0", "%s%n"),
)
_GAP = re.compile(r"<([tcpkavV])>")
_TABLE = re.compile(r"CREATE TABLE (\w+) \((\w+)")


@dataclass(frozen=True)
class Format:
    """A header of *head* bytes, then records; *sized* is where it keeps the body's size, or -1."""

    head: int
    tag: int
    length: int
    length_first: bool
    order: str
    sized: int = -1

    def parse(self, data: bytes) -> "list[Record] | None":
        """The records of *data*, or None if it does not end where its last record does."""
        at, records = self.head, []
        if len(data) < at:
            return None
        while at < len(data):
            fields = data[at : at + self.tag + self.length]
            if len(fields) < self.tag + self.length:
                return None
            size = fields[: self.length] if self.length_first else fields[self.tag :]
            name = fields[self.length :] if self.length_first else fields[: self.tag]
            at += len(fields)
            count = int.from_bytes(size, self.order)  # type: ignore[arg-type]
            if count > len(data) - at:
                return None
            records.append(Record(name, data[at : at + count]))
            at += count
        return records

    def write(self, head: bytes, records: "Sequence[Record]") -> bytes:
        """The input of *head* and *records*; payloads are cut to what their length can say."""
        body = b""
        for record in records:
            payload = record.payload[: (1 << 8 * self.length) - 1]
            size = len(payload).to_bytes(self.length, self.order)  # type: ignore[arg-type]
            tag = record.tag.ljust(self.tag, b"\0")[: self.tag]
            body += (size + tag if self.length_first else tag + size) + payload
        if self.sized >= 0:
            count = (len(body) & 0xFFFF).to_bytes(2, self.order)  # type: ignore[arg-type]
            head = head[: self.sized] + count + head[self.sized + 2 :]
        return head + body


@dataclass(frozen=True)
class Record:
    """A tag and what it carries."""

    tag: bytes
    payload: bytes


def guesses(samples: Sequence[bytes]) -> list[Format]:
    """The formats in which every one of *samples* is a row of whole records, likeliest first.

    Likelier are those under which the headers agree in more bytes and the tags are fewer.
    """
    found: list[tuple[float, int, Format]] = []
    shapes = product(range(2, _HEAD_MAX), (1, 2), (1, 2), (False, True), ("big", "little"))
    for number, shape in enumerate(shapes):
        if shape[4] == "little" and shape[2] == 1:
            continue
        one = Format(*shape)
        parsed = [one.parse(sample) for sample in samples]
        rows = [records for records in parsed if records]
        if not samples or len(rows) < len(samples):
            continue
        heads = zip(*(sample[: one.head] for sample in samples), strict=True)
        differing = sum(len(set(column)) > 1 for column in heads)
        tags = {record.tag for records in rows for record in records}
        count = sum(len(records) for records in rows)
        found.append((differing + len(tags) / count, number, _with_size(one, samples)))
    return [one for _, _, one in sorted(found, key=lambda entry: entry[:2])]


def _with_size(one: Format, samples: Sequence[bytes]) -> Format:
    """*one* with the place where every header says how long the body is, if there is such a place."""
    for at, order in product(range(one.head - 1), (one.order, "big", "little")):
        told = [int.from_bytes(data[at : at + 2], order) for data in samples]  # type: ignore[arg-type]
        if told == [len(data) - one.head for data in samples] and (
            order == one.order or one.length == 1
        ):
            return Format(one.head, one.tag, one.length, one.length_first, order, at)
    return one


@dataclass
class Words:
    """Constants and names of a source: *numbers* as bytes, and texts by kind.

    The kinds are tables and columns of a schema, paths and file names, keywords of calls, attributes
    of objects, and values: every other constant text.
    """

    numbers: list[bytes] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> "Words":
        """The words of a Python *source*, in a fixed order."""
        numbers: set[bytes] = set()
        texts: dict[str, set[str]] = {kind: set() for kind in "tcpkav"}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant):
                numbers |= set(_constant(node.value, texts))
            elif isinstance(node, ast.Attribute):
                texts["a"].add(node.attr)
            elif isinstance(node, ast.ClassDef):
                texts["v"].add(node.name)
            elif isinstance(node, ast.keyword) and node.arg:
                texts["k"].add(node.arg)
        return cls(sorted(numbers), {kind: sorted(found) for kind, found in texts.items()})

    def filled(self, payload: str, draw: random.Random) -> bytes:
        """*payload* with a word in every gap."""

        def word(gap: re.Match[str]) -> str:
            chosen = draw.choice(self.texts.get(gap[1].lower()) or ["a"])
            return chosen.upper() if gap[1] == "V" else chosen

        return _GAP.sub(word, payload).encode("latin-1", "replace")


def _constant(value: object, texts: dict[str, set[str]]) -> Iterator[bytes]:
    """The bytes of a number; a text is added to *texts* instead."""
    if type(value) is int:
        yield from _widths(abs(value))
        return
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return
    tables = _TABLE.findall(text)
    texts["t"] |= {table for table, _ in tables}
    texts["c"] |= {column for _, column in tables}
    if not tables and ("/" in text or "." in text):
        texts["p"].add(text.strip("/"))
    elif re.fullmatch(r"\w+", text):
        texts["v"].add(text)


def _widths(value: int) -> Iterator[bytes]:
    for width, low in ((1, 0), (2, 1 << 8), (4, 1 << 16)):
        if low <= value < 1 << (8 * width):
            yield value.to_bytes(width, "big")
            yield value.to_bytes(width, "little")


class Mutator:
    """Makes new inputs from kept ones, under one of the guessed formats at a time."""

    def __init__(self, samples: Sequence[bytes], words: Words, seed: int, longest: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - a repeatable choice, nothing secret
        self._words = words
        self._longest = longest
        self._formats = guesses(samples)[:3]
        self.kept = list(samples) or [b"\0"]

    def keep(self, data: bytes) -> None:
        """Let *data* be changed further."""
        if len(self.kept) < _KEPT_MAX:
            self.kept.append(data)

    def next(self) -> bytes:
        """A new input."""
        draw = self._draw
        parent = draw.choice(self.kept[-20:] if draw.randrange(2) else self.kept)
        if not self._formats or draw.randrange(20) == 0:
            return self._bytes(parent)[: self._longest]
        form = self._formats[0] if draw.randrange(3) else draw.choice(self._formats)
        records = form.parse(parent)
        if not records:
            return self._bytes(parent)[: self._longest]
        for _ in range(draw.choice((1, 1, 1, 2, 2, 3))):
            self._change(records)
        return form.write(parent[: form.head], records)[: self._longest]

    def _change(self, records: list[Record]) -> None:
        draw = self._draw
        place = draw.randrange(len(records)) if records else 0
        ways: tuple[Callable[[list[Record], int], None], ...] = (
            self._inject,
            self._inject,
            self._inject,
            self._document,
            self._poke,
            self._poke,
            self._retag,
            self._copy,
            self._move,
            self._borrow,
            self._drop,
        )
        draw.choice(ways)(records, place)

    def _inject(self, records: list[Record], place: int) -> None:
        """Put a payload of the list into a record, behind what may be its first fields."""
        if not records:
            return
        old = records[place]
        kept = self._draw.choice((0, 0, 0, 0, 1, 2, 4, len(old.payload)))
        records[place] = Record(old.tag, old.payload[:kept] + self.payload())

    def payload(self) -> bytes:
        """One of the list, its gaps filled with words."""
        return self._words.filled(self._draw.choice(_PAYLOADS), self._draw)

    def _document(self, records: list[Record], place: int) -> None:
        """Change a payload that is a document of names and values; others are left."""
        if not records:
            return
        draw, texts = self._draw, self._words.texts
        values, names = texts.get("v") or ["a"], texts.get("a") or ["a"]
        try:
            document = json.loads(records[place].payload)
        except ValueError:
            self._poke(records, place)
            return
        if isinstance(document, dict) and document:
            name = draw.choice((*document, draw.choice(names)))
            document[name] = draw.choice((draw.choice(values), draw.choice((0, 1, 99, 1 << 20))))
            text = json.dumps(document, separators=(",", ":")).encode("ascii")
            records[place] = Record(records[place].tag, text)

    def _poke(self, records: list[Record], place: int) -> None:
        """Set, add or remove a byte or a word of a payload."""
        if records:
            old = records[place]
            records[place] = Record(old.tag, self._bytes(old.payload))

    def _bytes(self, data: bytes) -> bytes:
        draw = self._draw
        at = draw.randrange(len(data) + 1)
        word = (
            draw.choice(self._words.numbers)
            if self._words.numbers
            else bytes([draw.randrange(256)])
        )
        way = draw.randrange(5)
        if way == 0:
            return data[:at] + word + data[at + len(word) :]
        if way == 1:
            return data[:at] + word + data[at:]
        if way == 2:  # noqa: PLR2004 - the third way
            return data[:at] + data[at + 1 :]
        value = draw.choice((0, 1, draw.randrange(8), 0x7F, 0x80, _SMALL, draw.randrange(256)))
        return data[:at] + bytes([value]) + data[at + 1 :]

    def _retag(self, records: list[Record], place: int) -> None:
        """Add a record with a tag from the source and a payload of numbers or of the list."""
        draw, numbers = self._draw, self._words.numbers
        tag = draw.choice(numbers) if numbers else bytes([draw.randrange(256)])
        few = b"".join(draw.choice(numbers or [b"\1"]) for _ in range(draw.randrange(1, 4)))
        records.insert(place, Record(tag, draw.choice((few, self.payload()))))

    def _copy(self, records: list[Record], place: int) -> None:
        if records:
            records.insert(self._draw.randrange(len(records) + 1), records[place])

    def _move(self, records: list[Record], place: int) -> None:
        if records:
            records.insert(self._draw.randrange(len(records)), records.pop(place))

    def _borrow(self, records: list[Record], place: int) -> None:
        """Add what another kept input holds."""
        more = self._formats[0].parse(self._draw.choice(self.kept)) or []
        records[place:place] = more

    def _drop(self, records: list[Record], place: int) -> None:
        if len(records) > 1:
            records.pop(place)


class Target(Protocol):
    """What inputs are tried on. *words* are its constants and names, as far as they can be read."""

    words: Words

    def tried(self, inputs: Sequence[bytes]) -> tuple[int, list[int], int]:
        """How many were run, which of them reached something new, and which one hit, or -1."""
        ...


class _Lines:
    """The lines of source *name* that were executed; called by the interpreter as they are."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.seen: set[int] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> "_Lines | None":
        """Take one event; no other source is looked into."""
        del argument
        if frame.f_code.co_filename != self._name:
            return None
        if event == "line":
            self.seen.add(frame.f_lineno)
        return self


class Script:
    """A Python program behind its driver, in this very process, with its lines watched."""

    def __init__(self, task: Path, driver: str, sources: Sequence[str], folder: str) -> None:
        source = task / sources[0]
        self.words = Words.of(source.read_text(encoding="utf-8"))
        sys.path.insert(0, str((task / driver).parent))
        self._stand = importlib.import_module(Path(driver).stem).Stand(
            secrets.token_hex(16), folder
        )
        self._watch = _Lines(str(source))

    def tried(self, inputs: Sequence[bytes]) -> tuple[int, list[int], int]:
        """As `Target.tried`."""
        fresh: list[int] = []
        for number, data in enumerate(inputs):
            before = len(self._watch.seen)
            if self._fires(data):
                return number + 1, fresh, number
            if len(self._watch.seen) > before:
                fresh.append(number)
        return len(inputs), fresh, -1

    def _fires(self, data: bytes) -> bool:
        before = sys.gettrace()
        signal.alarm(_SECONDS)
        sys.settrace(self._watch)
        try:
            fired: bool = self._stand.attempt(data)[2]
        finally:
            sys.settrace(before)
            signal.alarm(0)
        return fired


class Program:
    """A program without source: inputs go to it in batches, of which it ends at the first hit."""

    words = Words()

    def __init__(self, path: Path, folder: str) -> None:
        self._path, self._folder = path, Path(folder)

    def tried(self, inputs: Sequence[bytes]) -> tuple[int, list[int], int]:
        """As `Target.tried`; nothing new is ever seen."""
        names = []
        for number, data in enumerate(inputs):
            names.append(self._folder / str(number))
            names[-1].write_bytes(data)
        read = self._lines(names)
        if read is None:
            return len(inputs), [], -1
        # The line of the input that ended it was not written any more.
        return read + 1, [], read if self._lines(names[read : read + 1]) is not None else -1

    def _lines(self, names: Sequence[Path]) -> int | None:
        """How many inputs were read before the program was ended; None if it ended by itself."""
        argv = ["timeout", "-k1", "20", str(self._path), *map(str, names)]
        env = {"ASAN_OPTIONS": "detect_leaks=0:symbolize=0:allocator_may_return_null=1"}
        done = subprocess.run(argv, env=env, capture_output=True, check=False)
        if b"ERROR: AddressSanitizer" in done.stderr:
            return done.stdout.count(b"\n")
        return None


def campaign(target: Target, mutator: Mutator, runs: int) -> tuple[int, bytes | None]:
    """Up to *runs* inputs; answers how many were run and the one that hit."""
    spent = 0
    batch = _BATCH if isinstance(target, Program) else 1
    first = list(mutator.kept)
    while spent < runs:
        left = runs - spent
        inputs = first[:left] or [mutator.next() for _ in range(min(batch, left))]
        first = []
        count, fresh, hit = target.tried(inputs)
        spent += count
        if hit >= 0:
            return spent, inputs[hit]
        for number in fresh:
            mutator.keep(inputs[number])
    return spent, None


def _too_slow(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TimeoutError("the input took too long")


def main(arguments: Sequence[str]) -> int:
    """Run a campaign; the exit code is 77 if something was found, as libFuzzer's is."""
    task = Path(arguments[0])
    options = dict(argument.lstrip("-").split("=", 1) for argument in arguments[1:])
    told = json.loads((task / "task.json").read_text(encoding="utf-8"))
    samples = [(task / name).read_bytes() for name in told["samples"]]
    signal.signal(signal.SIGALRM, _too_slow)
    with tempfile.TemporaryDirectory(prefix="run-") as folder, contextlib.ExitStack() as stack:
        stack.callback(os.chdir, str(Path.cwd()))
        target: Target = (
            Script(task, told["driver"], told["sources"], folder)
            if told["language"] == "python"
            else Program(task / told["program"], folder)
        )
        mutator = Mutator(samples, target.words, int(options["seed"]), told["input_bytes_max"])
        with contextlib.redirect_stdout(sys.stderr):
            spent, found = campaign(target, mutator, int(options["runs"]))
    if found is not None:
        Path(options["artifact_prefix"] + "found").write_bytes(found)
    sys.stderr.write(f"stat::number_of_executed_units: {spent}\n")
    return 77 if found is not None else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
