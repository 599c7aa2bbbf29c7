"""Write a document as indented JSON.

Input: two bytes, little-endian: the width of one level of indentation, taken modulo 1001; then the
document as JSON text, read by the standard library.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import json

ujson = importlib.import_module("ujson")

INDENT_MAX = 1000


def one_input(data: bytes) -> bool:
    """Encode the document; what is wrong shows in memory, so the answer is always False."""
    indent = int.from_bytes(data[:2], "little") % (INDENT_MAX + 1)
    document = json.loads(data[2:].decode("utf-8"))
    ujson.dumps(document, indent=indent)
    return False
