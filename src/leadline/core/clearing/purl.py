"""Package-URLs: read, checked by the rules of their type, and written in canonical form.

What a type's rules forbid is refused rather than repaired, so that two different packages never become
one; what they only spell differently (case, ``_`` and ``-``) becomes one spelling.
Source: Package-URL specification (ECMA-427) and its type definitions, package-url/purl-spec.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote, unquote

from typing_extensions import override

from leadline.core.errors import Invalid

CHARACTERS_MAX = 4096
_TYPE = re.compile(r"[a-z][a-z0-9.-]*")
# The published cases refuse a capital at the beginning of a key and lower it elsewhere.
_KEY = re.compile(r"[a-z][A-Za-z0-9._-]*")
# Nothing percent-quoted, no qualifier and no subpath: most of what inventories hold.
SIMPLE = re.compile(
    r"pkg:([a-z][a-z0-9.-]*)/((?:[\w.~:+-]+/)*)([\w.~:+-]+)(?:@([\w.~:+-]+))?", re.ASCII
)
_LOWER_NAMESPACE = frozenset(
    "alpm apk bitbucket brew composer github gitlab hex luarocks pypi qpkg".split()  # noqa: SIM905 -- a table
)
_LOWER_NAME = frozenset(
    "alpm apk bitbucket bitnami brew composer github gitlab hex luarocks npm oci pub pypi".split()  # noqa: SIM905 -- a table
)
_LOWER_VERSION = frozenset({"huggingface", "oci"})
VERSION_RULES = _LOWER_VERSION | {"chrome-extension"}  # types that have rules for the version
_NAMESPACE_NEEDED = frozenset({"swift", "vscode-extension"})
_NAMESPACE_FORBIDDEN = frozenset({"otp", "vcpkg"})
_CHROME_NAME = re.compile(r"[a-p]{32}")
_CHROME_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,3}")


@dataclass(frozen=True, slots=True)
class Purl:
    """The parts of a Package-URL, unquoted and spelled as its type prescribes; empty where absent."""

    type: str
    namespace: str
    name: str
    version: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()
    subpath: str = ""

    def qualifier(self, key: str) -> str:
        """The value of one qualifier; empty if it is not given."""
        return dict(self.qualifiers).get(key, "")

    @override
    def __str__(self) -> str:
        """The canonical text."""
        sign = "/" if self.type == "git" else ""
        text = f"pkg:{self.type}/"
        if self.namespace:
            text += "/".join(map(_quoted, self.namespace.split("/"))) + "/"
        text += quote(self.name, safe=":" + sign)
        if self.version:
            text += "@" + _quoted(self.version)
        if self.qualifiers:
            text += "?" + "&".join(f"{key}={_quoted(value)}" for key, value in self.qualifiers)
        if self.subpath:
            text += "#" + "/".join(map(_quoted, self.subpath.split("/")))
        return text


def _quoted(part: str) -> str:
    return quote(part, safe=":")


@lru_cache(maxsize=65_536)
def parse(text: str) -> Purl:
    """Read a Package-URL.

    Raises: Invalid, naming what the specification asks for.
    """
    simple = SIMPLE.fullmatch(text) if len(text) <= CHARACTERS_MAX else None
    if simple is not None:
        kind, namespace, name, version = simple.groups("")
        return make(kind, namespace[:-1], name, version)
    return _parsed(text)


def _parsed(text: str) -> Purl:
    shown = text[:200]
    if len(text) > CHARACTERS_MAX:
        raise Invalid("purl", f"{shown!r}... is longer than {CHARACTERS_MAX} characters")
    rest, _, subpath = text.strip().partition("#")
    rest, _, asked = rest.partition("?")
    scheme, colon, rest = rest.partition(":")
    if not colon or scheme.lower() != "pkg":
        raise Invalid("purl", f"{shown!r} is no Package-URL: it does not begin with pkg:")
    kind, _, rest = rest.lstrip("/").partition("/")
    path, version = _version(rest)
    segments = [unquote(part) for part in path.split("/") if part]
    if not segments or (path.endswith("/") and version):
        raise Invalid("purl", f"{shown!r} is no Package-URL: a name is needed after the type")
    return make(
        kind,
        "/".join(segments[:-1]),
        segments[-1],
        unquote(version),
        _asked(asked, shown),
        unquote(subpath),
    )


def _version(rest: str) -> tuple[str, str]:
    """Path and version; an ``@`` that begins a segment with others after it is part of a scope."""
    path, sign, version = rest.rpartition("@")
    if not sign or ((not path or path.endswith("/")) and "/" in version):
        return rest, ""
    return path + ("/" if not path or path.endswith("/") else ""), version


def _asked(text: str, shown: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, text.split("&")):
        key, sign, value = pair.partition("=")
        if not sign or key in found:
            problem = "stands twice" if sign else "has no value"
            raise Invalid("purl", f"{shown!r} is no Package-URL: qualifier {key[:80]!r} {problem}")
        found[key] = unquote(value)
    return found


def make(
    kind: str,
    namespace: str,
    name: str,
    version: str = "",
    qualifiers: Mapping[str, str] | None = None,
    subpath: str = "",
) -> Purl:
    """A Package-URL from unquoted parts, spelled and checked as its type prescribes.

    Raises: Invalid, if a part cannot stand in a Package-URL of this type.
    """
    kind = kind.lower()
    if _TYPE.fullmatch(kind) is None:
        _refuse(kind, name, "the type begins with a letter and holds letters, digits, . and - only")
    if "/" in namespace:
        namespace = "/".join(part for part in namespace.split("/") if part)
    namespace, name, version = namespace.strip(), name.strip("/ "), version.strip()
    if kind in _LOWER_NAMESPACE:
        namespace = namespace.lower()
    if kind in _LOWER_NAME:
        name = name.lower()
    if kind in _LOWER_VERSION:
        version = version.lower()
    asked = _checked(kind, name, qualifiers or {}) if qualifiers else ()
    if kind in _OWN_RULES:
        namespace, name = _OWN_RULES[kind](namespace, name, version, dict(asked))
    _check(kind, namespace, name)
    parts = (part for part in subpath.split("/") if part.strip() and part not in {".", ".."})
    return Purl(kind, namespace, name, version, asked, "/".join(parts) if subpath else "")


def _check(kind: str, namespace: str, name: str) -> None:
    if not name:
        _refuse(kind, name, "a name is needed")
    if kind in _NAMESPACE_NEEDED and not namespace:
        _refuse(kind, name, "this type needs a namespace")
    if kind in _NAMESPACE_FORBIDDEN and namespace:
        _refuse(kind, name, "this type has no namespace")
    if "\0" in namespace or "\0" in name:
        _refuse(kind, name, "a NUL can stand in no name")


def _checked(kind: str, name: str, asked: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for key in asked:
        if _KEY.fullmatch(key) is None:
            _refuse(kind, name, f"qualifier {key[:80]!r}: small letters, digits, ., - and _ only")
    held = {key.lower(): value for key, value in asked.items()}
    if len(held) < len(asked):
        _refuse(kind, name, "a qualifier stands twice")
    return tuple(sorted((key, value) for key, value in held.items() if value.strip()))


def _refuse(kind: str, name: str, problem: str) -> NoReturn:
    raise Invalid("purl", f"type {kind[:80]!r}, name {name[:200]!r}: {problem}")


_Asked = Mapping[str, str]


def _pypi(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    del version, asked
    return namespace, name.replace("_", "-")


def _pub(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    del version, asked
    return namespace, re.sub(r"[^a-z0-9]", "_", name)


def _cpan(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    """A distribution, not a module; its author in capitals."""
    del version, asked
    if "::" in name:
        _refuse("cpan", name, "a distribution is named with -, modules with ::")
    return namespace.upper(), name


def _chrome(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    del asked
    if _CHROME_NAME.fullmatch(name) is None:
        _refuse("chrome-extension", name, "the name is 32 letters from a to p")
    if version and _CHROME_VERSION.fullmatch(version) is None:
        _refuse("chrome-extension", name, f"version {version[:80]!r} is not one to four numbers")
    return namespace, name


def _git(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    """The host is the namespace, the whole path on it the name."""
    del version, asked
    host, _, path = namespace.partition("/")
    joined = f"{path}/{name}" if path else name
    return (host, joined.lower()) if host == "github" else (host, joined)


def _julia(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    del version
    if name and not asked.get("uuid"):
        _refuse("julia", name, "the qualifier uuid is needed; names are not unique")
    return namespace, name


def _mlflow(namespace: str, name: str, version: str, asked: _Asked) -> tuple[str, str]:
    """Databricks takes no heed of case."""
    del version
    return namespace, name.lower() if "databricks" in asked.get("repository_url", "") else name


_OWN_RULES: Mapping[str, Callable[[str, str, str, _Asked], tuple[str, str]]] = {
    "chrome-extension": _chrome,
    "cpan": _cpan,
    "git": _git,
    "hackage": _pypi,
    "julia": _julia,
    "mlflow": _mlflow,
    "pub": _pub,
    "pypi": _pypi,
}
