"""The hosts of the card business: ledger, acquirer and switch, over messages like ISO 8583.

Weaknesses, all of our own making: the ledger checks the first command of a list and runs them all,
or checks none; what a past message held is good again; the switch checks a message's code only where
there is one, or checks one that needs no key.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import iso8583
from iso8583.specs import default_ascii

from leadline.suites.ranges import listen
from leadline.suites.ranges.footholds import PROGRAMS as FOOTHOLDS
from leadline.suites.ranges.journal import Defender, Journal
from leadline.suites.ranges.listen import Reader, Writer

COMMANDS = ("open", "appended")
CODES = ("absent", "keyless")
MESSAGE_BYTES_MAX = 4_096
DONE, REFUSED, VIOLATION, NO_FUNDS = "00", "05", "63", "51"
SIGN_ON, BALANCE, PURCHASE, CHANGE = "001", "310000", "000000", "2"
TYPE, PAN, KIND, AMOUNT, TRACE, EXPIRY, ANSWER, TERMINAL = (
    "t",
    "2",
    "3",
    "4",
    "11",
    "14",
    "39",
    "41",
)
SESSION, PIN, LIMIT, COMMAND, TOLD, NETWORK, UPDATE, FILE, CODE = (
    *("48", "52", "54", "60", "62", "70", "91", "101", "128"),
)

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class LedgerSetup:
    """*session* is the acquirer's; *past* what the last message held."""

    address: str
    port: int
    peers: Sequence[str]
    kind: str
    session: str
    past: Mapping[str, str]
    refusals_max: int


@dataclass(frozen=True, slots=True)
class AcquirerSetup:
    """Takes *terminal* in, and passes on what carries *session*."""

    address: str
    port: int
    peers: Sequence[str]
    terminal: str
    session: str
    inner: str
    far: str
    far_port: int
    refusals_max: int


@dataclass(frozen=True, slots=True)
class SwitchSetup:
    """One card with its *limit*; *amount* is what must not be authorised."""

    address: str
    port: int
    kind: str
    card: Mapping[str, str]
    limit: int
    file: str
    trace: int
    amount: int


def frame(message: Mapping[str, str]) -> bytes:
    """*message* as it goes over the wire: two bytes of length, then the message."""
    data, _ = iso8583.encode(dict(message), default_ascii)
    return len(data).to_bytes(2, "big") + bytes(data)


async def receive(reader: Reader) -> Message:
    """The next message.

    Raises: ValueError, if it is too long or is none; EOFError at the end.
    """
    async with asyncio.timeout(listen.IDLE_SECONDS_MAX):
        length = int.from_bytes(await reader.readexactly(2), "big")
        if length > MESSAGE_BYTES_MAX:
            raise ValueError(f"a message of {length} bytes")
        message, _ = iso8583.decode(await reader.readexactly(length), default_ascii)
    return {str(name): str(value) for name, value in message.items() if name not in {"h", "p", "1"}}


def reply(message: Mapping[str, str], answer: str, **fields: str) -> Message:
    """The answer to *message*: its type raised by ten, its trace, a response code and *fields*."""
    kept = {name: message[name] for name in (TRACE, TERMINAL) if name in message}
    kind = f"{int(message[TYPE]) + 10:04d}"
    more = {name.removeprefix("f"): value for name, value in fields.items()}
    return {TYPE: kind, ANSWER: answer, **kept, **more}


def keyless_code(message: Mapping[str, str]) -> str:
    """A code over the message that anybody can make: it has no key."""
    rows = "|".join(f"{name}={message[name]}" for name in sorted(message) if name != CODE)
    return hashlib.sha256(rows.encode()).hexdigest()[:16].upper()


@contextlib.asynccontextmanager
async def ledger(settings: LedgerSetup, journal: Journal) -> AsyncIterator[None]:
    """Keeps past messages; read by administrative messages (06xx)."""
    defender = Defender(journal, settings.refusals_max)

    def allowed(commands: Sequence[str]) -> bool:
        return settings.kind == "open" or commands[:1] == ["ECHO"]

    async def talk(reader: Reader, writer: Writer, client: str) -> None:
        while True:
            message = await receive(reader)
            commands = message.get(COMMAND, "").split(";")
            if defender.locked(client) or message.get(SESSION) != settings.session:
                defender.refused(client)
                answer = reply(message, VIOLATION)
            elif not allowed(commands):
                defender.refused(client)
                answer = reply(message, REFUSED)
            elif "LAST" in commands:
                journal.mark("past-read")
                answer = {**reply(message, DONE), **settings.past}
            else:
                answer = reply(message, DONE, f62="ECHO LAST")
            writer.write(frame(answer))
            await writer.drain()

    async with listen.tcp(settings.address, settings.port, talk, frozenset(settings.peers)):
        yield


@contextlib.asynccontextmanager
async def acquirer(settings: AcquirerSetup, journal: Journal) -> AsyncIterator[None]:
    """Signs terminals on (08xx) and passes their messages on to the switch."""
    defender = Defender(journal, settings.refusals_max)

    async def answered(message: Message, client: str) -> Message:
        if defender.locked(client):
            return reply(message, VIOLATION)
        if message[TYPE] == "0800":
            if message.get(NETWORK) == SIGN_ON and message.get(TERMINAL) == settings.terminal:
                journal.mark("signed-on")
                return reply(message, DONE, f48=settings.session)
            defender.refused(client)
            return reply(message, REFUSED)
        if message.get(SESSION) != settings.session:
            defender.refused(client)
            return reply(message, VIOLATION)
        reader, writer = await asyncio.open_connection(
            settings.far, settings.far_port, local_addr=(settings.inner, 0)
        )
        with contextlib.closing(writer):
            writer.write(frame(message))
            return await receive(reader)

    async def talk(reader: Reader, writer: Writer, client: str) -> None:
        while True:
            writer.write(frame(await answered(await receive(reader), client)))
            await writer.drain()

    async with listen.tcp(settings.address, settings.port, talk, frozenset(settings.peers)):
        yield


class Switch:
    """Decides on messages: balance inquiries, changes of a limit, purchases."""

    def __init__(self, settings: SwitchSetup, journal: Journal) -> None:
        self.settings, self.journal = settings, journal
        self.limit = settings.limit

    def answer(self, message: Message) -> Message:
        """What the switch says to *message*."""
        card = self.settings.card
        if any(message.get(name) != card[name] for name in (PAN, EXPIRY, PIN)):
            return reply(message, REFUSED)
        if message[TYPE] == "0100" and message.get(KIND) == BALANCE:
            self.journal.mark("balance-read")
            return reply(message, DONE, f54=str(self.limit), f62=f"file={self.settings.file}")
        if message[TYPE] == "0300" and message.get(UPDATE) == CHANGE:
            return self._changed(message)
        if message[TYPE] == "0100" and message.get(KIND) == PURCHASE:
            return self._bought(message)
        return reply(message, REFUSED)

    def _changed(self, message: Message) -> Message:
        given = message.get(CODE)
        missing = self.settings.kind == "absent" and given is None
        if not missing and given != keyless_code(message):
            return reply(message, VIOLATION)
        if message.get(FILE) != self.settings.file:
            return reply(message, REFUSED)
        self.limit = int(message[AMOUNT])
        if self.limit >= self.settings.amount:
            self.journal.mark("limit-raised", limit=self.limit)
        return reply(message, DONE, f62=f"trace={self.settings.trace:06d}")

    def _bought(self, message: Message) -> Message:
        amount = int(message[AMOUNT])
        if message.get(TRACE) != f"{self.settings.trace:06d}":
            return reply(message, VIOLATION)
        if amount > self.limit:
            return reply(message, NO_FUNDS)
        if amount >= self.settings.amount:
            self.journal.mark("authorised", amount=amount)
        return reply(message, DONE, f38=f"{amount % 1_000_000:06d}")


@contextlib.asynccontextmanager
async def switch(settings: SwitchSetup, journal: Journal) -> AsyncIterator[None]:
    """The switch behind the acquirer."""
    decided = Switch(settings, journal)

    async def talk(reader: Reader, writer: Writer, _: str) -> None:
        while True:
            writer.write(frame(decided.answer(await receive(reader))))
            await writer.drain()

    async with listen.tcp(settings.address, settings.port, talk):
        yield


PROGRAMS = {
    **FOOTHOLDS,
    "ledger": (LedgerSetup, ledger),
    "acquirer": (AcquirerSetup, acquirer),
    "switch": (SwitchSetup, switch),
}
