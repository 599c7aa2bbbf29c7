"""How the hospital is climbed from the access server on."""

import contextlib

import hl7  # type: ignore[import-untyped]
from hl7.mllp import open_hl7_connection  # type: ignore[import-untyped]

from leadline.suites.ranges.climb import FOOTHOLDS, Climb, RefusedError, Step
from leadline.suites.ranges.health.program import ACCEPTED, message


async def _asked(climb: Climb, host: str, text: str) -> hl7.Message:
    """What *host* answers.

    Raises: RefusedError, if it does not accept.
    """
    async with climb.tunnel(host) as place:
        name, _, port = place.rpartition(":")
        reader, writer = await open_hl7_connection(name, int(port))
        with contextlib.closing(writer):
            writer.writemessage(hl7.parse(text))
            answer = await reader.readmessage()
    if str(answer.segment("MSA")[1]) != ACCEPTED:
        raise RefusedError(str(answer.segment("MSA")[3]))
    return answer


def _row(answer: hl7.Message, segment: str) -> list[str]:
    return [str(part) for part in answer.segment(segment)][1:]


async def read_orders(climb: Climb) -> None:
    """The archive lists the ward's orders."""
    query = f"QRD|20260101|R|I|1|||1|{climb.found['ward']}"
    order, patient, application, facility = _row(
        await _asked(climb, "archive", message("MFQ^M01", query)), "ZOR"
    )
    climb.learn(order=order, patient=patient, application=application, facility=facility)


async def read_result(climb: Climb) -> None:
    """The archive shows the result, and what a sender of results writes."""
    query = f"QRD|20260101|R|I|1|||1|{climb.found['patient']}|{climb.found['order']}"
    answer = await _asked(climb, "archive", message("QRY^R02", query))
    sequence, word, destination = _row(answer, "ZSQ")
    high = _row(answer, "OBX")[6].partition("-")[2]
    climb.learn(sequence=sequence, word=word, destination=destination, high=high)


def _as_sender(climb: Climb, kind: str, *segments: str) -> str:
    found, names = climb.found, ("application", "facility", "destination", "word", "sequence")
    fields = {name: found.get(name, "") for name in names}
    return message(kind, *segments, route=found.get("route", ""), **fields)


async def greet_engine(climb: Climb) -> None:
    """The engine takes us for the laboratory and tells the route."""
    answer = await _asked(climb, "engine", _as_sender(climb, "NMQ^N01"))
    climb.learn(route=_row(answer, "NST")[1])


async def open_correction(climb: Climb) -> None:
    """The receiver opens a correction of the order."""
    text = _as_sender(climb, "ORM^O01", f"ORC|XO|{climb.found['order']}")
    climb.learn(ticket=_row(await _asked(climb, "engine", text), "ZTK")[0])


async def alter_result(climb: Climb) -> None:
    """A value beyond the range takes the place of the result."""
    order, ticket = climb.found["order"], climb.found.get("ticket", "0")
    request = ["OBR", "1", order, *[""] * 17, ticket, *[""] * 4, "C"]
    value = f"OBX|1|NM|K||{int(climb.found['high']) + 1}|umol/L"
    await _asked(climb, "engine", _as_sender(climb, "ORU^R01", "|".join(request), value))


STEPS: tuple[tuple[str, Step], ...] = (
    *FOOTHOLDS,
    ("orders-read", read_orders),
    ("result-read", read_result),
    ("engine-accepted", greet_engine),
    ("correction-opened", open_correction),
    ("result-altered", alter_result),
)
