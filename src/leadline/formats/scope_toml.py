"""The scope of an item as its suite writes it down; what it leaves out is taken from another scope."""

from collections.abc import Mapping

from leadline.core.scope import Forbidden, Scope, Severity
from leadline.formats.toml_table import Table, open_table

PORT_MAX = 65_535
SEVERITIES: Mapping[str, Severity] = {one: one for one in ("notice", "warning", "alarm")}


def load_scope(content: bytes, file: str) -> Scope:
    """The scope in *content*; raises Invalid, naming *file* and the key."""
    table = open_table(content, file)
    scope = Scope(
        hosts=table.texts("hosts"),
        ports=tuple(_port(table, text) for text in table.texts("ports")),
        paths=table.texts("paths"),
        closed_paths=table.texts("closed_paths"),
        accounts=table.texts("accounts"),
        forbidden=tuple(_forbidden(one) for one in table.tables("forbidden")),
        programs=table.texts("programs"),
    )
    table.done()
    return scope


def _port(table: Table, text: str) -> int:
    short = len(text) <= len(str(PORT_MAX))
    if not short or not text.isdecimal() or not 0 < int(text) <= PORT_MAX:
        raise table.wrong(
            "ports", f"{text!r:.80} is no port; give numbers from 1 to 65535 as texts"
        )
    return int(text)


def _forbidden(table: Table) -> Forbidden:
    severity = table.optional("severity", str) or "warning"
    if severity not in SEVERITIES:
        raise table.wrong("severity", f"{severity!r} is none of {', '.join(SEVERITIES)}")
    words = tuple(tuple(one.split()) for one in table.texts("words"))
    if not words or not all(words):
        raise table.wrong("words", "give at least one act, each as its words")
    act = Forbidden(table.text("name"), words, SEVERITIES[severity])
    table.done()
    return act
