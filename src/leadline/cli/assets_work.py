"""What `leadline match` does beside matching devices: asking at the terminal, pages for each site."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadline.core.errors import Invalid

if TYPE_CHECKING:
    from leadline.app.assets import Assets
    from leadline.core.clearing.assets import Asked
    from leadline.render.document import Document

_NAME_MAX = 60


def ask(assets: "Assets", path: Path) -> int:
    """Put every open question at the terminal and add the answers to the file; how many were answered.

    An empty answer leaves the question open; Control-D ends the asking, and what was answered is kept.

    Raises: Invalid, without a terminal, or if the file cannot be written.
    """
    from leadline.core.clearing.assets import content
    from leadline.formats.answers_toml import render
    from leadline.wiring.regimes import utc_now

    if not sys.stdin.isatty():
        raise Invalid("--ask", "needs a terminal; write the answers into the file by hand")
    lines = {held.ref: content(held) for held in assets.components}
    answered: list[tuple[str, Asked, str]] = []
    for place, one in enumerate(assets.asked, 1):
        typer.echo(f"\n{place} of {len(assets.asked)}: {one.ask}", err=True)
        typer.echo("yes, no, the version, or nothing if you do not know: ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:  # the terminal was closed: what was said until here is kept
            break
        if said := line.strip():
            answered.append((lines[one.asset], one, said))
    if answered:
        add(path, render(answered, utc_now().date()))
    return len(answered)


def add(path: Path, text: str) -> None:
    """Append to the file of answers, so that what stands there stays as it is.

    Raises: Invalid, if it cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Invalid(str(path), f"cannot be written: {error.strerror}") from error


def write_pages(assets: "Assets", folder: Path, kev: Path | None, call: str) -> list[Path]:
    """One HTML page for each site, and one PDF where the extra ``server`` is installed.

    Raises: Invalid, if the list of exploited flaws cannot be read or the folder cannot be written.
    """
    from leadline.render.html import html
    from leadline.render.site_pages import site_document, sites
    from leadline.wiring.regimes import utc_now

    attacked, at = _attacked(kev), utc_now()
    written: list[Path] = []
    for site, items in sites(assets.components, assets.verdicts).items():
        document = site_document(
            site, items, assets.bulletins, at,
            attacked=attacked, attacked_known=kev is not None, call=call,
        )  # fmt: skip
        name = _name(site, {path.stem for path in written})
        try:
            folder.mkdir(parents=True, exist_ok=True)
            page = folder / f"{name}.html"
            page.write_text(html(document), encoding="utf-8")
            written.append(page)
            _write_pdf(page.with_suffix(".pdf"), document)
        except OSError as error:
            raise Invalid("--pages", f"{folder} cannot be written: {error.strerror}") from error
    return written


def _write_pdf(path: Path, document: "Document") -> None:
    if find_spec("typst") is None:  # comes with the server; the page itself prints as well
        return
    from leadline.render.pdf import pdf

    path.write_bytes(pdf(document))


def _attacked(kev: Path | None) -> frozenset[str]:
    if kev is None:
        return frozenset()
    from leadline.formats.kev import parse

    try:
        data = kev.read_bytes()
    except OSError as error:
        raise Invalid("--kev", f"{kev} cannot be read: {error.strerror}") from error
    return frozenset(parse(data, kev.name).listed)


def _name(site: str, taken: set[str]) -> str:
    """A file name for a site; a number keeps two sites apart that would share one."""
    plain = re.sub(r"[^\w]+", "-", site).strip("-").lower()[:_NAME_MAX] or "site"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}-{number}", number + 1
    return name
