"""A key service in memory, under the same conformance suite as the real ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from typing_extensions import override

from leadline.app import approval, proof
from leadline.app.ports import Recipient, Release
from leadline.core.account import RegisteredKey
from leadline.core.errors import Invalid, NotFound, Refused, Tampered, Unavailable
from leadline.core.record.act import Kind, from_record
from leadline.core.vaulting import Bound, Destroyed, Owner, Protection, Wrapped
from leadline.formats.tlog_policy import Policy

Name = tuple[str, Owner]


class MemoryKeyStore:
    """`leadline.app.ports.KeyStore`; a data key is kept under a number that stands for it."""

    seals_only = False

    def __init__(
        self,
        clock: Callable[[], datetime],
        roster: Callable[[str], RegisteredKey],
        policy: Callable[[], Policy],
    ) -> None:
        self._clock, self._roster, self._policy = clock, roster, policy
        self._compartments: dict[Name, str] = {}
        self._epochs: dict[Name, list[datetime]] = {}
        self._keys: dict[bytes, tuple[Bound, bytes]] = {}
        self._gone: dict[Name, Destroyed] = {}
        self._ended: set[Name] = set()
        self._spent: set[str] = set()
        self._latest: datetime | None = None
        self._numbers = count(1)

    def ensure(self, engagement: str, owner: Owner) -> Recipient:
        """As the port."""
        name = (engagement, owner)
        if name not in self._compartments:
            self._compartments[name] = f"key-{next(self._numbers):032x}"
            self._epochs[name] = [self._clock()]
        self._live(name)
        return Recipient(self._compartments[name], len(self._epochs[name]))

    def wrap(self, key: bytes, bound: Bound) -> Wrapped:
        """As the port."""
        name = (bound.engagement, bound.owner)
        if name not in self._compartments:
            raise NotFound("no compartment")
        self._live(name)
        if bound.compartment != self._compartments[name]:
            raise Tampered(bound.compartment, "another compartment")
        if not 1 <= bound.epoch <= len(self._epochs[name]):
            raise Tampered(bound.compartment, "no such epoch")
        token = next(self._numbers).to_bytes(32, "big")
        self._keys[token] = (bound, key)
        return Wrapped(token, bound)

    def open_working(self, wrapped: Wrapped) -> bytes:
        """As the port."""
        if wrapped.bound.protection is not Protection.WORKING:
            raise Refused("sealed")
        self._not_ended(wrapped.bound)
        return self._open(wrapped)

    def unwrap(self, wrapped: Sequence[Wrapped], release: Release) -> Sequence[bytes]:
        """As the port."""
        whole = [(one.bound.digest, one.bound.shard, one.bound.shards) for one in wrapped]
        due = [(whole[0][0], n, len(wrapped)) for n in range(len(wrapped))] if whole else [None]
        if whole != due:
            raise Invalid("wrapped", "not one whole artefact")
        bound, request = wrapped[0].bound, release.request
        if bound.protection is not Protection.SEALED or not request.action.value.endswith("unseal"):
            raise Refused("nothing to unseal")
        self._not_ended(bound)
        if (request.engagement, request.detail.get("digest")) != (bound.engagement, bound.digest):
            raise Refused("another artefact")
        now = self._now()
        if not request.at - timedelta(seconds=5) <= now < request.expires:
            raise Refused("not the request's time")
        self._signed(release, now)
        proof.check(release.proof, self._policy())
        record = release.proof.opening.record
        assert isinstance(record, dict)
        act = from_record(record)
        authorised = (act.kind, act.about, act.engagement, act.actor, act.detail.get("challenge"))
        if (
            authorised
            != (
                Kind.UNSEALING_AUTHORISED,
                request.resource,
                request.engagement,
                request.requester,
                approval.challenge(request).hex(),
            )
            or act.detail.get("request") != request.id
        ):
            raise Refused("another act")
        if request.id in self._spent:
            raise Refused("spent")
        self._spent.add(request.id)
        return [self._open(one) for one in wrapped]

    def rotate(self, engagement: str, owner: Owner) -> int:
        """As the port."""
        name = (engagement, owner)
        if name not in self._compartments:
            raise NotFound("no compartment")
        self._live(name)
        if self._now() <= self._epochs[name][-1]:
            raise Refused("the clock went back")
        self._epochs[name].append(self._clock())
        return len(self._epochs[name])

    def rewrap(self, wrapped: Wrapped) -> Wrapped:
        """As the port."""
        epoch = self.ensure(wrapped.bound.engagement, wrapped.bound.owner).epoch
        if epoch == wrapped.bound.epoch:
            return wrapped
        return self.wrap(self._open(wrapped), replace(wrapped.bound, epoch=epoch))

    def end(self, engagement: str, owner: Owner) -> None:
        """As the port."""
        if (engagement, owner) in self._compartments:
            self._ended.add((engagement, owner))

    def ended(self, engagement: str, owner: Owner) -> bool:
        """As the port."""
        return (engagement, owner) in self._ended

    def destroy(self, engagement: str, owner: Owner, *, authority: str) -> Sequence[Destroyed]:
        """As the port."""
        name = (engagement, owner)
        if name not in self._compartments:
            return ()
        if name not in self._gone:
            done = Destroyed(self._compartments[name], self._clock(), "memory", authority)
            self._gone[name] = done
            self._keys = {
                token: held
                for token, held in self._keys.items()
                if (held[0].engagement, held[0].owner) != name
            }
        return (self._gone[name],)

    def attest(self, engagement: str, owner: Owner) -> str:
        """As the port."""
        name = (engagement, owner)
        if name not in self._compartments:
            raise NotFound("no compartment")
        there = "destroyed" if name in self._gone else "present"
        return f"{self._compartments[name]}: {there}, memory; gone with this process"

    def _live(self, name: Name) -> None:
        if name in self._gone:
            raise Refused("destroyed")

    def _not_ended(self, bound: Bound) -> None:
        if self.ended(bound.engagement, bound.owner):
            raise Refused("ended")

    def _open(self, wrapped: Wrapped) -> bytes:
        self._live((wrapped.bound.engagement, wrapped.bound.owner))
        held = self._keys.get(wrapped.sealed)
        if held is None or held[0] != wrapped.bound:
            raise Tampered("data key", "bound to something else")
        return held[1]

    def _signed(self, release: Release, now: datetime) -> None:
        signed = set[str]()
        for one in release.approvals:
            key = self._roster(one.key)
            if key.principal != one.principal or not key.held(now) or one.at > now:
                raise Refused("not this person's key now")
            approval.verify(release.request, one, key)
            signed.add(one.principal)
        if release.request.requester not in signed or len(signed) < 3:
            raise Refused("too few have signed")

    def _now(self) -> datetime:
        now = self._clock()
        if self._latest is not None and now < self._latest - timedelta(seconds=5):
            raise Refused("the clock went back")
        self._latest = max(now, self._latest or now)
        return now


class FaultyKeyStore(MemoryKeyStore):
    """A key service whose next opening ends in `Unavailable`, as `fail_next` says."""

    _persisted: bool | None = None

    def fail_next(self, *, persisted: bool) -> None:
        """The next opening fails; *persisted*: after the request was marked as served."""
        self._persisted = persisted

    @override
    def unwrap(self, wrapped: Sequence[Wrapped], release: Release) -> Sequence[bytes]:
        """As the port, until the fault."""
        persisted, self._persisted = self._persisted, None
        if persisted is False:
            raise Unavailable("the key service does not answer (injected before)")
        keys = super().unwrap(wrapped, release)
        if persisted:
            raise Unavailable("the connection was lost (injected after)")
        return keys
