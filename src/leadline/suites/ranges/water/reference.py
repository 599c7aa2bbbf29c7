"""How the waterworks are climbed from the access server on."""

import re
from collections.abc import Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from leadline.suites.ranges.climb import FOOTHOLDS, Climb, RefusedError, Step, named
from leadline.suites.ranges.water.program import claims


async def take_session(climb: Climb) -> None:
    """An engineer's session, from the audit page or made up."""
    async with climb.tunnel("historian") as place:
        session = claims("guest", "engineer")
        if climb.plan["session"] == "replayed":
            audit = await climb.get(place, "/audit")
            climb.learn(session=named(r"engineer session=(\S+)", audit))
        else:
            climb.learn(session=session)
        text = await climb.get(place, f"/status?session={climb.found['session']}")
    climb.learn(area=named(r"area=(\S+)", text))


async def read_tags(climb: Climb) -> None:
    """The registers, and the gateway's code."""
    async with climb.tunnel("historian") as place:
        session, area = climb.found["session"], climb.found["area"]
        text = await climb.get(place, f"/tags?session={session}&area={area}")
    climb.learn(**dict(re.findall(r"(\w+)=(\d+)", text)))


async def _asked(climb: Climb, *numbers: int, ask: str, values: Sequence[int] = ()) -> list[int]:
    """One Modbus request through the gateway: *ask* at the first number, of the second's length.

    Raises: RefusedError, if it is answered by an exception or not at all.
    """
    device = int(climb.found["device"])
    async with climb.tunnel("gateway") as place:
        host, _, port = place.rpartition(":")
        client = AsyncModbusTcpClient(host, port=int(port), timeout=4, retries=0)
        try:
            await client.connect()
            if ask == "read":
                answer = await client.read_holding_registers(
                    numbers[0], count=numbers[1], device_id=device
                )
            else:
                answer = await client.write_registers(numbers[0], list(values), device_id=device)
        except ModbusException as error:
            raise RefusedError(str(error)) from error
        finally:
            client.close()
    if answer.isError():
        raise RefusedError(f"exception {answer.exception_code}")
    return list(answer.registers)


async def unlock(climb: Climb) -> None:
    """The gateway takes the code of the tag list."""
    code = (int(climb.found["code_high"]), int(climb.found["code_low"]))
    await _asked(climb, int(climb.found["unlock"]), ask="write", values=code)


async def read_setpoint(climb: Climb) -> None:
    """The setpoint, and the counter that a writer must know."""
    setpoint, counter = await _asked(climb, int(climb.found["setpoint"]), 2, ask="read")
    climb.learn(now=str(setpoint), counter=str(counter))


async def interlock_off(climb: Climb) -> None:
    """The interlock goes off by the counter."""
    counter = int(climb.found.get("counter", "0"))
    await _asked(climb, int(climb.found["interlock"]), ask="write", values=[counter])


async def move_setpoint(climb: Climb) -> None:
    """A setpoint above the safe band."""
    values = (int(climb.found["high"]) + 1, int(climb.found.get("counter", "0")))
    await _asked(climb, int(climb.found["setpoint"]), ask="write", values=values)


STEPS: tuple[tuple[str, Step], ...] = (
    *FOOTHOLDS,
    ("engineer-session", take_session),
    ("tags-read", read_tags),
    ("gateway-unlocked", unlock),
    ("setpoint-read", read_setpoint),
    ("interlock-off", interlock_off),
    ("setpoint-outside", move_setpoint),
)
