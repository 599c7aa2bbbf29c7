"""Store a user's preference under a path that the user chose.

Input: the path, a line feed, the value. The flaw is reached when this module's `settings` change.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

pydash = importlib.import_module("pydash")

CLOSED = "closed"
settings = {"registration": CLOSED}


class Preferences:
    """One user's preferences."""

    def __init__(self) -> None:
        self.theme = {"colour": "blue"}


def one_input(data: bytes) -> bool:
    """Store the value; True if a setting of the program has another value than before."""
    settings.clear()
    settings["registration"] = CLOSED
    path, _, value = data.decode("utf-8").partition("\n")
    pydash.set_(Preferences(), path, value)
    return settings != {"registration": CLOSED}
