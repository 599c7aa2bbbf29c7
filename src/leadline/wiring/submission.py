"""The folder that a submission pack is made in: what developers have already, recognised and copied.

A model card, a CycloneDX document, an Inspect log, or the folder of one's own assessment goes in as it
is. Reading a log needs Inspect, reading a card YAML; without them everything else works.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.app import folder as files
from leadline.app.given import content
from leadline.core.engagement.inquiry import UNKNOWN
from leadline.core.engagement.submission import Fact, Origin, Part, Piece, Submission
from leadline.core.errors import Invalid, Refused, Unavailable
from leadline.formats import inquiry_toml, ml_bom
from leadline.formats.canonical import encode
from leadline.formats.document import load, record, records, text
from leadline.wiring.inquiry import write

if TYPE_CHECKING:
    from leadline.formats.model_card import ModelCard

FILE = "submission.toml"
RESERVED = frozenset({FILE, "manifest.json"})
SUMMARY, SUMMARY_AS = "summary.json", "assessment-summary.json"
BYTES_MAX = 64 << 20
TELLS_MAX = 300


@dataclass(frozen=True, slots=True)
class Folder:
    """One pack's folder."""

    path: Path

    def pack(self) -> Submission:
        """What the pack holds; raises NotFound or Invalid, naming the file."""
        file = self.path / FILE
        return inquiry_toml.load_submission(content(file, inquiry_toml.BYTES_MAX), str(file))

    def begun(self) -> Submission:
        """As `pack`, an empty one where nothing was written yet."""
        return self.pack() if (self.path / FILE).exists() else Submission()

    def keep(self, pack: Submission) -> None:
        """Write the pack's file, whole or not at all."""
        write(self.path / FILE, inquiry_toml.dump_submission(pack))

    def content(self, piece: Piece) -> Iterator[bytes]:
        """The bytes of one file of the pack."""
        return files.chunks(self.path, piece.file)


@dataclass(frozen=True, slots=True)
class Known:
    """What a file turned out to be: the models it speaks of, and what it says, in short."""

    origin: Origin
    part: Part | None
    models: tuple[str, ...] = ()
    tells: str = ""


def saying(pack: Submission, pair: str) -> Submission:
    """The pack with one more fact from ``NAME=TEXT``; raises Invalid."""
    name, mark, said = pair.partition("=")
    if not mark or name not in set(Fact):
        raise Invalid("--say", f"{name[:60]!r}: write NAME=TEXT, one of {', '.join(Fact)}")
    return pack.saying(Fact(name), said)


def add(folder: Folder, source: Path, part: Part | None, *, same_model: bool = False) -> Piece:
    """Copy one file, or the summary of an assessment's folder, into the pack.

    *part* says which part it is where that cannot be told. *same_model* says that the file's name for
    the model means the pack's.

    Raises: Invalid, naming the file, for what is damaged or too large, or whose part is not known;
    Refused, for a file about another model. Then the pack is as it was.
    """
    pack = folder.begun()
    assessed = source.is_dir()
    file = source / SUMMARY if assessed else source
    data = content(file, BYTES_MAX)
    known = _assessment(data, str(file)) if assessed else recognised(file, data)
    wanted = part or known.part
    if wanted is None:
        problem = f"{source.name} is nothing that is recognised; say which part it is with --as"
        raise Invalid("FILE", f"{problem}: {', '.join(Part)}")
    _same(pack, known, same_model=same_model)
    name = unicodedata.normalize("NFC", SUMMARY_AS if assessed else source.name)
    if name in RESERVED or name.startswith(".") or not name.isprintable():
        raise Invalid("FILE", f"{name!r} cannot be a name in a pack; copy it under another one")
    write(folder.path / name, data)
    digest, size = files.digest(folder.path, name)
    piece = Piece(wanted, name, digest, size, known.origin, _short(known.tells))
    folder.keep(pack.holding(piece))
    return piece


def recognised(file: Path, data: bytes) -> Known:
    """What one file is, by its content.

    Raises: Invalid, for one that begins as a known form and breaks it; Unavailable, where reading it
    needs what is not installed.
    """
    if ml_bom.recognises(data):
        models = ml_bom.parse(data, file.name)
        told = f"{len(models)} models, {sum(len(one.metrics) for one in models)} metrics"
        return Known(Origin.CYCLONEDX, Part.MODEL_CARD, tuple(one.name for one in models), told)
    if data.startswith(b"---"):
        return _card(data, file.name)
    if file.suffix == ".eval" or _json_log(data):
        return _log(file)
    return Known(Origin.FILE, None)


def export(folder: Folder, out: Path) -> tuple[str, ...]:
    """Write the pack for others to read: its files, a manifest, and an ML-BOM where it has none.

    A model card without results gets those of the pack's own assessment; else every file is as it is.

    Raises: Refused, if *out* has something in it; Invalid, naming a file that changed.
    """
    if out.exists() and any(out.iterdir()):
        raise Refused(f"{out} is not empty; name a new folder")
    pack, made = folder.pack(), dict[str, bytes]()
    for piece in pack.pieces:
        data = content(folder.path / piece.file, BYTES_MAX)
        if files.digest(folder.path, piece.file) != (piece.digest, piece.size):
            raise Invalid(piece.file, "changed since it was added; add it again")
        made[piece.file] = data
    summary = _summary(made)
    for piece in pack.pieces:
        if piece.origin is Origin.HUGGING_FACE_CARD:
            made[piece.file] = _with_results(made[piece.file], piece.file, pack, summary)
    if all(piece.origin is not Origin.CYCLONEDX for piece in pack.pieces):
        made.setdefault("model.cdx.json", ml_bom.encode(_model(pack, summary)))
    made["manifest.json"] = encode(pack.to_record()) + b"\n"
    for name, data in made.items():
        write(out / name, data)
    return tuple(sorted(made))


def _assessment(data: bytes, name: str) -> Known:
    """The summary that `leadline assess` left, with the root of the log that its record stands in."""
    summary = load(data, name)
    if not text(summary.get("schema")).startswith("leadline.summary/"):
        raise Invalid(
            name, "is no summary of an assessment; name the folder `leadline assess` wrote"
        )
    subject = text(record(summary.get("subject")).get("name"))
    counted = [f"{one.part}: {one.value}" for one in _metrics(summary)]
    told = "; ".join(
        [f"{subject}, log root {text(record(summary.get('log')).get('root'))}", *counted]
    )
    return Known(Origin.ASSESSMENT, Part.SAFETY_TESTS, (subject,), told)


def _metrics(summary: Mapping[str, object]) -> list[ml_bom.Metric]:
    """The share solved of each family that was attempted, with its interval."""
    found = []
    for suite in records(summary.get("suites")):
        for family in records(suite.get("families")):
            solved, tried = family.get("solved"), family.get("attempted")
            ends = family.get("interval")
            low, high = ends if isinstance(ends, list) and len(ends) == 2 else ("", "")  # noqa: PLR2004 -- two ends
            if not isinstance(solved, int) or not isinstance(tried, int) or not tried:
                continue
            part = f"{text(suite.get('name'))}/{text(family.get('name'))}"
            value = f"{solved} of {tried}"
            found.append(ml_bom.Metric("items solved", value, part, str(low), str(high)))
    return found


def _card(data: bytes, name: str) -> Known:
    with _needs("PyYAML", "a model card's metadata"):
        from leadline.formats import model_card
    card: ModelCard = model_card.load(data, name)
    bases = ", ".join(card.base_models) or "not named"
    told = f"licence {card.licence or 'not named'}; base {bases}; {len(card.results)} results"
    return Known(Origin.HUGGING_FACE_CARD, Part.MODEL_CARD, (), told)


def _json_log(data: bytes) -> bool:
    head = data[:4096]
    return data.startswith(b"{") and b'"eval"' in head and b'"status"' in head


def _log(file: Path) -> Known:
    with _needs("leadline[inspect]", "an Inspect log"):
        from leadline.runner import eval_log
    header = eval_log.read(file)
    spec = header.header.eval
    told = f"task {spec.task}, model {spec.model}, {len(header.samples)} samples, "
    told += f"status {header.header.status}"
    return Known(Origin.INSPECT_LOG, Part.SAFETY_TESTS, (spec.model,), told)


@contextmanager
def _needs(package: str, what: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise Unavailable(
            f"reading {what} needs {package}; add it with --as as a plain file"
        ) from error


def _same(pack: Submission, known: Known, *, same_model: bool) -> None:
    """Return, unless the file speaks of other models than the pack is about."""
    ours = pack.facts.get(Fact.MODEL, UNKNOWN)
    if same_model or ours == UNKNOWN or not known.models:
        return
    if any(_bare(one) == _bare(ours) for one in known.models):
        return
    theirs = ", ".join(known.models)
    raise Refused(f"it is about {theirs}, the pack about {ours}; --same-model, if they are one")


def _bare(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()


def _short(told: str) -> str:
    shown = "".join(one if one.isprintable() else " " for one in told)
    return unicodedata.normalize("NFC", shown)[:TELLS_MAX]


def _summary(made: Mapping[str, bytes]) -> Mapping[str, object]:
    data = made.get(SUMMARY_AS)
    return load(data, SUMMARY_AS) if data else {}


def _with_results(data: bytes, name: str, pack: Submission, summary: Mapping[str, object]) -> bytes:
    from leadline.formats import model_card

    card = model_card.load(data, name)
    found = [model_card.Result("cyber", one.part, one.type, one.value) for one in _metrics(summary)]
    if card.results or not found:
        return data
    model = pack.facts.get(Fact.MODEL, UNKNOWN)
    return model_card.revised(card, {"model-index": model_card.index(model, found)}, name).content


def _model(pack: Submission, summary: Mapping[str, object]) -> ml_bom.MlModel:
    facts = {fact: said for fact, said in pack.facts.items() if said != UNKNOWN}
    return ml_bom.MlModel(
        name=facts.get(Fact.MODEL, UNKNOWN),
        version=facts.get(Fact.WEIGHTS_VERSION, ""),
        metrics=tuple(_metrics(summary)),
    )
