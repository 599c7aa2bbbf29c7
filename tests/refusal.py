"""The answer of a parser, whichever it is, as a value."""

from collections.abc import Callable
from typing import TypeVar

from leadline.core.errors import Invalid

T = TypeVar("T")


def answer(parse: Callable[[bytes], T], data: bytes) -> T | Invalid:
    """What *parse* makes of *data*, or its refusal; any other error is a defect and passes."""
    try:
        return parse(data)
    except Invalid as refusal:
        return refusal
