"""Publication: two persons, the very bytes, a proof; and nobody outside reads anything else."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

import make
import terms_world
from fakes import MemorySigner
from intake_world import World, quarantine, upload
from leadline.access import cedar
from leadline.app import approval, intake, publish
from leadline.app.publish import Plan
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.errors import Denied, NotFound, Refused, Tampered, Unavailable
from leadline.core.intake import Purpose
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats.roles_toml import RESOURCE_KINDS
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS

TEXT = b"# Findings\n\nNothing that anybody must keep.\n"
CANARY = b"CANARY-77aa01"


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation over SQLite."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


def planned(world: World, raw: bytes = TEXT, **listing: int) -> Plan:
    """A plan to publish *raw*, taken in before."""
    taken = world.take(raw)
    return Plan(taken.id, listing or {"a file": 1000}, [CANARY])


def test_what_two_others_signed_is_published(world: World, tmp_path: Path) -> None:
    """The copy lies under its digest; the act of authorisation was provable before."""
    plan = planned(world)
    request = publish.ask(world.ctx("keeper"), plan)
    world.approved(request, "official", "second")
    published = publish.publish(world.ctx("keeper"), request.id, plan, tmp_path / "published")
    assert (tmp_path / "published" / published.digest).read_bytes() == TEXT
    assert publish.fetch(world.ctx("anybody"), tmp_path / "published", published.digest) == TEXT
    (authorised,) = world.acts(Kind.PUBLICATION_AUTHORISED)
    assert authorised.detail["approvers"] == ("official", "second")
    (done,) = world.acts(Kind.ARTEFACT_PUBLISHED)
    assert done.detail["authorised"] == authorised.id == published.authorised


def test_the_developers_own_is_published_only_under_terms_that_say_so(world: World) -> None:
    """Others ask in vain until both parties signed publication; the refusal is recorded."""
    taken = world.take(TEXT, by="developer")
    plan = Plan(taken.id, {"a file": 1000})
    with pytest.raises(Refused, match="no terms are in effect"):
        publish.ask(world.ctx("keeper"), plan)
    (refused,) = world.acts(Kind.USE_REFUSED)
    assert refused.detail["purpose"] == "publication"
    terms = terms_world.agreed(world.store, make.NOW)
    publish.ask(world.ctx("keeper"), plan)
    (read,) = world.acts(Kind.ARTEFACT_READ)
    assert read.detail["terms"] == terms.digest


def test_without_a_proof_nothing_is_copied(world: World, tmp_path: Path) -> None:
    """The log cannot be signed: the authorisation stands, and the copy does not exist."""

    class Silent(MemorySigner):
        @override
        def sign(self, text: str) -> str:
            raise Unavailable("the signing key is away")

    plan = planned(world)
    request = publish.ask(world.ctx("keeper"), plan)
    world.approved(request, "official", "second")
    world.signer = Silent()
    with pytest.raises(Unavailable, match="key is away"):
        publish.publish(world.ctx("keeper"), request.id, plan, tmp_path / "published")
    assert len(world.acts(Kind.PUBLICATION_AUTHORISED)) == 1
    assert not (tmp_path / "published").exists()


@pytest.mark.parametrize("approvers", [(), ("official",)])
def test_fewer_than_two_others_publish_nothing(
    world: World, tmp_path: Path, approvers: tuple[str, ...]
) -> None:
    """The requester's own signature never counts as an approval."""
    plan = planned(world)
    request = publish.ask(world.ctx("keeper"), plan)
    world.approved(request, *approvers)
    with pytest.raises(Denied, match="two other persons"):
        publish.publish(world.ctx("keeper"), request.id, plan, tmp_path / "published")
    assert not (tmp_path / "published").exists()
    assert world.alerts("denial")


def test_approvals_publish_once_and_only_what_was_signed(world: World, tmp_path: Path) -> None:
    """Another list, another artefact, or the same once more: refused."""
    plan, other = planned(world), planned(world, TEXT + b"more")
    request = publish.ask(world.ctx("keeper"), plan)
    world.approved(request, "official", "second")
    ctx = world.ctx("keeper")
    with pytest.raises(Refused, match="another artefact or list"):
        publish.publish(ctx, request.id, Plan(plan.artefact, {"a file": 10_000}), tmp_path)
    with pytest.raises(Denied):
        publish.publish(ctx, request.id, other, tmp_path)
    publish.publish(ctx, request.id, plan, tmp_path)
    with pytest.raises(Refused, match="used already"):
        publish.publish(ctx, request.id, plan, tmp_path)


BAD = {
    "a canary": (b"text " + CANARY, {"a file": 100}, "canary", True),
    "a key": (b"-----BEGIN " + b"PRIVATE KEY-----", {"a file": 100}, "secret", True),
    "a source map": (b"//# sourceMappingURL=a.js.map\n", {"a file": 100}, "source map", False),
    "an unlisted file": (TEXT, {"another": 100}, "unlisted", False),
    "too much": (TEXT, {"a file": 3}, "oversized", False),
}


@pytest.mark.parametrize(("raw", "listing", "rule", "alarming"), BAD.values(), ids=BAD)
def test_a_flaw_stops_the_request(
    world: World, raw: bytes, listing: dict[str, int], rule: str, *, alarming: bool
) -> None:
    """The refusal is an act that names the finding and repeats nothing of it."""
    plan = planned(world, raw, **listing)
    with pytest.raises(Refused, match=rule):
        publish.ask(world.ctx("keeper"), plan)
    (act,) = world.acts(Kind.PUBLICATION_REFUSED)
    assert rule in json.dumps(act.detail["flaws"])
    assert CANARY.decode() not in str(act)
    assert len(world.alerts("publication")) == alarming


def test_many_flaws_are_counted(world: World) -> None:
    """A long list does not make a long act."""
    listing = {f"f{number:03}": 1 for number in range(300)}
    with pytest.raises(Refused, match="and 281 more"):
        publish.ask(world.ctx("keeper"), planned(world, TEXT, **listing))
    (act,) = world.acts(Kind.PUBLICATION_REFUSED)
    assert act.detail["found"] == 301


def test_what_is_sealed_is_not_published(world: World) -> None:
    """Its final form is deposited as working content first."""
    taken = world.deposit(replace(upload(), sealed=True), TEXT)
    with pytest.raises(Refused):
        publish.ask(world.ctx("keeper"), Plan(taken.id, {"a file": 100}))


def test_a_copy_that_was_changed_or_replaced_is_not_handed_out(
    world: World, tmp_path: Path
) -> None:
    """Changed, removed, or a link in its place."""
    plan = planned(world)
    request = publish.ask(world.ctx("keeper"), plan)
    world.approved(request, "official", "second")
    digest = publish.publish(world.ctx("keeper"), request.id, plan, tmp_path).digest
    (tmp_path / digest).write_bytes(b"other")
    with pytest.raises(Tampered, match="other bytes"):
        publish.fetch(world.ctx("anybody"), tmp_path, digest)
    (tmp_path / digest).unlink()
    (tmp_path / digest).symlink_to("/etc/hostname")
    with pytest.raises(NotFound, match="gone"):
        publish.fetch(world.ctx("anybody"), tmp_path, digest)


def test_a_folder_that_cannot_be_written_is_told(world: World, tmp_path: Path) -> None:
    """The approvals are used, the authorisation stands, no publication is recorded."""
    plan = planned(world)
    request = publish.ask(world.ctx("keeper"), plan)
    world.approved(request, "official", "second")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="public folder"):
        publish.publish(world.ctx("keeper"), request.id, plan, tmp_path / "file")
    assert world.acts(Kind.ARTEFACT_PUBLISHED) == []


def test_the_public_reads_what_was_published_and_nothing_else(world: World, tmp_path: Path) -> None:
    """By list, by digest and by id: an artefact that was not published is not there."""
    taken = world.take(TEXT)
    anybody = world.ctx("anybody")
    assert intake.listed(anybody) == []
    with pytest.raises(NotFound):
        publish.fetch(anybody, tmp_path, taken.digest)
    with pytest.raises(Denied):
        publish.ask(anybody, Plan(taken.id, {}))
    with pytest.raises(Denied):
        intake.deposit(anybody, upload(), [TEXT], quarantine)


@pytest.mark.parametrize("kind", sorted(RESOURCE_KINDS))
def test_a_new_object_of_every_kind_is_unreadable_for_the_public(kind: str) -> None:
    """Whatever kind a thing is, as it is made no action on it is allowed to a caller without a name.

    The marking is what `Resource` has by default; only a publication makes it TLP:CLEAR.
    """
    access, person = cedar.shipped(), World.person("anybody")
    new = Resource(kind, "thing-0001", make.ENGAGEMENT, make.DEVELOPER)
    public = Resource(kind, "thing-0001", marking=Marking(Tlp.CLEAR))
    given = Circumstances(make.NOW, assurance=3)

    def reads(thing: Resource) -> set[Action]:
        return {a for a in Action if access.decide(person, a, thing, given).allowed}

    assert reads(new) == set()
    assert reads(public) <= {
        Action.ARTEFACT_READ,
        Action.RECORD_READ,
        Action.ENTRY_READ,
        Action.FAIRNESS_READ,
        Action.PROJECT_READ,
    }


def test_purposes_do_not_matter_to_the_public(world: World) -> None:
    """Every purpose an upload can have is private when it comes."""
    for purpose, raw in (
        (Purpose.DOCUMENT, TEXT),
        (Purpose.CONFIGURATION, b"{}"),
        (Purpose.WEIGHTS, b"\2\0\0\0\0\0\0\0{}"),
        (Purpose.EVIDENCE, TEXT + b"2"),
    ):
        world.take(raw, purpose)
    assert len(intake.listed(world.ctx("keeper"))) == 4
    assert intake.listed(world.ctx("anybody")) == []
    assert approval.waiting(world.ctx("keeper")) == []
