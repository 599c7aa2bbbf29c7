"""The texts that a person sends to owners: for GitHub's and GitLab's private forms, and as mail.

The template is the list of what maintainers asked for: a reproducer on an unmodified build, patch and
test, that an AI system found it, a person who stands for it, the threat model, and a score only with its
vector and whoever made it. A proof is named by its digest and handed over apart from the text.
Sources: GitHub REST API, "Privately report a security vulnerability"; GitLab API, "Issues"; RFC 5322.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leadline.core.clearing.case_words import Clock, Start
from leadline.core.clearing.contract import Contract
from leadline.core.clearing.directory import Channel
from leadline.core.clearing.disclosure import Disclosure
from leadline.core.clearing.finding import UNNAMED_MODEL, Finding, ReplayResult
from leadline.core.clearing.product import parse_purl
from leadline.core.errors import Invalid

FORMAT = "disclosure-text"
# GitHub's names of ecosystems, by the type of a Package-URL.
ECOSYSTEMS = {
    "cargo": "rust",
    "composer": "composer",
    "gem": "rubygems",
    "githubactions": "actions",
    "golang": "go",
    "hex": "erlang",
    "maven": "maven",
    "npm": "npm",
    "nuget": "nuget",
    "pub": "pub",
    "pypi": "pip",
    "swift": "swift",
}
_STARTS = {
    Start.CASE: "from the day the case was opened",
    Start.REPORT: "from the day you get this",
    Start.HANDOVER: "from the day distributions get it",
    Start.EXPLOITATION: "from the day attacks are known",
    Start.FIX: "from the day a fix is out",
}
_CLOCKS = {
    Clock.ACKNOWLEDGE: "we hope for a first word from you",
    Clock.SILENCE: "without any answer we ask a coordinator to try other ways",
    Clock.DISCLOSURE: "it is published, with or without a fix",
    Clock.EXPLOITED: "it is published, if it is used in attacks",
    Clock.STAGE: "distributions may know, at most",
    Clock.EXISTENCE: "it may be said that there is a report",
    Clock.DETAILS: "technical details are published",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as a message tells it. *unreplayed* says why nobody replayed it here.

    *said* is what its finder wrote, *repair* what is known of a drafted one; either may be empty.
    """

    finding: Finding
    replay: ReplayResult | None
    unreplayed: str = ""
    said: str = ""
    repair: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything a message says. *agreed* is the date that the parties agreed to, if they did.

    *pages* are where the recipient reads and answers it without an account, one for each case.
    """

    case: str
    to: str
    told: tuple[Told, ...]
    disclosure: Disclosure
    sender: str
    agreed: datetime | None = None
    contract: Contract | None = None
    follows: str = ""
    pages: tuple[str, ...] = ()


def written(letter: Letter, channel: Channel) -> bytes:
    """The text for one channel: a JSON body for a form's API, or a mail.

    Raises: Invalid, without a finding.
    """
    if not letter.told:
        raise Invalid("findings", "a message needs at least one finding")
    if channel is Channel.GITHUB:
        return _json(_github(letter))
    if channel is Channel.GITLAB:
        body = {"title": title(letter), "description": body_of(letter), "confidential": True}
        return _json(body)
    return _mail(letter).encode()


def title(letter: Letter) -> str:
    """The title inside a private form; never the subject of a mail, which travels open."""
    first = letter.told[0].finding.title
    more = len(letter.told) - 1
    return first + (f", and {more} more" if more else "")


def _json(body: dict[str, object]) -> bytes:
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()


def _github(letter: Letter) -> dict[str, object]:
    findings = [one.finding for one in letter.told]
    weaknesses = list(dict.fromkeys(one.cwe for one in findings if one.cwe))
    body: dict[str, object] = {
        "summary": title(letter)[:1024],
        "description": body_of(letter),
        "vulnerabilities": [_package(one.purl) for one in findings if one.purl],
        "cwe_ids": weaknesses,
    }
    if len(findings) == 1 and findings[0].vector:
        body["cvss_vector_string"] = findings[0].vector
    return body


def _package(purl: str) -> dict[str, object]:
    try:
        release = parse_purl(purl)
    except Invalid:
        return {"package": {"ecosystem": "other", "name": purl}}
    package = release.package
    name = f"{package.namespace}/{package.name}" if package.namespace else package.name
    if package.type == "maven":
        name = name.replace("/", ":", 1)
    body: dict[str, object] = {
        "package": {"ecosystem": ECOSYSTEMS.get(package.type, "other"), "name": name}
    }
    return body | ({"vulnerable_version_range": f"= {release.version}"} if release.version else {})


def _mail(letter: Letter) -> str:
    """A mail as text; its subject names neither product nor flaw, because it travels open."""
    follow = f"In-Reply-To: {letter.follows}\n" if letter.follows else ""
    head = f"To: {letter.to}\nSubject: Confidential: security report {letter.case}\n{follow}"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{body_of(letter)}"


def body_of(letter: Letter) -> str:
    """The words themselves, in Markdown that reads as plain text."""
    return "\n".join(_lines(letter)).strip() + "\n"


def _lines(letter: Letter) -> Iterator[str]:
    many = len(letter.told)
    what = "a security report" if many == 1 else f"one message with {many} security reports"
    yield f"This is {what} for you, in case {letter.case}. Please keep it confidential."
    if letter.follows:
        yield f"It follows up on what you were sent as {letter.follows}; the same contact counts."
    for page in letter.pages:
        yield ""
        yield f"All of it on one page, where you can also answer, without an account: {page}"
        yield "Whoever has this address can read it and answer for you: keep it as you keep this message."
    yield ""
    for number, one in enumerate(letter.told, 1):
        yield from _finding(one, f"{number}. " if many > 1 else "")
    yield from _terms(letter)
    yield "## Who stands for this"
    yield ""
    yield f"{letter.sender}, a person, has read this report and sends it. Software only drafted it."
    yield "Answer this message to reach a person. You may also say no, and to what, in one line."


def _finding(one: Told, number: str) -> Iterator[str]:
    found = one.finding
    yield f"## {number}{found.title}"
    yield ""
    yield f"- Found by: {_origin(found)}"
    if found.confirmed_by:
        yield f"- Confirmed by a person: {found.confirmed_by}"
    yield f"- Software: {found.purl or 'as named below'}"
    yield f"- Weakness: {found.cwe or 'not classified'}"
    for where in found.locations:
        yield f"- Where: {_place(where.repository, where.commit, where.file, where.function)}"
    yield f"- Score: {_score(found)}"
    yield f"- Reproduced: {_replayed(one)}"
    yield from _evidence(found)
    if found.ids:
        yield f"- Known as: {', '.join(found.ids)}"
    if found.credits:
        yield f"- Credit to: {', '.join(found.credits)}"
    if one.repair:
        yield f"- Drafted repair: {one.repair}"
    yield ""
    yield one.said or found.observation
    yield ""


def _origin(found: Finding) -> str:
    if found.origin == "ai":
        named = found.found_by if found.consent else UNNAMED_MODEL
        return f"an AI system ({named})"
    return (
        f"a tool ({found.found_by})" if found.origin == "tool" else f"a person ({found.found_by})"
    )


def _place(repository: str, commit: str, file: str, function: str) -> str:
    at = f" at {commit}" if commit else ""
    inside = f", in {function}" if function else ""
    return f"{repository + ': ' if repository else ''}{file}{at}{inside}"


def _score(found: Finding) -> str:
    if not found.vector:
        return "none; whoever maintains the software knows best how it is used"
    return f"{found.vector}, made by {found.assessor or 'the finder'}; please correct it"


def _replayed(one: Told) -> str:
    if one.replay is None:
        return f"not by us: {one.unreplayed}"
    runs = [fired for fired in one.replay.vulnerable if fired is not None]
    environment = one.replay.environment_digest[:16]
    return (
        f"{sum(runs)} of {len(one.replay.vulnerable)} runs on an unmodified build, each in a fresh "
        f"sandbox (environment {environment})"
    )


def _evidence(found: Finding) -> Iterator[str]:
    given = found.evidence
    if found.proof_sha256:
        yield f"- Reproducer: handed over apart from this text; SHA-256 {found.proof_sha256}"
    if given.command:
        yield f"- Command: `{' '.join(given.command)}`"
    if given.oracle:
        yield f"- What shows it: {given.oracle}"
    yield f"- Suggested patch: {given.patch or 'none'}"
    yield f"- Test: {given.test or 'none'}"


def _terms(letter: Letter) -> Iterator[str]:
    contract, policy = letter.contract, letter.disclosure
    yield "## Your terms"
    yield ""
    if contract is None:
        yield "We know of no terms of yours for reports; tell us, and we keep to them."
    else:
        source = " (read out of your security policy)" if contract.inferred else ""
        yield f"We read your terms{source}: at most {contract.per_week} in a week."
        yield from (
            f"Your threat model, {one.clause}: {one.says}" for one in contract.exclusions[:20]
        )
    yield ""
    yield "## Dates"
    yield ""
    yield f"The disclosure policy is {policy.id} ({policy.title}). A day is 24 hours."
    if not policy.embargo:
        yield "It has no embargo: this is public, or about to be."
    for term in policy.terms:
        longer = f", and up to {term.extend} more on request" if term.extend else ""
        yield f"- {term.days} days {_STARTS[term.starts]}{longer}: {_CLOCKS[term.clock]}."
    if letter.agreed is not None:
        yield f"- Agreed: public from {letter.agreed.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
    yield ""


def findings_of(told: Sequence[Told]) -> tuple[str, ...]:
    """The ids of what a message tells."""
    return tuple(one.finding.id for one in told)
