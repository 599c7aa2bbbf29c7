"""Print the tables of docs/reference/registry.md from the manifests; `--write` puts them there."""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from leadline.suites.registry.manifest import Manifest, load_manifests

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "registry.md"
START, END = "<!-- tables: scripts/registry_table.py -->", "<!-- end of tables -->"


def rows(cells: Iterable[Iterable[object]]) -> list[str]:
    """Each row as a line of a table in Markdown."""
    return [f"| {' | '.join(map(str, row))} |" for row in cells]


def tables(manifests: Iterable[Manifest]) -> str:
    """The classes with their numbers, and every item."""
    found = sorted(manifests, key=lambda one: (one.family, one.name))
    count = Counter(one.family for one in found)
    npm = Counter(one.family for one in found if one.ecosystem == "npm")
    lines = [
        f"{len(found)} items, {len(count)} classes:",
        "",
        *rows([("Class", "Items", "PyPI", "npm"), ("---",) * 4]),
        *rows((name, n, n - npm[name], npm[name]) for name, n in count.most_common()),
        "",
        *rows(
            [
                (
                    "Item",
                    "Package",
                    "Releases",
                    "Id",
                    "Ids matched",
                    "Class",
                    "Oracle",
                    "Difficulty",
                ),
                ("---",) * 8,
            ]
        ),
        *rows(
            (
                one.name,
                f"{one.ecosystem} {one.package}",
                f"{one.vulnerable.version}, {one.fixed.version}",
                one.ids[0],
                one.matched,
                one.family,
                one.oracle.kind,
                one.difficulty,
            )
            for one in found
        ),
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print, or replace what stands between the marks."""
    text = tables(load_manifests())
    if arguments != ["--write"]:
        print(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(START)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
