"""Read the stored result of a task that failed.

Input: the result, a JSON object. The flaw is reached when reading it calls `privileged`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import json

base = importlib.import_module("celery.backends.base")
celery = importlib.import_module("celery")

calls: list[str] = []
backend = base.Backend(celery.Celery("pumps", set_as_current=False), serializer="json")


def privileged(*arguments: object) -> str:
    """Stand for an operation of the program that no stored result may start."""
    calls.append(f"called with {len(arguments)} arguments")
    return "done"


def one_input(data: bytes) -> bool:
    """Turn the result back into an exception; True if that called `privileged`."""
    calls.clear()
    backend.exception_to_python(json.loads(data.decode("utf-8")))
    return bool(calls)
