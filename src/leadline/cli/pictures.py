"""A folder of pictures: each as SVG with its data as CSV, and one page that shows them all."""

import csv
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.core.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from leadline.render.document import Figure, Table

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure under its name in the folder: ``cost`` becomes ``cost.svg`` and ``cost.csv``."""

    name: str
    heading: str
    figure: "Figure"


@dataclass(frozen=True, slots=True)
class About:
    """What the page says of itself: *title*, the *source* table, and *closing* words on their limits."""

    title: str
    source: Path
    closing: str


def need_pictures() -> None:
    """Return if pictures can be drawn here.

    Raises: Unavailable, with the command that installs what is missing.
    """
    try:
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ModuleNotFoundError as error:
        told = f"pictures need {error.name}; install it with: pip install 'leadline[server]'"
        raise Unavailable(told) from error


def folder_for(path: Path) -> Path:
    """The folder, made if it is missing.

    Raises: Invalid, if it cannot be.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid("--plot", f"{path} cannot be a folder: {error.strerror}") from error
    return path


def write_pictures(folder: Path, about: About, pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Write every picture, its data and the page; answers the names of the files.

    All are written before the first is put in place, each in one step; nothing else in the folder is
    touched.

    Raises: Invalid, if a file cannot be written.
    """
    files = {}
    for one in pictures:
        files[f"{one.name}.svg"] = one.figure.svg
        files[f"{one.name}.csv"] = table_csv(one.figure.data)
    files[INDEX] = _page(about, pictures)
    try:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as fresh:
            for name, text in files.items():
                (Path(fresh) / name).write_text(text, encoding="utf-8")
            for name in files:
                (Path(fresh) / name).replace(folder / name)
    except OSError as error:
        place = error.filename2 or error.filename
        raise Invalid("--plot", f"{place} cannot be written: {error.strerror}") from error
    return tuple(files)


def table_csv(table: "Table") -> str:
    """A data table as CSV with its column labels first."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow([column.label for column in table.columns])
    writer.writerows(table.rows)
    return held.getvalue()


def _page(about: About, pictures: Sequence[Picture]) -> str:
    from leadline.render.document import Column, Document, Section, Table
    from leadline.render.html import html

    files = Table(
        caption="Files in this folder",
        columns=(Column("Picture"), Column("What it shows")),
        rows=tuple(
            row
            for one in pictures
            for row in (
                (f"{one.name}.svg", one.heading),
                (f"{one.name}.csv", f"{one.heading}: its data"),
            )
        ),
        links=tuple((f"{one.name}.{end}",) * 2 for one in pictures for end in ("svg", "csv")),
    )
    shown = tuple(Section(one.name, one.heading, (one.figure,)) for one in pictures)
    return html(
        Document(
            title=about.title,
            kicker=f"From {about.source.name}",
            marking="",
            record=f"From {about.source.name}",
            at=datetime.fromtimestamp(about.source.stat().st_mtime, UTC),
            closing=about.closing,
            cover=(Section("files", "Files", (files,)),),
            sections=shown,
        )
    )
