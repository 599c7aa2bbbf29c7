"""What a person hands over or takes out by a page: files in a folder that is gone when the answer is given."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from leadline.app import exports
from leadline.core.engagement.submission import Fact, Part
from leadline.core.errors import Invalid, Refused
from leadline.wiring import submission

if TYPE_CHECKING:
    from leadline.app.context import Context
    from leadline.app.engagement import Dealings

BYTES_MAX = submission.BYTES_MAX


@dataclass(frozen=True, slots=True)
class Given:
    """One file: the place in the form that it came by, what its sender called it, and which part it was said to be."""

    place: str
    name: str
    data: bytes = field(repr=False)
    part: Part | None = None


@contextmanager
def gathered(facts: Mapping[Fact, str], files: Sequence[Given]) -> Iterator[submission.Folder]:
    """A pack's folder with these facts and files; it is deleted at the end.

    Raises: Invalid, naming the field of a fact or file that cannot be taken; Refused, for a file about
    another model.
    """
    with TemporaryDirectory() as place:
        folder = submission.Folder(Path(place, "pack"))
        pack = folder.begun()
        for fact, said in facts.items():
            pack = pack.saying(fact, said)
        folder.keep(pack)
        for number, one in enumerate(files):
            _add(folder, Path(place, str(number)), one)
        yield folder


@contextmanager
def laid_out(files: Sequence[Given]) -> Iterator[Path]:
    """A folder with these files, each under its own name; it is deleted at the end.

    Raises: Invalid, naming the field of a file that has no name to keep, or that of another.
    """
    with TemporaryDirectory() as place:
        for one in files:
            target = Path(place, _name(one))
            if target.exists():
                raise Invalid(one.place, f"{target.name} was chosen twice")
            try:
                target.write_bytes(one.data)
            except OSError as error:
                problem = f"{target.name:.80} cannot be kept: {error.strerror}"
                raise Invalid(one.place, problem) from error
        yield Path(place)


def _name(one: Given) -> str:
    """What a file is called: a name and no path; raises Invalid."""
    name = Path(one.name.replace("\\", "/")).name
    if not name or name.startswith(".") or not name.isprintable():
        raise Invalid(one.place, "has no name that can be kept; rename it")
    return name


def _add(folder: submission.Folder, place: Path, one: Given) -> None:
    """One file under its own name, which is a name and no path."""
    name = Path(one.name.replace("\\", "/")).name
    if not name or not name.isprintable() or "\0" in name:
        raise Invalid(one.place, "has no name that can be kept; rename it")
    place.mkdir()
    source = place / name
    try:
        source.write_bytes(one.data)
        submission.add(folder, source, one.part)
    except Invalid as error:
        raise Invalid(one.place, f"{name}: {error.problem}") from None
    except Refused as error:
        raise Invalid(one.place, f"{name}: {error}") from None
    except OSError as error:
        raise Invalid(one.place, f"{name:.80} cannot be kept: {error.strerror}") from error


def exported(ctx: "Context", on: "Dealings", *, to: str, purpose: str) -> bytes:
    """Evidence of an engagement, all that this person sees, as a ZIP of its signed folder.

    Raises: as `leadline.app.exports.export`.
    """
    with TemporaryDirectory() as place:
        out = Path(place, "evidence")
        exports.export(ctx, on, (), to, purpose, out)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as whole:
            for file in sorted(one for one in out.rglob("*") if one.is_file()):
                whole.write(file, Path("evidence", file.relative_to(out)).as_posix())
    return packed.getvalue()
