"""What a person is about to sign, in words: every fact that the signature covers, before its digest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadline.core.clearing.advisory import Advisory
from leadline.core.engagement.determination import Determination
from leadline.core.engagement.terms import Terms
from leadline.formats import advisory_page
from leadline.http.pages.filters import moment, words

Pair = tuple[str, str]
TERMS = {
    "confidentiality": "Confidentiality",
    "cybersecurity": "Cybersecurity",
    "insider_risk": "Insider risk",
    "intellectual_property": "Intellectual property",
    "use": "Use",
    "nondisclosure": "Nondisclosure",
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One act in words: what it does and what follows, its facts, the whole text that it covers."""

    words: str
    facts: Sequence[Pair] = ()
    text: str = ""
    digests: Sequence[Pair] = ()


def determination(made: Determination, words_: str, handed: str = "") -> Deed:
    """A determination that is proposed, recorded or corrected; *handed* is what may be handed on."""
    return Deed(words_, _determined(made, handed), digests=_digests(made))


def position(made: Determination, words_: str, handed: str, reasons: str = "") -> Deed:
    """To agree or disagree with what was proposed."""
    own = [("Your reasons", reasons)] if reasons else []
    return Deed(words_, [*own, *_determined(made, handed)], digests=_digests(made))


def _determined(made: Determination, handed: str) -> Sequence[Pair]:
    scope, percent = made.scope, "{:g} in 100"
    return [
        ("Answer", words(made.answer.value)),
        ("About", f"{scope.model}, {scope.weights_version}, {words(scope.variant.value)}"),
        ("The runs say", words(made.outcome.value)),
        ("Wrong at most, where it says above", percent.format(100 * made.alpha_above)),
        ("Wrong at most, where it says below", percent.format(100 * made.alpha_below)),
        ("Answered by", made.official),
        ("Speaks until", moment(made.expires)),
        ("Asked again by", made.trigger),
        ("Caveats", _lines(made.caveats)),
        ("Dissent", _lines(made.dissent)),
        ("The developer may hand on", handed or "nothing in writing"),
    ]


def _digests(made: Determination) -> Sequence[Pair]:
    return [
        ("Subject", made.scope.subject_digest),
        ("Log of the decision", made.basis),
        ("Criteria", f"{made.pack} {made.criteria}".strip()),
        ("Certificate of the decision", made.certificate),
        ("What the developer may hand on", made.statement),
    ]


def agreed(terms: Terms, words_: str) -> Deed:
    """A text of terms."""
    end = f"{terms.retention_days} days after access ends" if terms.retention_days else "at its end"
    facts = [
        ("Purposes", ", ".join(terms.purposes)),
        ("Access under them ends", moment(terms.expires)),
        ("What was received is destroyed", end),
        *((label, getattr(terms, name)) for name, label in TERMS.items()),
        ("Only these organisations", ", ".join(terms.organisations) or "not narrowed"),
        ("Only these roles", ", ".join(terms.roles) or "not narrowed"),
        ("Rules on exports", _lines(terms.export_rules)),
        ("Version", f"{terms.version}{', in place of the one before' if terms.replaces else ''}"),
    ]
    if terms.priority:
        until = moment(terms.priority.until)
        facts.append(("Use with priority", f"{terms.priority.scope}, until {until}"))
    if terms.disclosure:
        told = f"{terms.disclosure.exemption}: {terms.disclosure.words}"
        facts.append(("Exemption from disclosure that is proposed", told))
    if terms.records:
        facts.append(
            ("Schedule of records", f"{terms.records.schedule}, {terms.records.authority}")
        )
    return Deed(words_, facts)


def advisory(held: Advisory) -> Deed:
    """An advisory that becomes public."""
    facts = [
        ("Advisory", held.id),
        ("Title", held.title),
        ("Flaws", str(len(held.flaws))),
        ("Packages", ", ".join(sorted({one.name for one in held.packages}))),
        ("Revision", held.revisions[-1].number if held.revisions else ""),
    ]
    told = (
        "Publish this text for everybody, in every format, and tell those who asked to be told. "
        "It cannot be unpublished; a later revision or a withdrawal stands beside it."
    )
    return Deed(told, facts, advisory_page.text(held).decode())


def withdrawal(advisory_id: str, reason: str) -> Deed:
    """An advisory that is withdrawn."""
    told = "Withdraw this advisory. It stays readable, with your reason above it."
    return Deed(told, [("Advisory", advisory_id), ("Reason, which everybody reads", reason)])


def _lines(texts: Iterable[str]) -> str:
    return "; ".join(texts) or "none"
