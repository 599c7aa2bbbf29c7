"""Run an untrusted script in restricted mode; it may define functions and generators.

Input: the script's source text. It may use the object `host`, whose attribute `name` is public, and
leaves its result in `output`. The flaw is reached when that result shows this module's `SECRET`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import secrets

restricted = importlib.import_module("RestrictedPython")
guards = importlib.import_module("RestrictedPython.Guards")
evaluation = importlib.import_module("RestrictedPython.Eval")

SECRET = secrets.token_hex(16)


class Host:
    """What a script may ask about."""

    def __init__(self, name: str) -> None:
        self.name = name


def one_input(data: bytes) -> bool:
    """Compile and run the script; True if its result shows the secret."""
    code = restricted.compile_restricted(data.decode("utf-8"), "<script>", "exec")
    scope: dict[str, object] = {
        "__builtins__": guards.safe_builtins,
        "_getattr_": guards.safer_getattr,
        "_getitem_": evaluation.default_guarded_getitem,
        "_getiter_": evaluation.default_guarded_getiter,
        "_iter_unpack_sequence_": guards.guarded_iter_unpack_sequence,
        "host": Host("pump-1"),
        "output": "",
    }
    exec(code, scope)  # noqa: S102 -- running restricted scripts is what this package is for
    output = scope["output"]
    return isinstance(output, str) and SECRET in output
