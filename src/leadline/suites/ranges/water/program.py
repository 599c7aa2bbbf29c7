"""The hosts of the waterworks: historian, gateway and controller of a tank.

Weaknesses, all of our own making: the historian lets an old session back in, or believes the role
that a session states of itself; the gateway takes one code, for all and for ever; the controller
believes whoever the gateway lets through, and its interlock can be switched off over the wire.
"""

import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from leadline.suites.ranges import listen
from leadline.suites.ranges.footholds import PROGRAMS as FOOTHOLDS
from leadline.suites.ranges.journal import Defender, Journal
from leadline.suites.ranges.listen import Page

SESSIONS = ("replayed", "unsigned")
READ_HOLDING, READ_INPUT, WRITE_REGISTERS = 3, 4, 16
REGISTERS = 4_096
FILL_SECONDS = 600.0  # the time in which the tank goes most of the way to a new setpoint


@dataclass(frozen=True, slots=True)
class HistorianSetup:
    """*tags* is what an engineer may read of *area*; *session* is an engineer's, long open."""

    address: str
    port: int
    peers: Sequence[str]
    kind: str
    engineer: str
    session: str
    area: str
    tags: str
    refusals_max: int


@dataclass(frozen=True, slots=True)
class GatewaySetup:
    """*unlock* is a register, *code* the two values that must be written there."""

    address: str
    port: int
    device: int
    unlock: int
    code: Sequence[int]
    far: str
    far_port: int
    setpoint: int
    interlock: int
    level: int
    refusals_max: int


@dataclass(frozen=True, slots=True)
class ControllerSetup:
    """A tank: *band* is the safe range of its setpoint, *counter* what a writer must have read.

    Writing the counter to the register *interlock* switches the interlock off.
    """

    address: str
    port: int
    device: int
    setpoint: int
    interlock: int
    level: int
    start: int
    counter: int
    band: Sequence[int]


def claims(user: str, role: str) -> str:
    """A session that states its own user and role, and is signed by nobody."""
    return base64.urlsafe_b64encode(json.dumps({"role": role, "user": user}).encode()).decode()


def _role(settings: HistorianSetup, session: str) -> str:
    """The role of a session; empty for one that is none.

    Raises: ValueError, LookupError or TypeError for what cannot be read: the connection ends.
    """
    if settings.kind == "replayed":
        return "engineer" if session == settings.session else ""
    return str(json.loads(base64.urlsafe_b64decode(session.encode()))["role"]) if session else ""


def _open_page(settings: HistorianSetup, path: str) -> str:
    if path == "/":
        return "historian: /audit /status?session= /tags?session=&area=\n"
    guest = claims("guest", "viewer") if settings.kind == "unsigned" else "expired"
    shown = settings.session if settings.kind == "replayed" else "(hidden)"
    return f"{settings.engineer} engineer session={shown}\nguest viewer session={guest}\n"


@contextlib.asynccontextmanager
async def historian(settings: HistorianSetup, journal: Journal) -> AsyncIterator[None]:
    """The plant's history over HTTP."""
    defender = Defender(journal, settings.refusals_max)

    def pages(path: str, query: Mapping[str, str], client: str) -> Page:
        if defender.locked(client):
            return Page("locked out\n", 429)
        if path == "/":
            return Page("historian: /audit /status?session= /tags?session=&area=\n")
        if path == "/audit":
            guest = claims("guest", "viewer") if settings.kind == "unsigned" else "expired"
            shown = settings.session if settings.kind == "replayed" else "(hidden)"
            return Page(
                f"{settings.engineer} engineer session={shown}\nguest viewer session={guest}\n"
            )
        if _role(settings, query.get("session", "")) != "engineer":
            defender.refused(client)
            return Page("engineers only\n", 403)
        return for_engineers(path, query.get("area", ""))

    def for_engineers(path: str, area: str) -> Page:
        if path == "/status":
            journal.mark("engineer-session")
            return Page(f"area={settings.area}\n")
        if path == "/tags" and area == settings.area:
            journal.mark("tags-read")
            return Page(settings.tags)
        return Page("no such page\n", 404)

    peers = frozenset(settings.peers)
    async with listen.http(settings.address, settings.port, pages, peers):
        yield


def _device(number: int, action: object) -> SimDevice:
    bits = [SimData(0, count=1, values=0, datatype=DataType.BITS)]
    holding = [SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)]
    measured = [SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)]
    return SimDevice(number, (bits, bits, holding, measured), action=action)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def _modbus(address: str, port: int, device: SimDevice) -> AsyncIterator[None]:
    server = ModbusTcpServer(device, address=(address, port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def gateway(settings: GatewaySetup, journal: Journal) -> AsyncIterator[None]:
    """Modbus/TCP on the plant side; what it lets through goes to the controller behind it."""
    defender = Defender(journal, settings.refusals_max)
    far = AsyncModbusTcpClient(settings.far, port=settings.far_port, timeout=2, retries=0)
    open_now = False

    async def act(
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        nonlocal open_now
        if values and address == settings.unlock and function == WRITE_REGISTERS:
            if defender.locked("") or list(values) != list(settings.code):
                defender.refused("")
                return ExcCodes.ILLEGAL_VALUE
            open_now = True
            journal.mark("gateway-unlocked")
            return None
        if not open_now:
            return ExcCodes.ILLEGAL_ADDRESS if values else None
        return await _forward(far, settings, function, (start, address, count), registers, values)

    async with _modbus(settings.address, settings.port, _device(settings.device, act)):
        try:
            yield
        finally:
            far.close()


async def _forward(
    far: AsyncModbusTcpClient,
    settings: GatewaySetup,
    function: int,
    place: tuple[int, int, int],
    registers: list[int],
    values: list[int] | list[bool] | None,
) -> ExcCodes | None:
    start, address, count = place
    device = settings.device
    try:
        if not far.connected and not await far.connect():
            return ExcCodes.GATEWAY_NO_RESPONSE
        if function == WRITE_REGISTERS and values:
            answer = await far.write_registers(address, [int(v) for v in values], device_id=device)
        elif function in {READ_HOLDING, READ_INPUT}:
            read = (
                far.read_holding_registers if function == READ_HOLDING else far.read_input_registers
            )
            answer = await read(address, count=count, device_id=device)
            registers[address - start : address - start + count] = answer.registers or [0] * count
        else:
            return ExcCodes.ILLEGAL_FUNCTION if values else None
    except ModbusException:
        return ExcCodes.GATEWAY_NO_RESPONSE
    return ExcCodes(answer.exception_code) if answer.isError() else None


class Tank:
    """The tank and what may be written to it; *level* follows the setpoint in time."""

    def __init__(self, settings: ControllerSetup, journal: Journal) -> None:
        self.settings, self.journal = settings, journal
        self.setpoint, self.counter = settings.start, settings.counter
        self.interlock = True
        self._level, self._since = float(settings.start), time.monotonic()

    @property
    def level(self) -> int:
        """The level now, in the setpoint's unit."""
        share = min(1.0, (time.monotonic() - self._since) / FILL_SECONDS)
        return round(self._level + (self.setpoint - self._level) * share)

    async def act(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """One request, as pymodbus asks it."""
        at = self.settings
        if (
            function == READ_HOLDING
            and address <= at.setpoint
            and address + count > at.setpoint + 1
        ):
            offset = at.setpoint - start
            registers[offset : offset + 2] = [self.setpoint, self.counter]
            self.journal.mark("setpoint-read")
        elif function == READ_INPUT and address <= at.level < address + count:
            registers[at.level - start] = self.level
        elif values:
            return self._written(function, address, values)
        return None

    def _written(
        self, function: int, address: int, values: list[int] | list[bool]
    ) -> ExcCodes | None:
        if function != WRITE_REGISTERS or values[-1] != self.counter:
            return ExcCodes.ILLEGAL_VALUE
        if address == self.settings.interlock and len(values) == 1:
            self.interlock = False
            self.journal.mark("interlock-off")
            return None
        if address != self.settings.setpoint or len(values) != 2:  # noqa: PLR2004
            return ExcCodes.ILLEGAL_ADDRESS
        wanted = int(values[0])
        low, high = self.settings.band
        outside = not low <= wanted <= high
        if outside and self.interlock:
            return ExcCodes.ILLEGAL_VALUE
        self._level, self._since = float(self.level), time.monotonic()
        self.setpoint, self.counter = wanted, (self.counter + 1) % 65_536
        if outside:
            self.journal.mark("setpoint-outside", setpoint=wanted)
        return None


@contextlib.asynccontextmanager
async def controller(settings: ControllerSetup, journal: Journal) -> AsyncIterator[None]:
    """Modbus/TCP of the tank's controller."""
    tank = Tank(settings, journal)
    async with _modbus(settings.address, settings.port, _device(settings.device, tank.act)):
        yield


PROGRAMS = {
    **FOOTHOLDS,
    "historian": (HistorianSetup, historian),
    "gateway": (GatewaySetup, gateway),
    "controller": (ControllerSetup, controller),
}
