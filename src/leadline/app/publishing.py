"""Advisories of a case: drafted, published in every format at once, revised and withdrawn.

Upheld here: a person signs the very text that becomes public; nothing is published while the case is secret,
nor before the moment that a relayed case came with; every rendering follows its published schema; a published
text changes only by a further revision; publishing the same again changes nothing.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256

from leadline.app import approval, cases
from leadline.app.context import Context
from leadline.app.ports import Reading, Writing, maybe
from leadline.core.access import Action, Bounds, Resource
from leadline.core.approval import Granted
from leadline.core.clause import Clause, Fact, one_of
from leadline.core.clearing import published as rules
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.handover import Handover
from leadline.core.clearing.product import Fault
from leadline.core.clearing.published import Issued
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats import csaf, cve, feed, manifest, openvex, osv_out, saying
from leadline.formats.canonical import encode
from leadline.formats.saying import Loss
from leadline.formats.values import plain

PUBLIC = Marking(Tlp.CLEAR)
FAULTS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Published:
    """What became public: the renderings by path in the feed, and what they cannot say.

    *act* is the act that published it, *fresh* whether this call recorded it.
    """

    advisory: Advisory
    renderings: Mapping[str, bytes]
    losses: tuple[Loss, ...]
    act: str
    fresh: bool


def thing(case_id: str, advisory_id: str, tlp: Tlp = Tlp.AMBER_STRICT) -> Resource:
    """An advisory of a case as access rules know it."""
    return Resource("advisory", advisory_id, marking=Marking(tlp), case=case_id)


def facts(advisory: Advisory) -> Mapping[str, str]:
    """What a person signs to publish: the id, the revision and the digest of the public text.

    Raises: Invalid, as `leadline.core.clearing.published.public`.
    """
    held = rules.public(advisory)
    digest = sha256(encode(plain(held))).hexdigest()
    return {"advisory": held.id, "revision": held.revisions[-1].number, "digest": digest}


def withdrawal_facts(advisory_id: str, reason: str) -> Mapping[str, str]:
    """What a person signs to withdraw: the id, and the reason by its digest."""
    return {"withdraw": advisory_id, "reason": sha256(reason.encode()).hexdigest()}


def faults(advisory: Advisory) -> tuple[Fault, ...]:
    """Everything that stands against publishing this text: by format, place and problem.

    Raises: Unavailable, without the extra ``server``, which brings the CSAF mandatory tests.
    """
    found = [
        Fault(name, "two statements about one package in one flaw; make them one")
        for name in saying.doubled(advisory)
    ]
    try:
        rendered = feed.renderings(advisory)
    except Invalid as error:
        return (*found, Fault(error.field, error.problem))
    for path, data in rendered.items():
        found += [Fault(f"{path}{held.place}", held.problem) for held in _faults(path, data)]
    return tuple(found)


def _faults(path: str, data: bytes) -> Sequence[Fault]:
    kind = path.partition("/")[0]
    if kind == "csaf":
        return (*csaf.faults(data), *csaf.mandatory_faults(data))
    check = {"osv": osv_out.faults, "cve": cve.faults, "openvex": openvex.faults}.get(kind)
    return check(data) if check else ()


def draft(ctx: Context, case_id: str, advisory: Advisory) -> str:
    """Keep a draft with its case, under the case's secrecy; answers the digest of its CSAF rendering.

    Raises: Denied; NotFound, for no such case; Refused, once it is published; Invalid, listing every fault.
    """
    resource = Resource("case", case_id, marking=Marking(Tlp.AMBER_STRICT), case=case_id)
    ctx.require(Action.ADVISORY_DRAFT, resource)
    _refuse_faults(advisory)
    marking = Marking(max(advisory.tlp, Tlp.AMBER_STRICT, key=lambda label: label.strictness))
    document = ctx.vault.put(csaf.render(advisory), marking=marking, engagement="")
    with ctx.store.write() as tx:
        cases.standing_in(tx, case_id)
        _put(tx, advisory, case_id, marking)
        act = ctx.act(Kind.ADVISORY_DRAFTED, advisory.id, "", case=case_id, document=document)
        tx.record(act)
    return document


def _put(tx: Writing, advisory: Advisory, case_id: str, marking: Marking) -> None:
    row = maybe(tx, Advisory, advisory.id)
    if row is not None and (
        row.bounds.case != case_id or maybe(tx, Issued, _key(advisory.id)) is not None
    ):
        raise Refused(f"{advisory.id} is taken; choose another id, or publish a further revision")
    tx.put(
        advisory.id,
        advisory,
        marking=marking,
        bounds=Bounds(case=case_id),
        expect=row.version if row else None,
    )


def shown(ctx: Context, case_id: str, advisory_id: str) -> Advisory:
    """A draft of a case, or a published advisory.

    Raises: NotFound; Denied.
    """
    with ctx.store.read() as view:
        row, issued = maybe(view, Advisory, advisory_id), maybe(view, Issued, _key(advisory_id))
    if row is not None and issued is not None:
        ctx.require(Action.RECORD_READ, Resource("advisory", advisory_id, marking=PUBLIC))
        return row.value
    ctx.require(Action.CASE_READ, Resource("case", case_id, case=case_id))
    if row is None or row.bounds.case != case_id:
        raise NotFound(f"{case_id} has no advisory {advisory_id!r:.80}")
    return row.value


@dataclass(frozen=True, slots=True)
class Entry:
    """One published advisory as a list or a page has it."""

    advisory: Advisory
    issued: Issued


def of_case(ctx: Context, case_id: str) -> tuple[tuple[Advisory, Issued | None], ...]:
    """The advisories of a case in order of id; beside each that was published, when and which.

    Raises: Denied, for a case that is not there too.
    """
    ctx.require(Action.CASE_READ, cases.inner(case_id))
    with ctx.store.read() as view:
        drafts = {row.id: row.value for row in view.find(Advisory, visible=_of(case_id))}
        acts = view.acts(kind=Kind.ADVISORY_PUBLISHED, naming={case_id})
        out = _entries(view, {_key(one.act.about) for one in acts})
    drafted = {id_: (held, None) for id_, held in drafts.items()}
    found = drafted | {one.advisory.id: (one.advisory, one.issued) for one in out}
    return tuple(found[id_] for id_ in sorted(found))


def _entries(view: Reading, keys: AbstractSet[str] | None = None) -> list[Entry]:
    """What is published, of these *keys* if some are told, with its advisory."""
    issued = view.find(Issued) if keys is None else view.among(Issued, keys)
    held = {
        row.id: row.value for row in view.among(Advisory, {row.value.advisory for row in issued})
    }
    return [Entry(held[row.value.advisory], row.value) for row in issued]


def _of(case_id: str) -> Clause:
    return one_of(Fact.CASE, [case_id])


def publish(ctx: Context, case_id: str, advisory: Advisory, granted: Granted) -> Published:
    """Publish an advisory, or a further revision, in every format at once.

    Raises: Denied; NotFound; Refused, while the case is secret, naming the moment, or if another text was
    signed; Invalid, listing every fault of a rendering.
    """
    ctx.require(Action.ADVISORY_PUBLISH, thing(case_id, advisory.id), granted)
    if granted.request.detail != facts(advisory):
        raise Refused("another text was signed than this one; sign this one")
    final = rules.public(advisory)
    with ctx.store.read() as view:
        before, issued = maybe(view, Advisory, final.id), maybe(view, Issued, _key(final.id))
    if issued is not None and before is not None and before.value == final:
        rendered, lost = feed.renderings(final), feed.losses(final)
        return Published(final, rendered, lost, issued.value.act, fresh=False)
    if final.revisions[-1].at > ctx.now:
        raise Invalid(f"{final.id}: revisions", "the last one is of a moment that is still to come")
    _refuse_faults(final)
    return _issue(ctx, case_id, final, granted, Kind.ADVISORY_PUBLISHED)


def withdraw(
    ctx: Context, case_id: str, advisory_id: str, reason: str, granted: Granted
) -> Published:
    """Withdraw a published advisory: it stays, says why, and matches nothing any more.

    Raises: Denied; NotFound, if it is not published; Refused, if it is withdrawn or other words were
    signed; Invalid, without a reason.
    """
    ctx.require(Action.ADVISORY_PUBLISH, thing(case_id, advisory_id), granted)
    if granted.request.detail != withdrawal_facts(advisory_id, reason):
        raise Refused("other words were signed than these; sign these")
    with ctx.store.read() as view:
        row, issued = maybe(view, Advisory, advisory_id), maybe(view, Issued, _key(advisory_id))
    if row is None or issued is None or issued.value.case != case_id:
        raise NotFound(f"{case_id} has published no advisory {advisory_id!r:.80}")
    final = rules.withdrawn(row.value, ctx.now, reason)
    _refuse_faults(final)
    return _issue(ctx, case_id, final, granted, Kind.ADVISORY_WITHDRAWN)


def _issue(ctx: Context, case_id: str, final: Advisory, granted: Granted, kind: Kind) -> Published:
    rendered = feed.renderings(final)
    digests = {path: sha256(data).hexdigest() for path, data in rendered.items()}
    act = ctx.act(
        kind,
        final.id,
        "",
        case=case_id,
        revision=final.revisions[-1].number,
        request=granted.request.id,
        reason=sha256(final.revisions[-1].summary.encode()).hexdigest(),
        files=digests,
    )
    with ctx.store.write() as tx:
        _check_public(ctx, tx, case_id)
        row, issued = maybe(tx, Advisory, final.id), maybe(tx, Issued, _key(final.id))
        owner = issued.value.case if issued else row.bounds.case if row else case_id
        if owner != case_id:
            raise Refused(f"{final.id} is another case's; choose another id")
        if row is not None and issued is not None and kind is Kind.ADVISORY_PUBLISHED:
            rules.check_revision(row.value, final)
        _check_paths(tx, final, digests)
        approval.use(tx, granted)
        tx.put(final.id, final, marking=PUBLIC, expect=row.version if row else None)
        told = Issued(
            final.id,
            case_id,
            issued.value.at if issued else ctx.now,
            final.revisions[-1].number,
            act.id,
            tuple(sorted(digests.items())),
            final.withdrawn,
        )
        tx.put(_key(final.id), told, marking=PUBLIC, expect=issued.version if issued else None)
        tx.record(act)
    return Published(final, rendered, feed.losses(final), act.id, fresh=True)


def _check_public(ctx: Context, view: Reading, case_id: str) -> None:
    """Neither this installation's embargo nor the one a relayed case came with still stands."""
    stands = cases.standing_in(view, case_id)
    rules.check_embargo(case_id, stands.public_at, secret=stands.embargoed(ctx.now))
    over = stands.public or stands.terms.ended
    for row in view.find(Handover):
        until = row.value.until
        if row.value.case == case_id and until is not None and over is None:
            rules.check_embargo(case_id, until, secret=ctx.now < until)


def _check_paths(view: Reading, final: Advisory, digests: Mapping[str, str]) -> None:
    """No other published advisory has a file of the same name."""
    for row in view.find(Issued):
        taken = {path for path, _ in row.value.digests} & digests.keys()
        if row.value.advisory != final.id and taken:
            problem = f"{min(taken)} is of {row.value.advisory} already; revise that one"
            raise Invalid(final.id, problem)


def _refuse_faults(advisory: Advisory) -> None:
    found = faults(advisory)
    if found:
        told = "; ".join(f"{held.place}: {held.problem}" for held in found[:FAULTS_TOLD])
        more = len(found) - FAULTS_TOLD
        raise Invalid(advisory.id, told + (f"; and {more} more" if more > 0 else ""))


def _key(advisory_id: str) -> str:
    return f"{advisory_id}/issued"


def listed(ctx: Context) -> tuple[Entry, ...]:
    """Every published advisory, the one changed last first. Anybody may know.

    Raises: Denied.
    """
    ctx.require(Action.RECORD_READ, Resource("advisory", "", marking=PUBLIC))
    with ctx.store.read() as view:
        found = _entries(view)
    return tuple(
        sorted(
            found, key=lambda one: (one.advisory.revisions[-1].at, one.advisory.id), reverse=True
        )
    )


def entry(ctx: Context, advisory_id: str) -> Entry:
    """One published advisory.

    Raises: NotFound, in the same words for a draft, which nobody is told of.
    """
    ctx.require(Action.RECORD_READ, Resource("advisory", "", marking=PUBLIC))
    with ctx.store.read() as view:
        issued = maybe(view, Issued, _key(advisory_id))
        if issued is None:
            raise NotFound(f"no advisory {advisory_id!r:.80} is published")
        return Entry(view.get(Advisory, advisory_id).value, issued.value)


def files(ctx: Context, site: str, signed_before: bytes = b"") -> dict[str, bytes]:
    """Every file of the feed, its manifest, and the signed note over that manifest.

    Only what is published stands in it, and it depends on nothing else: the same advisories give the
    same bytes. *signed_before* is the note of the last feed, which stays as it is if it still says the
    truth, because a signature may differ each time.

    Raises: Denied; Invalid, for a *site* that is no https address.
    """
    ctx.require(Action.RECORD_READ, Resource("advisory", "", marking=PUBLIC))
    with ctx.store.read() as view:
        entries = _entries(view)
    found = [one.advisory for one in entries]
    # Every publication and withdrawal adds a revision, so that the sum of their numbers only grows.
    serial = sum(int(one.issued.revision) for one in entries)
    made = feed.files(found, site)
    return made | _signed(ctx, made, feed.check_site(site), serial, found, signed_before)


def _signed(
    ctx: Context,
    made: Mapping[str, bytes],
    site: str,
    serial: int,
    found: Sequence[Advisory],
    signed_before: bytes,
) -> dict[str, bytes]:
    """Manifest and note over the files of a feed."""
    listing = manifest.encode(
        {path: manifest.File(sha256(data).hexdigest(), len(data)) for path, data in made.items()}
    )
    head = feed.Head(site, serial, feed.newest(found), manifest.digest(listing))
    same = signed_before.startswith(f"{head.text}\n".encode())
    signed = signed_before if same else ctx.signer.sign(head.text).encode()
    return {manifest.MANIFEST: listing, manifest.STATEMENT: signed}
