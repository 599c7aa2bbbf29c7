"""Two installations with a one-way directory between them: requests go up, signed verdicts come back.

    DIRECTORY/outbox/REQUEST.request      written by the low side, read by the high side
    DIRECTORY/verdicts/REQUEST.verdict    written by the high side, read by the low side

Upheld here: the low side takes nothing from the directory but a verdict that the high side signed, in
a form in which nothing else can be said, about a request of its own that is open and unanswered; the
rest is refused, with an act and an alert, unread beyond its bound. The high side writes no other file.
"""

import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from leadline.app import log, sealed
from leadline.app.context import OWN, Context
from leadline.app.sealed import Released
from leadline.app.signature import check
from leadline.core.access import Action, Resource
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused, Tampered, Unavailable
from leadline.core.record.act import Kind, instant
from leadline.core.sealed.session import RunSession, SealedReport, Stage
from leadline.core.sealed.verdict import RunRequest, Verdict, check_answer
from leadline.formats import cosignature, note
from leadline.formats import verdict as texts

OUTBOX, VERDICTS = "outbox", "verdicts"
REQUEST, VERDICT = ".request", ".verdict"
ENTRIES_MAX = 1000
SHOWN = re.compile(r"[^A-Za-z0-9._-]")
KINDS: Mapping[type, str] = {RunRequest: "run-request", Verdict: "verdict"}


@dataclass(frozen=True, slots=True)
class Taken:
    """One entry of the directory: what became of it. *refused* is empty where it was taken."""

    name: str
    id: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What the low side wants to know. *pack* is the name that the high side gave of its set."""

    pack: str
    model: str
    family: str
    terms: str
    days: int


def ask(ctx: Context, engagement: str, asking: Asking, directory: Path) -> RunRequest:
    """Write a signed request into the outbox.

    Raises: Invalid, naming the field, if the request has not the form agreed.
    """
    ctx.require(Action.VERDICT_RECEIVE, Resource("engagement", engagement, engagement))
    request = RunRequest(
        id=ctx.new_id("request"),
        pack=asking.pack,
        model=asking.model,
        family=asking.family,
        terms=asking.terms,
        nonce=sha256(ctx.new_id("nonce").encode()).hexdigest(),
        expires=ctx.now + timedelta(days=asking.days),
    )
    signed = ctx.signer.sign(texts.encode_request(request))
    with ctx.store.write() as tx:
        tx.put(request.id, request, marking=OWN, engagement=engagement)
        tx.record(
            ctx.act(
                Kind.SESSION_PREPARED,
                request.id,
                engagement,
                request=texts.request_digest(request),
                model=request.model,
                expires=instant(request.expires),
            )
        )
    _write(directory / OUTBOX, f"{request.id}{REQUEST}", signed.encode())
    return request


def take(ctx: Context, directory: Path, keys: str) -> list[Taken]:
    """Read the outbox, as the high side; *keys* are the low side's verifier keys.

    A request that was taken before stays as it is. What is not a request is an alert.
    """
    ctx.require(Action.VERDICT_RECEIVE, Resource("installation", "outbox"))
    answers = list[Taken]()
    for name, content in _entries(directory / OUTBOX):
        try:
            request = _request(ctx, name, content, keys)
        except (Invalid, Refused, Tampered) as error:
            ctx.alarm("one-way directory", "outbox", f"no request: {error.code}")
            answers.append(Taken(_shown(name), refused=str(error)))
            continue
        with ctx.store.write() as tx:
            if not any(row.id == request.id for row in tx.find(RunRequest)):
                tx.put(request.id, request, marking=OWN)
        answers.append(Taken(name, request.id))
    return answers


def _request(ctx: Context, name: str, content: bytes | LeadlineError, keys: str) -> RunRequest:
    """The request in a file, or why there is none to be taken."""
    request = texts.decode_request(_verified(content, keys).text)
    if name != f"{request.id}{REQUEST}":
        raise Refused("the file is not named after its request")
    if ctx.now >= request.expires:
        raise Refused(f"the request ended on {instant(request.expires)}")
    return request


def requests(ctx: Context) -> list[RunRequest]:
    """The requests that are open."""
    ctx.require(Action.VERDICT_RECEIVE, Resource("installation", "outbox"))
    with ctx.store.read() as view:
        found = [row.value for row in view.find(RunRequest)]
    return [one for one in found if not one.answered and ctx.now < one.expires]


def send(ctx: Context, request_id: str, session_id: str, directory: Path) -> Verdict:
    """Answer a request with a session's released score: the one file that goes back.

    Raises: NotFound; Refused, if the session is about something else, its score was not released,
    or the request was answered.
    """
    with ctx.store.read() as view:
        known = [row for row in view.find(RunSession) if row.id == session_id]
        rows = [row for row in view.find(RunRequest) if row.id == request_id]
    proof = log.require_proof(ctx, known[0].value.committed) if known else None
    session, pack = sealed.standing(ctx, Action.PACK_REVEAL, session_id, proved=proof is not None)
    session.value.stage.require(Stage.REPORTED, "a verdict")
    if not rows:
        raise NotFound(f"no request {request_id}")
    request, told = rows[0].value, session.value
    asked = (request.pack, request.model, request.family, request.terms)
    if asked != (pack.value.name, told.model, told.family, told.terms):
        raise Refused("the session is about another set, model or terms than the request")
    if request.answered:
        raise Refused("this request was answered already")
    with ctx.store.read() as view:
        report = view.get(SealedReport, session_id).value
        released = view.get(Released, session_id).value
    verdict = Verdict(
        id=ctx.new_id("verdict"),
        asked=request.id,
        request=texts.request_digest(request),
        model=request.model,
        low=released.score.low,
        high=released.score.high,
        interval_low=released.interval.low,
        interval_high=released.interval.high,
        items=report.items,
        commitment=told.commitment,
        outcomes=report.outcomes,
        driver=told.driver,
        mode=told.mode,
    )
    signed = ctx.signer.sign(texts.encode_verdict(verdict)).encode()
    with ctx.store.write() as tx:
        answered = replace(request, answered=True)
        tx.put(request.id, answered, marking=OWN, expect=rows[0].version)
        digest = sha256(signed).hexdigest()
        detail = {"request": request.id, "verdict": digest}
        tx.record(ctx.act(Kind.VERDICT_SENT, pack.value.name, pack.engagement, **detail))
    _write(directory / VERDICTS, f"{request.id}{VERDICT}", signed)
    return verdict


def receive(ctx: Context, engagement: str, directory: Path, keys: str) -> list[Taken]:
    """Import what came back, as the low side; *keys* are the high side's verifier keys.

    Everything in the directory is either a verdict that is taken, one taken before, or refused with
    an act and an alert. Nothing refused is kept.
    """
    ctx.require(Action.VERDICT_RECEIVE, Resource("engagement", engagement, engagement))
    answers = list[Taken]()
    for name, content in _entries(directory / VERDICTS):
        digest = sha256(content if isinstance(content, bytes) else b"").hexdigest()
        if _received(ctx, name, digest):
            answers.append(Taken(name, name.removesuffix(VERDICT)))
            continue
        try:
            answers.append(_import(ctx, engagement, name, _verified(content, keys), digest))
        except (Invalid, Refused, Tampered) as error:
            answers.append(_refuse(ctx, engagement, name, digest, error))
    return answers


def _received(ctx: Context, name: str, digest: str) -> bool:
    with ctx.store.read() as view:
        about = name.removesuffix(VERDICT)
        acts = view.acts(kind=Kind.VERDICT_RECEIVED, about=about)
        return any(one.act.detail.get("file") == digest for one in acts)


def _import(ctx: Context, engagement: str, name: str, signed: note.Note, digest: str) -> Taken:
    verdict = texts.decode_verdict(signed.text)
    if name != f"{verdict.asked}{VERDICT}":
        raise Refused("the file is not named after the request it answers")
    with ctx.store.write() as tx:
        found = [
            row for row in tx.find(RunRequest, engagement=engagement) if row.id == verdict.asked
        ]
        request = found[0].value if found else None
        asked = texts.request_digest(request) if request else ""
        check_answer(verdict, request, asked, ctx.now)
        answered = replace(found[0].value, answered=True)
        tx.put(answered.id, answered, marking=OWN, engagement=engagement, expect=found[0].version)
        tx.put(verdict.id, verdict, marking=OWN, engagement=engagement)
        tx.record(
            ctx.act(
                Kind.VERDICT_RECEIVED,
                answered.id,
                engagement,
                verdict=verdict.id,
                file=digest,
                low=verdict.low,
                high=verdict.high,
            )
        )
    return Taken(name, verdict.id)


def _refuse(ctx: Context, engagement: str, name: str, digest: str, error: LeadlineError) -> Taken:
    """The act and the alert; of the file itself only its digest and a tame form of its name."""
    told = _shown(name)
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.VERDICT_REFUSED, "verdicts", engagement, name=told, file=digest, why=error.code
            )
        )
    ctx.alarm(
        "one-way directory", "verdicts", f"refused: {told} ({error.code})", engagement=engagement
    )
    return Taken(told, refused=str(error))


def _verified(content: bytes | LeadlineError, keys: str) -> note.Note:
    """The note in a file that could be read, signed with every one of *keys*."""
    if isinstance(content, LeadlineError):
        raise content
    signed = note.parse(content)
    wanted = [cosignature.text_key(key) for key in note.parse_vkeys(keys)]
    cosignature.require("signature", signed, [key for key in wanted if key is not None], check)
    return signed


def _entries(folder: Path) -> Iterator[tuple[str, bytes | LeadlineError]]:
    """Every entry by name: the bytes of a plain file of bounded size, or why it is none.

    Raises: Unavailable, if the folder cannot be read, or holds more entries than are looked at.
    """
    try:
        names = sorted(one.name for one in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"{folder} cannot be read: {error.strerror}") from error
    if len(names) > ENTRIES_MAX:
        raise Unavailable(f"{folder} holds more than {ENTRIES_MAX} entries; empty it and look why")
    for name in names:
        try:
            yield name, _read(folder / name)
        except Refused as error:
            yield name, error


def _read(place: Path) -> bytes:
    """The bytes of a plain file with one name, never through a link, never waiting on a pipe."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(place, flags)
    except OSError as error:
        raise Refused("it cannot be opened as a plain file") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise Refused("no plain file with one name")
        content = os.read(descriptor, texts.FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > texts.FILE_BYTES_MAX:
        raise Refused(f"more than the {texts.FILE_BYTES_MAX} bytes that it may have")
    return content


def _write(folder: Path, name: str, content: bytes) -> None:
    """The file appears whole or not at all; no other file stays."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=folder.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _shown(name: str) -> str:
    return SHOWN.sub("_", name)[:80]
