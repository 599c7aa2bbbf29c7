"""Whether a component without a package identity may be the product an advisory names.

A resemblance is never a match: it turns a pair into a question. So the rules lean towards asking.
"""

import re
from functools import lru_cache

from leadline.core.clearing.product import Component, Package

# Types whose packages carry someone else's code under their own release numbers.
REPACKAGED = frozenset({"apk", "conda", "deb", "generic", "rpm"})
_FILLERS = frozenset({
    "for", "js", "lib", "library", "module", "node", "npm", "package", "py", "pypi", "python",
    "python2", "python3", "the",
})  # fmt: skip
_TOKEN = re.compile(r"[a-z0-9]+")
_MODEL_CHARACTERS_MIN = 3
_CODE_CHARACTERS_MIN = 6
# Words that many products and makers have in their names.
_COMMON = frozenset({
    "all", "and", "automation", "co", "control", "controller", "controls", "corporation", "cpu", "data",
    "device", "electric", "electronics", "firmware", "gateway", "gmbh", "group", "inc", "industrial",
    "industries", "international", "ltd", "manager", "medical", "module", "networks", "of", "panel",
    "platform", "power", "pro", "prior", "remote", "router", "rtu", "scada", "series", "server",
    "software", "station", "studio", "suite", "switch", "system", "systems", "technologies", "unit",
    "version", "versions", "web", "with",
})  # fmt: skip


@lru_cache(maxsize=65_536)
def plain(name: str) -> str:
    """A name reduced to lower-case letters and digits, without words like "python" or "library"."""
    tokens = _TOKEN.findall(name.lower())
    return "".join(token for token in tokens if token not in _FILLERS) or "".join(tokens)


def may_be(component: Component, product: Package) -> bool:
    """Whether *component* may be *product*, which is known by maker and name only.

    Either one name holds the other (a long model code alone is enough, a shorter one needs the maker),
    or the makers share a word and the names share a telling one.
    """
    ours, theirs = plain(component.name), plain(product.name)
    held = min(len(ours), len(theirs)) >= _MODEL_CHARACTERS_MIN and (
        ours in theirs or theirs in ours
    )
    if not _same_maker(component, product):
        short = min(ours, theirs, key=len)
        return held and len(short) >= _CODE_CHARACTERS_MIN and any(map(str.isdigit, short))
    shared = set(_TOKEN.findall(component.name.lower())) & set(_TOKEN.findall(product.name.lower()))
    telling = {token for token in shared - _COMMON if len(token) >= _MODEL_CHARACTERS_MIN}
    return held or ours == theirs != "" or bool(telling)


def _same_maker(component: Component, product: Package) -> bool:
    """Makers share a word; a line without a maker is compared by its model alone."""
    makers = set(_TOKEN.findall(component.maker.lower())) - _COMMON
    named = set(_TOKEN.findall(f"{product.namespace} {product.name}".lower()))
    return not makers or bool(makers & named)
