"""Versions as makers of devices write them, and what "Versions 4.60 and prior" says about them.

Such versions follow no scheme: "V2.3.1 SP4", "R15B", "2.5-GA-01-22261", "2020 R2", "June/20/2023". They
are read as a row of numbers and letters, and two of them are ordered only where that row decides it;
a shorter spelling ("12" beside "12.0.38") leaves the question open, and so does a minor number that is
read as a fraction by some makers and as a count by others ("3.2" beside "3.20"). A statement that
is not understood is no range at all, so that nothing is ever outside of it.
Source: wording of the operational-technology advisories of CISA, 2022 and 2023 (CSAF 2.0).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from urllib.parse import unquote

VERSION_MAX = 200  # characters; anything longer is no version
STATEMENT_MAX = 600
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join(_MONTHS)
_DATED = re.compile(
    rf"\b(?P<m>{_MONTH})[a-z]*[\s/.,]+(?:(?P<d>\d{{1,2}})[\s/.,]+)?(?P<y>(?:19|20)\d\d)\b"
    r"|\b(?P<m2>0?[1-9]|1[0-2])/(?P<y2>(?:19|20)\d\d)\b"
)
_SERIAL = re.compile(r"digits_?\s*of_?\s*(?:the_?\s*)?serial_?\s*numbers?[_\s:]*(\d{3,})")
# Words that say "a version follows" and are no part of it.
_LEADING = re.compile(
    r"^(?:(?:all|the|device|product|system|runtime|operating|bios|web|network|part|ftp|os|sw|hw|"
    r"software|firmware|application|versions?|vers?|frn|fw|rel(?:ease)?s?|rev(?:ision)?s?|"
    r"number|no|nr|v|level|is|of|image)\b[\s.:_#=-]*)+"
)
_TOKEN = re.compile(r"\d+|[a-z]+|\*|[{(\[].*?[})\]]")
_GENERIC = frozenset(
    {"v", "vx", "r", "rev", "fw", "sv", "sw", "frn", "ver", "version", "rel", "os"}
)
_SAME = {
    "hotfixrev": "hf", "hotfix": "hf", "servicepack": "sp", "update": "upd", "patch": "p",
    "upd": "upd", "bld": "build", "release": "r", "revision": "rev", "hotfixes": "hf",
}  # fmt: skip
_NONE = frozenset({"n/a", "na", "none", "tbd", "k.a", "all", "any"})
_BEFORE = frozenset({"alpha", "beta", "rc", "pre", "preview"})
_WILD = frozenset({"x", "xx", "xxx", "*"})


class Place(StrEnum):
    """Where one version stands beside another."""

    BEFORE = "before"
    SAME = "same"
    AFTER = "after"
    SHORTER = "shorter"  # the other one goes on where this one ends
    LONGER = "longer"  # this one goes on where the other one ends
    OPEN = "open"  # cannot be told


@dataclass(frozen=True, slots=True)
class Version:
    """One version: the letters before its first number, and its numbers and letters in order.

    *wild* says that it ended in ``x`` or ``*`` and stands for all that begin with it. *kind* is
    ``date`` or ``serial`` where it is one; those are never compared with anything else.
    """

    text: str
    family: str
    parts: tuple[str, ...]
    wild: bool = False
    kind: str = ""


@lru_cache(maxsize=65_536)
def version(text: str) -> Version | None:
    """Read one version; None where there is none to read."""
    found = " ".join(text.split()).strip(" .,;:")
    if not found or len(found) > VERSION_MAX or found.lower() in _NONE:
        return None
    plain = found.lower()
    special = _special(plain, found)
    if special:
        return special
    plain = _LEADING.sub("", plain).replace("service pack", "sp")
    parts = [held for held in _TOKEN.findall(plain) if held[0] not in "{([" or held[1:-1].isdigit()]
    parts = [held.strip("{}()[]") for held in parts]
    wild = bool(parts) and parts[-1] in _WILD and len(parts) > 1
    parts = parts[:-1] if wild else parts
    family, parts = _family(parts)
    if not parts or (not any(held.isdigit() for held in parts) and len(plain) > 4):  # noqa: PLR2004 -- "A_B"
        return None
    return Version(found, family, tuple(_spelled(parts)), wild)


def _spelled(parts: Sequence[str]) -> Iterator[str]:
    """One spelling for each word; a U is an update where a number follows, else a letter."""
    for place_, held in enumerate(parts):
        counted = place_ + 1 < len(parts) and parts[place_ + 1].isdigit()
        yield "upd" if held == "u" and counted else _SAME.get(held, held)


def _special(plain: str, found: str) -> Version | None:
    """A date or the beginning of a serial number."""
    serial = _SERIAL.search(plain)
    if serial:
        return Version(found, "", (serial[1],), kind="serial")
    date = _DATED.search(plain)
    if date is None:
        return None
    if date["m"]:
        month = f"{_MONTHS.index(date['m']) + 1:02d}"
        day = (f"{int(date['d']):02d}",) if date["d"] else ()
        return Version(found, "", (date["y"], month, *day), kind="date")
    return Version(found, "", (date["y2"], f"{int(date['m2']):02d}"), kind="date")


def _family(parts: list[str]) -> tuple[str, list[str]]:
    """The letters before the first number, apart from those that only say "version"."""
    digits = next((place for place, held in enumerate(parts) if held.isdigit()), 0)
    if digits == 0:
        return "", parts
    lead = [held for held in parts[:digits] if held not in _GENERIC]
    return " ".join(lead), parts[digits:]


def place(ours: Version, other: Version) -> Place:
    """Where *ours* stands beside *other*."""
    if ours.kind != other.kind:
        return Place.OPEN
    if ours.family and other.family and ours.family != other.family:
        return _by_end(ours, other)
    if ours.kind == "serial":
        digits = len(other.parts[0])
        return _numbers(ours.parts[0][:digits].ljust(digits, "0"), other.parts[0])
    if _numbered_otherwise(ours, other):
        return Place.OPEN
    for mine, theirs in zip(ours.parts, other.parts, strict=False):
        step = _step(mine, theirs)
        if step is not Place.SAME:
            return _as_fraction(ours, other) or step
    return _ends(ours, other)


def _numbered_otherwise(ours: Version, other: Version) -> bool:
    """Years or build numbers beside small numbers: two ways to number that have no common order."""
    first = (ours.parts[0], other.parts[0])
    if not all(held.isdigit() for held in first):
        return False
    width = sorted(len(held.lstrip("0")) for held in first)
    return width[0] <= 2 and width[1] >= 4  # noqa: PLR2004 -- 11.1 beside 2022


def _by_end(ours: Version, other: Version) -> Place:
    """Families differ: only an image name that ends alike, such as RTS/RTD and RTS, is the same."""
    shared = set(ours.family.split()) & set(other.family.split())
    if not any(len(word) > 1 for word in shared):
        return Place.OPEN
    return place(Version("", "", ours.parts), Version("", "", other.parts))


def _step(mine: str, theirs: str) -> Place:
    if mine == theirs:
        return Place.SAME
    if mine.isdigit() and theirs.isdigit():
        return _numbers(mine, theirs)
    if mine.isalpha() and theirs.isalpha() and max(len(mine), len(theirs)) <= 2:  # noqa: PLR2004 -- A to ZZ
        return Place.BEFORE if (len(mine), mine) < (len(theirs), theirs) else Place.AFTER
    if mine in _BEFORE and theirs.isdigit():
        return Place.BEFORE
    return Place.OPEN


def _numbers(mine: str, theirs: str) -> Place:
    if int(mine) == int(theirs):
        return Place.SAME
    return Place.BEFORE if int(mine) < int(theirs) else Place.AFTER


def _as_fraction(ours: Version, other: Version) -> Place | None:
    """OPEN where "3.2" stands beside "3.20": the same for some makers, eighteen apart for others."""
    pair = (ours.parts, other.parts)
    if any(len(held) != 2 or not held[1].isdigit() for held in pair):  # noqa: PLR2004 -- major.minor
        return None
    (major, mine), (others, theirs) = pair
    if major != others or len(mine) == len(theirs):
        return None
    width = max(len(mine), len(theirs))
    counted = int(mine) < int(theirs)
    fraction_mine, fraction_theirs = mine.ljust(width, "0"), theirs.ljust(width, "0")
    if fraction_mine == fraction_theirs:
        return Place.OPEN
    agree = counted == (fraction_mine < fraction_theirs)
    # A count below the bound is called affected; one above it only where both readings say so.
    return None if agree or counted else Place.OPEN


def _ends(ours: Version, other: Version) -> Place:
    """One row begins the other."""
    mine, theirs = len(ours.parts), len(other.parts)
    if mine == theirs:
        return Place.SAME
    rest = (ours.parts if mine > theirs else other.parts)[min(mine, theirs) :]
    if all(held.isdigit() and int(held) == 0 for held in rest):
        return Place.SAME
    if rest[0] in _BEFORE:
        return Place.BEFORE if mine > theirs else Place.AFTER
    return Place.LONGER if mine > theirs else Place.SHORTER


@dataclass(frozen=True, slots=True)
class Bound:
    """A range of versions; an end that is None is open."""

    low: Version | None = None
    high: Version | None = None
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """What a statement says: ranges, single versions, or every version.

    *condition* is what else must hold, in its own words. *understood* False: nothing is outside.
    """

    text: str
    bounds: tuple[Bound, ...] = ()
    listed: tuple[Version, ...] = ()
    every: bool = False
    understood: bool = True
    condition: str = ""


def within(span: Span, held: Version) -> bool | None:
    """Whether *held* is in *span*; None where that cannot be told."""
    if span.every:
        return True
    found = [_in_bound(bound, held) for bound in span.bounds]
    found += [_is(held, one) for one in span.listed]
    if True in found:
        return True
    return None if None in found or not span.understood else False


def _is(held: Version, one: Version) -> bool | None:
    where = place(held, one)
    if _bag(held) == _bag(one):
        return True
    if where is Place.SAME or (where is Place.LONGER and one.wild):
        return True
    if where is Place.SHORTER or (where is Place.LONGER and one.parts[-1].isdigit()):
        return None
    return None if where is Place.OPEN else False


def _bag(held: Version) -> list[str]:
    """Words and numbers without their order: "CPU 2.0.6 FPGA 10.19" is "FPGA 10.19 CPU 2.0.6"."""
    return sorted((*held.family.split(), *held.parts))


def _in_bound(bound: Bound, held: Version) -> bool | None:
    low = True if bound.low is None else _above(held, bound.low, included=bound.low_included)
    high = True if bound.high is None else _below(held, bound.high, included=bound.high_included)
    if low is False or high is False:
        return False
    return None if low is None or high is None else True


def _above(held: Version, low: Version, *, included: bool) -> bool | None:
    where = place(held, low)
    if where is Place.BEFORE and place(low, held) is Place.OPEN:
        return None  # as a fraction it may be above
    if where in {Place.AFTER, Place.LONGER}:
        return included or where is Place.AFTER or not low.wild
    if where is Place.SAME:
        return included
    return None if where in {Place.SHORTER, Place.OPEN} else False


def _below(held: Version, high: Version, *, included: bool) -> bool | None:
    where = place(held, high)
    if where is Place.BEFORE:
        return True
    if where is Place.SAME:
        return included
    if where is Place.LONGER:
        if high.wild:
            return included
        return None if included else False
    return None if where in {Place.SHORTER, Place.OPEN} else False


# What prose says instead of signs; each is replaced before the signs are read.
_ALL = re.compile(
    r"^(?:\*|all|all (?:firmware |software |product )?versions?|any version|vers:[a-z]+/\*|all models"
    r"|versions? all)$"
)
_ALL_BUT = re.compile(
    r"^(?:all versions|versions|all deployments)\s+((?:only|with|when|using|in|including)\b.*)$"
)
_WORDS = (
    (re.compile(r"^vers:[a-z]+/"), ""),
    (re.compile(r"_up_to_and_including_"), " | <= "),
    (re.compile(r"\b(?:only )?if (?!.*version)[^|]*$"), ""),
    (re.compile(r"[-\u2013]?\s*(?:up to )?but not including\b"), " | < "),
    (re.compile(r"\b(?:prior to|before|up to|until|till) and including\b|\bup to\b"), " <= "),
    (re.compile(r"\bnot? (?:later|newer|higher|greater) than\b"), " <= "),
    (re.compile(r"\bnot? (?:earlier|older|lower|less) than\b"), " >= "),
    (re.compile(r"\u2264"), " <= "),
    (re.compile(r"\u2265"), " >= "),
    (re.compile(r"\(((?:and|or) (?:prior|earlier|below|lower|older|previous)[ a-z]*)\)"), r"\1"),
    (re.compile(r"\b(?:versions? )?(?:prior to|before|earlier than|lower than|less than|older than)\b"), " < "),
    (re.compile(r"\b(?:later than|newer than|higher than|greater than|after)\b"), " > "),
    (re.compile(r"\b(?:from|starting (?:with|from)|since)\b"), " >= "),
    (re.compile(r"=<"), "<="),
    (re.compile(r"=>"), ">="),
)  # fmt: skip
_SPECIFIER = re.compile(r"vers:[a-z][a-z0-9.+-]*/(?=.*(?:\||!=)|\*)")
_CONSTRAINT = re.compile(r"(!=|<=|>=|<|>|=)?([^<>=!*|]+)")
_UP_TO = re.compile(r"^(?:versions? )?(v?\d[^<>|]*?)\s+up to(?: and including)?\s+")
_DOWN = re.compile(
    r"[\s,(]*\b(?:and|or)\s+(?:all |any |possibly )*(?:prior|earlier|below|lower|older|previous|before)"
    r"[\w\s.)]*$"
)
_UP = re.compile(
    r"[\s,(]*\b(?:and|or)\s+(?:all )?(?:later|newer|higher|above|upwards?|greater)[\w\s.)]*$"
)
_CONDITION = re.compile(
    r"\s+(?:(?:only )?(?:if|when|with|running|using|configured|"
    r"that|controlling|in (?:the |non-)?default|for)\b.*)$"
)
_REMARK = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)?")
_LIMIT = re.compile(r"\([^)]*\b(?:only|if|when|affected|windows|region|cve|with|used)\b")
_BRANCH = re.compile(
    r"^all\s+(?:v(?:ersion)?s?\s*)?([\d][\w.]*)\s+(?:versions?\s*)?(?=[<>])|^all versions (?=[<>])"
)
_SPREAD = re.compile(
    r"\s+(?:to|through|though|thru)\s+|\s*(?:\u2013|\u2014)\s*|(?<=[\w.*])\s+-\s*(?=[\w])"
)
_CLOSE = re.compile(r"^([vr]?\d[\w.]*\.[\w.]*)-([vr]?\d[\w.]*\.[\w.]*)$")
_COUNT = re.compile(r"^(\d{1,2})\s*-\s*(\d{1,2})$")
_SIGN = re.compile(r"(>=|<=|<|>|=)")
# Where a new range begins in a list of them: "1.0 to 1.4, 2.0 and 3.0 to 3.1".
_RANGES = re.compile(
    r"\s*(?:[,;]\s*(?:(?:and|or)\s+)?|\s(?:and|or)\s+)(?=(?:versions?\s+)?[vr]?\d)"
)
# What one version never holds: signs of lists and ranges, or two dotted numbers with one between them.
_SEVERAL = re.compile(
    r"[,;&+~|\[\](){}<>=\u2264\u2265]|\.\.|[-\u2013\u2014]\s*$|\d/\d|\d\.\w+\s*[-\u2013\u2014]\s*v?\d+\.\d"
)
_COUNTED = re.compile(r"[{(\[]\d+[})\]]")
_JOINING = frozenset({"to", "et", "or", "as", "in", "on", "up", "of", "by", "if", "ab"})
_OF_VERSIONS = frozenset(
    {
        "hotfix", "hotfixes", "hotfixrev", "patch", "update", "upd", "build", "bld", "release",
        "rev", "revision", "servicepack", "alpha", "beta", "pre", "preview", "version", "ver",
        "firmware", "plus", "security", "collection", "edition", "fpga", "cpu", "xxx", "rts", "rtd",
    }
)  # fmt: skip
_LIST = re.compile(r"\s*(?:,|;|\band\b|&|\bor\b)\s*|\s+(?=v?\d+\.\d)")


@lru_cache(maxsize=65_536)
def span(text: str) -> Span:
    """Read a statement about versions.

    What cannot be read gives a span that is not understood: it holds nothing and excludes nothing.
    """
    said = " ".join(text.split())
    if not said or len(said) > STATEMENT_MAX:
        return Span(said, understood=False)
    plain = said.lower().strip(" .,;:")
    nothing = plain.startswith("vers:none/")
    if not nothing and (_ALL.match(_WORDS[0][0].sub("", plain)) or _ALL.match(plain)):
        return Span(said, every=True)
    conditional = _ALL_BUT.match(plain)
    if conditional and not _SIGN.search(plain):
        return Span(said, every=True, condition=said)
    if "serial number" in plain.replace("_", " "):
        return _serial(said, plain)
    specifier = _SPECIFIER.match(plain)
    if specifier:
        return _specified(said, plain[specifier.end() :])
    return _read(said, plain)


def _serial(said: str, plain: str) -> Span:
    held = version(plain)
    if held is None or held.kind != "serial":
        return Span(said, understood=False)
    return Span(said, (Bound(high=held),))


def _specified(said: str, constraints: str) -> Span:
    """A range specifier of several constraints, which stand in the order of their versions."""
    hits = [
        _CONSTRAINT.fullmatch("".join(one.split())) for one in constraints.strip("|").split("|")
    ]
    held = [(hit[1] or "=", found) for hit in hits if hit and (found := version(unquote(hit[2])))]
    ascending = all(
        place(one, other) in {Place.BEFORE, Place.SHORTER}
        for (_, one), (_, other) in pairwise(held)
    )
    listed = tuple(found for sign, found in held if sign == "=")
    edges = [one for one in held if one[0] != "="]
    bounds = _between(edges, endless=not listed)
    if len(held) < len(hits) or not ascending or bounds is None:
        return Span(said, understood=False)
    return Span(said, bounds, listed)


def _between(edges: Sequence[tuple[str, Version]], *, endless: bool) -> tuple[Bound, ...] | None:
    """The ranges between the ends of a specifier, cut at its holes; None where an end changes nothing."""
    first = next((sign[0] for sign, _ in edges if sign != "!="), "<" if endless else "")
    low = Bound() if first == "<" else None
    found: list[Bound] = []
    for sign, held in edges:
        if sign == "!=":
            if low is not None:
                found.append(replace(low, high=held, high_included=False))
                low = Bound(held, low_included=False)
        elif (sign[0] == ">") == (low is not None):
            return None
        elif low is None:
            low = Bound(held, low_included=sign == ">=")
        else:
            found.append(replace(low, high=held, high_included=sign == "<="))
            low = None
    return (*found, *((low,) if low is not None else ()))


def _read(said: str, plain: str) -> Span:
    condition = ""
    plain = _UP_TO.sub(r">= \1 | <= ", plain)
    for pattern, sign in _WORDS:
        plain = pattern.sub(sign, plain)
    if _REMARK.search(plain):
        condition, plain = (said if _LIMIT.search(plain) else ""), _REMARK.sub(" ", plain).strip()
    extra = _CONDITION.search(plain)
    if extra:
        condition, plain = said, plain[: extra.start()]
    branch = _BRANCH.match(plain)
    if branch:
        plain = plain[branch.end() :]
    bounds: list[Bound] = []
    listed: list[Version] = []
    sound = True
    for kind, held in _pieces(plain):
        sound = sound and held is not None and _whole(held)
        if held is None:
            continue
        if kind == "one":
            listed.append(held)
        elif kind in {"<", "<="} and _opens(bounds, listed, held):
            # "13.0 | < 13.0.1": the first stands for ">= 13.0", a sign having been lost.
            bounds.append(Bound(listed.pop(), held, high_included=kind == "<="))
            sound = False
        else:
            sound = _bind(bounds, kind, held) and sound
    if branch and branch[1] and bounds:
        bounds = _in_branch(bounds, version(branch[1]))
    understood = sound and bool(bounds or listed)
    return Span(said, tuple(bounds), tuple(listed), understood=understood, condition=condition)


def _whole(held: Version) -> bool:
    """Whether a text is one version and nothing else; what is left over may be part of a statement."""
    if held.kind:
        return True
    plain = _LEADING.sub("", held.text.lower()).replace("service pack", "sp")
    plain = _COUNTED.sub(" ", plain)
    words = [word for word in re.split(r"[\s_/]+", plain) if word.isalpha()]
    strange = (
        not word.isascii() or word in _JOINING or (len(word) > 2 and word not in _OF_VERSIONS)  # noqa: PLR2004 -- GA, SP
        for word in words
    )
    return not _SEVERAL.search(plain) and not any(strange)


def _opens(bounds: Sequence[Bound], listed: Sequence[Version], held: Version) -> bool:
    """Whether a single release before an upper end is the lower end."""
    free = not bounds or bounds[-1].high is not None
    return bool(listed) and free and place(listed[-1], held) in {Place.BEFORE, Place.SHORTER}


def _in_branch(bounds: Iterable[Bound], branch: Version | None) -> list[Bound]:
    """Ranges within one branch ("all 8.1 versions prior to 8.1.10")."""
    made = []
    for bound in bounds:
        low = bound.low or branch
        top = bound.high or (
            Version("", branch.family, branch.parts, wild=True) if branch else None
        )
        made.append(Bound(low, top, bound.low_included, bound.high_included))
    return made


def _pieces(plain: str) -> Iterator[tuple[str, Version | None]]:
    """Each version with the sign before it; ``one`` where there is none."""
    for piece in re.split(r"\s*\|\s*", plain):
        if not piece.strip(" -"):
            continue
        signs = _SIGN.split(piece)
        if signs[0].strip(" .,-("):
            yield from _unsigned(signs[0])
        for sign, text in zip(signs[1::2], signs[2::2], strict=True):
            tidy = _tidy(text)
            ends = _SPREAD.split(tidy)
            yield sign, version(ends[0])
            for end in ends[1:]:
                yield "<=", version(end)


def _tidy(text: str) -> str:
    return re.sub(r"\s+(?:and|or|versions?)\s*$", "", text.strip(" -,.;)")).strip(" -,.;")


def _unsigned(text: str) -> Iterator[tuple[str, Version | None]]:
    """Prose without a sign: "X and prior", "X to Y", or a list."""
    held = text.strip(" ,.;")
    several = _RANGES.split(held)
    if len(several) > 1 and any(_ranges(one) for one in several):
        for one in several:
            yield from _unsigned(one)
        return
    for pattern, sign in ((_DOWN, "<="), (_UP, ">=")):
        if pattern.search(held):
            yield sign, version(pattern.sub("", held))
            return
    bare = _LEADING.sub("", held)
    ends = _SPREAD.split(bare)
    close = _CLOSE.match(bare) or _COUNT.match(bare)
    if close:
        ends = [close[1], close[2]]
    if len(ends) == 2:  # noqa: PLR2004 -- from and to
        yield ">=", version(ends[0])
        last = version(ends[1])
        yield (
            "<=",
            Version(last.text, last.family, last.parts, wild=True) if last and close else last,
        )
        return
    for one in _LIST.split(bare):
        if one.strip():
            yield "one", version(one)


def _ranges(text: str) -> bool:
    """Whether one part of a list is more than a version."""
    patterns = (_DOWN, _UP, _SPREAD, _CLOSE)
    return any(pattern.search(text) for pattern in patterns)


def _bind(bounds: list[Bound], sign: str, held: Version) -> bool:
    """Add one end to the ranges; False where the ends contradict each other."""
    if sign in {">", ">="}:
        contrary = bool(bounds) and bounds[-1].low is None and bounds[-1].high is not None
        twice = bool(bounds) and bounds[-1].low is not None and bounds[-1].high is None
        bounds.append(Bound(low=held, low_included=sign == ">="))
        return not contrary and not twice
    if sign == "=":
        bounds.append(Bound(held, held))
        return True
    included = sign == "<="
    if bounds and bounds[-1].high is None and bounds[-1].low is not None:
        low = bounds.pop()
        bounds.append(Bound(low.low, held, low.low_included, included))
        backwards = low.low is not None and place(low.low, held) is Place.AFTER
        return not backwards
    bounds.append(Bound(high=held, high_included=included))
    return True


def named(texts: Iterable[str]) -> Sequence[Version]:
    """The versions that sentences name, such as "update to version 2.3.1 or later"."""
    found: dict[tuple[str, tuple[str, ...]], Version] = {}
    for text in texts:
        for hit in _NAMED.finditer(text[:4000]):
            held = version(hit[0]) if "." in hit[0].strip(".") or _KEYWORD.match(hit[0]) else None
            if held is not None:
                found.setdefault((held.family, held.parts), held)
    return tuple(found.values())


_KEYWORD = re.compile(
    r"(?:version|release|firmware|update|upgrade to|rev(?:ision)?|ver|patch|v|r)\b|[vr]\d",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?:\b(?:version|release|firmware|update|upgrade to|rev(?:ision)?|v|ver|patch)\b[\s.:]*)?"
    r"\b(?:[A-Za-z]{1,3}[._-]?)?\d+[A-Za-z]?(?:[._-]\w+)*\.?\w*"
    r"(?:\s+(?:Rev\.?|release|SP|FP|HF|CU|Patch|P|Update|Upd|Hotfix|Build Nr\.?|build|Beta|R)\s*\.?\s*\w+)*",
    re.IGNORECASE,
)
