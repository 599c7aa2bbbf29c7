"""Which devices of an asset list an advisory in words touches.

An asset without a package is known by maker, model and version as somebody typed them. *Not affected* is said
only of an identified product whose version lies outside a range that was understood whole; a near miss is one
question with the answers yes and no. Every judgement quotes the words it rests on.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from leadline.core.clearing.asset_names import names, parts, squash
from leadline.core.clearing.asset_shelf import Fit, Shelf
from leadline.core.clearing.bulletin import Spoken
from leadline.core.clearing.match import Status
from leadline.core.clearing.product import Component
from leadline.core.clearing.prose import (
    Bound,
    Place,
    Span,
    Version,
    named,
    place,
    version,
    within,
)

_CAUTION = (Status.AFFECTED, Status.UNKNOWN, Status.FIXED, Status.NOT_AFFECTED)
_YEAR = 4  # digits
_MARKED = re.compile(
    r"\s(?:v|ver\.?|version|fw|frn|firmware|rel\.?|release)[\s:]*(\d+(?:[._-]\w+)+|\d+)$",
    re.IGNORECASE,
)
_AND_BEFORE = re.compile(r"\b(?:and|or) (?:earlier|prior|below|older)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one advisory means for one asset, and the words it rests on.

    *product* is the advisory's own name for it, *ask* the yes-or-no question that would settle an unknown
    one, *quote* the sentence.
    """

    asset: str
    advisory: str
    status: Status
    why: str
    product: str
    quote: str
    ask: str = ""
    spoken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about one asset and one product, and every advisory that waits for the answer."""

    asset: str
    product: str
    ask: str
    advisories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What a person answered about a line: its release, or whether the question's answer is yes.

    *line* is the content of the line for which it was given; it counts for no other. *advisories* are those
    that were asked about, and *ask* the question: yes and no say nothing about later advisories or other
    questions, while a release settles all.
    """

    line: str
    product: str
    ask: str
    advisories: frozenset[str]
    yes: bool | None = None
    release: str = ""
    by: str = ""


def content(component: Component) -> str:
    """The content of a line, as answers name it."""
    held = (component.maker, component.name, component.version, component.site, component.comment)
    return " | ".join(" ".join(part.split()) for part in held)


def judge(shelf: Shelf, component: Component, known: Sequence[Known] = ()) -> list[Verdict]:
    """What every bulletin means for one line, in order of advisory id; only those that concern it."""
    mine = [one for one in known if one.line == content(component)]
    release = next((one.release for one in mine if one.release), "")
    asset = replace(component, version=release or component.version or _in_name(component.name))
    found: list[Verdict] = []
    fits = sorted(shelf.fits(component), key=lambda fit: fit.entry.bulletin.id)
    for _, group in groupby(fits, key=lambda fit: fit.entry.bulletin.id):
        verdicts = [held for fit in group if (held := _verdict(asset, fit))]
        if verdicts:
            found.append(_settled(min(verdicts, key=_rank), mine))
    return found


def _in_name(name: str) -> str:
    """A version at the end of a name, where a word says that it is one."""
    found = _MARKED.search(name)
    return found[1] if found else ""


def _rank(verdict: Verdict) -> int:
    return _CAUTION.index(verdict.status)


def _settled(verdict: Verdict, known: Iterable[Known]) -> Verdict:
    """The verdict after what a person answered about it."""
    if verdict.status is not Status.UNKNOWN:
        return verdict
    for one in known:
        if one.yes is None or verdict.advisory not in one.advisories or verdict.ask != one.ask:
            continue
        status = Status.AFFECTED if one.yes else Status.NOT_AFFECTED
        said_ = "yes" if one.yes else "no"
        who = f" by {one.by}" if one.by else ""
        why = f"answered {said_}{who}: {verdict.ask} {verdict.why}"
        return replace(verdict, status=status, why=why, ask="")
    return verdict


def _verdict(component: Component, fit: Fit) -> Verdict | None:
    """What one product's statement means for the line; None where it speaks of another branch."""
    spoken = fit.entry.spoken
    held = version(component.version) if component.version else None
    if _other_branch(fit, held):
        return None
    if not fit.sure:
        ask = f"Is {_label(component)} one of these: {_product(spoken)} ({spoken.said or spoken.title})?"
        why = (
            "the line names no maker, and its model is that of a named product"
            if fit.unmade
            else "close to a named product, but not surely it"
        )
        return _told(component, fit, Status.UNKNOWN, why, ask)
    inside = _inside(fit.entry.spans, held)
    if not spoken.affected and (spoken.unaffected or spoken.fixed):
        return _cleared(component, fit, inside=inside)
    if inside:
        conditions = " ".join(
            dict.fromkeys(one.condition for one in fit.entry.spans if one.condition)
        )
        also = f" (only: {conditions})" if conditions else ""
        why = f"{_version_of(component)} is among the releases named{also}"
        return _told(component, fit, Status.AFFECTED, why)
    if held is None:
        why = (
            f"{_version_of(component)} is not given"
            if not component.version
            else "its version cannot be read"
        )
        return _told(component, fit, Status.UNKNOWN, why, _ask(component, fit))
    return _not_inside(component, fit, held, inside=inside)


def _cleared(component: Component, fit: Fit, *, inside: bool | None) -> Verdict | None:
    """A product that is named only as fixed or as not affected."""
    if not inside:
        return None
    if fit.entry.spoken.unaffected:
        return _told(component, fit, Status.NOT_AFFECTED, "the publisher names it as not affected")
    return _told(component, fit, Status.FIXED, "the publisher names this release as fixed")


def _not_inside(component: Component, fit: Fit, held: Version, *, inside: bool | None) -> Verdict:
    """A release that is not surely among those named."""
    remedy = _remedy(fit, held, certain=inside is False)
    if remedy is not None:
        text, fixed_in = remedy
        why = f"{component.version} is not before the remedy {fixed_in.text}: \u201c{_sentence(text, fixed_in)}\u201d"
        return _told(component, fit, Status.FIXED, why)
    if inside is None:
        why = f"whether {component.version} is among those named cannot be told"
        return _told(component, fit, Status.UNKNOWN, why, _ask(component, fit))
    if not any(one.bounds for one in fit.entry.spans):
        why = f"only single releases are named, and {component.version} is none of them"
        return _told(component, fit, Status.UNKNOWN, why, _ask_single(component, fit))
    beyond = _contrary(fit, held)
    if beyond:
        why = f"{component.version} lies outside, but the remedy names the later {beyond}"
        return _told(component, fit, Status.UNKNOWN, why, _ask_single(component, fit))
    if fit.missing:
        why = f"{component.version} lies outside, but the line names the product only in part"
        ask = f"Is {_label(component)} this product: {_product(fit.entry.spoken)}?"
        return _told(component, fit, Status.UNKNOWN, why, ask)
    why = f"{component.version} lies outside every release named"
    return _told(component, fit, Status.NOT_AFFECTED, why)


def _told(component: Component, fit: Fit, status: Status, why: str, ask: str = "") -> Verdict:
    spoken = fit.entry.spoken
    quote = (
        spoken.title
        if squash(spoken.title) != squash(spoken.name)
        else f"{spoken.name} {spoken.said}"
    )
    ident = fit.entry.bulletin.id
    told = f"{why}; {ident}: \u201c{' '.join(quote.split())}\u201d"
    return Verdict(
        component.ref, ident, status, told, _product(spoken), quote.strip(), ask, (spoken.id,)
    )


def _product(spoken: Spoken) -> str:
    maker = "" if squash(spoken.maker) in squash(spoken.name) else spoken.maker
    return f"{maker} {spoken.name}".strip()


def _label(component: Component) -> str:
    where = f", {component.site}" if component.site else ""
    return f"{component.label} (line {component.ref}{where})"


def _version_of(component: Component) -> str:
    return f"version {component.version}" if component.version else "its version"


def _inside(spans: Sequence[Span], held: Version | None) -> bool | None:
    """Whether any reading names the release; False only where every reading was understood."""
    if any(one.every for one in spans):
        return True
    if held is None:
        return None
    found = [within(one, held) for one in spans]
    sure = [one for one, reading in zip(found, spans, strict=True) if reading.understood]
    if True in found:
        return True
    return False if sure and all(one is False for one in sure) else None


def _other_branch(fit: Fit, held: Version | None) -> bool:
    """Whether the product is another branch ("SCT version 14") than the line's release."""
    spoken_of = [need.forms[0] for need in fit.name.needs if need.kind == "branch"]
    for form in spoken_of:
        bare = squash(form.removeprefix("v"))
        if bare in fit.covered or form in fit.covered or fit.by_number:
            continue
        certain = "." in form or len(bare) >= _YEAR or _AND_BEFORE.search(fit.name.text)
        if not certain and not _siblings(fit, form):
            continue
        branch = version(form)
        if branch is None or held is None:
            continue
        where = place(held, branch)
        if where in {Place.SAME, Place.LONGER, Place.SHORTER, Place.OPEN}:
            continue
        if where is Place.BEFORE and _AND_BEFORE.search(fit.name.text):
            continue
        return True
    return False


def _siblings(fit: Fit, form: str) -> bool:
    """Whether the bulletin names other branches of the same product: else a number is a generation."""
    stem = squash(re.sub(rf"\b{re.escape(form)}\b", "", fit.name.text.lower()))
    for spoken in fit.entry.bulletin.products:
        for name in names(spoken.name):
            for need in name.needs:
                other = need.forms[0] if need.kind == "branch" else form
                if (
                    other != form
                    and squash(re.sub(rf"\b{re.escape(other)}\b", "", name.text.lower())) == stem
                ):
                    return True
    return False


def _remedies(fit: Fit) -> Iterator[str]:
    """What the bulletin advises for the product, without sentences about its other products."""
    others = fit.entry.codes - {form for need in fit.name.needs for form in need.forms}
    for remedy in fit.entry.bulletin.remedies:
        if fit.entry.spoken.id in remedy.products or not remedy.products:
            for sentence in re.split(r"(?<=[a-z0-9)])[.;]\s+|\n", remedy.text):
                if not any(form in others for form in parts(sentence)):
                    yield sentence


def _remedy(fit: Fit, held: Version, *, certain: bool) -> tuple[str, Version] | None:
    """The sentence and the release that the line has reached, if the remedy names one."""
    if not certain and _shortened(fit, held):
        return None
    for sentence in _remedies(fit):
        for one in named((sentence,)):
            where = place(held, one)
            if where is Place.SAME or (
                certain
                and len(one.parts) > 1
                and where in {Place.AFTER, Place.LONGER}
                and _after(fit, one)
            ):
                return sentence, one
    return None


def _shortened(fit: Fit, held: Version) -> bool:
    """Whether the line's release is a shorter spelling of an end of the range."""
    ends = [
        end
        for one in fit.entry.spans
        for bound in one.bounds
        for end in (bound.low, bound.high)
        if end
    ]
    return any(place(held, end) is Place.SHORTER for end in ends)


def _after(fit: Fit, one: Version) -> bool:
    """Whether a release is none of those named as affected."""
    return any(span_.bounds or span_.listed for span_ in fit.entry.spans) and all(
        within(span_, one) is False for span_ in fit.entry.spans if span_.understood
    )


def _sentence(text: str, fixed_in: Version) -> str:
    short = " ".join(text.split())
    place_ = max(short.find(fixed_in.text) - 80, 0)
    return short[place_ : place_ + 200]


def _contrary(fit: Fit, held: Version) -> str:
    """A remedy just beyond the last release named, though the line lies between the two."""
    ends = [bound.high for one in fit.entry.spans for bound in one.bounds if bound.high is not None]
    for one in named(tuple(_remedies(fit))):
        for end in ends:
            beside = len(one.parts) == len(end.parts) > 1 and one.parts[:-1] == end.parts[:-1]
            if (
                beside
                and place(held, one) is Place.BEFORE
                and place(held, end) in {Place.SAME, Place.AFTER}
            ):
                return one.text
    return ""


def _ask(component: Component, fit: Fit) -> str:
    """One question with the answers yes and no."""
    told = _in_words(fit.entry.spans) or f"\u201c{fit.entry.spoken.said}\u201d"
    have = f"; the list says {component.version!r}" if component.version else ""
    return f"Is the version of {_label(component)} {told}{have}?"


def _ask_single(component: Component, fit: Fit) -> str:
    told = _in_words(fit.entry.spans)
    return f"Does {fit.entry.spoken.maker or 'the maker'} say that {_label(component)} with {component.version} is affected as {told} is?"


def _in_words(spans: Iterable[Span]) -> str:
    """The releases in words, of the first reading that was understood."""
    for one in spans:
        if one.understood and (one.bounds or one.listed):
            told = [_bound_in_words(bound) for bound in one.bounds] + [
                held.text for held in one.listed
            ]
            return ", or ".join(told)
    return ""


def _bound_in_words(bound: Bound) -> str:
    low, high = bound.low, bound.high
    if low is not None and high is not None:
        upper = "to" if bound.high_included else "up to, but not,"
        return f"from {low.text} {upper} {high.text}"
    if high is not None:
        return f"{high.text} or earlier" if bound.high_included else f"earlier than {high.text}"
    return f"{low.text if low else ''} or later"


def questions(verdicts: Sequence[Verdict]) -> tuple[Asked, ...]:
    """One question for each line: the one that settles most; the version itself settles all of them."""
    held: dict[str, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    for verdict in verdicts:
        if verdict.ask:
            held[verdict.asset][verdict.ask].append(verdict)
    return tuple(_asked(asset, asks) for asset, asks in held.items())


def _asked(asset: str, asks: Mapping[str, Sequence[Verdict]]) -> Asked:
    ask, found = max(asks.items(), key=lambda held: len(held[1]))
    return Asked(asset, found[0].product, ask, tuple(one.advisory for one in found))
