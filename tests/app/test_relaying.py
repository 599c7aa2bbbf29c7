"""A case over two hops between installations, and back: nothing of its provenance changes (A15)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

import pytest

import make
from clearing_values import finding
from clearing_world import INTAKE, acts_about, clearing_world, name_for
from desk_world import DeskWorld
from fakes import MemorySigner
from leadline.app import cases, relaying
from leadline.app.cases import NewParty
from leadline.core.access import Bounds
from leadline.core.alert import Alert
from leadline.core.clearing.case import Affected
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.clearing.disclosure import Move, Role
from leadline.core.clearing.finding import Finding
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Stale, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, instant
from leadline.formats import magpie, manifest, vince
from leadline.formats.magpie import Hop
from leadline.formats.vince import ForeignCase, Vendor, VendorStatus

POLICY = "leadline-default"


@dataclass
class Desk:
    """One coordinator's installation."""

    name: str
    world: DeskWorld = field(default_factory=clearing_world)

    def __post_init__(self) -> None:
        self.world.signer = MemorySigner(f"{self.name}.example/log")
        numbered = self.world.id_
        self.world.id_ = lambda prefix: f"{numbered(prefix)}-{self.name}"

    @property
    def keys(self) -> str:
        """The verifier keys that others get apart from any parcel."""
        return self.world.signer.vkeys()

    def opened(self) -> str:
        """A case of one finding made by an AI system."""
        held = finding(origin="ai", found_by="secret-model-name", title="overflow in read()")
        with self.world.store.write() as tx:
            tx.put(held.id, held, marking=Marking(Tlp.AMBER_STRICT),
                   bounds=Bounds(case=INTAKE, owner="finder"))  # fmt: skip
        case = cases.open_case(
            self.world.at("screener"), [held.id], title="Overflow", policy=POLICY
        )
        return self.named(case)

    def named(self, case: str) -> str:
        """The screener's grant counts at once."""
        name_for(self.world, "screener", case)
        return case

    def send(self, case: str, **more: str) -> dict[str, bytes]:
        """The parcel that a person would send."""
        return relaying.export_case(self.world.at("screener"), case, **more)

    def take(self, parcel: Mapping[str, bytes], *keys: str) -> relaying.Came:
        """Receive a parcel, with the keys of some other desks."""
        came = relaying.receive_case(
            self.world.at("screener"), parcel, "".join(keys), policy=POLICY
        )
        self.named(came.case)
        return came

    def alerts(self) -> int:
        """How many alerts there are."""
        with self.world.store.read() as view:
            return len(view.find(Alert))


def resigned(
    desk: Desk, parcel: Mapping[str, bytes], ident: str = "", **changed: bytes
) -> dict[str, bytes]:
    """A parcel that a dishonest hop changed and signed again."""
    parts = {name: changed.get(name.removesuffix(".json"), parcel[name]) for name in
             (relaying.BLOCK, relaying.CASE)}  # fmt: skip
    listing = manifest.encode(
        {path: manifest.File(sha256(data).hexdigest(), len(data)) for path, data in parts.items()}
    )
    ident = ident or json.loads(parts[relaying.BLOCK])["id"]
    told = f"{relaying.PARCEL}\n{ident}\n{manifest.digest(listing)}\n"
    return {**parts, manifest.MANIFEST: listing,
            manifest.STATEMENT: desk.world.signer.sign(told).encode()}  # fmt: skip


def with_unknown_fields(desk: Desk, case: str) -> str:
    """A case that came in with a block of other software: odd spacing, order, numbers and fields."""
    raw = (
        '{ "x-odd" : {"n": 1.50, "e": 1E2, "u": "\\u00e9 é"} ,"relay":"magpie/rfc-ai-0008-draft",\n'
        ' "id":"foreign-1","finder_credits":[ "Ada  L." , {"name":"Bo","org":"x"}],\n'
        f' "embargo":{{"until":"{instant(desk.world.now + timedelta(days=30))}","tlp":"TLP:RED"}},\n'
        ' "reporter_chain" : [ {"party":"Ada","role":"finder","at":"2027-01-01T00:00:00Z"} ] ,\n'
        ' "dedup_claims":["consolidated from 3 reports"], "zz": [ ] }\n'
    )
    block = magpie.parse(raw.encode())
    upstream = Desk("upstream")
    hop = Hop("upstream", "coordinator", "2027-01-02T00:00:00Z", "U-7")
    seal = upstream.world.signer.sign(magpie.seal_text(block.frozen, block.chain[-1], hop))
    grown = magpie.appended(block, Hop(hop.party, hop.role, hop.at, hop.handling_id, seal))
    told = ForeignCase("Overflow", "words", ("VU#123456", "VRF#26-01-ABCDE"), due=block.until,
                       vendors=(Vendor("Maker", VendorStatus.NO_ANSWER),))  # fmt: skip
    parts = {relaying.BLOCK: grown.data, relaying.CASE: vince.render(told)}
    came = desk.take(resigned(upstream, parts), upstream.keys)
    assert came.fresh
    return came.case


@dataclass
class Trip:
    """What became of one journey."""

    desks: tuple[Desk, Desk, Desk]
    cases: tuple[str, relaying.Came, relaying.Came, relaying.Came, relaying.Came]
    parcels: tuple[dict[str, bytes], ...]


@pytest.fixture(scope="module")
def trip() -> Trip:
    """A to B to C, and from C back to A over B; every parcel."""
    a, b, c = Desk("a"), Desk("b"), Desk("c")
    at_a = with_unknown_fields(a, "")
    first = a.send(at_a)
    at_b = b.take(first, a.keys)
    second = b.send(at_b.case)
    at_c = c.take(second, b.keys, a.keys)
    third = c.send(at_c.case)
    back_b = b.take(third, c.keys)
    fourth = b.send(back_b.case)
    back_a = a.take(fourth, b.keys, c.keys)
    return Trip((a, b, c), (at_a, at_b, at_c, back_b, back_a), (first, second, third, fourth))


def test_two_hops_and_back_change_no_byte_but_the_chain(trip: Trip) -> None:
    """Unknown fields, spacing, credits and terms are the first hop's; each hop appended itself."""
    parcels = trip.parcels
    blocks = [magpie.parse(one[relaying.BLOCK]) for one in parcels]
    assert len({block.frozen for block in blocks}) == 1
    assert len({block.raw[: block.start] for block in blocks}) == 1
    assert len({block.raw[block.end :] for block in blocks}) == 1
    assert {(block.credits, block.until, block.tlp) for block in blocks} == {
        (blocks[0].credits, blocks[0].until, Tlp.RED)
    }
    assert [len(block.hops) for block in blocks] == [3, 4, 5, 6]
    for shorter, longer in pairwise(blocks):
        assert longer.chain[: len(shorter.chain)] == shorter.chain
    assert '"n": 1.50' in blocks[-1].raw


def test_a_case_that_comes_back_is_the_same_case(trip: Trip) -> None:
    """No second case is opened, and each hop keeps its own handling id."""
    at_a, at_b, at_c, back_b, back_a = trip.cases
    assert back_b.case == at_b.case
    assert back_a.case == at_a
    assert not back_b.fresh
    assert at_c.unverified == 2  # the finder's own entry, and upstream's, whose key C has not
    foreign = vince.parse(trip.parcels[3][relaying.CASE])
    assert {"VU#123456", "VRF#26-01-ABCDE", at_b.case, at_c.case} <= set(foreign.ids)
    assert foreign.vendors[0].status is VendorStatus.NO_ANSWER


def test_the_embargo_it_came_with_holds_here(trip: Trip) -> None:
    """The case here is under embargo until then, as its acts say."""
    b, at_b = trip.desks[1], trip.cases[1]
    begun = acts_about(b.world, at_b.case, Kind.EMBARGO_BEGUN)
    assert len(begun) == 1
    assert cases.standing(b.world.at("screener"), at_b.case).embargoed(b.world.now)
    passed = relaying.passings(b.world.at("screener"), at_b.case)
    assert [one.received for one in passed] == [True, False, True, False]


def test_an_embargo_that_came_along_is_under_no_policy_without_one() -> None:
    """Else the case would be public here from its first moment."""
    a, b = Desk("a"), Desk("b")
    parcel, ctx = a.send(a.opened()), b.world.at("screener")
    with pytest.raises(Refused, match="keeps none"):
        relaying.receive_case(ctx, parcel, a.keys, policy="linux-kernel-ai-found")
    assert b.world.acts(Kind.CASE_OPENED) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Ada  L."', '"Eve"'),
        ('"TLP:RED"', '"TLP:GREEN"'),
        ('"party":"Ada"', '"party":"Eve"'),
        ('"n": 1.50', '"n": 1.5'),
        ("VU#123456", "VU#123457"),
    ],
)
def test_a_hop_that_changes_anything_is_refused(trip: Trip, old: str, new: str) -> None:
    """On the way back by who knew it, with an alert and without a trace in the case."""
    a, b, _ = trip.desks
    fourth = trip.parcels[3]
    changed = fourth[relaying.BLOCK].replace(old.encode(), new.encode())
    case = fourth[relaying.CASE].replace(old.encode(), new.encode())
    before = len(acts_about(a.world, trip.cases[0])), a.alerts()
    if old.startswith("VU#"):
        # The words of a case may change on the way; its provenance may not.
        assert a.take(resigned(b, fourth, case=case), b.keys).case == trip.cases[0]
        return
    with pytest.raises(Tampered):
        a.take(resigned(b, fourth, relay=changed), b.keys)
    assert (len(acts_about(a.world, trip.cases[0])), a.alerts()) == (before[0], before[1] + 1)


def test_a_shortened_chain_is_refused() -> None:
    """By the one that is missing; and a last entry without its sender's seal by everybody."""
    a, b = Desk("a"), Desk("b")
    case = with_unknown_fields(a, "")
    first = a.send(case)
    at_b = b.take(first, a.keys)
    second = b.send(at_b.case)
    block = magpie.parse(second[relaying.BLOCK])
    # B leaves out A and seals anew.
    cut = magpie.parse(f"{block.raw[: block.ends[1]]}{block.raw[block.end - 1 :]}".encode())
    hop = Hop("b", "coordinator", "2027-03-01T00:00:00Z", "B-1")
    seal = b.world.signer.sign(magpie.seal_text(cut.frozen, cut.chain[-1], hop))
    grown = magpie.appended(cut, Hop(hop.party, hop.role, hop.at, hop.handling_id, seal))
    with pytest.raises(Tampered, match="lost or changed"):
        a.take(resigned(b, second, relay=grown.data), b.keys)
    with pytest.raises(Tampered, match="not sealed"):
        Desk("c").take(resigned(b, second, relay=cut.data), b.keys)


def test_a_later_hop_with_the_key_sees_a_change_it_never_knew_the_original_of() -> None:
    """The seal of A is over everything but the chain, so B cannot rewrite the credit towards C."""
    a, b, c = Desk("a"), Desk("b"), Desk("c")
    second = b.send(b.take(a.send(with_unknown_fields(a, "")), a.keys).case)
    block = magpie.parse(second[relaying.BLOCK])
    forged = magpie.parse(block.raw.replace('"Ada  L."', '"Eve"').encode())
    cut = forged.raw[: forged.ends[2]] + forged.raw[forged.ends[3] :]
    without = magpie.parse(cut.encode())
    hop = Hop("b", "coordinator", "2027-03-01T00:00:00Z")
    seal = b.world.signer.sign(magpie.seal_text(without.frozen, without.chain[-1], hop))
    grown = magpie.appended(without, Hop(hop.party, hop.role, hop.at, "", seal))
    with pytest.raises(Tampered, match="after this hop"):
        c.take(resigned(b, second, relay=grown.data), b.keys, a.keys)


@pytest.mark.parametrize(
    "part", [relaying.BLOCK, relaying.CASE, manifest.MANIFEST, manifest.STATEMENT]
)
def test_a_parcel_that_changed_on_the_way_is_refused(part: str) -> None:
    """Any byte of any file; and no case is opened."""
    a, b = Desk("a"), Desk("b")
    parcel = a.send(a.opened())
    changed = parcel | {part: parcel[part].replace(b"a", b"b", 1)}
    with pytest.raises(Tampered):
        b.take(changed, a.keys)
    assert b.world.acts(Kind.CASE_OPENED) == []
    assert b.alerts() == 1
    for fewer in (parcel | {"more.json": b"{}"}, {manifest.STATEMENT: parcel[manifest.STATEMENT]}):
        with pytest.raises(Tampered):
            b.take(fewer, a.keys)


def test_a_parcel_by_another_key_is_refused() -> None:
    """Whatever it says."""
    a, b, c = Desk("a"), Desk("b"), Desk("c")
    parcel = a.send(a.opened())
    with pytest.raises(Tampered, match="no signature"):
        b.take(parcel, c.keys)
    with pytest.raises(Invalid):
        b.take(parcel, "")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (ForeignCase("t", tlp=Tlp.GREEN), "while its terms say"),
        (ForeignCase("t", due=make.NOW), "becomes public before"),
    ],
)
def test_looser_words_beside_the_terms_are_refused(changed: ForeignCase, problem: str) -> None:
    """The case in words cannot say less than the block."""
    a, b = Desk("a"), Desk("b")
    parcel = a.send(with_unknown_fields(a, ""))
    with pytest.raises(Tampered, match=problem):
        b.take(resigned(a, parcel, case=vince.render(changed)), a.keys)


def test_the_same_parcel_twice_is_one_case() -> None:
    """Not one act more, and the same receipt."""
    a, b = Desk("a"), Desk("b")
    parcel = a.send(a.opened())
    one = b.take(parcel, a.keys)
    acts = len(b.world.acts())
    two = b.take(parcel, a.keys)
    assert (two.case, two.receipt, two.fresh) == (one.case, one.receipt, False)
    assert len(b.world.acts()) == acts


def test_a_parcel_whose_entry_fails_leaves_no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case, provenance and embargo are one entry: nobody finds an empty case without its terms."""
    a, b = Desk("a"), Desk("b")
    parcel = a.send(with_unknown_fields(a, ""))
    acts = len(b.world.acts())
    with monkeypatch.context() as patched:
        patched.setattr(relaying, "Handover", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            b.take(parcel, a.keys)
    with b.world.store.read() as view:
        assert view.find(CaseFile) == []
    assert len(b.world.acts()) == acts
    assert b.take(parcel, a.keys).fresh
    kinds = [one.kind for one in b.world.acts()]
    assert kinds.count(Kind.CASE_RECEIVED) == kinds.count(Kind.EMBARGO_BEGUN) == 1


def test_a_parcel_received_twice_at_once_is_one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second is told; once more, and the case that is there is found."""
    a, b = Desk("a"), Desk("b")
    parcel = a.send(a.opened())
    put, first = b.world.vault.put, list[relaying.Came]()

    def late(data: bytes, *, marking: Marking) -> str:
        monkeypatch.setattr(b.world.vault, "put", put)
        first.append(b.take(parcel, a.keys))
        return put(data, marking=marking)

    monkeypatch.setattr(b.world.vault, "put", late)
    with pytest.raises(Stale, match="receive it again"):
        b.take(parcel, a.keys)
    again = b.take(parcel, a.keys)
    assert (again.case, again.fresh) == (first[0].case, False)
    with b.world.store.read() as view:
        assert len(view.find(CaseFile)) == 1


def test_a_case_of_this_installation_goes_out_without_proof_or_model_name() -> None:
    """It says AI-found, names no finder who did not decide, and carries the origin."""
    a, b = Desk("a"), Desk("b")
    case = a.opened()
    parcel = a.send(case, origin="https://a.example/cases/1")
    text = b"".join(parcel.values())
    assert b"secret-model-name" not in text
    assert b"b" * 64 not in text
    assert b"ai-found" in text
    assert relaying.UNNAMED.encode() in text
    came = b.take(parcel, a.keys)
    told = vince.parse(parcel[relaying.CASE])
    assert told.vulnerabilities[0].origin == "ai"
    assert magpie.parse(parcel[relaying.BLOCK]).origins == ("https://a.example/cases/1",)
    assert came.fresh
    with b.world.store.read() as view:
        assert view.find(Finding) == []


def test_a_receipt_says_under_which_id_the_next_hop_handles_it() -> None:
    """Signed, of this very case; put on record once; every later parcel names it."""
    a, b = Desk("a"), Desk("b")
    case = a.opened()
    came = b.take(a.send(case), a.keys)
    ctx = a.world.at("screener")
    assert relaying.returned(ctx, case, came.receipt, b.keys) == came.case
    acts = len(a.world.acts())
    assert relaying.returned(ctx, case, came.receipt, b.keys) == came.case
    assert len(a.world.acts()) == acts
    assert came.case in relaying.passings(ctx, case)[-1].ids
    with pytest.raises(Tampered):
        relaying.returned(ctx, case, came.receipt, a.keys)
    with pytest.raises(Tampered, match="are due"):
        relaying.returned(ctx, case, b.world.signer.sign("hello\n").encode(), b.keys)


def test_a_receipt_of_another_case_is_refused() -> None:
    """And so is one for a case that was never sent."""
    a, b = Desk("a"), Desk("b")
    case = a.opened()
    came = b.take(a.send(with_unknown_fields(a, "")), a.keys)
    ctx = a.world.at("screener")
    with pytest.raises(NotFound, match="never relayed"):
        relaying.returned(ctx, case, came.receipt, b.keys)
    a.send(case)
    with pytest.raises(Refused, match="another case"):
        relaying.returned(ctx, case, came.receipt, b.keys)


def test_who_is_not_named_for_a_case_sends_and_takes_nothing() -> None:
    """Two factors are due as well."""
    a, b = Desk("a"), Desk("b")
    case = a.opened()
    for person in ("second-screener", "finder", "maintainer"):
        with pytest.raises(Denied):
            relaying.export_case(a.world.at(person), case)
    with pytest.raises(Denied):
        relaying.export_case(a.world.at("screener", assurance=1), case)
    parcel = a.send(case)
    for person in ("finder", "hospital"):
        with pytest.raises(Denied):
            relaying.receive_case(b.world.at(person), parcel, a.keys, policy=POLICY)
    with pytest.raises(Invalid, match="no disclosure policy"):
        relaying.receive_case(b.world.at("screener"), parcel, a.keys, policy="none-such")


def test_a_seal_that_is_no_note_is_refused() -> None:
    """By a parse, before anything is believed."""
    a, b = Desk("a"), Desk("b")
    parcel = a.send(a.opened())
    block = magpie.parse(parcel[relaying.BLOCK])
    grown = magpie.appended(block, Hop("x", "coordinator", "2027-01-01T00:00:00Z", "", "no note"))
    with pytest.raises(Tampered, match="no note"):
        b.take(resigned(a, parcel, relay=grown.data), a.keys)


def test_a_closed_case_is_not_relayed_and_a_parcel_names_its_own_block() -> None:
    """A signature over another case's id is over another parcel."""
    a, b = Desk("a"), Desk("b")
    case = a.opened()
    parcel = a.send(case)
    with pytest.raises(Tampered, match="other provenance"):
        b.take(resigned(a, parcel, ident="another"), a.keys)
    more = {
        **parcel,
        manifest.MANIFEST: manifest.encode({relaying.BLOCK: manifest.File("a" * 64, 1)}),
    }
    told = f"{relaying.PARCEL}\nx\n{manifest.digest(more[manifest.MANIFEST])}\n"
    more[manifest.STATEMENT] = a.world.signer.sign(told).encode()
    with pytest.raises(Tampered, match="nothing else"):
        b.take(more, a.keys)
    ctx = a.world.at("screener")
    cases.move(ctx, case, Moved(Move.ELSEWHERE, "ab" * 32))
    cases.close(ctx, case, "It is public and nothing is left to do.")
    with pytest.raises(Refused, match="closed"):
        a.send(case)


def test_what_parties_here_say_goes_on_beside_what_came() -> None:
    """An answer here takes the place of no answer; an answer that came stays."""
    a, b = Desk("a"), Desk("b")
    at_b = b.take(a.send(with_unknown_fields(a, "")), a.keys).case
    ctx = b.world.at("screener")
    maker = cases.add_party(ctx, at_b, NewParty(Role.OWNER, "Maker", "x@x.example"))
    cases.add_party(ctx, at_b, NewParty(Role.DOWNSTREAM, "Silent", "y@x.example"))
    cases.state(ctx, at_b, maker, Stated(affected=Affected.AFFECTED), "mail of Monday")
    told = vince.parse(b.send(at_b)[relaying.CASE])
    assert {one.name: one.status for one in told.vendors} == {
        "Maker": VendorStatus.AFFECTED,
        "Silent": VendorStatus.NO_ANSWER,
    }
