"""Terms as a file that people write, read and compare before they sign."""

import json

from leadline.core.engagement.terms import WORDS, Disclosure, Priority, Records, Terms
from leadline.core.errors import Invalid
from leadline.core.record.act import instant
from leadline.formats.toml_table import Table, open_table

BYTES_MAX = 1 << 18
NOTES = {
    "confidentiality": "What the parties keep to themselves, and for how long.",
    "cybersecurity": "How what is opened is protected.",
    "insider_risk": "Who among the recipients may come near it, and how that is watched.",
    "intellectual_property": "Whose it stays.",
    "use": "What it is used for, in words; the words that machines check are `purposes`.",
    "nondisclosure": "What is not told to others.",
}


def load_terms(content: bytes, file: str) -> Terms:
    """Read a file of terms.

    Raises: Invalid, naming file and key, for a missing, unknown, wrong or oversized entry.
    """
    if len(content) > BYTES_MAX:
        raise Invalid(file, f"is larger than {BYTES_MAX} bytes; say it in fewer words")
    root = open_table(content, file)
    further = ("records", "disclosure", "priority")
    tables = {name: root.table(name) for name in further if name in root}
    terms = Terms(
        confidentiality=root.text("confidentiality"),
        cybersecurity=root.text("cybersecurity"),
        insider_risk=root.text("insider_risk"),
        intellectual_property=root.text("intellectual_property"),
        use=root.text("use"),
        nondisclosure=root.text("nondisclosure"),
        purposes=root.texts("purposes"),
        retention_days=root.value("retention_days", int),
        expires=root.moment("expires"),
        version=root.value("version", int) if "version" in root else 1,
        replaces=root.text("replaces") if "replaces" in root else "",
        organisations=root.texts("organisations"),
        roles=root.texts("roles"),
        export_rules=root.texts("export_rules"),
        records=_records(tables.get("records")),
        disclosure=_disclosure(tables.get("disclosure")),
        priority=_priority(tables.get("priority")),
    )
    for table in (*tables.values(), root):
        table.done()
    return terms


def write_terms(terms: Terms) -> str:
    """The file that `load_terms` reads as these terms, with a note at each entry."""
    lines = [
        "# Terms of an engagement. Both parties sign the same text; nothing of it has effect before.",
        "",
    ]
    for name in WORDS:
        lines += [f"# {NOTES[name]}", f"{name} = {_quoted(getattr(terms, name))}"]
    lines += [
        "",
        "# What a reader may name; `leadline terms purposes` lists the words.",
        f"purposes = {_list(terms.purposes)}",
        "# Days after the end of access until what was received is destroyed.",
        f"retention_days = {terms.retention_days}",
        "# At this moment access under these terms is over.",
        f"expires = {instant(terms.expires)}",
        "# The first is 1; each later one names the digest of the terms it replaces.",
        f"version = {terms.version}",
        *([f"replaces = {_quoted(terms.replaces)}"] if terms.replaces else []),
        "# Who receives, beside what the access rules say; an empty list narrows nothing.",
        f"organisations = {_list(terms.organisations)}",
        f"roles = {_list(terms.roles)}",
        "# What a law on exports asks of whoever takes a thing across a border, in words.",
        f"export_rules = {_list(terms.export_rules)}",
    ]
    for title, record in (
        ("records", terms.records.to_record() if terms.records else None),
        ("disclosure", terms.disclosure.to_record() if terms.disclosure else None),
    ):
        if record is not None:
            lines += [
                "",
                f"[{title}]",
                *(f"{key} = {_quoted(str(one))}" for key, one in record.items()),
            ]
    if terms.priority is not None:
        scope, until = _quoted(terms.priority.scope), instant(terms.priority.until)
        lines += ["", "[priority]", f"scope = {scope}", f"until = {until}"]
    return "\n".join(lines) + "\n"


def _records(table: Table | None) -> Records | None:
    return Records(table.text("schedule"), table.text("authority")) if table else None


def _disclosure(table: Table | None) -> Disclosure | None:
    return Disclosure(table.text("exemption"), table.text("words")) if table else None


def _priority(table: Table | None) -> Priority | None:
    return Priority(table.text("scope"), table.moment("until")) if table else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(words: tuple[str, ...]) -> str:
    return f"[{', '.join(_quoted(word) for word in words)}]"
