"""``.leadline.toml``: a project's intake contract, a file in its maintainers' own repository.

Only ``project`` and ``contact`` are due; everything else has a default that asks little of maintainers
and sends them little. Every fault is listed with its line. Where a project has no such file, its
security policy gives a contact and nothing else, and the contract says that it was read out of that.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from leadline.core.clearing.contract import (
    DEFAULT_OPEN,
    DEFAULT_PER_WEEK,
    PER_WEEK_MAX,
    Contract,
    Embargo,
    Exclusion,
    Wanted,
    package_of,
)
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import Faulty
from leadline.core.errors import Invalid
from leadline.formats.answers_toml import quoted
from leadline.formats.toml_table import Table, open_table

FORMAT = "contract"
FILE = ".leadline.toml"
BYTES_MAX = 256 << 10
TEXTS_MAX = 1_000
CHARACTERS_MAX = 1_000
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/@+-]{0,199}")
_CWE = re.compile("CWE-[1-9][0-9]{0,4}")
_KEYS = {
    "": {
        *("project", "contact", "packages", "repositories", "maintainers", "per_week", "max_open"),
        *("paused", "paused_until", "embargo", "disclosure", "minimum_severity", "upstream_first"),
        *("decline_route", "scope", "exclusion", "evidence"),
    },
    "scope": {"include", "exclude", "releases"},
    "evidence": {"reproducer", "patch", "test", "human_confirmer"},
    "exclusion": {"clause", "says", "paths", "weaknesses"},
}
_MAIL = re.compile(
    r"(?:mailto:)?\b([A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})\b"
)
_FORM = re.compile(r"https://[^\s)>\]\"']{1,300}/security/advisories(?:/new)?\b")

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)


def load_contract(content: bytes, file: str = FILE) -> Contract:
    """The contract in a file.

    Raises: Faulty, with every fault, each with its line.
    """
    if len(content) > BYTES_MAX:
        raise Faulty(file, [Fault("", f"is larger than {BYTES_MAX} bytes")])
    try:
        table = open_table(content, file)
    except Invalid as error:
        raise Faulty(file, [Fault("", error.problem)]) from None
    return _Reading(content, file).contract(table)


def infer_contract(content: bytes, project: str) -> Contract:
    """What a security policy says of where reports go; nothing else is guessed from its words.

    Raises: Faulty, if it is no text or names nobody to write to.
    """
    try:
        words = content[:BYTES_MAX].decode("utf-8")
    except UnicodeDecodeError:
        raise Faulty(project, [Fault("", "is no UTF-8 text")]) from None
    found = _FORM.search(words) or _MAIL.search(words)
    if not _PROJECT.fullmatch(project) or found is None:
        problem = f"names no address to write to; ask the project, or have it add {FILE}"
        raise Faulty(project[:80], [Fault("", problem)])
    contact = found[1] if found.lastindex else found[0]
    digest = hashlib.sha256(content).hexdigest()
    return Contract(project, contact, reproducer=Wanted.WELCOME, inferred=True, digest=digest)


def render(contract: Contract) -> str:
    """The file that says what *contract* says; read again it is the same, but for the digest."""
    return "\n".join(_written(contract)) + "\n"


def _written(one: Contract) -> Iterator[str]:
    yield f"project = {quoted(one.project)}"
    yield f"contact = {quoted(one.contact)}"
    for name in ("packages", "repositories", "maintainers"):
        yield from _listed(name, getattr(one, name))
    yield f"per_week = {one.per_week}"
    yield f"max_open = {one.max_open}"
    if one.paused:
        yield "paused = true"
    if one.paused_until is not None:
        yield f"paused_until = {one.paused_until.isoformat()}"
    yield f"embargo = {quoted(one.embargo.value)}"
    yield f"minimum_severity = {quoted(one.minimum_severity.value)}"
    others = {
        "disclosure": one.disclosure_policy,
        "upstream_first": one.upstream_first,
        "decline_route": one.decline_route,
    }
    yield from (f"{name} = {quoted(text)}" for name, text in others.items() if text)
    yield "\n[evidence]"
    for name in ("reproducer", "patch", "test", "human_confirmer"):
        yield f"{name} = {quoted(getattr(one, name).value)}"
    yield "\n[scope]"
    for name in ("include", "exclude", "releases"):
        yield from _listed(name, getattr(one, name))
    for clause in one.exclusions:
        yield "\n[[exclusion]]"
        yield f"clause = {quoted(clause.clause)}"
        yield f"says = {quoted(clause.says)}"
        yield from _listed("paths", clause.paths)
        yield from _listed("weaknesses", clause.weaknesses)


def _listed(name: str, texts: Iterable[str]) -> Iterator[str]:
    if held := ", ".join(map(quoted, texts)):
        yield f"{name} = [{held}]"


class _Reading:
    """One file under way, with what was wrong so far."""

    def __init__(self, content: bytes, file: str) -> None:
        self._lines = content.decode("utf-8").splitlines()
        self._content, self._file = content, file
        self._faults = list[Fault]()

    def contract(self, table: Table) -> Contract:
        """The whole contract; raises Faulty."""
        self._unknown(table, "")
        scope, evidence = self._table(table, "scope"), self._table(table, "evidence")
        made = Contract(
            project=self._project(table),
            contact=self._said(table, "contact"),
            packages=self._packages(table),
            repositories=self._texts(table, "repositories"),
            maintainers=self._texts(table, "maintainers"),
            include=self._texts(scope, "include"),
            exclude=self._texts(scope, "exclude"),
            releases=self._texts(scope, "releases"),
            exclusions=tuple(self._exclusions(table)),
            reproducer=self._choice(evidence, "reproducer", Wanted, Wanted.REQUIRED),
            patch=self._choice(evidence, "patch", Wanted, Wanted.WELCOME),
            test=self._choice(evidence, "test", Wanted, Wanted.WELCOME),
            human_confirmer=self._choice(evidence, "human_confirmer", Wanted, Wanted.WELCOME),
            per_week=self._number(table, "per_week", DEFAULT_PER_WEEK),
            max_open=self._number(table, "max_open", DEFAULT_OPEN),
            paused=self._get(lambda: table.optional("paused", bool), None) or False,
            paused_until=self._paused_until(table),
            embargo=self._choice(table, "embargo", Embargo, Embargo.PRIVATE),
            disclosure_policy=self._optional(table, "disclosure"),
            minimum_severity=self._choice(table, "minimum_severity", Severity, Severity.UNKNOWN),
            upstream_first=self._optional(table, "upstream_first"),
            decline_route=self._optional(table, "decline_route"),
            digest=hashlib.sha256(self._content).hexdigest(),
        )
        if self._faults:
            raise Faulty(self._file, self._faults)
        return made

    def _get(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Invalid as error:
            self._fault(error.field.removeprefix(f"{self._file}: "), error.problem)
            return otherwise

    def _fault(self, key: str, problem: str) -> None:
        name = key.rpartition(".")[2].partition("[")[0]
        mark = re.compile(rf"\s*(?:\[+\s*)?[\"']?{re.escape(name)}[\"']?\s*(?:[=.\]])")
        line = next((at for at, one in enumerate(self._lines, 1) if mark.match(one)), 0)
        place = f", line {line}: {key}" if line else f": {key}"
        self._faults.append(Fault(place, problem))

    def _unknown(self, table: Table, name: str, key: str = "") -> None:
        for one in sorted(table.keys() - _KEYS[name]):
            known = ", ".join(sorted(_KEYS[name]))
            problem = f"is no key here; there are {known}"
            self._fault(f"{key}.{one}" if key else one, problem)

    def _table(self, table: Table, name: str) -> Table:
        empty = Table(self._file, name, {})
        if name not in table:
            return empty
        found = self._get(lambda: table.table(name), empty)
        self._unknown(found, name, name)
        return found

    def _project(self, table: Table) -> str:
        name = self._get(lambda: table.text("project"), "unnamed")
        if not _PROJECT.fullmatch(name):
            self._fault("project", "letters, digits, blanks and . _ / @ + - are taken, 200 at most")
        return name

    def _number(self, table: Table, name: str, otherwise: int) -> int:
        found = self._get(lambda: table.optional(name, int), None)
        if found is None:
            return otherwise
        if not 1 <= found <= PER_WEEK_MAX:
            cure = "to take nothing, write `paused = true`"
            self._fault(name, f"a whole number from 1 to {PER_WEEK_MAX}; {cure}")
            return otherwise
        return found

    def _optional(self, table: Table, name: str) -> str:
        return self._said(table, name) if name in table else ""

    def _texts(self, table: Table, name: str) -> tuple[str, ...]:
        none: tuple[str, ...] = ()
        found = self._get(lambda: table.texts(name), none)
        if len(found) > TEXTS_MAX or any(not 0 < len(one) <= CHARACTERS_MAX for one in found):
            self._fault(name, f"at most {TEXTS_MAX} texts of 1 to {CHARACTERS_MAX} characters")
        return found

    def _packages(self, table: Table) -> tuple[str, ...]:
        found = self._texts(table, "packages")
        for one in found:
            if package_of(one) is None:
                self._fault("packages", f"{one[:80]!r} is no Package-URL, such as pkg:pypi/ujson")
        return found

    def _choice(self, table: Table, name: str, words: type[W], otherwise: W) -> W:
        if name not in table:
            return otherwise
        return self._get(lambda: table.choice(name, words), otherwise)

    def _paused_until(self, table: Table) -> datetime | None:
        if "paused_until" not in table:
            return None
        return self._get(lambda: table.moment("paused_until"), None)

    def _exclusions(self, table: Table) -> Iterable[Exclusion]:
        none = list[Table]()
        for one in self._get(lambda: table.tables("exclusion"), none):
            self._unknown(one, "exclusion", "exclusion")
            weaknesses = self._texts(one, "weaknesses")
            if any(not _CWE.fullmatch(cwe) for cwe in weaknesses):
                self._fault("exclusion.weaknesses", "give weakness classes such as CWE-400")
            yield Exclusion(
                self._said(one, "clause"),
                self._said(one, "says"),
                self._texts(one, "paths"),
                weaknesses,
            )

    def _said(self, table: Table, name: str) -> str:
        return self._get(lambda: table.text(name), "")
