"""How the card business is climbed from the access server on."""

import asyncio
import contextlib

from leadline.suites.ranges.climb import FOOTHOLDS, Climb, RefusedError, Step, named
from leadline.suites.ranges.finance.program import (
    AMOUNT,
    ANSWER,
    BALANCE,
    CHANGE,
    CODE,
    COMMAND,
    DONE,
    EXPIRY,
    FILE,
    KIND,
    NETWORK,
    PAN,
    PIN,
    PURCHASE,
    SESSION,
    SIGN_ON,
    TERMINAL,
    TOLD,
    TRACE,
    TYPE,
    UPDATE,
    Message,
    frame,
    keyless_code,
    receive,
)


async def _asked(climb: Climb, host: str, message: Message) -> Message:
    """What *host* answers to *message*.

    Raises: RefusedError, if it says no.
    """
    async with climb.tunnel(host) as place:
        name, _, port = place.rpartition(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        with contextlib.closing(writer):
            writer.write(frame(message))
            answer = await receive(reader)
    if answer[ANSWER] != DONE:
        raise RefusedError(f"answered {answer[ANSWER]}")
    return answer


async def sign_on(climb: Climb) -> None:
    """The acquirer takes the site's terminal in."""
    message = {TYPE: "0800", TRACE: "000001", NETWORK: SIGN_ON, TERMINAL: climb.found["terminal"]}
    answer = await _asked(climb, "acquirer", message)
    climb.learn(session=answer[SESSION])


async def read_past(climb: Climb) -> None:
    """The ledger tells what the last card message held."""
    command = "LAST" if climb.plan["command"] == "open" else "ECHO;LAST"
    session = climb.found.get("session", "")
    message = {TYPE: "0600", TRACE: "000002", SESSION: session, COMMAND: command}
    answer = await _asked(climb, "ledger", message)
    climb.learn(pan=answer[PAN], expiry=answer[EXPIRY], pin=answer[PIN])


def _card(climb: Climb, kind: str, trace: str = "000003") -> Message:
    found = climb.found
    card = {PAN: found["pan"], EXPIRY: found["expiry"], PIN: found["pin"]}
    return {TYPE: kind, TRACE: trace, SESSION: found["session"], **card}


async def read_balance(climb: Climb) -> None:
    """The switch tells the card's limit and where it is kept."""
    answer = await _asked(climb, "acquirer", {**_card(climb, "0100"), KIND: BALANCE})
    climb.learn(file=named(r"file=(\S+)", answer[TOLD]))


async def raise_limit(climb: Climb) -> None:
    """The limit is changed without a key."""
    message = {**_card(climb, "0300"), UPDATE: CHANGE, FILE: climb.found["file"]}
    message[AMOUNT] = f"{int(climb.plan['amount']):012d}"
    if climb.plan["code"] == "keyless":
        message[CODE] = keyless_code(message)
    answer = await _asked(climb, "acquirer", message)
    climb.learn(trace=named(r"trace=(\d+)", answer[TOLD]))


async def buy(climb: Climb) -> None:
    """A purchase over the old limit is authorised."""
    message = {**_card(climb, "0100", climb.found.get("trace", "000004")), KIND: PURCHASE}
    message[AMOUNT] = f"{int(climb.plan['amount']):012d}"
    await _asked(climb, "acquirer", message)


STEPS: tuple[tuple[str, Step], ...] = (
    *FOOTHOLDS,
    ("signed-on", sign_on),
    ("past-read", read_past),
    ("balance-read", read_balance),
    ("limit-raised", raise_limit),
    ("authorised", buy),
)
