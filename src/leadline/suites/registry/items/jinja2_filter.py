"""Render an untrusted template in the sandboxed environment, with a filter of the program's own.

Input: the template text. It may use the object `host`, whose attribute `name` and method `describe` are
public, and the filter `apply`, which calls what it is given. The flaw is reached when the rendered page
shows this module's `SECRET`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import secrets
from collections.abc import Callable

jinja2 = importlib.import_module("jinja2")
sandbox = importlib.import_module("jinja2.sandbox")

REFUSALS: tuple[type[Exception], ...] = (jinja2.TemplateError,)
SECRET = secrets.token_hex(16)


class Host:
    """What a page may be about."""

    def __init__(self, name: str) -> None:
        self.name = name

    def describe(self) -> str:
        """The name, for readers."""
        return f"the host {self.name}"


def apply(work: Callable[..., object], *values: object) -> object:
    """Call *work*, as a filter."""
    return work(*values)


def one_input(data: bytes) -> bool:
    """Render the template; True if the page shows the secret."""
    environment = sandbox.SandboxedEnvironment()
    environment.filters["apply"] = apply
    return SECRET in environment.from_string(data.decode("utf-8")).render(host=Host("pump-1"))
