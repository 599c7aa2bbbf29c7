"""``advisory.toml``: an advisory as a person writes it.

    id = "EXAMPLE-2027-1"
    title = "Overflow in sample"
    complete sets of keys: publisher, namespace, found_by, notes, [[revision]] (at, summary), [[reference]] (url,
    summary), [[credit]] (name, kind, organisation), [[flaw]] (ids, title, description, cwe, remedy, workaround)
    with [[flaw.score]] (vector, by) and [[flaw.package]] (purl, branch, affected, fixed, not_affected, untested,
    complete, because)

Releases are a list of texts: ``"1.4"`` is one release, ``">=1.0 <1.5"`` a range (``<``, ``<=``, ``>``, ``>=``, a lower
end first), ``"*"`` every release. ``complete = true`` says that all affected releases are named, so that the others
are not affected. Revisions are numbered in their order. Unknown keys are refused.
"""

import re
from datetime import UTC
from pathlib import PurePath

from leadline.core.clearing.advisory import (
    BECAUSE,
    CREDITS,
    DEMONSTRATION_NAMESPACE,
    DEMONSTRATION_PUBLISHER,
    Advisory,
    Credit,
    Flaw,
    Reference,
    Revision,
    Score,
    Statement,
)
from leadline.core.clearing.product import Interval, Releases, parse_purl
from leadline.core.errors import Invalid
from leadline.formats import scoring
from leadline.formats.toml_table import Table, open_table

FORMAT = "advisory.toml"
FILE_BYTES_MAX = 1 << 20
_END = re.compile(r"(>=|<=|>|<)\s*(\S+)")
_CWE = re.compile(r"CWE-[1-9]\d{0,6}")


def parse(content: bytes, file: str = FORMAT) -> Advisory:
    """Read an advisory. It is a draft under TLP:AMBER+STRICT, whatever becomes of it.

    Raises: Invalid, naming file and key.
    """
    if len(content) > FILE_BYTES_MAX:
        raise Invalid(file, f"longer than {FILE_BYTES_MAX} bytes")
    root = open_table(content, PurePath(file).name)
    made = Advisory(
        id=root.text("id"),
        title=root.text("title"),
        flaws=tuple(map(_flaw, root.tables("flaw"))),
        revisions=tuple(
            _revision(number, one) for number, one in enumerate(root.tables("revision"), 1)
        ),
        publisher=root.optional("publisher", str) or DEMONSTRATION_PUBLISHER,
        namespace=root.optional("namespace", str) or DEMONSTRATION_NAMESPACE,
        found_by=root.optional("found_by", str) or "",
        references=tuple(map(_reference, root.tables("reference"))),
        credits=tuple(map(_credit, root.tables("credit"))),
        notes=root.texts("notes"),
    )
    root.done()
    if not made.flaws or not made.revisions:
        raise Invalid(file, "at least one [[flaw]] and one [[revision]] are due")
    return made


def _revision(number: int, table: Table) -> Revision:
    made = Revision(str(number), table.moment("at").astimezone(UTC), table.text("summary"))
    table.done()
    return made


def _reference(table: Table) -> Reference:
    made = Reference(table.text("url"), table.text("summary"))
    table.done()
    return made


def _credit(table: Table) -> Credit:
    kind = table.optional("kind", str) or "finder"
    if kind not in CREDITS:
        raise table.wrong("kind", f"{kind!r} is none of {', '.join(CREDITS)}")
    made = Credit(table.text("name"), kind, table.optional("organisation", str) or "")
    table.done()
    return made


def _flaw(table: Table) -> Flaw:
    cwe = table.optional("cwe", str) or ""
    if cwe and not _CWE.fullmatch(cwe):
        raise table.wrong("cwe", f"{cwe!r} is no weakness class, such as CWE-787")
    made = Flaw(
        ids=table.texts("ids"),
        title=table.text("title"),
        description=table.text("description"),
        statements=tuple(map(_statement, table.tables("package"))),
        cwe=cwe,
        remedy=table.optional("remedy", str) or "",
        workaround=table.optional("workaround", str) or "",
        scores=tuple(map(_score, table.tables("score"))),
    )
    table.done()
    return made


def _score(table: Table) -> Score:
    made = Score(table.text("vector"), table.text("by"))
    try:
        scoring.read(made.vector)
    except Invalid as error:
        raise table.wrong("vector", error.problem) from error
    table.done()
    return made


def _statement(table: Table) -> Statement:
    try:
        release = parse_purl(table.text("purl"))
    except Invalid as error:
        raise table.wrong("purl", error.problem) from error
    if release.version:
        raise table.wrong("purl", "names the package alone; releases stand in their own lists")
    because = table.optional("because", str) or ""
    if because and because not in BECAUSE:
        raise table.wrong("because", f"{because!r} is none of {', '.join(BECAUSE)}")
    made = Statement(
        package=release.package,
        affected=_releases(table, "affected"),
        fixed=_releases(table, "fixed"),
        not_affected=_releases(table, "not_affected"),
        untested=_releases(table, "untested"),
        complete=table.optional("complete", bool) or False,
        branch=table.optional("branch", str) or "",
        because=because,
    )
    table.done()
    return made


def _releases(table: Table, name: str) -> Releases:
    spans: list[Interval] = []
    listed: list[str] = []
    for words in table.texts(name):
        if not words.strip():
            raise table.wrong(name, "an empty text names no release")
        if words.strip() == "*":
            spans.append(Interval())
        elif words.lstrip()[0] in "<>":
            spans.append(_interval(table, name, words))
        else:
            listed.append(words.strip())
    return Releases(tuple(spans), tuple(listed))


def _interval(table: Table, name: str, words: str) -> Interval:
    ends = _END.findall(words)
    signs = "".join(sign[0] for sign, _ in ends)
    if _END.sub("", words).strip() or signs not in {"<", ">", "><"}:
        raise table.wrong(name, f'{words!r:.80} is no range; such as ">=1.0 <1.5"')
    low = next((one for one in ends if one[0][0] == ">"), (">=", ""))
    high = next((one for one in ends if one[0][0] == "<"), ("<", ""))
    return Interval(low[1], high[1], low_included=low[0] == ">=", high_included=high[0] == "<=")
