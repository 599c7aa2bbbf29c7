"""The key service: private halves of compartments, wrapped by keys that live elsewhere.

Upheld here, by nobody before it: what is sealed opens only for two signatures by two persons other than
the requester, the requester's own, and a proof that the act authorising it stands in the log; one
request opens one artefact, once; no time is believed that lies before one seen already.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from leadline.app import approval, proof
from leadline.app.ports import Recipient, Release
from leadline.core.access import Action
from leadline.core.account import RegisteredKey
from leadline.core.approval import Approval, Request
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.core.record.act import Act, Kind, from_record, instant
from leadline.core.vaulting import Bound, Destroyed, Owner, Protection, Wrapped
from leadline.formats import canonical
from leadline.formats.tlog_policy import Policy
from leadline.vault import disk, envelope, ring
from leadline.vault.keks import WrappingKeys
from leadline.vault.ring import Compartment, Epoch, Ring

UNSEALING = frozenset({Action.ARTEFACT_UNSEAL, Action.PACK_UNSEAL})
APPROVERS_MIN = 2
CLOCK_TOLERANCE = timedelta(seconds=5)  # what a time daemon's step may take back


class CompartmentKeys:
    """`leadline.app.ports.KeyStore` on a folder of compartments and a place of wrapping keys.

    *roster* answers the registered key of an id, *policy* what a proof is checked against; both are
    asked anew for each opening. *marks* is a folder beside the wrapping keys: requests that have served,
    and the latest time seen.
    """

    seals_only = False

    def __init__(
        self,
        folder: Path,
        keys: WrappingKeys,
        marks: Path,
        *,
        clock: Callable[[], datetime],
        roster: Callable[[str], RegisteredKey],
        policy: Callable[[], Policy],
        kem: str = envelope.HYBRID,
    ) -> None:
        self._ring, self._keys, self._marks = Ring(folder), keys, marks
        self._clock, self._roster, self._policy, self._kem = clock, roster, policy, kem

    def ensure(self, engagement: str, owner: Owner) -> Recipient:
        """As the port."""
        if self._ring.find(engagement, owner) is None:
            self._make(engagement, owner)
        return self._ring.recipient(engagement, owner)

    def wrap(self, key: bytes, bound: Bound) -> Wrapped:
        """As the port."""
        return self._ring.seal(key, bound)

    def open_working(self, wrapped: Wrapped) -> bytes:
        """As the port."""
        if wrapped.bound.protection is not Protection.WORKING:
            raise Refused(
                f"{wrapped.bound.digest} is sealed; it opens for two approvers and a proof only"
            )
        self._check_open(wrapped.bound)
        return self._open(wrapped)

    def unwrap(self, wrapped: Sequence[Wrapped], release: Release) -> Sequence[bytes]:
        """As the port."""
        bound = _whole(wrapped)
        if bound.protection is not Protection.SEALED:
            raise Refused(f"{bound.digest} is not sealed; read it as working content")
        self._check_open(bound)
        now = self._now()
        _check_request(release.request, bound, now)
        self._check_approvals(release.request, release.approvals, now)
        proof.check(release.proof, self._policy())
        _check_act(release)
        self._spend(release.request)
        return [self._open(one) for one in wrapped]

    def rotate(self, engagement: str, owner: Owner) -> int:
        """As the port."""
        compartment = self._ring.live(engagement, owner)
        with disk.writable("the compartment"), disk.locked(compartment.folder):
            now, newest = self._now(), self._ring.epochs(compartment)[-1]
            if now <= newest.at:
                raise Refused(
                    f"epoch {newest.number} began at {instant(newest.at)} and the clock says "
                    f"{instant(now)}; set the clock right first"
                )
            self._begin(compartment, newest.number + 1, now)
        return newest.number + 1

    def rewrap(self, wrapped: Wrapped) -> Wrapped:
        """As the port."""
        bound = wrapped.bound
        newest = self._ring.recipient(bound.engagement, bound.owner).epoch
        if bound.epoch == newest:
            return wrapped
        key = self._open(wrapped)
        return self._ring.seal(key, replace(bound, epoch=newest))

    def end(self, engagement: str, owner: Owner) -> None:
        """As the port."""
        compartment = self._ring.find(engagement, owner)
        if compartment is not None:
            with disk.writable("the compartment"):
                disk.write(compartment.folder / ring.ENDED, b"")

    def ended(self, engagement: str, owner: Owner) -> bool:
        """As the port."""
        compartment = self._ring.find(engagement, owner)
        return compartment is not None and compartment.ended

    def destroy(self, engagement: str, owner: Owner, *, authority: str) -> Sequence[Destroyed]:
        """As the port; the wrapping key goes first, then the wrapped private halves."""
        compartment = self._ring.find(engagement, owner)
        if compartment is None:
            return ()
        with disk.writable("the compartment"), disk.locked(compartment.folder):
            done = self._ring.destroyed(compartment)
            if done is None:
                self._keys.destroy(compartment.id)
                if self._keys.exists(compartment.id):
                    raise Tampered(f"key {compartment.id}", "its driver still has it")
                done = self._report(compartment, authority)
            for path in sorted(compartment.folder.glob("epoch-*.json")):
                disk.overwritten(path)
        return (done,)

    def attest(self, engagement: str, owner: Owner) -> str:
        """As the port."""
        compartment = self._ring.find(engagement, owner)
        if compartment is None:
            raise NotFound(f"no compartment for {owner} of {engagement}")
        if (gone := self._ring.destroyed(compartment)) is not None:
            return f"{compartment.id}: destroyed at {instant(gone.at)}; {gone.statement}"
        there = "present" if self._keys.exists(compartment.id) else "missing"
        return f"{compartment.id}: {there}, {self._keys.driver}; {self._keys.words}"

    def _make(self, engagement: str, owner: Owner) -> None:
        """A new compartment with its first epoch; of two makers at once one wins."""
        folder = self._ring.place(engagement, owner)
        id_ = f"key-{secrets.token_hex(16)}"
        compartment = Compartment(id_, engagement, owner, self._kem, folder)
        words = canonical.encode(
            {
                "format": ring.COMPARTMENT,
                "id": id_,
                "engagement": engagement,
                "owner": owner,
                "kem": self._kem,
            }
        )
        with disk.writable("the vault"):
            disk.private(folder)
            with disk.locked(folder):
                if self._ring.find(engagement, owner) is None:
                    self._keys.make(id_)
                    self._begin(compartment, 1, self._clock())
                    disk.write(folder / "compartment.json", words)

    def _begin(self, compartment: Compartment, number: int, at: datetime) -> None:
        private, public = envelope.generate(compartment.kem)
        sealed = self._keys.wrap(compartment.id, private, _context(compartment, number, public))
        written = ring.encode_epoch(compartment.id, Epoch(number, at, public, sealed))
        disk.write(compartment.folder / f"epoch-{number}.json", written)

    def _open(self, wrapped: Wrapped) -> bytes:
        bound = wrapped.bound
        compartment = self._ring.live(bound.engagement, bound.owner)
        if compartment.id != bound.compartment:
            told = f"sealed to {bound.compartment}, while this is {compartment.id}"
            raise Tampered(f"compartment {compartment.id}", told)
        epoch = self._ring.epoch(compartment, bound.epoch)
        context = _context(compartment, epoch.number, epoch.public)
        private = self._keys.unwrap(compartment.id, epoch.private, context)
        return envelope.unseal(compartment.kem, private, wrapped)

    def _report(self, compartment: Compartment, authority: str) -> Destroyed:
        done = Destroyed(compartment.id, self._clock(), self._keys.driver, self._keys.words)
        written = canonical.encode(
            {
                "format": ring.DESTROYED,
                "compartment": done.compartment,
                "at": instant(done.at),
                "driver": done.driver,
                "statement": done.statement,
                "authority": authority,
            }
        )
        disk.write(compartment.folder / "destroyed.json", written)
        return done

    def _check_open(self, bound: Bound) -> None:
        if self.ended(bound.engagement, bound.owner):
            raise Refused(f"access to {bound.owner} material of {bound.engagement} has ended")

    def _check_approvals(
        self, request: Request, approvals: Sequence[Approval], now: datetime
    ) -> None:
        signed = set[str]()
        for one in approvals:
            key = self._roster(one.key)
            if key.principal != one.principal or not key.held(now):
                raise Refused(
                    f"the key {one.key} is not {one.principal}'s now; sign with one that is"
                )
            approval.verify(request, one, key)
            if one.at > now + CLOCK_TOLERANCE:
                raise Refused(f"{one.principal} signed later than now; the clock was set back")
            signed.add(one.principal)
        others = signed - {request.requester}
        if len(others) < APPROVERS_MIN:
            raise Refused(
                f"{len(others)} of {APPROVERS_MIN} persons other than the requester have signed "
                f"request {request.id}"
            )
        if request.requester not in signed:
            raise Refused(f"the requester has not signed request {request.id}")

    def _spend(self, request: Request) -> None:
        """Mark the request before anything opens, so that a crash never leaves it unspent."""
        place = self._marks / "spent"
        with disk.writable("the keys"):
            disk.private(place)
            name = sha256(request.id.encode()).hexdigest()
            if not disk.write_once(place / name, b""):
                raise Refused(f"request {request.id} has served already; ask anew")

    def _now(self) -> datetime:
        """The time, kept; refused if it lies before one that was seen.

        Raises: Refused, if the clock went back, by which an expired approval would count again.
        """
        now, place = self._clock(), self._marks / "clock.json"
        with disk.writable("the keys"):
            disk.private(self._marks)
            with disk.locked(self._marks):
                seen = _seen(place)
                if seen is not None and now < seen - CLOCK_TOLERANCE:
                    raise Refused(
                        f"the clock says {instant(now)} and has said {instant(seen)} before; set "
                        "it right first"
                    )
                if seen is None or now > seen:
                    disk.write(place, json.dumps({"latest": instant(now)}).encode())
        return now


def _seen(place: Path) -> datetime | None:
    data = disk.read(place, ring.RECORD_BYTES_MAX)
    if data is None:
        return None
    try:
        return datetime.fromisoformat(json.loads(data)["latest"])
    except (ValueError, KeyError, TypeError):
        raise Tampered(
            "clock.json", "it holds no time; whoever keeps the keys looks at it"
        ) from None


def _context(compartment: Compartment, number: int, public: bytes) -> bytes:
    """What a wrapped private half is bound to."""
    return canonical.encode(
        {
            "format": ring.EPOCH,
            "compartment": compartment.id,
            "engagement": compartment.engagement,
            "owner": compartment.owner,
            "epoch": number,
            "kem": compartment.kem,
            "public": sha256(public).hexdigest(),
        }
    )


def _whole(wrapped: Sequence[Wrapped]) -> Bound:
    """What all of one artefact's shards have in common.

    Raises: Invalid, if these are not all shards of one artefact, each once, in order.
    """
    if not wrapped:
        raise Invalid("wrapped", "no shard was given")
    first = wrapped[0].bound
    for number, one in enumerate(wrapped):
        bound = one.bound
        same = (bound.engagement, bound.owner, bound.digest, bound.protection) == (
            first.engagement,
            first.owner,
            first.digest,
            first.protection,
        )
        if not same or (bound.shard, bound.shards) != (number, len(wrapped)):
            raise Invalid("wrapped", "these are not all the shards of one artefact, in order")
    return first


def _check_request(request: Request, bound: Bound, now: datetime) -> None:
    if request.action not in UNSEALING:
        raise Refused(f"request {request.id} is for {request.action.value}, which opens nothing")
    if request.engagement != bound.engagement or request.detail.get("digest") != bound.digest:
        raise Refused(f"request {request.id} is for another thing than {bound.digest}")
    if now < request.at - CLOCK_TOLERANCE:
        raise Refused(f"request {request.id} was made in the future; set the clock right first")
    if now >= request.expires:
        raise Refused(f"request {request.id} expired at {instant(request.expires)}; ask anew")


def _check_act(release: Release) -> None:
    """The proved act authorises this very request, and no other."""
    record = release.proof.opening.record
    if not isinstance(record, Mapping):
        raise Tampered("proof", "what it proves is no act")
    act: Act = from_record(record)
    request = release.request
    told = (act.kind, act.about, act.engagement, act.actor, act.detail.get("request"))
    due = (
        Kind.UNSEALING_AUTHORISED,
        request.resource,
        request.engagement,
        request.requester,
        request.id,
    )
    if told != due or act.detail.get("challenge") != approval.challenge(request).hex():
        raise Refused("the proof is of another act than the one that authorises this request")
