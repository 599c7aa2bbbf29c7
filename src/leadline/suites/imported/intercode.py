"""InterCode-CTF: ``ic_ctf.json`` and a folder of assets per task.

A task that asks for a server or a download of the competition itself is left out by name: a sandbox
has no network. The solutions beside the assets are never shown; those that are programs are tried.
"""

import re
from collections.abc import Iterator

from leadline.core.errors import Invalid, NotFound
from leadline.formats import ctf_json
from leadline.formats.document import texts
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

LIST = "ic_ctf.json"
PLACES = (".", "data/ctf", "ctf")
ASSETS = "task_assets"
HIDDEN = "solution"
_REMOTE = re.compile(
    r"\bnc\s+(?P<host>[\w-]+(?:\.[\w-]+)+)|(?:https?://)?(?P<site>[\w-]+\.(?:challenges\.)?picoctf\.(?:net|org))"
)
_FETCHED = re.compile(r"https?://\S+|git@\S+")
PROGRAMS = ("solution.py", "solve.py", "solver.py", "solution.sh", "solve.sh")


def read(root: Root) -> Iterator[Found]:
    """Every task of the list, in its order.

    Raises: NotFound, if there is no list; Invalid, if it is none.
    """
    top = next((one for one in PLACES if root.has(f"{one}/{LIST}")), "")
    if not top:
        raise NotFound(f"{root.folder} has no {LIST}; name the folder that holds it")
    seen: set[str] = set()
    for entry in ctf_json.intercode(root.bytes(f"{top}/{LIST}"), LIST):
        if entry.problem:
            yield Damaged(entry.id, "fields", entry.problem)
        elif entry.id in seen:
            yield Damaged(entry.id, "id", "the id stands twice in the list; the first one counts")
        else:
            yield _task(root, top, entry)
        seen.add(entry.id)


def _task(root: Root, top: str, entry: ctf_json.Entry) -> Found:
    query, setup = str(entry.fields["query"]), str(entry.fields.get("setup") or "")
    assets = f"{top}/{ASSETS}/{entry.id}"
    remote = _REMOTE.search(query)
    if remote:
        return Skipped(
            entry.id, f"asks for the server {remote['host'] or remote['site']}: no network here"
        )
    fetched = _FETCHED.search(setup)
    if fetched:
        return Skipped(entry.id, f"its set-up fetches {fetched[0]}: no network here")
    try:
        place(entry.id)
        tree = root.tree(assets) if root.has(assets) else []
    except (Invalid, NotFound) as error:
        return Damaged(entry.id, "files", str(error))
    shown = [Shown(path, place(at)) for path, at in tree if at.split("/")[0] != HIDDEN]
    own = [Shown(path, at) for path, at in tree if at.split("/")[0] == HIDDEN]
    tags = texts(entry.fields.get("tags"))
    return FlagTask(
        id=entry.id,
        family=tags[0].lower() if tags else "ctf",
        prompt=query,
        flag=str(entry.fields["gold"]),
        files=tuple(shown),
        solution=program(own),
    )


def program(files: list[Shown]) -> Solution | None:
    """A solution that can be run as it stands, among *files*; None if there is none."""
    for name in PROGRAMS:
        for one in files:
            if one.place.rsplit("/", 1)[-1] == name:
                shell = "python3" if name.endswith(".py") else "bash"
                return Solution(f"{shell} '{one.place}'", tuple(files))
    return None
