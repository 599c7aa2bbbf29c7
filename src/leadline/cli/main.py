"""The `leadline` program: one sub-command per noun. Heavy modules are imported inside commands."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Annotated, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_group
from typing_extensions import override

from leadline.settings import NAMED, start_quickly

# A command that stands alone, and the module that holds its function.
VERBS = {
    "applies": "applies",
    "assess": "assess",
    "backup": "backup",
    "calendar": "calendar",
    "demonstration": "demonstration",
    "doctor": "doctor",
    "init": "init",
    "match": "match",
    "replay": "replay",
    "restore": "backup",
    "serve": "serve",
}
# A noun with commands of its own: the `app` of the module of that name.
NOUNS = (
    "access",
    "advisory",
    "alert",
    "approval",
    "artefact",
    "case",
    "concern",
    "contract",
    "credential",
    "decide",
    "determination",
    "draft",
    "duty",
    "engagement",
    "export",
    "feed",
    "fairness",
    "finding",
    "findings",
    "fix",
    "hop",
    "horizon",
    "inquiry",
    "inventory",
    "incident",
    "information",
    "joint",
    "lease",
    "log",
    "message",
    "notice",
    "notify",
    "operator",
    "organisation",
    "pack",
    "partner",
    "project",
    "priority",
    "regime",
    "register",
    "relay",
    "result",
    "run",
    "session",
    "sign-in",
    "submission",
    "suite",
    "terms",
    "vault",
    "verdict",
    "weights",
)


class Parts(MutableMapping[str, object]):
    """The commands by name; each is imported and made when it is asked for, and only then.

    Whoever types one command does not wait until three hundred others have been read.
    """

    _made: ClassVar[dict[str, object]] = {}

    @override
    def __getitem__(self, name: str) -> object:
        if name not in VERBS and name not in NOUNS:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = _part(name)
        return self._made[name]

    @override
    def __setitem__(self, name: str, part: object) -> None:
        raise TypeError("commands are named in VERBS and NOUNS")

    @override
    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are named in VERBS and NOUNS")

    @override
    def __iter__(self) -> Iterator[str]:
        yield from VERBS
        yield from NOUNS

    @override
    def __len__(self) -> int:
        return len(VERBS) + len(NOUNS)


def _part(name: str) -> object:
    module = import_module(f"leadline.cli.{VERBS.get(name, name.replace('-', '_'))}")
    alone = typer.Typer(rich_markup_mode=None, add_completion=False)
    alone.callback()(lambda: None)
    if name in VERBS:
        alone.command(name=name)(getattr(module, name))
    else:
        alone.add_typer(module.app, name=name)
    return get_group(alone).commands[name]


class Program(TyperGroup):
    """The whole program, whose parts are there when they are needed."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        self.commands = Parts()  # type: ignore[assignment]


app = typer.Typer(
    name="leadline",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Early access and assessment of frontier AI models, and what their findings lead to.",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 -- Typer calls it with the flag
    if wanted:
        from importlib.metadata import version

        typer.echo(version("leadline"))
        raise typer.Exit


@app.callback()
def main(
    *,
    server: Annotated[
        str, typer.Option(help="https://HOST:PORT of a server to do it at; else LEADLINE_SERVER.")
    ] = "",
    version: Annotated[  # noqa: ARG001 -- its callback answers
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Early access and assessment of frontier AI models, and what their findings lead to."""
    NAMED.set(server)


def run() -> None:
    """The console script; each command turns Leadline's errors into one line and an exit status."""
    start_quickly()
    app()
