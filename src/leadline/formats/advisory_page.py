"""An advisory for people: a page without scripts, and the same words as plain text.

What is not known is written out: a release that nobody tried is "not tried", and a page without a fixed release
says that none is named. Times are in UTC and say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from leadline.core.clearing.advisory import Advisory, Flaw, Statement
from leadline.core.clearing.product import Interval, Releases
from leadline.formats.openvex import NO_REMEDY

_STYLE = (
    "body{font:1rem/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#111;"
    "background:#fff}table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;"
    "padding:.3rem .5rem;text-align:left;vertical-align:top}a{color:#0b3d91}"
)
_SETS = (
    ("Affected", "affected"),
    ("Fixed", "fixed"),
    ("Not affected", "not_affected"),
    ("Not tried", "untested"),
)


def text(advisory: Advisory) -> bytes:
    """Plain text, as for a mail."""
    lines = [f"{_heading(advisory)}", "=" * len(_heading(advisory)), *_facts(advisory)]
    for flaw in () if advisory.withdrawn else advisory.flaws:
        lines += ["", flaw.title, "-" * len(flaw.title), flaw.description, ""]
        for statement in flaw.statements:
            lines += [f"{_name(statement)}:"]
            lines += [f"  {word}: {said}" for word, said in _said(statement)]
        lines += ["", *(f"{word}: {said}" for word, said in _actions(flaw))]
    lines += ["", *(f"{held.summary}: {held.url}" for held in advisory.references)]
    lines += [f"Credit: {held.name} ({held.kind})" for held in advisory.credits]
    lines += list(advisory.notes)
    return ("\n".join(lines).rstrip() + "\n").encode()


def html(advisory: Advisory) -> bytes:
    """One page that needs nothing else."""
    title = escape(_heading(advisory))
    body = [f"<h1>{title}</h1>", *(f"<p>{escape(line)}</p>" for line in _facts(advisory))]
    for flaw in () if advisory.withdrawn else advisory.flaws:
        body += [f"<h2>{escape(flaw.title)}</h2>", f"<p>{escape(flaw.description)}</p>"]
        for statement in flaw.statements:
            body += [f"<table><caption>{escape(_name(statement))}</caption>"]
            body += [
                f"<tr><th scope='row'>{word}</th><td>{escape(said)}</td></tr>"
                for word, said in _said(statement)
            ]
            body += ["</table>"]
        body += [f"<p><strong>{word}:</strong> {escape(said)}</p>" for word, said in _actions(flaw)]
    body += _links(advisory)
    body += [f"<p>Credit: {escape(one.name)} ({escape(one.kind)})</p>" for one in advisory.credits]
    body += [f"<p>{escape(note)}</p>" for note in advisory.notes]
    return page(title, body)


@dataclass(frozen=True, slots=True)
class Told:
    """One flaw in words: what is said of each package, then what to do."""

    flaw: Flaw
    packages: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    actions: tuple[tuple[str, str], ...]


def told(advisory: Advisory) -> tuple[Told, ...]:
    """Every flaw, for a page that is made elsewhere; none of a withdrawn advisory."""
    return tuple(
        Told(
            one,
            tuple((_name(held), tuple(_said(held))) for held in one.statements),
            tuple(_actions(one)),
        )
        for one in (() if advisory.withdrawn else advisory.flaws)
    )


def page(title: str, body: list[str]) -> bytes:
    """A whole page from parts that are escaped already."""
    head = f"<meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    parts = ("<!doctype html>", f"<html lang='en'><head>{head}</head><body><main>", *body)
    return ("\n".join((*parts, "</main></body></html>")) + "\n").encode()


def moment(at: datetime) -> str:
    """Day, hour and zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _links(advisory: Advisory) -> list[str]:
    found = []
    for held in advisory.references:
        # Only an address of the web becomes a link.
        if held.url.startswith(("https://", "http://")):
            link = f"<a href='{escape(held.url, quote=True)}'>{escape(held.summary)}</a>"
            found.append(f"<p>{link}</p>")
        else:
            found.append(f"<p>{escape(held.summary)}: {escape(held.url)}</p>")
    return found


def _heading(advisory: Advisory) -> str:
    return f"Withdrawn: {advisory.title}" if advisory.withdrawn else advisory.title


def _facts(advisory: Advisory) -> Iterator[str]:
    last = advisory.revisions[-1]
    yield f"{advisory.id}, {advisory.publisher}"
    yield f"First published {moment(advisory.revisions[0].at)}"
    yield f"Version {last.number} of {moment(last.at)}: {last.summary}"
    yield advisory.tlp.value
    ids = list(dict.fromkeys(name for flaw in advisory.flaws for name in flaw.ids))
    if ids:
        yield f"Also known as {', '.join(ids)}"
    if advisory.found_by:
        yield f"Found by {advisory.found_by}"


def _name(statement: Statement) -> str:
    held = statement.package
    branch = f" (release {statement.branch})" if statement.branch else ""
    return f"{held.namespace}/{held.name}{branch}" if held.namespace else f"{held.name}{branch}"


def _said(statement: Statement) -> Iterator[tuple[str, str]]:
    for word, field in _SETS:
        releases: Releases = getattr(statement, field)
        if releases:
            yield word, "; ".join(_words(releases))
    if statement.complete and not statement.doubts:
        yield "All others", "not affected"
    else:
        yield "All others", "not known"


def _words(releases: Releases) -> Iterator[str]:
    yield from map(_span, releases.intervals)
    yield from releases.listed


def _span(interval: Interval) -> str:
    low = f"{'from' if interval.low_included else 'after'} {interval.low}" if interval.low else ""
    high = (
        f"{'up to' if interval.high_included else 'before'} {interval.high}"
        if interval.high
        else ""
    )
    return " ".join(filter(None, (low, high))) or "every release"


def _actions(flaw: Flaw) -> Iterator[tuple[str, str]]:
    yield "What to do", flaw.remedy or NO_REMEDY
    if flaw.workaround:
        yield "Until then", flaw.workaround
    for score in flaw.scores:
        yield "CVSS", f"{score.vector} (assessed by {score.by})"
