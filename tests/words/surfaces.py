"""Every surface that a word can stand on, as pairs of a place and its text."""

import ast
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import typer
from jinja2 import Environment

import leadline
from leadline.cli.main import app
from leadline.core.access import Action
from leadline.core.record.act import Kind
from leadline.http.application import create
from leadline.render.document import Document
from leadline.render.html import html
from render.markup import read

if TYPE_CHECKING:
    from leadline.wiring.portal import Portal

Texts = Iterator[tuple[str, str]]
ROOT = Path(leadline.__file__).parent
TOP = Path(__file__).resolve().parents[2]
# Engineering records of the past keep the words they were written in.
DOCS = ("README.md", "docs/how-to", "docs/tutorial", "docs/explanation", "docs/reference")


def states() -> Texts:
    """The words of every enumeration of the engagement desk: states, answers, verdicts, stages."""
    for file in sorted((ROOT / "core" / "engagement").glob("[!_]*.py")):
        module = import_module(f"leadline.core.engagement.{file.stem}")
        for name, found in vars(module).items():
            own = isinstance(found, type) and found.__module__ == module.__name__
            if own and issubclass(found, Enum):
                for one in found:
                    words = f"{_spaced(one.name)} {_spaced(str(one.value))}"
                    yield f"states {file.stem}.{name}", words


def acts() -> Texts:
    """The kinds of acts that a record holds."""
    yield from ((f"acts {kind.name}", _spaced(kind.value)) for kind in Kind)


def actions() -> Texts:
    """What access rules are asked about."""
    yield from ((f"actions {one.name}", _spaced(one.value)) for one in Action)


def rules() -> Texts:
    """The reasons that an access rule gives a person."""
    for file in sorted((ROOT / "data" / "access").glob("*.cedar")):
        for at, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if found := re.search(r'@(?:reason|id)\("(.*)"\)', line):
                yield f"rules {_name(file)}:{at}", _spaced(found[1])


def data() -> Texts:
    """Every line of every data file, comments included."""
    for file in sorted((ROOT / "data").rglob("*")):
        if file.suffix in {".toml", ".cedar"}:
            yield from _lines("data", file)


def code() -> Texts:
    """Names, texts, docstrings and comments of the engagement's rules."""
    for path in sorted((ROOT / "core" / "engagement").glob("*.py")):
        with tokenize.open(path) as file:
            for token in tokenize.generate_tokens(file.readline):
                if token.type in {tokenize.NAME, tokenize.COMMENT}:
                    yield f"code {_name(path)}:{token.start[0]}", _spaced(token.string)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"code {_name(path)}:{node.lineno}", node.value


def errors() -> Texts:
    """The literals of what is raised anywhere in the code."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and node.exc is not None:
                yield f"errors {_name(path)}:{node.lineno}", _literals(node.exc)


def output() -> Texts:
    """The literals of what a command prints, and of what pages and pictures are labelled with."""
    for path in sorted((ROOT / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"typer.echo", "print"}:
                yield f"output {_name(path)}:{node.lineno}", _literals(node)
    for path in sorted((ROOT / "render").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        notes = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) not in notes and isinstance(node, ast.Constant):
                yield f"output {_name(path)}:{node.lineno}", str(node.value)


def _literals(node: ast.AST) -> str:
    return " ".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def templates() -> Texts:
    """The templates of pages."""
    for file in sorted((ROOT / "render" / "templates").iterdir()):
        yield from _lines("templates", file)


def portal() -> Texts:
    """What the portal's pages say: text between tags, what is read aloud, words in expressions and code."""
    for file in sorted((ROOT / "http" / "templates").rglob("*.j2")):
        for line, text in _read_by_people(file.read_text("utf-8")):
            yield f"portal {_name(file)}:{line}", text
    for path in sorted((ROOT / "http" / "pages").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        notes = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in notes and _words(node.value):
                yield f"portal {_name(path)}:{node.lineno}", str(node.value)


def _words(value: object) -> bool:
    """Whether a literal is for people: words, and no name of a field, a state or a path."""
    return isinstance(value, str) and " " in value.strip() and not value.startswith("/")


def _read_by_people(source: str) -> Iterator[tuple[int, str]]:
    """A template's text without its tags, and the literals of its expressions, by line."""
    inside = False
    for line, kind, text in Environment(autoescape=True).lex(source):
        if kind == "string" and not inside and (_words(text[1:-1]) or text[1:2].isupper()):
            yield line, text[1:-1]
        if kind != "data":
            continue
        for at, part in enumerate(re.split("([<>])", text)):
            if part in {"<", ">"}:
                inside = part == "<"
            elif not inside:
                yield line + text[: text.find(part)].count("\n") if at else line, part
            else:
                for spoken in re.findall(r'(?:aria-label|alt|title|placeholder)="([^"]*)', part):
                    yield line, spoken


def help_texts() -> Texts:
    """What every command says of itself."""
    yield from _helped(cast("click.Command", typer.main.get_command(app)), ("leadline",))


def _helped(command: click.Command, path: Sequence[str]) -> Texts:
    context = command.make_context(path[-1], [], resilient_parsing=True)
    yield f"help {' '.join(path)}", command.get_help(context)
    for name, one in sorted(getattr(command, "commands", {}).items()):
        yield from _helped(one, (*path, name))


def api() -> Texts:
    """Every name and text of the API's contract."""
    contract = create(cast("Portal", None)).openapi()
    yield from _walked(contract, "api")


def _walked(value: object, path: str) -> Texts:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield f"{path} {key}", _spaced(str(key))
            yield from _walked(one, f"{path} {key}")
    elif isinstance(value, list):
        for one in value:
            yield from _walked(one, path)
    elif isinstance(value, str) and not value.startswith("#/"):
        yield path, _spaced(value)


def docs() -> Texts:
    """The pages of documentation that users are shown."""
    for name in DOCS:
        found = TOP / name
        for file in [found] if found.is_file() else sorted(found.rglob("*.md")):
            text = file.read_text("utf-8")
            at = 1
            for paragraph in text.split("\n\n"):
                yield f"docs {file.relative_to(TOP)}:{at}", paragraph
                at += paragraph.count("\n") + 2


def shown(document: Document) -> str:
    """Everything that a page says, read aloud or seen."""
    held = read(html(document))
    spoken = [
        value
        for tag, attributes in held.elements
        for key, value in attributes.items()
        if key in {"alt", "aria-label", "title"} or (tag == "meta" and key == "description")
    ]
    return " ".join([held.words(), *spoken])


def _lines(surface: str, file: Path) -> Texts:
    for at, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        yield f"{surface} {_name(file)}:{at}", line


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _spaced(name: str) -> str:
    return re.sub(r"[_.:-]", " ", name)
