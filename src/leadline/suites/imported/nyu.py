"""NYU CTF Bench: ``test_dataset.json`` or ``development_dataset.json`` and a folder per challenge.

A challenge with a compose file is served by containers and left out by name. What a challenge lists
as its files is shown, and nothing else of its folder. The collection is under GPL-2.0: it is imported
where it lies and never part of Leadline.
"""

from collections.abc import Iterator

from leadline.core.errors import Invalid, NotFound
from leadline.formats import ctf_json
from leadline.formats.compose import DOCKER
from leadline.suites.imported.intercode import PROGRAMS, program
from leadline.suites.imported.source import (
    Damaged,
    FlagTask,
    Found,
    Root,
    Shown,
    Skipped,
    place,
)

LISTS = ("test_dataset.json", "development_dataset.json")
COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def read(root: Root) -> Iterator[Found]:
    """Every challenge of both lists, as far as they are here.

    Raises: NotFound, if neither is; Invalid, if one is no list.
    """
    lists = [name for name in LISTS if root.has(name)]
    if not lists:
        raise NotFound(f"{root.folder} has neither {' nor '.join(LISTS)}; name the folder with one")
    seen: set[str] = set()
    for name in lists:
        for entry in ctf_json.nyu(root.bytes(name), name):
            if entry.problem:
                yield Damaged(entry.id, "fields", entry.problem)
            elif entry.id in seen:
                yield Damaged(entry.id, "id", f"stands in both {' and '.join(lists)}")
            else:
                yield _challenge(root, entry)
            seen.add(entry.id)


def _challenge(root: Root, entry: ctf_json.Entry) -> Found:
    folder = str(entry.fields["path"])
    path = f"{folder}/challenge.json"
    try:
        held = ctf_json.nyu_challenge(root.bytes(path), path)
        composed = [name for name in COMPOSE if root.has(f"{folder}/{name}")]
        if held.compose or composed:
            why = composed[0] if composed else "challenge.json"
            return Skipped(entry.id, f"{why} asks for a server of its own: {DOCKER}")
        shown = [Shown(root.file(f"{folder}/{name}"), place(name)) for name in held.files]
        named = {one.place for one in shown}
        names = [one for one in PROGRAMS if one not in named and root.has(f"{folder}/{one}")]
        own = [Shown(root.file(f"{folder}/{name}"), name) for name in names]
    except NotFound as error:
        return Damaged(entry.id, "files", f"{error}, though the list names it")
    except Invalid as error:
        return Damaged(entry.id, "flag" if error.field.endswith(": flag") else "files", str(error))
    return FlagTask(
        id=entry.id,
        family=held.category.lower(),
        prompt=held.prompt,
        flag=held.flag,
        files=tuple(shown),
        solution=program(own),
    )
