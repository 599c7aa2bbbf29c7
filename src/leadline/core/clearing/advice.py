"""What an advisory in words tells the keeper of a device to do: at once, and then.

Publishers use the categories of remedies loosely, so the words decide: what names a version or an update is
the update, what says to restrict or switch something off can be done without new software. Where an
advisory has neither, it is said that there is none; nothing is invented beyond the one advice that every
publisher gives, to keep the device off the internet.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadline.core.clearing.bulletin import Bulletin, Remedy

_SENTENCE_MAX = 210
_UPDATE = re.compile(
    r"\b(?:updat|upgrad|patch|install|firmware|fixed in|or later|or higher|new(?:er)? version|replace)\w*",
    re.IGNORECASE,
)
_DO = re.compile(
    r"\b(?:restrict|disabl|block|limit|isolat|firewall|vpn|segment|disconnect|password|credential|encrypt|"
    r"minimi[sz]|avoid|protect|close|deny|allow|trusted|physical|unused|monitor)\w*",
    re.IGNORECASE,
)
_NO_FIX = frozenset({"none_available", "no_fix_planned"})
_CONTROL = frozenset({"mitigation", "workaround"})
ISOLATE = (
    "Keep it off the internet: let nothing outside its own network reach it, and reach it from outside"
    " through a guarded connection only."
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What an advisory says to do about one product.

    *tonight* can be done without new software, or is the update where nothing else is advised; *then*
    is the update, or that there is none.
    """

    tonight: str
    then: str


def advise(bulletin: Bulletin, products: Sequence[str]) -> Advice:
    """What the advisory says to do about *products*, first what can be done at once."""
    mine = [one for one in bulletin.remedies if one.products & set(products) and one.text.strip()]
    updates = [one for one in mine if one.category not in _NO_FIX and _UPDATE.search(one.text)]
    controls = [one for one in mine if one.category in _CONTROL and one not in updates]
    controls = [one for one in controls if _DO.search(one.text)]
    without = [one for one in mine if one.category in _NO_FIX]
    control = (
        short(max(controls, key=lambda one: len(_DO.findall(one.text))).text) if controls else ""
    )
    if updates:
        update = short(_best_update(updates).text)
        return Advice(control or ISOLATE, update)
    then = short(without[0].text) if without else "The advisory names no update. Ask the maker."
    return Advice(control or ISOLATE, f"No update: {then}" if without else then)


def _best_update(updates: Sequence[Remedy]) -> Remedy:
    """The maker's own fix before a general hint; one that names a version first."""
    return min(
        updates, key=lambda one: (one.category != "vendor_fix", not re.search(r"\d\.\d", one.text))
    )


def short(text: str, limit: int = _SENTENCE_MAX) -> str:
    """The first sentences that have room, cut at a word where even the first has none."""
    plain = " ".join(text.split())
    if len(plain) <= limit:
        return plain
    end = max(plain.rfind(sign, 0, limit) for sign in (". ", "; ", ": "))
    if end > limit // 3:
        return plain[: end + 1].rstrip(";:")
    return f"{plain[: plain.rfind(' ', 0, limit)]} \u2026"
