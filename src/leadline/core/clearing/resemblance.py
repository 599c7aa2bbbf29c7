"""Whether a component without a package identity may be the product an advisory names.

A resemblance is never a match: it turns a pair into a question. So the rules lean towards asking.
"""

import re

from leadline.core.clearing.product import Component, Package

# Types whose packages carry someone else's code under their own release numbers.
REPACKAGED = frozenset({"apk", "conda", "deb", "generic", "rpm"})
_FILLERS = frozenset({
    "for", "js", "lib", "library", "module", "node", "npm", "package", "py", "pypi", "python",
    "python2", "python3", "the",
})  # fmt: skip
_TOKEN = re.compile(r"[a-z0-9]+")
_MODEL_CHARACTERS_MIN = 3


def plain(name: str) -> str:
    """A name reduced to lower-case letters and digits, without words like "python" or "library"."""
    tokens = _TOKEN.findall(name.lower())
    return "".join(token for token in tokens if token not in _FILLERS) or "".join(tokens)


def may_be(component: Component, product: Package) -> bool:
    """Whether *component* may be *product*, which is known by maker and name only."""
    return _same_maker(component, product) and _same_model(component.name, product.name)


def _same_maker(component: Component, product: Package) -> bool:
    """Makers share a word; a line without a maker is compared by its model alone."""
    makers = set(_TOKEN.findall(component.maker.lower()))
    named = set(_TOKEN.findall(f"{product.namespace} {product.name}".lower()))
    return not makers or bool(makers & named)


def _same_model(model: str, product: str) -> bool:
    ours, theirs = plain(model), plain(product)
    if min(len(ours), len(theirs)) < _MODEL_CHARACTERS_MIN:
        return ours == theirs != ""
    return ours in theirs or theirs in ours
