"""Every product that advisories name in words, found by what a line of an asset list says.

A line and a product are the same where every code and telling word of the product stands on the line and the
makers agree, or where the name is so telling that the maker hardly matters. A word that many products of
one maker share tells little; one that stands in the names of all kinds of products tells nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from leadline.core.clearing.asset_names import (
    CODE_STRONG,
    COMMON,
    FILLERS,
    Name,
    Need,
    Said,
    is_strong,
    names,
    near,
    parts,
    said,
    squash,
    unsaid,
)
from leadline.core.clearing.bulletin import Bulletin, Spoken
from leadline.core.clearing.makers import Maker, Makers
from leadline.core.clearing.product import Component
from leadline.core.clearing.prose import Span, span

_UMBRELLA_MIN = 3  # names of one maker that share a word, from which on the word tells little
_SHORT_MAX = 4  # letters of a name such as IQ in "IQ Series"
_TELLING_MIN = 4  # letters of a word that can stand for a product
SLIPS_KEPT = 50_000
_FOREIGN_MIN = 6  # letters or signs of a name that is believed without its maker
_MODEL = re.compile(
    r"(?:[a-z]{2,}[\w]*-)?[a-z]{2,}[a-z0-9]*-?[a-z]?\d[\w-]*|[a-z]\d-[a-z]{2}-\d+|\d{7,}"
)
_VERSION_NAME = re.compile(r"[RV]\d{1,4}")
_HUNDREDS = re.compile(r"([a-z]{1,4}\d)00")
_PURPOSE = re.compile(r"\s(?:for|with|to|at|near)\s", re.IGNORECASE)
_ORDER = re.compile(r"(?=(?:\D*\d){5})\d[a-z0-9]{8,}")  # an order number, which names no model


@dataclass(frozen=True, slots=True)
class Entry:
    """One product of one bulletin, ready to be compared; *codes* are those of all its products."""

    bulletin: Bulletin
    spoken: Spoken
    names: tuple[Name, ...]
    makers: frozenset[str]
    spans: tuple[Span, ...]
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a line names a product: *covered* forms, *missing* needs; *sure* or only near.

    *unmade* says that only the maker is wanting: the line names none, and the model alone does not tell.
    """

    entry: Entry
    name: Name
    covered: tuple[str, ...]
    missing: int
    sure: bool
    unmade: bool = False

    @property
    def by_number(self) -> bool:
        """Whether an order number stands on the line."""
        return len(self.covered) == 1 and self.covered[0] not in self.name.words

    @property
    def length(self) -> int:
        """Letters and digits of the line that the name accounts for."""
        return sum(map(len, self.covered))


class Shelf:
    """All bulletins, found by what their products are called."""

    def __init__(self, bulletins: Iterable[Bulletin], known: Iterable[Maker]) -> None:
        held = list(bulletins)
        vendors = {spoken.maker for bulletin in held for spoken in bulletin.products}
        self.makers = Makers(known, sorted(vendors))
        self._entries: list[Entry] = []
        self._by_form: dict[str, list[int]] = defaultdict(list)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_start: dict[str, list[int]] = defaultdict(list)
        self._spelled = self._abbreviations(held)
        for bulletin in held:
            for entry in self._ready(bulletin):
                self._file(entry)
        self._shared = self._shared_words()
        self._vocabulary: dict[str, list[str]] = defaultdict(list)
        for form in {*self._by_form, *self._by_word}:
            if form.isalpha() and len(form) > _TELLING_MIN:
                self._vocabulary[form[0]].append(form)
        self._slips: dict[str, tuple[str, ...]] = {}

    def _ready(self, bulletin: Bulletin) -> Iterator[Entry]:
        all_codes = frozenset(
            form
            for spoken in bulletin.products
            for name in names(spoken.name)
            for need in name.needs
            if need.kind == "code"
            for form in need.forms
        )
        for spoken in bulletin.products:
            name, leaf = spoken.name, spoken.said
            codes = list(spoken.codes)
            if _VERSION_NAME.fullmatch(name.strip()):
                name, leaf = bulletin.title, leaf.replace("V", f"{name.strip()}-V")
            if _names_models(leaf, spoken.title):
                codes += [one.strip() for one in leaf.split("|")]
                leaf = "*"
            makers = self.makers.ids(spoken.maker) | self.makers.ids(name)
            called = names(name.replace("-series", " series").replace("=", " "), tuple(codes))
            called += _family(bulletin, spoken, called)
            called += tuple(
                one
                for maker in sorted(makers)
                for spelled in sorted(self._spelled.get((maker, squash(name)), ()))
                for one in names(spelled)
            )
            spans = tuple(one for one in (span(leaf), _in_title(spoken)) if one is not None)
            yield Entry(bulletin, spoken, called, makers, spans, all_codes)

    def _abbreviations(self, bulletins: Iterable[Bulletin]) -> Mapping[tuple[str, str], set[str]]:
        """What the abbreviations of each maker stand for, as any bulletin spells them out."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for bulletin in bulletins:
            makers = {
                maker for spoken in bulletin.products for maker in self.makers.ids(spoken.maker)
            }
            for text in (bulletin.title, *(spoken.name for spoken in bulletin.products)):
                for short, spelled in _spelled_out(text):
                    for maker in makers:
                        found[maker, short].add(spelled)
        return found

    def _file(self, entry: Entry) -> None:
        number = len(self._entries)
        self._entries.append(entry)
        forms = {key for name in entry.names for key in _keys(name)}
        starts = {start for name in entry.names for start in _starts(name)}
        for form, beside_code in forms:
            (self._by_word if beside_code else self._by_form)[form].append(number)
        for start in starts:
            self._by_start[start].append(number)

    def _shared_words(self) -> Mapping[tuple[str, str], int]:
        """In how many of a maker's names each word stands."""
        held: dict[tuple[str, str], set[str]] = defaultdict(set)
        for entry in self._entries:
            for name in entry.names:
                told = " ".join(sorted(name.words))
                for need in name.needs:
                    if need.kind == "word":
                        for maker in entry.makers:
                            held[maker, need.forms[0]].add(told)
        return {key: len(found) for key, found in held.items()}

    def fits(self, component: Component) -> list[Fit]:
        """Every product that the line names or nearly names, the best of each bulletin."""
        line = _line(component, self.makers)
        found: dict[str, list[Fit]] = defaultdict(list)
        for number in sorted(self._candidates(line.said)):
            entry = self._entries[number]
            held = [fit for name in entry.names if (fit := self._fit(line, entry, name))]
            if held:
                best = max(held, key=lambda fit: (fit.sure, -fit.missing, fit.length))
                found[entry.bulletin.id].append(best)
        return [fit for fits in found.values() for fit in _best(fits)]

    def _candidates(self, line: Said) -> set[int]:
        found: set[int] = set()
        shelves = (self._by_form,) if line.codes else (self._by_form, self._by_word)
        for gram in line.grams | line.beside:
            for shelf in shelves:
                found.update(shelf.get(gram, ()))
            for size in range(2, _SHORT_MAX + 1):
                if len(gram) >= size:
                    found.update(self._by_start.get(gram[:size], ()))
        for initials in line.initials:
            found.update(self._by_form.get(initials, ()))
        for word in line.spelled:
            for form in self._near(word):
                for shelf in shelves:
                    found.update(shelf.get(form, ()))
        return found

    def _near(self, word: str) -> tuple[str, ...]:
        found = self._slips.get(word)
        if found is None:
            pool = self._vocabulary.get(word[0], ()) if len(word) > _TELLING_MIN else ()
            found = tuple(form for form in pool if near(word, form))
            if len(self._slips) < SLIPS_KEPT:  # strangers' lists bring words without end
                self._slips[word] = found
        return found

    def _fit(self, line: "_Line", entry: Entry, name: Name) -> Fit | None:
        """How *line* fits one name; None where it does not."""
        identified = _identified(line.said, name)
        if identified:
            return Fit(entry, name, (identified,), 0, sure=True)
        if not name.needs or (
            name.letters and line.said.letters and not name.letters & line.said.letters
        ):
            return None
        found = self._weigh(line, entry, name, related=bool(line.makers & entry.makers))
        if found is None and line.unmade:
            # It may be this maker's: what would fit with its name must not pass in silence.
            near_ = self._weigh(line, entry, self._without_maker(entry, name), related=True)
            found = replace(near_, sure=False, unmade=near_.sure) if near_ is not None else None
        return found

    def _without_maker(self, entry: Entry, name: Name) -> Name:
        """The name without words that only say who makes it, if others are left: "Easy UPS" of "APC Easy UPS"."""
        kept = tuple(
            need
            for need in name.needs
            if need.kind != "word" or not self.makers.ids(need.forms[0]) & entry.makers
        )
        return replace(name, needs=kept or name.needs)

    def names_maker_only(self, component: Component) -> bool:
        """Whether the line says who made the device, at most, and nothing of which device it is."""
        return unsaid(self.makers.left(f"{component.maker} {component.name}"))

    def _weigh(self, line: "_Line", entry: Entry, name: Name, *, related: bool) -> Fit | None:
        telling = self._telling(entry, name)
        covered: list[str] = []
        told = alone = 0
        missing: dict[str, int] = dict.fromkeys(
            ("code", "word", "weak", "shared", "filler", "branch"), 0
        )
        joined = _joined_words(line.said, name.needs)
        for need in name.needs:
            form = joined.get(need) or _cover(line.said, need, name, related=related)
            if form:
                covered.append(form)
                alone += need in telling and self._count(entry, need) == 1
                own = (
                    need.kind == "word"
                    and not _plain_word(need)
                    and not self._is_maker(entry, need)
                )
                told += own and (form in line.said.grams or form not in line.said.beside)
            elif need.kind == "word" and need not in telling and not _plain_word(need):
                missing["shared"] += 1
            elif need.kind == "weak" and need.forms[0] in FILLERS:
                missing["filler"] += 1
            else:
                missing[need.kind] += 1
        codes = any(need.kind == "code" for need in name.needs) and not missing["code"]
        loose = _loose(line.said, name, covered)
        open_ = missing["code"] + missing["word"]
        if not telling and not codes:
            named_by_maker = any(self._is_maker(entry, need) for need in name.needs) and not any(
                loose
            )
            plain = any(
                need.kind == "word" and not self._is_maker(entry, need) for need in name.needs
            )
            fillers = 0 if named_by_maker or plain or _short_only(name) else missing["filler"]
            open_ += missing["weak"] + fillers + (0 if named_by_maker else missing["shared"])
        fit = Fit(entry, name, tuple(covered), open_, sure=True)
        if not covered or (missing["weak"] and any(loose) and not codes):
            return None
        if telling and not told and not codes:
            return None
        if not related:
            return fit if _believed(line, fit, told, missing, codes=codes) else None
        if alone and not missing["code"] and not any(loose):
            fit = replace(fit, missing=0)
        return _near_or_sure(fit, told, missing, loose, codes=codes)

    def _telling(self, entry: Entry, name: Name) -> frozenset[Need]:
        """The words of a name that tell it from the maker's other products."""
        words = [
            need
            for need in name.needs
            if need.kind == "word" and not _plain_word(need) and not self._is_maker(entry, need)
        ]
        if not words:
            return frozenset()
        counts = {need: self._count(entry, need) for need in words}
        least = min(counts.values())
        return frozenset(
            need for need in words if counts[need] < _UMBRELLA_MIN or counts[need] == least
        )

    def _count(self, entry: Entry, need: Need) -> int:
        return max(
            (self._shared.get((maker, need.forms[0]), 0) for maker in entry.makers), default=0
        )

    def _is_maker(self, entry: Entry, need: Need) -> bool:
        return need.kind != "code" and need.forms[0] in parts(entry.spoken.maker)


def _joined_words(line: Said, needs: Sequence[Need]) -> Mapping[Need, str]:
    """Words that the line writes as one: "SolidEdge" says "Solid" and "Edge"."""
    found: dict[Need, str] = {}
    for one, other in pairwise(needs):
        if one.kind in {"word", "weak"} and other.kind in {"word", "weak"}:
            both = one.forms[0] + other.forms[0]
            if both in line.grams and one.forms[0] not in line.grams:
                found[one], found[other] = one.forms[0], other.forms[0]
    return found


def _short_only(name: Name) -> bool:
    """Whether a word of two letters is all that names it ("IQ Series", "ME RTU")."""
    return any(need.kind == "weak" and need.forms[0] not in FILLERS for need in name.needs)


def _plain_word(need: Need) -> bool:
    return all(form in COMMON for form in need.forms)


def _near_or_sure(
    fit: Fit,
    told: int,
    missing: Mapping[str, int],
    loose: tuple[list[str], list[str]],
    *,
    codes: bool,
) -> Fit | None:
    """Of a line whose maker is the product's: the product, nearly the product, or another one."""
    loose_codes, loose_words = loose
    strong = codes and any(is_strong(form) for form in fit.covered)
    if missing["code"]:
        plain = len([form for form in fit.covered if form.isalpha()]) > 1
        near_ = (told or plain) and not loose_codes and not loose_words and not missing["word"]
        return replace(fit, sure=False) if near_ else None
    if not fit.missing or strong:
        return fit
    shortened = told and not loose_codes and not loose_words
    return fit if shortened else None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it was read, the makers it names, and whether maker and model leave the maker open."""

    said: Said
    makers: frozenset[str]
    unmade: bool


def _line(component: Component, makers: Makers) -> _Line:
    maker = "" if unsaid(component.maker) else component.maker
    both = f"{maker} {component.name}"
    in_name = makers.ids(component.name)
    held = makers.ids(maker) | in_name | makers.ids(component.comment)
    model = makers.without(component.name) if maker else makers.without(both)
    if maker and not makers.ids(maker) and in_name:
        model = both  # swapped: the maker stands in the model's column
    beside = f"{component.version} {component.comment}"
    # "OPC server for GE PLCs" says who made the PLCs, and not who made the server.
    itself = makers.ids(_PURPOSE.split(component.name)[0])
    return _Line(said(both, model, beside), held, unmade=not maker and not itself)


def _keys(name: Name) -> Iterator[tuple[str, bool]]:
    """What a line must say, at least in part, to be compared with the name at all.

    True marks the words of a name that has a code: they matter only to a line that has none.
    """
    yield from ((model, False) for model in name.models)
    coded = any(one.kind == "code" for one in name.needs)
    telling = coded or any(one.kind == "word" for one in name.needs)
    for need in name.needs:
        if need.kind == "code" or not coded:
            forms = need.forms if need.kind != "weak" or not telling else ()
            yield from ((form, False) for form in forms)
            yield from (("".join(cut[:size]), False) for cut in need.parts for size in (1, 2))
        elif need.kind == "word":
            yield from ((form, True) for form in need.forms)


def _starts(name: Name) -> Iterator[str]:
    """How a word must begin that a name with open places or a series may mean."""
    for pattern in (*name.patterns, *(need.pattern for need in name.needs if need.pattern)):
        yield re.split(r"[\\\[]", pattern)[0][:_SHORT_MAX]
    for need in name.needs:
        for form in need.forms if need.kind == "code" else ():
            series = _HUNDREDS.fullmatch(form)
            if series:
                yield series[1]
        short = need.kind in {"word", "weak"} and len(need.forms[0]) <= _SHORT_MAX
        if short and name.series and need.forms[0] not in FILLERS:
            yield need.forms[0]


def _spelled_out(text: str) -> Iterator[tuple[str, str]]:
    """Each "Gateway Station (GWS)" of a text as gws and its words."""
    for hit in re.finditer(r"\(([A-Z]{2,6})\)", text):
        short = hit[1].lower()
        before = re.findall(r"[\w-]+", text[: hit.start()])
        for size in range(1, min(len(before), len(short)) + 1):
            words = before[-size:]
            letters = iter("".join(words).lower())
            if words[0][0].lower() == short[0] and all(letter in letters for letter in short):
                yield short, " ".join(words)
                break


def _family(bulletin: Bulletin, spoken: Spoken, called: Sequence[Name]) -> tuple[Name, ...]:
    """The name of what a part belongs to: "TopControl Suite" of "Bacnet", if the part has no code."""
    if any(need.kind == "code" for name in called for need in name.needs):
        return ()
    before = re.split(r":| - ", spoken.title)[0]
    if squash(before) == squash(spoken.name) or squash(before) not in squash(bulletin.title):
        return ()
    return tuple(name for name in names(before) if any(need.kind == "word" for need in name.needs))


def _names_models(leaf: str, title: str) -> bool:
    """Whether the place of the version holds order numbers or models."""
    listed = [one.strip().lower() for one in leaf.split("|") if one.strip()]
    if not listed or not all(_MODEL.fullmatch(one) for one in listed):
        return False
    return not all(one.isdigit() for one in listed) or "article" in title.lower()


@lru_cache(maxsize=65_536)
def _title_span(text: str) -> Span | None:
    found = span(text)
    return found if found.understood and not found.condition else None


def _in_title(spoken: Spoken) -> Span | None:
    """What the full name says of versions, after the product's own name."""
    _, colon, rest = spoken.title.rpartition(": ")
    if not colon or squash(rest) == squash(spoken.name):
        return None
    return _title_span(rest)


def _identified(line: Said, name: Name) -> str:
    """The order number by which the line names the product; empty if by none."""
    grams = line.grams | line.beside
    for model in name.models:
        if model in grams:
            return model
    for pattern in name.patterns:
        hit = next(
            (gram for gram in grams if len(gram) >= CODE_STRONG and re.fullmatch(pattern, gram)), ""
        )
        if hit:
            return hit
    return ""


def _cover(line: Said, need: Need, name: Name, *, related: bool) -> str:
    """The form by which the line says what is needed; empty if it does not."""
    for form in need.forms:
        if form in line.grams or squash(form) in line.grams:
            return squash(form)
    if need.kind == "branch":
        return (
            squash(need.forms[0].removeprefix("v"))
            if squash(need.forms[0].removeprefix("v")) in line.grams
            else ""
        )
    if need.kind == "code":
        return _cover_code(line, need)
    if need.kind == "weak" and not name.series:
        both = line.grams | line.beside
        return next((form for form in need.forms if form in both or form.rstrip("s") in both), "")
    return _cover_word(line, need, name, related=related)


def _cover_code(line: Said, need: Need) -> str:
    if need.pattern:
        hit = [
            gram
            for gram in line.grams
            if re.fullmatch(need.pattern, gram) and any(map(str.isdigit, gram))
        ]
        if hit:
            return max(hit, key=len)
    for form in need.forms:
        if form in line.beside and (not line.codes or is_strong(form)):
            return form
        series = _HUNDREDS.fullmatch(form)
        hit = [gram for gram in line.grams if series and re.fullmatch(rf"{series[1]}\d\d", gram)]
        if hit:
            return hit[0]
    for cut in need.parts:
        for mine in line.cut:
            size = len(mine)
            if 0 < size < len(cut) and cut[:size] == mine and is_strong("".join(mine)):
                return "".join(mine)
    return ""


def _cover_word(line: Said, need: Need, name: Name, *, related: bool) -> str:
    for form in need.forms:
        if form in line.beside or form in line.initials:
            return form
        if related and any(near(word, form) for word in line.spelled):
            return form
        if name.series and len(form) <= _TELLING_MIN and form not in FILLERS:
            begins = re.compile(rf"{re.escape(form)}\d\w*")
            if any(begins.fullmatch(gram) for gram in line.grams):
                return form
    return ""


def _loose(line: Said, name: Name, covered: Sequence[str]) -> tuple[list[str], list[str]]:
    """The codes and words of the model that the name does not account for."""
    known = set(covered) | name.extra | name.models
    text = "".join(covered)
    codes = [
        code
        for code in line.codes
        if code not in known
        and not _ORDER.fullmatch(code)
        and not any(code in one or one in code for one in known if any(map(str.isdigit, one)))
    ]
    words = [
        word
        for word in line.words
        if word not in FILLERS
        and word not in known
        and word not in text
        and not any(near(word, one) for one in covered)
        and not (len(word) > 2 and any(one.startswith(word) for one in name.words))  # noqa: PLR2004 -- "Dev."
    ]
    return codes, words


def _believed(line: _Line, fit: Fit, told: int, missing: Mapping[str, int], *, codes: bool) -> bool:
    """Whether the name alone is telling enough, the line's maker being unknown or another."""
    if missing["code"] or missing["word"] or missing["shared"]:
        return False
    strong = codes and any(is_strong(form) for form in fit.covered)
    words = [form for form in fit.covered if form.isalpha() and form not in COMMON]
    longest = max(map(len, words), default=0)
    if line.makers and (missing["filler"] or missing["branch"]):
        return False
    if line.makers:
        return bool(told and (longest > _FOREIGN_MIN or (strong and longest >= _TELLING_MIN)))
    return strong or bool(told and longest >= _FOREIGN_MIN - 1)


def _best(fits: Sequence[Fit]) -> list[Fit]:
    """Of one bulletin's products those that the line names most fully."""
    sure = [fit for fit in fits if fit.sure] or list(fits)
    whole = [fit for fit in sure if not fit.missing] or sure
    longest = max(whole, key=lambda fit: fit.length)
    text = " ".join(longest.covered)
    return [
        fit
        for fit in whole
        if fit.length >= longest.length or not all(form in text for form in fit.covered)
    ]
