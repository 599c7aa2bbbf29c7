"""Names of devices and programs as makers, advisories and operators write them.

A name is read as what a line must say to mean it: codes ("FX3U-ENET", "1734-AENT"), words
("Drive Composer Pro"), and the branch of a version ("SCT version 14"). Lists are spread out
("XGK-CPUU/H/A", "LTS 8/16/32"), signs that stand for any letter are kept as such ("BMEP*", "2XXX").
A line is read as all its words, alone and joined, so that hyphens and spaces never matter.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

JOINED_MAX = 6  # words of a line that may be one code
CODE_STRONG = 5  # characters of a code with letters and digits that names a product by itself
_JOIN_MAX = 6  # signs of a number that belongs to the letters before it ("PM 8000")
_WORDS_MAX = 2  # words of a code in brackets ("LX 40")
_OPEN_MAX = 4  # open places of one code
_NAME_MAX = 400
# Words that say what kind of thing it is, or nothing; a line may leave them out.
FILLERS = frozenset({
    "a", "all", "an", "and", "any", "are", "as", "at", "basic", "board", "boards", "by", "card", "cards",
    "component", "components", "control", "controller", "controllers", "cpu", "cpus", "device", "devices",
    "digital", "discontinued", "edition", "engine", "engines", "equipment", "family", "feature", "firmware",
    "fw", "gateway", "gateways", "general", "gmbh", "group", "hardware", "hmi", "hw", "image", "in", "inc",
    "incl", "including", "industrial", "instrument", "its", "kit", "legacy", "level", "line", "machine",
    "main", "management", "model", "models", "module", "modules", "network", "of", "on", "or", "os",
    "package", "panel", "panels", "part", "parts", "plc", "prior", "processor", "product", "products",
    "program", "programing", "programming", "project", "radio", "relay", "relays", "resting", "robots",
    "router", "routers", "rtu", "s", "series", "setting", "single", "software", "solution", "station",
    "stations", "suite", "sw", "switch", "switches", "system", "systems", "technologies", "the", "thermostat",
    "tool", "tools", "type", "unit", "units", "using", "variant", "variants", "version", "versions", "web",
    "wifi", "electrocardiograph", "medical", "utility", "interface", "automation", "reader", "readers",
    "interfaces", "stack", "implementation", "toolkit", "platform", "application", "app", "corporation",
    "ii", "iii", "cnc", "ethernet", "communication", "communications", "online", "meter", "power",
})  # fmt: skip
# Words in the names of many products: they must stand on the line, and tell nothing by themselves.
COMMON = FILLERS | {
    "access", "acquisition", "advanced", "analyzer", "anywhere", "area", "asset", "building", "builder", "cc",
    "center", "centre", "central", "client", "cloud", "color", "compact", "composer", "computer", "config",
    "configuration", "configurator", "connect", "connected", "connection", "connector", "console", "core",
    "creator", "custom", "data", "desktop", "designer", "developer", "development", "distributed", "door",
    "drive", "easy", "edge", "electric", "embedded", "energy", "engineering", "enterprise", "entry",
    "event", "expert", "explorer", "express", "file", "flow", "ftp", "garage", "general", "gen", "global",
    "graphics", "historian", "home", "image", "information", "infrastructure", "integration", "intelligent",
    "iot", "isolated", "launcher", "library", "license", "link", "lite", "live", "local", "logger", "logging",
    "manager", "map", "master", "mobile", "modbus", "monitor", "monitoring", "motion", "move", "navigator",
    "node", "object", "office", "opc", "open", "operation", "operations", "patient", "performance", "plant",
    "plug", "plus", "portal", "predictive", "premium", "pro", "process", "professional", "protector", "protocol",
    "pump", "query", "rack", "real", "recipe", "remote", "report", "reports", "resource", "robot", "run",
    "runtime", "safety", "sat", "scada", "screen", "sdk", "secure", "security", "server", "servers", "service",
    "services", "setup", "signal", "simulation", "simulator", "site", "smart", "standard", "storage", "studio",
    "supervisor", "support", "telemetry", "terminal", "test", "time", "transmitter", "ua", "ups", "update",
    "user", "utilities", "video", "view", "viewer", "virtual", "vision", "visualization", "wide", "wireless",
    "work", "workbench", "worker", "works", "world", "accelerator", "appliance", "camera", "charger", "cell",
}  # fmt: skip
_SHORT = {
    "mgr": "manager", "srv": "server", "svr": "server", "ctrl": "control", "sys": "system", "prog": "program",
    "cfg": "configuration", "config": "configuration", "mon": "monitor", "gw": "gateway", "ind": "industrial",
    "int": "international", "ed": "edition", "std": "standard", "dev": "device", "ent": "enterprise",
}  # fmt: skip
_CLAUSE = re.compile(
    r"\s(?:running|that|used|controlling|with|for|using|when|sold by|including|incl\.?|formerly|as used|"
    r"where|in which|configured|utili[sz]ing|based on|manufactured)\s", re.IGNORECASE
)  # fmt: skip
_SERIES = re.compile(r"\b(?:series|family|models?)\b", re.IGNORECASE)
_LETTER = re.compile(r"\bser(?:ies|\.)?\s*([A-Z])\b(?:/([A-Z])\b)?", re.IGNORECASE)
_END_LETTER = re.compile(r"(?:\d[\w-]*)(?:\s|/)([A-Z])(?:/([A-Z]))?\s*(?:\(.*)?$")
_BRACKET = re.compile(r"(?<=\s)\(([^()]*(?:\([^()]*\))?[^()]*)\)|(?<=\s)\[([^\[\]]+)\]")
_BRANCH = re.compile(
    r"v?\d+(?:\.\d+)+(?:\.?x+)?|v\d+|\d{1,2}|(?:19|20)\d\d(?:r\d)?|v?\d+\.x+|r\d|se20\d\d"
)
_FEATURE = re.compile(r"v?\d+(?:\.\d+)*\.x+(?=\s|$)|v\d+\.\d+(?=$)")
_ANY = re.compile(r"\*+|x{2,}|X{2,}|\u25a1|\[\]|#+")
_CHUNK = re.compile(r"\S+")
_SPLIT = re.compile(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])")
_HUMP = re.compile(r"(?<=[a-z]{3})(?=[A-Z])")
_PART = re.compile(r"[a-z0-9]+")


# What people write into a cell of which they know nothing; signs alone, such as "-" or "?", say it too.
_UNSAID = frozenset({
    "a", "available", "blank", "brand", "company", "empty", "given", "hersteller", "illegible", "inconnu",
    "k", "ka", "known", "label", "legible", "maker", "manufacturer", "marke", "missing", "n", "na", "name",
    "nb", "nil", "no", "none", "not", "null", "nv", "on", "plate", "readable", "specified", "stated", "tbc", "tbd",
    "the", "unbekannt", "unclear", "undefined", "unknown", "unleserlich", "unspecified", "various", "vendor",
    "desconocido", "sconosciuto", "desconhecido",
})  # fmt: skip


def unsaid(cell: str) -> bool:
    """Whether a cell of a list is blank, or says only that nothing is known."""
    return all(word in _UNSAID for word in parts(cell))


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a line must say: any of *forms*, or something that *pattern* matches."""

    kind: str  # code, word, weak, branch
    forms: tuple[str, ...]
    pattern: str = ""
    parts: tuple[tuple[str, ...], ...] = ()

    @property
    def strong(self) -> bool:
        """Whether the code names a product by itself."""
        return self.kind == "code" and any(is_strong(form) for form in self.forms)


def is_strong(code: str) -> bool:
    """Letters and digits, and long enough to be no coincidence."""
    return len(code) >= CODE_STRONG and any(map(str.isdigit, code)) and any(map(str.isalpha, code))


@dataclass(frozen=True, slots=True)
class Name:
    """What a line must say to mean a product.

    *extra* are words it may say, *models* order numbers each of which is enough, *letters* the
    hardware series it is limited to, *series* whether it names a series of models, *patterns* order
    numbers with open places, each of which is enough.
    """

    text: str
    needs: tuple[Need, ...]
    extra: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    series: bool = False
    patterns: tuple[str, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """Every word and code it is made of."""
        return frozenset(form for need in self.needs for form in need.forms)


def parts(text: str) -> list[str]:
    """Letters and digits of *text*, in lower case, cut at every other sign."""
    return _PART.findall(text.lower())


def squash(text: str) -> str:
    """Letters and digits alone."""
    return "".join(parts(text))


@lru_cache(maxsize=65_536)
def names(text: str, models: tuple[str, ...] = ()) -> tuple[Name, ...]:
    """The names that *text* gives; a list of several products gives several."""
    held = re.sub(r"\s*\u25a1\s*", "\u25a1", " ".join(text[:_NAME_MAX].split()))
    found = [_name(segment, models) for segment in _segments(held) if parts(segment)]
    found += [_name(member, ()) for member in _members(held)]
    return (*found, *(short for name in found for short in _abbreviated(name)))


def _members(text: str) -> list[str]:
    """What a suite consists of: "Suite including GENESIS64, Hyper Historian, and MobileHMI"."""
    _, including, rest = _BRACKET.sub(" ", text).partition(" including ")
    members = [one.strip() for one in re.split(r",|\band\b", rest) if parts(one)]
    return members if including and len(members) > 1 else []


def _abbreviated(name: Name) -> Iterator[Name]:
    """The name by its abbreviation: "System Configuration Tool (SCT) version 14" is SCT 14."""
    for hit in re.finditer(r"\(([A-Z][A-Za-z]{1,5})\)", name.text):
        short = hit[1].lower()
        before = [word for word in parts(name.text[: hit.start()]) if word.isalpha()]
        initials = "".join(word[0] for word in before)
        if len(short) > 1 and short not in FILLERS and short in initials + "s":
            at = initials.find(short)
            spelled = set(before[at : at + len(short)])
            kept = tuple(need for need in name.needs if not spelled & set(need.forms))
            optional = tuple(
                replace(need, kind="weak") if need.kind == "word" else need for need in kept
            )
            need = Need("word", (short,))
            yield replace(name, needs=(need, *optional), extra=name.extra | spelled)


def _segments(text: str) -> list[str]:
    """A list at the top level ("SVMPC1, SVMPC2") is several products, if each of them has a number."""
    outside = _BRACKET.sub(lambda hit: " " * len(hit[0]), text)
    both = re.split(r"\s+(?:and|&)\s+", outside)
    if " x=" not in outside and len(both) > 1 and all(_has_code(one) for one in both):
        return both
    if " x=" in outside or "," not in outside:
        return [re.split(r"\s[xyz]=", text)[0]]
    cuts = [-1, *(hit.start() for hit in re.finditer(r",(?=\s)", outside)), len(text)]
    found = [text[low + 1 : high].strip() for low, high in pairwise(cuts)]
    return found if all(_has_code(one) for one in found) else [text]


def _has_code(text: str) -> bool:
    return any(need.kind == "code" and need.strong for need in _needs(text))


def _name(text: str, models: Sequence[str]) -> Name:
    brackets = [hit[1] or hit[2] or "" for hit in _BRACKET.finditer(text)]
    bare = _BRACKET.sub(" ", text)
    clause = _CLAUSE.search(f"{bare} ")
    head = bare[: clause.start()] if clause and parts(bare[: clause.start()]) else bare
    tail = bare[len(head) :]
    needs = list(_needs(head))
    identifiers = {squash(one) for one in models}
    extra = set(parts(tail))
    patterns: list[str] = []
    for inside in brackets:
        extra.update(parts(inside))
        open_ = [
            one for one in re.split(r"[\s,]+", inside) if one.endswith("*") and len(parts(one)) > 0
        ]
        patterns += [_pattern(one) for one in open_ if len(squash(one)) > 3]  # noqa: PLR2004 -- like BMEP*
        listed = [one for one in re.split(r",|\band\b|/", inside) if parts(one)]
        coded = [
            one for one in listed if any(map(str.isdigit, one)) and len(one.split()) <= _WORDS_MAX
        ]
        branch = _FEATURE.match(inside.strip().lower())
        if branch:
            needs.append(Need("branch", (branch[0],)))
            continue
        plain = any(squash(one).isdigit() or "windows" in one.lower() for one in coded)
        if (
            coded
            and len(coded) == len(listed)
            and not plain
            and not any(need.kind == "code" for need in needs)
        ):
            needs.append(_code([form for one in coded for form in _joined(one)]))
        elif coded:
            identifiers.update(squash(one) for one in coded if _is_identifier(one))
    letters = _LETTER.search(head) or _END_LETTER.search(head)
    return Name(
        text=text,
        needs=tuple(needs),
        extra=frozenset(extra),
        models=frozenset(one for one in identifiers if len(one) >= CODE_STRONG),
        letters=frozenset(one.upper() for one in letters.groups() if one)
        if letters
        else frozenset(),
        series=bool(_SERIES.search(text)),
        patterns=tuple(patterns),
    )


def _is_identifier(text: str) -> bool:
    found = squash(text)
    return len(found) >= 7 and sum(map(str.isdigit, found)) >= 4  # noqa: PLR2004 -- like 6GK5204


def _code(forms: Iterable[str], pattern: str = "", cut: tuple[tuple[str, ...], ...] = ()) -> Need:
    return Need("code", tuple(dict.fromkeys(form for form in forms if form)), pattern, cut)


def _needs(head: str) -> Iterator[Need]:
    """The needs of a name without brackets, in its order."""
    before = ""
    numbered = False
    for hit in _CHUNK.finditer(head):
        chunk = hit[0].strip(".,;:!?\"'\u201c\u201d")
        low = chunk.lower()
        if not parts(low) and not _ANY.search(chunk):
            before = ""
            continue
        joins = before if before.isalpha() and len(before) <= 4 and before not in FILLERS else ""  # noqa: PLR2004 -- "PM 8000"
        if numbered and low.isdigit():
            yield Need("branch", (low,))
        else:
            yield from _chunk(chunk, low, joins)
        numbered = low in {"version", "versions", "ver", "v", "release"}
        before = low if low.isalpha() else ""


def _chunk(chunk: str, low: str, joins: str) -> Iterator[Need]:
    if _BRANCH.fullmatch(low) and not (joins and len(low) > 1 and low.isdigit()):
        yield Need("branch", (low,))
    elif any(map(str.isdigit, low)) or _ANY.search(chunk):
        yield _coded(chunk, joins)
    elif "/" in chunk:
        yield from _slashed(chunk)
    else:
        word = squash(low)
        if len(word) > 1:
            yield Need("weak" if word in FILLERS or len(word) < 3 else "word", (word,))  # noqa: PLR2004 -- "PN"


def _slashed(chunk: str) -> Iterator[Need]:
    """Any of "ADS/ADX/OAS", but both words of "WebAccess/SCADA"."""
    found = [squash(one) for one in (_spread(chunk) if "-" in chunk else chunk.split("/"))]
    forms = tuple(dict.fromkeys(form for form in found if len(form) > 1))
    if "-" in chunk or all(len(form) <= 4 for form in forms):  # noqa: PLR2004 -- abbreviations
        if forms:
            yield Need("word" if any(len(form) > 2 for form in forms) else "weak", forms)  # noqa: PLR2004 -- "PN/DP"
        return
    for form in forms:
        yield Need("weak" if form in FILLERS else "word", (form,))


def _coded(chunk: str, joins: str) -> Need:
    """A code: its forms, the pattern of one with open places, its parts for shorter spellings."""
    forms: list[str] = []
    cuts: list[tuple[str, ...]] = []
    pattern = ""
    for one in _spread(re.split(r"-x(?=[A-Z])", chunk)[0]):
        if _ANY.search(one):
            pattern = pattern or _pattern(one)
            continue
        forms += _joined(one)
        if joins and one[:1].isdigit() and len(one) <= _JOIN_MAX:
            forms.insert(0, joins + squash(one))
        pieces = tuple(held for held in parts(one) if held not in FILLERS)
        cuts.append(pieces)
        forms.append("".join(pieces))
    return _code(forms, pattern, tuple(cuts))


def _joined(one: str) -> list[str]:
    """The forms of one code: "FX5U(C)" is FX5U and FX5UC."""
    optional = re.match(r"(.*?\w)\(([\w-]+)\)(.*)", one.strip())
    if optional:
        return [squash(optional[1] + optional[3]), squash(optional[1] + optional[2] + optional[3])]
    return [squash(one)]


def _spread(chunk: str) -> list[str]:
    """Each code of a list: XGK-CPUU, XGK-CPUH and XGK-CPUA of "XGK-CPUU/H/A", AFF665 of "AFF660/665"."""
    first, *others = chunk.split("/")
    if not others or re.fullmatch(r"\d{3,5}/\d{2,3}\w?", chunk):
        return [chunk]
    found = [first]
    for one in others:
        if parts(one):
            found += [one] if len(one) > 2 or not one.isalpha() else []  # noqa: PLR2004 -- too short to be one
            found += [first[: -len(one)] + one] if len(one) < len(first) else []
    return found


def _pattern(code: str) -> str:
    """The code as a regular expression over letters and digits."""
    cut = re.sub(r"\([^)]*\)", "*", code)
    if len(_ANY.findall(cut)) > _OPEN_MAX:
        return re.escape(squash(cut))
    pieces = []
    end = 0
    for hit in _ANY.finditer(cut):
        pieces.append(re.escape(squash(cut[end : hit.start()])))
        pieces.append("[a-z0-9]*" if "*" in hit[0] or "#" in hit[0] else "[a-z0-9]+")
        end = hit.end()
    return "".join(pieces) + re.escape(squash(cut[end:]))


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says: its words alone and joined, in its names and beside them.

    *codes* are those of its model, *words* its other words; *cut* are its codes in parts, *initials*
    those of its words, *spelled* every word of maker and model.
    """

    grams: frozenset[str]
    beside: frozenset[str]
    codes: tuple[str, ...]
    words: tuple[str, ...]
    cut: tuple[tuple[str, ...], ...]
    letters: frozenset[str]
    initials: frozenset[str]
    spelled: frozenset[str]


def said(names_: str, model: str, beside: str) -> Said:
    """Read a line: *names_* is maker and model, *model* what is left without the maker."""
    needs = [need for name in names(model) for need in name.needs] if model else []
    lettered = _LETTER.search(f"{model} {beside}")
    words = [held for held in parts(model) if held.isalpha()]
    return Said(
        grams=frozenset(_grams(names_)) | frozenset(_grams(model)),
        beside=frozenset(_grams(beside)),
        codes=tuple(need.forms[0] for need in needs if need.kind == "code" and need.forms),
        words=tuple(words),
        cut=tuple(tuple(parts(chunk)) for chunk in model.split() if any(map(str.isdigit, chunk))),
        letters=frozenset(one.upper() for one in lettered.groups() if one)
        if lettered
        else frozenset(),
        initials=frozenset(_initials(words)),
        spelled=frozenset(held for held in parts(names_) if held.isalpha()),
    )


def _initials(words: Sequence[str]) -> Iterator[str]:
    """Every run of three to six words by its first letters."""
    for low in range(len(words)):
        for high in range(low + 2, min(len(words), low + JOINED_MAX) + 1):
            yield "".join(word[0] for word in words[low:high])


def _grams(text: str) -> Iterator[str]:
    humps = parts(_HUMP.sub(" ", text))
    for held in (parts(text), _finer(text), humps):
        for low in range(len(held)):
            for high in range(low + 1, min(len(held), low + JOINED_MAX) + 1):
                yield "".join(held[low:high])
    for short in parts(text):
        if short in _SHORT:
            yield _SHORT[short]


def _finer(text: str) -> list[str]:
    """Parts cut between letters and digits too, where three letters or more stand together."""
    found: list[str] = []
    for part in parts(text):
        pieces = _SPLIT.split(part)
        long = any(piece.isalpha() and len(piece) > 2 for piece in pieces)  # noqa: PLR2004 -- "nport5110"
        found += pieces if long else [part]
    return found


def near(one: str, other: str) -> bool:
    """Whether two words differ by a slip of the finger: one sign, two in long words."""
    if min(len(one), len(other)) < 5 or one[0] != other[0]:  # noqa: PLR2004 -- short words have neighbours
        return False
    allowed = 1 if max(len(one), len(other)) < 8 else 2  # noqa: PLR2004 -- as the docstring says
    return abs(len(one) - len(other)) <= allowed and _distance(one, other, allowed) <= allowed


def _distance(one: str, other: str, allowed: int) -> int:
    """Edits between two words, a swap of neighbours counting one; more than *allowed* is cut short."""
    earlier: list[int] = []
    above = list(range(len(other) + 1))
    for row, sign in enumerate(one, 1):
        here = [row]
        for column, beside in enumerate(other, 1):
            cost = min(above[column] + 1, here[-1] + 1, above[column - 1] + (sign != beside))
            swapped = (
                row > 1 and column > 1 and sign == other[column - 2] and one[row - 2] == beside
            )
            here.append(min(cost, earlier[column - 2] + 1) if swapped else cost)
        if min(here) > allowed:
            return allowed + 1
        earlier, above = above, here
    return above[-1]
