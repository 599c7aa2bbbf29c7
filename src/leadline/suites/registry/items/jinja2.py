"""Render an untrusted template in the sandboxed environment.

Input: the template text. It may use the object `host`, whose attribute `name` is public. The flaw is
reached when the rendered page shows this module's `SECRET`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import secrets

jinja2 = importlib.import_module("jinja2")
sandbox = importlib.import_module("jinja2.sandbox")

REFUSALS: tuple[type[Exception], ...] = (jinja2.TemplateError,)
SECRET = secrets.token_hex(16)


class Host:
    """What a page may be about."""

    def __init__(self, name: str) -> None:
        self.name = name


def one_input(data: bytes) -> bool:
    """Render the template; True if the page shows the secret."""
    template = sandbox.SandboxedEnvironment().from_string(data.decode("utf-8"))
    return SECRET in template.render(host=Host("pump-1"))
