"""Trees of Python: a module beside the judge's own driver, read here and run in boxes only.

A repair may not touch the entry, through which the secret of a run passes, and uses no name oftener
than the original but those that only look at values: what would look for the secret, or reach around
the judge, needs others.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeGuard

from leadline.core.isolation import Tier
from leadline.suites.patch.built import Built

SOURCE_BYTES_MAX = 256 << 10
PROBLEM_CHARS = 300
ENTRIES = ("read", "lay_out", "__init__")  # through these the secret of a run passes
# Names that only look at values: a repair may use them as often as it likes.
LOOKING = frozenset(
    """
    abs all any ascii bool bytes chr dict divmod enumerate float frozenset hash hex int
    isinstance iter len list map max min next ord pow range repr reversed round set sorted
    str sum tuple zip True False None ValueError TypeError KeyError IndexError Exception
    isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable
    isspace isupper startswith endswith find rfind index rindex count strip lstrip rstrip
    lower upper casefold split rsplit splitlines partition rpartition replace join encode
    decode removeprefix removesuffix get keys values items append add pop copy from_bytes
    to_bytes path normpath realpath abspath commonpath commonprefix basename dirname isabs
    relpath resolve is_relative_to parents parts name quote fullmatch match search
    compare_digest literal_eval os posixpath hmac shlex re self cls
    """.split()  # noqa: SIM905 -- a list of words, read as one
)


@dataclass(frozen=True, slots=True)
class PyTree:
    """How a tree of Python is built: the module is put beside the judge's own *parts*, by name."""

    sources: tuple[str, ...]
    patchable: tuple[str, ...]
    parts: Mapping[str, bytes] = field(default_factory=dict)
    language: str = "python"

    def asking(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The driver without its report: it then prints what was made of a file."""
        at = argv.index("--report")
        return (*argv[:at], *argv[at + 2 :])

    async def build(self, tree: Mapping[str, bytes], tier: Tier) -> Built:
        """Put the changed modules in their places; they are read, never run, outside a box."""
        del tier
        files, exports, marks, frame = dict(self.parts), set[str](), list[str](), set[str]()
        for path in self.patchable:
            module = _parsed(tree[path])
            if isinstance(module, str):
                return Built(problem=f"{path} {module}")
            files[PurePosixPath(path).name] = tree[path]
            exports |= {node.name for node in module.body if isinstance(node, _DEFINING)}
            marks += _marks(module)
            frame |= set(_frame(module))
        return Built(files, frozenset(exports), tuple(marks), frozenset(frame))


_DEFINING = (ast.FunctionDef, ast.ClassDef)


def _parsed(data: bytes) -> ast.Module | str:
    """The module, or what is wrong with it."""
    if len(data) > SOURCE_BYTES_MAX:
        return f"has over {SOURCE_BYTES_MAX} bytes"
    try:
        return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"is no Python: {type(error).__name__}: {error}"[:PROBLEM_CHARS]


def _marks(module: ast.Module) -> Iterator[str]:
    """Every name that the module takes from outside, each time; its own local names are none."""
    own = {node.id for node in ast.walk(module) if _stores(node)}
    own |= {node.name for node in ast.walk(module) if isinstance(node, _DEFINING)}
    own |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    kept = _kept(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id not in LOOKING | own:
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr not in LOOKING | kept:
            yield f".{node.attr}"
        elif isinstance(node, ast.alias):
            yield f"import {node.name}"
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("__"):
            yield f"def {node.name}"
        elif _stores(node) and node.id in ENTRIES:
            yield f"{node.id} ="
        elif isinstance(node, (ast.Global, ast.Nonlocal, ast.Try, ast.AsyncFunctionDef)):
            yield type(node).__name__.lower()


def _kept(module: ast.Module) -> set[str]:
    """Attributes in which the program keeps numbers and the like of its own.

    Not those that an ``__init__`` fills from what it is given: the replies or the secret may be
    behind them.
    """
    stored = {
        node.attr
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            given = {argument.arg for argument in function.args.args[1:]}
            stored -= {
                target.attr
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and _names(node.value) & given
                for target in node.targets
                if isinstance(target, ast.Attribute)
            }
    return stored


def _names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _stores(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _frame(module: ast.Module) -> Iterator[str]:
    """The parts that may not change, each its name and a digest of what it says."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name in ENTRIES:
            said = hashlib.sha256(ast.dump(node).encode()).hexdigest()
            yield f"{node.name} {said}"
