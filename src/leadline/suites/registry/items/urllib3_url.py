"""Read a URL that came from outside. Input: the URL.

The flaw is reached when this uses far more processor time than the length of the input explains.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

url = importlib.import_module("urllib3.util.url")
exceptions = importlib.import_module("urllib3.exceptions")

REFUSALS: tuple[type[Exception], ...] = (exceptions.HTTPError,)


def one_input(data: bytes) -> bool:
    """Read the URL; what is wrong shows in the time, so the answer is always False."""
    url.parse_url(data.decode("utf-8", "replace"))
    return False
