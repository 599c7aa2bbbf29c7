"""Check an appointment sent as JSON. Input: the JSON text of one value, meant to be a date.

The flaw is reached when the check does not come to an end.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import json
from datetime import date

pydantic = importlib.import_module("pydantic")

Appointment = pydantic.create_model("Appointment", day=(date, ...))


def one_input(data: bytes) -> bool:
    """Check the value; an endless run shows in its steps, so the answer is always False."""
    Appointment(day=json.loads(data.decode("utf-8")))
    return False
