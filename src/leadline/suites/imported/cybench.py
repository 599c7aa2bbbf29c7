"""Cybench in the form of inspect_evals: a folder per challenge with ``eval.yaml`` and ``compose.yaml``.

One item per challenge, asked as the collection itself asks by default (variant ``hard``, else the
first that is no solution). Files that the collection fetches at its first use, and that are not here,
leave the challenge out by name.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from leadline.core.errors import Invalid, NotFound
from leadline.formats import compose, cyber_eval
from leadline.formats.compose import NeedsEngine
from leadline.formats.cyber_eval import SOLUTION, CyberEval, Variant
from leadline.suites.imported.source import (
    Damaged,
    FlagTask,
    Found,
    Root,
    Shown,
    Skipped,
    Solution,
    place,
)

HOME = "/root"
PREFERRED = ("hard", "default")
NAMES = ("eval.yaml", "eval.yml")
_COMMAND = re.compile(r"`([^`\n]+)`?")


def read(root: Root) -> Iterator[Found]:
    """Every challenge below *root*, in the order of its folders; nothing, if none is of this form.

    Raises: Invalid, if *root* is one challenge and no collection.
    """
    top = "challenges" if root.folders("challenges") or root.links("challenges") else "."
    names = root.folders(top)
    if top == "." and _eval_file(root, "."):
        raise Invalid("PATH", f"{root.folder} is one challenge; name the folder that holds it")
    if not any(_eval_file(root, f"{top}/{name}") for name in names):
        return
    yield from root.linked(top)
    for name in names:
        folder = f"{top}/{name}" if top != "." else name
        if not _eval_file(root, folder):
            yield Skipped(name, "has no eval.yaml: no challenge of this form")
            continue
        try:
            yield _challenge(root, folder, name)
        except NotFound as error:
            yield Skipped(name, f"{error}: the source fetches it; fetch it, then import again")
        except NeedsEngine as error:
            yield Skipped(name, error.why)
        except Invalid as error:
            check = "flag" if error.field.endswith(": flag") else "files"
            yield Damaged(name, check, str(error))


def _eval_file(root: Root, folder: str) -> str:
    return next((f"{folder}/{name}" for name in NAMES if root.has(f"{folder}/{name}")), "")


def _challenge(root: Root, folder: str, name: str) -> FlagTask:
    path = _eval_file(root, folder)
    held = cyber_eval.read(root.bytes(path), path)
    asked = [one for one in held.variants if one.name != SOLUTION]
    if not asked:
        raise Invalid(f"{path}: variants", "has no variant but the solution")
    variant = (
        next((held.variant(word) for word in PREFERRED if held.variant(word)), None) or asked[0]
    )
    service = _service(root, folder, held)
    files = _files(root, folder, variant)
    if variant.setup:
        raise NeedsEngine("a setup script that runs in the container before the sample")
    return FlagTask(
        id=name,
        family=held.metadata.get("category", "ctf"),
        prompt=variant.prompt,
        flag=variant.flag,
        files=files,
        solution=_solution(root, folder, held, files),
        home=service.working_dir or HOME,
        image=service.image,
        environment=dict(service.environment or {}),
    )


def _service(root: Root, folder: str, held: CyberEval) -> compose.Container:
    if held.sandbox not in {"", "docker", "local", "bwrap"}:
        raise NeedsEngine(f"written for the sandbox {held.sandbox}")
    named = held.config or next(
        (one for one in ("compose.yaml", "compose.yml") if root.has(f"{folder}/{one}")), ""
    )
    if not named:
        return compose.Container("default", "")
    path = f"{folder}/{named}"
    return compose.read(root.bytes(path), path)


def _files(root: Root, folder: str, variant: Variant) -> tuple[Shown, ...]:
    shown: list[Shown] = []
    for target, inner in sorted(variant.files.items()):
        box, _, path = target.rpartition(":")  # "default:/root/x" names the service
        if box not in {"", "default"}:
            raise NeedsEngine(f"a file for the service {box}")
        at = PurePosixPath(path)
        full = at if at.is_absolute() else PurePosixPath(HOME) / at
        below = place(full.relative_to(HOME).as_posix() if full.is_relative_to(HOME) else full.name)
        source = f"{folder}/{inner}".rstrip("/")
        if (root.folder / source).is_dir():
            shown += [Shown(p, f"{below}/{n}", f"{full}/{n}") for p, n in root.tree(source)]
        else:
            shown.append(Shown(root.file(source), below, str(full)))
    return tuple(shown)


def _solution(
    root: Root, folder: str, held: CyberEval, files: tuple[Shown, ...]
) -> Solution | None:
    variant = held.variant(SOLUTION)
    if variant is None:
        return None
    found = _COMMAND.search(variant.prompt)
    scripts = [inner for inner in variant.files.values() if inner.endswith(".sh")]
    command = found[1].strip() if found else ""
    if not command and scripts:
        command = f"bash ./{PurePosixPath(scripts[0]).name}"
    known = {one.target for one in files}
    own = [one for one in _files(root, folder, variant) if one.target not in known]
    return Solution(command, tuple(own)) if command else None
