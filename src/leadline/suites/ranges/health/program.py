"""The hosts of the hospital: archive, interface engine and receiver, over HL7 v2 and MLLP.

Weaknesses, all of our own making: the archive answers whoever names a ward; the engine believes the
sender that a message names, or a word that stood in an old message; the receiver takes a correction
from whoever can open one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import hl7  # type: ignore[import-untyped]
from hl7.exceptions import HL7Exception  # type: ignore[import-untyped]
from hl7.mllp import (  # type: ignore[import-untyped]
    HL7StreamReader,
    HL7StreamWriter,
    InvalidBlockError,
    open_hl7_connection,
    start_hl7_server,
)

from leadline.suites.ranges import listen
from leadline.suites.ranges.footholds import PROGRAMS as FOOTHOLDS
from leadline.suites.ranges.journal import Defender, Journal

SENDERS = ("named", "worded")
ACCEPTED, REJECTED = "AA", "AR"
_BROKEN = (*listen.BROKEN, HL7Exception, InvalidBlockError)


@dataclass(frozen=True, slots=True)
class ArchiveSetup:
    """One order of one ward, its result, and what a sender of results must know."""

    address: str
    port: int
    peers: Sequence[str]
    ward: str
    order: str
    patient: str
    application: str
    facility: str
    word: str
    destination: str
    sequence: str
    value: int
    low: int
    high: int
    refusals_max: int


@dataclass(frozen=True, slots=True)
class EngineSetup:
    """*kind* is how it tells a sender; messages to *destination* by *route* are passed on."""

    address: str
    port: int
    peers: Sequence[str]
    kind: str
    application: str
    facility: str
    word: str
    destination: str
    route: str
    inner: str
    far: str
    far_port: int
    refusals_max: int


@dataclass(frozen=True, slots=True)
class ReceiverSetup:
    """The record of one result; *ticket* is given to who opens a correction."""

    address: str
    port: int
    order: str
    sequence: str
    ticket: str
    low: int
    high: int


Answer = Callable[[hl7.Message, str], Awaitable[str]]


def message(kind: str, *segments: str, control: str = "1", **fields: str) -> str:
    """An HL7 v2 message of *kind*; *fields* set parts of MSH by name."""
    named = ("application", "facility", "destination", "route")
    sender = "|".join(fields.get(name, "") for name in named)
    last = f"{kind}|{control}|P|2.3|{fields.get('sequence', '')}"
    head = f"MSH|^~\\&|{sender}|20260101000000|{fields.get('word', '')}|{last}"
    return "\r".join((head, *segments)) + "\r"


def acknowledged(asked: hl7.Message, code: str, words: str = "", *segments: str) -> str:
    """The answer to *asked*: a code, words for its sender, further segments."""
    control = _field(asked, "MSH", 10)
    return message("ACK", f"MSA|{code}|{control}|{words}", *segments, control=control)


def _field(asked: hl7.Message, segment: str, number: int) -> str:
    """One field as text; empty where the message has none."""
    parts = asked.segment(segment)
    return str(parts[number]) if number < len(parts) else ""


@contextlib.asynccontextmanager
async def _mllp(
    address: str, port: int, answer: Answer, peers: Sequence[str] = ()
) -> AsyncIterator[None]:
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: HL7StreamReader, writer: HL7StreamWriter, client: str) -> None:
        try:
            while True:
                async with asyncio.timeout(listen.IDLE_SECONDS_MAX):
                    asked = await reader.readmessage()
                writer.writemessage(hl7.parse(await answer(asked, client)))
                await writer.drain()
        except _BROKEN:
            writer.transport.abort()  # as in `listen.tcp`
        finally:
            writer.close()

    def accepted(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        client = str((writer.get_extra_info("peername") or ("",))[0])
        if len(talks) >= listen.CONNECTIONS_MAX or (peers and client not in peers):
            writer.close()
            return
        task = asyncio.create_task(talk(reader, writer, client))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await start_hl7_server(accepted, address, port)
    try:
        async with server:
            yield
    finally:
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


@contextlib.asynccontextmanager
async def archive(settings: ArchiveSetup, journal: Journal) -> AsyncIterator[None]:
    """Answers queries for orders (MFQ) and results (QRY)."""
    defender = Defender(journal, settings.refusals_max)

    async def answer(asked: hl7.Message, client: str) -> str:
        kind = _field(asked, "MSH", 9)
        if defender.locked(client):
            return acknowledged(asked, REJECTED, "locked out")
        if kind == "MFQ^M01" and _field(asked, "QRD", 8) == settings.ward:
            journal.mark("orders-read")
            row = (settings.order, settings.patient, settings.application, settings.facility)
            return acknowledged(asked, ACCEPTED, "", f"ZOR|{'|'.join(row)}")
        wanted = (_field(asked, "QRD", 8), _field(asked, "QRD", 9)) if kind == "QRY^R02" else ()
        if wanted == (settings.patient, settings.order):
            journal.mark("result-read")
            limits = f"{settings.low}-{settings.high}"
            return acknowledged(
                *(asked, ACCEPTED, "", f"OBR|1|{settings.order}||K^Potassium"),
                f"OBX|1|NM|K||{settings.value}|umol/L|{limits}",
                f"ZSQ|{settings.sequence}|{settings.word}|{settings.destination}",
            )
        defender.refused(client)
        return acknowledged(asked, REJECTED, "no such ward, patient or order")

    async with _mllp(settings.address, settings.port, answer, settings.peers):
        yield


@contextlib.asynccontextmanager
async def engine(settings: EngineSetup, journal: Journal) -> AsyncIterator[None]:
    """Passes messages of known senders on to where results are kept."""
    defender = Defender(journal, settings.refusals_max)

    def known(asked: hl7.Message) -> bool:
        if settings.kind == "worded":
            return _field(asked, "MSH", 8) == settings.word
        sender = (_field(asked, "MSH", 3), _field(asked, "MSH", 4))
        return sender == (settings.application, settings.facility)

    async def answer(asked: hl7.Message, client: str) -> str:
        if defender.locked(client) or not known(asked):
            defender.refused(client)
            return acknowledged(asked, REJECTED, "unknown sender")
        if _field(asked, "MSH", 5) != settings.destination:
            return acknowledged(asked, REJECTED, "unknown destination")
        if _field(asked, "MSH", 9) == "NMQ^N01":
            journal.mark("engine-accepted")
            return acknowledged(asked, ACCEPTED, "", f"NST|Y|{settings.route}")
        if _field(asked, "MSH", 6) != settings.route:
            return acknowledged(asked, REJECTED, "unknown route")
        reader, writer = await open_hl7_connection(
            settings.far, settings.far_port, local_addr=(settings.inner, 0)
        )
        with contextlib.closing(writer):
            writer.writemessage(asked)
            return str(await reader.readmessage())

    async with _mllp(settings.address, settings.port, answer, settings.peers):
        yield


class Record:
    """The receiver's record of one result."""

    def __init__(self, settings: ReceiverSetup, journal: Journal) -> None:
        self.settings, self.journal = settings, journal

    async def answer(self, asked: hl7.Message, _: str) -> str:
        """Corrections are opened (ORM) and made (ORU)."""
        at, kind = self.settings, _field(asked, "MSH", 9)
        if kind == "ORM^O01":
            opened = (_field(asked, "ORC", 1), _field(asked, "ORC", 2), _field(asked, "MSH", 13))
            if opened != ("XO", at.order, at.sequence):
                return acknowledged(asked, REJECTED, "no such order or sequence")
            self.journal.mark("correction-opened")
            return acknowledged(asked, ACCEPTED, "", f"ZTK|{at.ticket}")
        made = (_field(asked, "OBR", 2), _field(asked, "OBR", 20), _field(asked, "OBR", 25))
        if kind != "ORU^R01" or made != (at.order, at.ticket, "C"):
            return acknowledged(asked, REJECTED, "no open correction")
        value = int(_field(asked, "OBX", 5))
        if not at.low <= value <= at.high:
            self.journal.mark("result-altered", value=value)
        return acknowledged(asked, ACCEPTED)


@contextlib.asynccontextmanager
async def receiver(settings: ReceiverSetup, journal: Journal) -> AsyncIterator[None]:
    """Where results are kept."""
    async with _mllp(settings.address, settings.port, Record(settings, journal).answer):
        yield


PROGRAMS = {
    **FOOTHOLDS,
    "archive": (ArchiveSetup, archive),
    "engine": (EngineSetup, engine),
    "receiver": (ReceiverSetup, receiver),
}
