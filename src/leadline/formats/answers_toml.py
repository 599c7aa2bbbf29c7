"""What an operator answered about lines of an asset list: a file to keep, to write by hand, to carry on.

Each answer names the content of its line, the advisories that it was asked about, and the question, so that
it never speaks for a line that has changed or for an advisory that came later.
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date

from leadline.core.clearing.assets import Asked, Known
from leadline.core.errors import Invalid
from leadline.formats.document import items, records, text, texts

FORMAT = "answers_toml"
ANSWERS_BYTES_MAX = 16 << 20
_YES = frozenset({"yes", "y", "ja", "oui", "si"})
_NO = frozenset({"no", "n", "nein", "non"})


def load(data: bytes, name: str = "answers") -> tuple[Known, ...]:
    """Every answer; entries whose answer is still empty are left out.

    Raises: Invalid, naming the entry and what would be right, if it cannot be read.
    """
    if len(data) > ANSWERS_BYTES_MAX:
        raise Invalid(name, f"longer than {ANSWERS_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(name, f"no TOML: {error}") from None
    entries = records(table.get("answer"))
    if (
        set(table) - {"answer"}
        or not isinstance(table.get("answer", []), list)
        or len(entries) != len(items(table.get("answer")))
    ):
        raise Invalid(name, "expected entries [[answer]] and nothing else")
    return tuple(
        _known(entry, f"{name}: answer {place}")
        for place, entry in enumerate(entries, 1)
        if text(entry.get("answer")).strip() or not isinstance(entry.get("answer"), str)
    )


def _known(entry: Mapping[str, object], place: str) -> Known:
    said, line = entry.get("answer"), text(entry.get("line"))
    if not isinstance(said, str):
        raise Invalid(f"{place}: answer", 'give it as text: "yes", "no" or the version, in quotes')
    if not line:
        raise Invalid(
            f"{place}: line", "is missing; copy the content of the line from the question"
        )
    word = said.strip().lower()
    when = entry.get("on")
    who = text(entry.get("by"))
    told = f"{who} on {when.isoformat()}" if isinstance(when, date) else who
    known = word in _YES or word in _NO
    return Known(
        line=line,
        product=text(entry.get("product")),
        ask=text(entry.get("ask")),
        advisories=frozenset(texts(list(items(entry.get("advisories"))))),
        yes=word in _YES if known else None,
        release="" if known else said.strip(),
        by=told.strip(),
    )


def render(asked: Iterable[tuple[str, Asked, str]], on: date, by: str = "") -> str:
    """Entries for questions: the line's content, the question, and its answer, empty where it is open."""
    return "".join(_entry(line, one, answer, on, by) for line, one, answer in asked)


def _entry(line: str, one: Asked, answer: str, on: date, by: str) -> str:
    advisories = ", ".join(quoted(name) for name in one.advisories)
    return (
        "[[answer]]\n"
        f"line = {quoted(line)}\n"
        f"product = {quoted(one.product)}\n"
        f"advisories = [{advisories}]\n"
        f"ask = {quoted(one.ask)}\n"
        f"answer = {quoted(answer)} # yes, no, or the version\n"
        f"on = {on.isoformat()}\n"
        f"by = {quoted(by)}\n\n"
    )


def quoted(value: str) -> str:
    """The value as a basic string of TOML."""
    signs = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    held = "".join(
        signs.get(sign) or (f"\\u{ord(sign):04x}" if ord(sign) < 32 or ord(sign) == 127 else sign)  # noqa: PLR2004 -- control signs
        for sign in value
    )
    return f'"{held}"'
