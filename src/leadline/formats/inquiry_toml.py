"""`inquiry.toml` and `submission.toml`: files that a person writes, and that commands write as well.

Each key is optional, and ``"unknown"`` is always an answer. What is written again is the same text, so
that a file kept under version control changes only where an answer did.
"""

import json
from datetime import date, datetime

from leadline.core.engagement.inquiry import QUESTIONS, Form, Inquiry, Question, answer
from leadline.core.engagement.submission import FORMS, Fact, Origin, Part, Piece, Submission
from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

BYTES_MAX = 256 << 10
PIECES_MAX = 200
_HEAD = (
    "# Would this model be covered? Answer what you know; leave out the rest, or say unknown.\n"
    "# It needs no weights, no prompts, no findings and nothing secret.\n"
)
_PACK = "# A submission pack: what is said here, and one [[piece]] for each file beside it.\n"


def load_inquiry(content: bytes, file: str) -> Inquiry:
    """The inquiry in *content*; *file* is the name that errors give. An empty file is an empty one.

    Raises: Invalid, naming file and key, for an unknown key, or an answer that is none.
    """
    root = _open(content, file)
    answers = {
        question: _said(root, question.value, QUESTIONS[question].form)
        for question in Question
        if question.value in root
    }
    root.done()
    return Inquiry(answers)


def dump_inquiry(inquiry: Inquiry) -> bytes:
    """The file that `load_inquiry` reads as *inquiry*, each question above its answer."""
    lines = [_HEAD]
    for question, asked in QUESTIONS.items():
        said = inquiry.answers.get(question)
        lines.append(f"\n# {asked.words}\n")
        lines.append(f"# {question.value} =\n" if said is None else _pair(question.value, said))
    return "".join(lines).encode()


def load_submission(content: bytes, file: str) -> Submission:
    """The pack in *content*; raises Invalid, as `load_inquiry`."""
    root = _open(content, file)
    facts = {
        fact: _said(root, fact.value, FORMS.get(fact, Form.TEXT))
        for fact in Fact
        if fact.value in root
    }
    unknown = frozenset(_part(root, "unknown", word) for word in root.texts("unknown"))
    tables = root.tables("piece")
    if len(tables) > PIECES_MAX:
        raise root.wrong("piece", f"{len(tables)} files; at most {PIECES_MAX} are taken")
    pieces = tuple(_piece(table) for table in tables)
    root.done()
    try:
        return Submission(facts, pieces, unknown)
    except Invalid as error:
        raise root.wrong("piece", error.problem) from None


def dump_submission(pack: Submission) -> bytes:
    """The file that `load_submission` reads as *pack*."""
    lines = [_PACK]
    for fact in Fact:
        said = pack.facts.get(fact)
        lines.append(f"# {fact.value} =\n" if said is None else _pair(fact.value, said))
    words = ", ".join(json.dumps(part.value) for part in sorted(pack.unknown))
    lines.append(f"unknown = [{words}]\n")
    for piece in pack.pieces:
        lines += ["\n[[piece]]\n", _pair("part", piece.part), _pair("file", piece.file)]
        lines += [_pair("digest", piece.digest), f"size = {piece.size}\n"]
        lines += [_pair("origin", piece.origin), _pair("tells", piece.tells)]
    return "".join(lines).encode()


def _open(content: bytes, file: str) -> Table:
    if len(content) > BYTES_MAX:
        raise Invalid(file, f"longer than {BYTES_MAX} bytes; it holds answers, not documents")
    return open_table(content, file)


def _said(table: Table, name: str, form: Form) -> str:
    """An answer as text, whether it was written as text, number, day or moment."""
    text = _written(table, name)
    try:
        return answer(name, form, text)
    except Invalid as error:
        raise table.wrong(name, error.problem) from None


def _written(table: Table, name: str) -> str:
    """The text that was written, or what TOML reads as a number, a day or a moment, as text."""
    refusals = list[Invalid]()
    for plain in (str, int, float, date, datetime):
        try:
            return _text(table.value(name, plain))  # type: ignore[type-var] # each is one of them
        except Invalid as error:
            refusals.append(error)
    raise table.wrong(name, 'give one answer as text, or "unknown"') from refusals[0]


def _text(found: object) -> str:
    return found.isoformat() if isinstance(found, date) else str(found)


def _piece(table: Table) -> Piece:
    name = table.text("file")
    if name in {".", ".."} or "/" in name or "\\" in name or not name.isprintable():
        raise table.wrong("file", "is no plain name; the files lie beside this one")
    size = table.value("size", int)
    if size < 0:
        raise table.wrong("size", f"{size} bytes cannot be")
    digest = _said(table, "digest", Form.DIGEST)
    part = _part(table, "part", table.text("part"))
    origin = table.choice("origin", Origin)
    piece = Piece(part, name, digest, size, origin, table.value("tells", str))
    table.done()
    return piece


def _part(table: Table, key: str, word: str) -> Part:
    if word not in set(Part):
        raise table.wrong(key, f"{word[:60]!r} is no part of a pack: {', '.join(Part)}")
    return Part(word)


def _pair(key: str, text: str) -> str:
    # The escapes of JSON are among TOML's, and a control character that is none of them is DEL.
    quoted = json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"{key} = {quoted}\n"
