"""How a tree is built and asked, by its language; kept beside the item as ``recipe.json``."""

import json
from collections.abc import Iterable, Mapping

from leadline.suites.patch.built import Built
from leadline.suites.patch.c_tree import CTree
from leadline.suites.patch.py_tree import PyTree

Recipe = CTree | PyTree


def saved(recipe: Recipe, original: Built) -> str:
    """What ``recipe.json`` holds of a recipe and of the original build."""
    record = {
        "language": recipe.language,
        "sources": list(recipe.sources),
        "patchable": list(recipe.patchable),
        "exports": sorted(original.exports),
        "marks": list(original.marks),
        "frame": sorted(original.frame),
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def loaded(text: str, parts: Mapping[str, bytes]) -> tuple[Recipe, Built]:
    """Read back what `saved` wrote; *parts* are the judge's own files beside a Python module.

    Raises: KeyError, ValueError or TypeError, if it is spoilt.
    """
    record = json.loads(text)
    original = Built(
        exports=frozenset(record["exports"]),
        marks=tuple(record["marks"]),
        frame=frozenset(record["frame"]),
    )
    return recipe_of(record["language"], record["sources"], record["patchable"], parts), original


def recipe_of(
    language: str, sources: Iterable[str], patchable: Iterable[str], parts: Mapping[str, bytes]
) -> Recipe:
    """The recipe of *language*.

    Raises: ValueError, for one that is not known here.
    """
    if language == "c":
        return CTree(tuple(sources), tuple(patchable))
    if language == "python":
        return PyTree(tuple(sources), tuple(patchable), dict(parts))
    raise ValueError(f"no recipe for {language!r}")
