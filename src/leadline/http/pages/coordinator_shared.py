"""What the coordinator's pages share: fields under the names of their form, downloads, pictures in the page."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import quote

from fastapi import Response

from leadline.app import cases
from leadline.core.access import Action
from leadline.core.errors import Invalid
from leadline.core.intake import DEFAULT
from leadline.formats import archive
from leadline.http.pages.filters import slug
from leadline.http.pages.form import File
from leadline.http.pages.frame import Visit

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the format; so that the same files give the same archive
PARCEL_FILES_MAX = 16


@contextmanager
def fields(**names: str) -> Iterator[None]:
    """Let a fault name the field of this very form: *names* are the use case's names with the form's."""
    try:
        yield
    except Invalid as error:
        raise Invalid(names.get(error.field, error.field), error.problem) from error


@contextmanager
def about(field: str) -> Iterator[None]:
    """Let a fault of whatever was handed in stand beside *field*, with its own place in words."""
    try:
        yield
    except Invalid as error:
        raise Invalid(field, f"{error.field}: {error.problem}") from error


def coordinates(me: Visit, case: str) -> bool:
    """Whether acts of the case's coordinator are offered; what is allowed is decided where they are done."""
    return me.ctx.decision(Action.CASE_COORDINATE, cases.inner(case)).allowed


def download(name: str, data: bytes, kind: str = "application/octet-stream") -> Response:
    """A file to keep, never shown in place. *name* is made of letters, digits and hyphens."""
    stem, dot, ending = name.rpartition(".")
    safe = f"{slug(stem)}{dot}{slug(ending)}" if dot else slug(name)
    return Response(
        data, media_type=kind, headers={"content-disposition": f'attachment; filename="{safe}"'}
    )


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files in one archive; the same files give the same bytes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archived:
        for name in sorted(files):
            archived.writestr(zipfile.ZipInfo(name, FIRST_DAY), files[name])
    return out.getvalue()


def unzipped(given: File) -> dict[str, bytes]:
    """The files of an uploaded zip archive, judged before any is looked at.

    Raises: Hostile and Invalid, naming the entry.
    """
    found = dict[str, bytes]()
    archive.read_zip(BytesIO(given.data), len(given.data), DEFAULT, visit=found.__setitem__)
    if len(found) > PARCEL_FILES_MAX:
        raise Invalid("zip", f"more than {PARCEL_FILES_MAX} files")
    return found


def in_page(svg: str) -> str:
    """A picture that stands in the page itself, so that no second request has to ask the rules again."""
    return "data:image/svg+xml," + quote(svg)


def pairs(values: Sequence[str]) -> list[tuple[str, str]]:
    """Values of an enumeration with their words, for a choice."""
    return [(one, one.replace("-", " ").replace("_", " ")) for one in values]
