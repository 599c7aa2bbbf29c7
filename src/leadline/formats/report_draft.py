"""The draft of a report that a text asks for, as plain text (Markdown) for a human to finish and send.

Every part that the text names stands in it, in the text's order. A part that the record cannot fill
says so and names whom to ask; none is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from leadline.core.engagement.library import Library
from leadline.core.engagement.obligation import Obligation
from leadline.core.engagement.regime import Contest, Regime, Source
from leadline.core.errors import NotFound
from leadline.core.record.act import instant

PUBLIC = "public"


class Draft(StrEnum):
    """What the record can fill in."""

    DEVELOPER = "developer"
    CONTACT = "contact"
    MODEL = "model"
    WEIGHTS = "weights-version"
    WHAT = "what-happened"
    WHEN = "when"
    KNOWN = "who-knew-when"
    CATEGORIES = "categories"
    RESOLVED = "how-it-was-resolved"


# Words of texts for what the record has under another name.
AS_TEXTS_SAY: Mapping[str, Draft] = {
    "date-of-the-incident": Draft.WHEN,
    "why-it-is-one": Draft.CATEGORIES,
}


@dataclass(frozen=True, slots=True)
class Filled:
    """What a draft is made of. *recipient* is a name; *ask* is whom to ask what is unknown."""

    owed: Obligation
    text: Regime
    recipient: str
    ask: str
    known: Mapping[Draft, str]
    at: datetime


def named(library: Library, body: str, day: date) -> str:
    """What a recipient is called on *day*; without a name of its own, its id in words."""
    if body == PUBLIC:
        return "the public"
    try:
        return library.body(body, day)
    except NotFound:
        return body.replace("-", " ")


def drafted(page: Filled) -> bytes:
    """The draft, UTF-8; the same record gives the same bytes."""
    owed = page.owed
    due = instant(owed.due) if owed.due else "without undue delay; the text gives no number"
    lines = [
        f"# Draft: {owed.rule}, {page.text.title}",
        "",
        "DRAFT. Leadline sends nothing. A human finishes, checks and sends it.",
        "",
        f"- To: {page.recipient}",
        f"- From: {page.known.get(Draft.DEVELOPER) or _unknown(page)}",
        f"- Due: {due}",
        f"- The clock began: {instant(owed.started)} ({owed.event.value})",
        f"- Asked for by: {_source(page.text.source(owed.cites))}",
        f"- In words: {owed.words}",
        f"- Text: {owed.regime}, SHA-256 {owed.digest}",
        f"- Obligation: {owed.id}",
        f"- Written: {instant(page.at)}",
    ]
    if owed.presumed:
        lines.append(
            "- Presumed: a category or a class is unknown; this is owed only if the text's words fit"
        )
    lines += [f"- Contested: {_contest(page.text, one)}" for one in owed.contested]
    if owed.keep_until:
        lines.append(f"- Keep until: {instant(owed.keep_until)}")
    for part in owed.parts or tuple(Draft):
        lines += ["", f"## {_heading(part)}", "", _fill(page, part)]
    return ("\n".join(lines) + "\n").encode()


def _fill(page: Filled, part: str) -> str:
    meant = AS_TEXTS_SAY.get(part, part)
    known = page.known.get(Draft(meant)) if meant in set(Draft) else None
    return known or _unknown(page)


def _unknown(page: Filled) -> str:
    return f"unknown: ask {page.ask}"


def _heading(part: str) -> str:
    words = part.replace("-", " ")
    return words[:1].upper() + words[1:]


def _source(source: Source) -> str:
    where = f" <{source.url}>" if source.url else ""
    return f"{source.citation}{where}, confidence {source.confidence}"


def _contest(text: Regime, one: Contest) -> str:
    return f"{one.words} ({_source(text.source(one.cites))})"
