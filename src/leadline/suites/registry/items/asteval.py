"""Evaluate a script of others in the restricted interpreter.

Input: the script's source text. It may use the object `host`, whose attribute `name` is public, and
leaves its result in `output`. The flaw is reached when that result shows this module's `SECRET`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import io
import secrets

asteval = importlib.import_module("asteval")

SECRET = secrets.token_hex(16)


class Host:
    """What a script may ask about."""

    def __init__(self, name: str) -> None:
        self.name = name


def one_input(data: bytes) -> bool:
    """Run the script; True if its result shows the secret."""
    interpreter = asteval.Interpreter(writer=io.StringIO(), err_writer=io.StringIO())
    interpreter.symtable["host"] = Host("pump-1")
    interpreter.eval(data.decode("utf-8"), show_errors=False)
    output = interpreter.symtable.get("output", "")
    return isinstance(output, str) and SECRET in output
