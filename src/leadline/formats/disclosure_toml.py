"""Disclosure policies as TOML, beside a file of examples: acts in, expected dates out."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256

from leadline.core.clearing.case import standing
from leadline.core.clearing.case_words import Clock, End, OnFix, Running, Start
from leadline.core.clearing.disclosure import Disclosure, Term
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, Value, instant
from leadline.formats import toml_table
from leadline.formats.toml_table import Table

CONFIDENCE = frozenset({"P", "2+", "1", "?", "B", "own"})
DAYS_MAX = 3660


class Confirmed(StrEnum):
    """How surely the text was read: the publisher's own page, others' accounts, or not at all."""

    PRIMARY = "read"
    SECONDARY = "secondary"
    UNCONFIRMED = "unconfirmed"
    OWN = "own proposal"


def load_disclosure(content: bytes, file: str) -> Disclosure:
    """The disclosure policy that *content* states.

    Raises: Invalid, naming *file* and key, for a key that is missing, unknown or wrong, a clock that
    stands twice or cites no source of the file, or clocks in a text without embargo.
    """
    root = toml_table.open_table(content, file)
    sources = _sources(root)
    root.value("last_checked", date)
    terms = tuple(_term(entry, sources) for entry in root.tables("clock"))
    names = [term.clock for term in terms]
    for name in names:
        if names.count(name) > 1:
            raise root.wrong("clock", f"{name.value} stands twice")
    finders, shorten = _rediscovery(root)
    told = Disclosure(
        id=root.text("id"),
        title=root.text("title"),
        digest=sha256(content).hexdigest(),
        embargo=root.value("embargo", bool),
        confirmed=root.choice("confirmed", Confirmed).value,
        terms=terms,
        ends_on=_ends(root),
        rediscovered=finders,
        shorten_days=shorten,
        duties=root.texts("duties"),
    )
    if told.embargo and not any(term.clock in (Clock.DISCLOSURE, Clock.STAGE) for term in terms):
        raise root.wrong("clock", "an embargo needs an end: a disclosure or a stage clock")
    if not told.embargo and (told.ends_on or told.term(Clock.DISCLOSURE)):
        raise root.wrong("embargo", "without an embargo there is nothing that ends it")
    root.done()
    return told


def _sources(root: Table) -> frozenset[str]:
    found = list[str]()
    for entry in root.tables("sources"):
        found.append(entry.text("id"))
        entry.text("title")
        entry.text("url")
        entry.done()
    return frozenset(found)


def _ends(root: Table) -> frozenset[End]:
    found = root.texts("ends_on")
    for one in found:
        if one not in set(End):
            raise root.wrong("ends_on", f"{one!r:.60} is none of {', '.join(End)}")
    return frozenset(End(one) for one in found)


def _rediscovery(root: Table) -> tuple[int, int]:
    if "rediscovery" not in root:
        return 0, 0
    entry = root.table("rediscovery")
    _confidence(entry)
    found = entry.value("finders", int), _days(entry, "shorten_days")
    entry.done()
    if found[0] < 2:  # noqa: PLR2004 -- one finder is a discovery
        raise entry.wrong("finders", "give 2 or more; one finder is no rediscovery")
    return found


def _term(entry: Table, sources: frozenset[str]) -> Term:
    if entry.text("cites") not in sources:
        known = ", ".join(sorted(sources))
        raise entry.wrong("cites", f"is none of the file's sources: {known}")
    _confidence(entry)
    told = Term(
        clock=entry.choice("name", Clock),
        days=_days(entry, "days"),
        starts=entry.choice("starts_at", Start),
        extend=_days(entry, "extend_days") if "extend_days" in entry else 0,
        engaged=entry.optional("extend_if_engaged", bool) or False,
        preferred=_days(entry, "preferred_days") if "preferred_days" in entry else 0,
        on_fix=entry.choice("on_fix", OnFix) if "on_fix" in entry else OnFix.NOTHING,
    )
    if told.clock is Clock.AGREED:
        raise entry.wrong("name", "the agreed date is agreed in each case; no text gives it")
    entry.done()
    return told


def _confidence(entry: Table) -> None:
    if entry.text("confidence") not in CONFIDENCE:
        raise entry.wrong("confidence", f"is none of {', '.join(sorted(CONFIDENCE))}")


def _days(entry: Table, name: str) -> int:
    found = entry.value(name, int)
    if not 0 <= found <= DAYS_MAX:
        raise entry.wrong(name, f"give 0 to {DAYS_MAX} days")
    return found


@dataclass(frozen=True, slots=True)
class Expected:
    """One clock as an example expects it; *at* is None where it is paused."""

    clock: Clock
    party: str
    at: datetime | None
    state: Running
    preferred: datetime | None


@dataclass(frozen=True, slots=True)
class Example:
    """Acts of one case under the disclosure policy beside it, and what follows at *now*.

    *public_at* is from when nothing keeps it secret, *embargoed* whether it is secret at *now*.
    *rediscovered* and *shortened* are how many finders propose an earlier date, and of how many days.
    """

    words: str
    acts: tuple[Act, ...]
    now: datetime
    expected: tuple[Expected, ...]
    public_at: datetime | None
    embargoed: bool
    rediscovered: int
    shortened: int


def load_examples(content: bytes, file: str, digest: str, id_: str) -> tuple[Example, ...]:
    """The examples beside a disclosure policy of this *digest* and *id_*.

    Each case is opened at ``opened``, with that disclosure policy and one owner, named ``owner``.

    Raises: Invalid, naming *file* and key.
    """
    root = toml_table.open_table(content, file)
    found = tuple(_example(entry, digest, id_) for entry in root.tables("example"))
    root.done()
    if not found:
        raise Invalid(file, "holds no [[example]]")
    return found


def _example(entry: Table, digest: str, id_: str) -> Example:
    opened = entry.moment("opened")
    first: tuple[tuple[Kind, dict[str, Value]], ...] = (
        (Kind.CASE_OPENED, {"findings": ("f" * 64,)}),
        (Kind.DISCLOSURE_CHOSEN, {"disclosure": id_, "digest": digest}),
        (Kind.PARTICIPANT_ADDED, {"party": "owner", "role": "owner"}),
    )
    acts = [_act(number, opened, *one) for number, one in enumerate(first)]
    for number, event in enumerate(entry.tables("acts"), len(first)):
        at, kind = event.moment("at"), event.choice("kind", Kind)
        detail = {name: _value(event, name) for name in sorted(event.keys() - {"at", "kind"})}
        acts.append(_act(number, at, kind, detail))
        event.done()
    told = Example(
        entry.text("words"),
        tuple(acts),
        entry.moment("now"),
        tuple(_expected(one) for one in entry.tables("clocks")),
        entry.moment("public_at") if "public_at" in entry else None,
        entry.value("embargoed", bool),
        entry.optional("rediscovered", int) or 0,
        entry.optional("shorten_days", int) or 0,
    )
    entry.done()
    return told


def _act(number: int, at: datetime, kind: Kind, detail: dict[str, Value]) -> Act:
    return Act(f"act-{number:02d}", kind, at, "person", "case", "", detail)


def _value(event: Table, name: str) -> Value:
    """A detail of an act: a text, yes or no, or a time, which acts spell as text."""
    try:
        return event.value(name, bool)
    # it may be of another kind, which is tried next
    except Invalid:
        return _time_or_text(event, name)


def _time_or_text(event: Table, name: str) -> Value:
    try:
        return instant(event.value(name, datetime))
    # a text is the last kind; any other is refused by name
    except Invalid:
        return event.value(name, str)


def _expected(entry: Table) -> Expected:
    told = Expected(
        entry.choice("clock", Clock),
        entry.optional("party", str) or "",
        entry.moment("at") if "at" in entry else None,
        entry.choice("state", Running),
        entry.moment("preferred") if "preferred" in entry else None,
    )
    entry.done()
    return told


def faults(policy: Disclosure, example: Example) -> tuple[str, ...]:
    """What an example expects and the disclosure policy does not give; nothing if it holds."""
    stands = standing(example.acts, {policy.digest: policy})
    given = stands.clocks(example.now)
    found = tuple(Expected(one.clock, one.party, one.at, one.state, one.preferred) for one in given)
    pairs: tuple[tuple[str, object, object], ...] = (
        ("clocks", example.expected, found),
        ("public_at", example.public_at, stands.public_at),
        ("embargoed", example.embargoed, stands.embargoed(example.now)),
        ("rediscovered", example.rediscovered, policy.rediscovered),
        ("shorten_days", example.shortened, policy.shorten_days),
    )
    return tuple(
        f"{example.words}: {name}: expected {wanted}, found {is_}"
        for name, wanted, is_ in pairs
        if wanted != is_
    )
