"""Read a configuration file with the loader that promises to run no code.

Input: the YAML text. The flaw is reached when the text makes the library call `privileged`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

yaml = importlib.import_module("yaml")

REFUSALS: tuple[type[Exception], ...] = (yaml.YAMLError,)
calls: list[str] = []


def privileged(*arguments: object) -> str:
    """Stand for an operation of the program that no configuration file may start."""
    calls.append(f"called with {len(arguments)} arguments")
    return "done"


def one_input(data: bytes) -> bool:
    """Load the text; True if that called `privileged`."""
    calls.clear()
    yaml.full_load(data.decode("utf-8"))
    return bool(calls)
