"""Evidence that leaves: what goes, who held it, what stays behind and is counted, and referrals."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

import make
from desk_world import DeskWorld
from fakes import MemoryVault
from leadline.app import engagement as desk
from leadline.app import exports, terms, vaulting
from leadline.app.exports import Export
from leadline.app.vaulting import Material, Offer
from leadline.core.access import Action
from leadline.core.approval import Granted
from leadline.core.errors import Denied, Invalid, LeadlineError, NotFound, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.core.vaulting import Artefact, Basis, Hold

CONTEXT = "The finder reported it under a published disclosure policy."


@pytest.fixture
def world() -> DeskWorld:
    """An engagement under terms that cover evidence, with evidence of several kinds."""
    made = DeskWorld()
    terms = made.terms(purposes=("assessment", "evidence"))
    for person in ("developer", "official"):
        desk.agree_terms(made.at(person), made.on, terms)
    return made


def deposited(
    world: DeskWorld, content: bytes, *, compartment: str = "", sealed: bool = False
) -> Artefact:
    """An artefact that the evaluator put into the vault."""
    marking = Marking(Tlp.AMBER_STRICT, frozenset({compartment} - {""}))
    world.change("evaluator", compartments=frozenset({compartment} - {""}))
    material = Material(world.on.id, world.on.developer, "agency")
    offer = Offer(material, marking, sealed, 1 << 20)
    return vaulting.deposit(world.at("evaluator"), offer, [content])


def proved(world: DeskWorld, content: bytes) -> str:
    """Evidence that an act names, as an assessment leaves it."""
    ctx = world.at("evaluator")
    marking = Marking(Tlp.AMBER_STRICT)
    digest = ctx.vault.put(content, marking=marking, engagement=world.on.id)
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.ISOLATION_PROVED, "plan/before", world.on.id, evidence=digest))
    return digest


def exported(
    world: DeskWorld, out: Path, *wanted: str, person: str = "official", purpose: str = "evidence"
) -> Export:
    """An export for a court."""
    return exports.export(world.at(person), world.on, wanted, "a court", purpose, out)


def test_an_export_carries_evidence_acts_proofs_terms_and_custody(
    world: DeskWorld, tmp_path: Path
) -> None:
    """It verifies with the one verifier that every bundle has, and as what it says it is."""
    artefact, digest = deposited(world, b"a transcript"), proved(world, b"a proof")
    made = exported(world, tmp_path / "out")
    assert set(made.items) == {artefact.id, digest}
    told = exports.verify(tmp_path / "out", world.signer.vkeys())
    assert (told.export, told.engagement, told.to) == (made.id, world.on.id, "a court")
    assert (told.items, told.withheld, told.purpose) == (2, 0, "evidence")
    assert told.terms == made.terms != ""
    assert told.custody == 4  # here and at the court, for each
    assert (tmp_path / "out" / "evidence" / artefact.digest).read_bytes() == b"a transcript"
    (act,) = world.acts(Kind.EXPORT_MADE)
    assert (act.id, act.detail["terms"]) == (made.act, made.terms)
    assert (tmp_path / "out" / "proofs" / f"{act.id}.tlog-proof").is_file()
    assert told.verified.withheld == told.verified.size - told.verified.acts


def test_words_that_somebody_was_sent_are_no_evidence(world: DeskWorld, tmp_path: Path) -> None:
    """A result is for its recipient alone; no export of the engagement carries it."""
    ctx = world.at("evaluator")
    marking = Marking(Tlp.AMBER_STRICT)
    digest = ctx.vault.put(b"for one pair of eyes", marking=marking, engagement=world.on.id)
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.RESULT_SENT, "result-1", world.on.id, digest=digest))
    made = exported(world, tmp_path / "out")
    assert (dict(made.items), made.withheld) == ({}, 0)
    assert exports.verify(tmp_path / "out", world.signer.vkeys()).items == 0
    with pytest.raises(NotFound):
        exported(world, tmp_path / "second", digest)


def test_an_auditor_who_is_named_exports_what_a_run_left(world: DeskWorld, tmp_path: Path) -> None:
    """Artefacts are not the auditor's to read: counted. What was never kept here is no evidence."""
    deposited(world, b"a transcript")
    digest = proved(world, b"a proof")
    assert proved(world, b"a proof") == digest
    ctx = world.at("evaluator")
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.EVIDENCE_SEALED, "plan", world.on.id, results="e" * 64))
    with pytest.raises(Denied):
        exported(world, tmp_path / "out", person="auditor")
    world.change("auditor", engagements=frozenset({world.on.id}))
    made = exported(world, tmp_path / "out", person="auditor")
    assert (dict(made.items), made.withheld) == ({digest: digest}, 1)


def test_other_engagements_stay_closed(world: DeskWorld, tmp_path: Path) -> None:
    """Their acts are leaves of the log and nothing else."""
    ctx = world.at("officer")
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.CONCERN_RAISED, "concern-of-another", "", sector="health"))
    deposited(world, b"a transcript")
    exported(world, tmp_path / "out")
    assert "concern-of-another" not in (tmp_path / "out" / "acts.jsonl").read_text()
    assert exports.verify(tmp_path / "out", world.signer.vkeys()).verified.withheld > 0


def test_what_may_not_be_seen_and_what_is_sealed_is_counted_and_not_shown(
    world: DeskWorld, tmp_path: Path
) -> None:
    """What may not be seen and what is sealed is counted and not shown."""
    shown = deposited(world, b"shown")
    hidden = deposited(world, b"hidden", compartment="alpha")
    sealed = deposited(world, b"sealed", sealed=True)
    made = exported(world, tmp_path / "out")
    assert (set(made.items), made.withheld) == ({shown.id}, 2)
    text = b"".join(
        file.read_bytes()
        for file in (tmp_path / "out").rglob("*.json")
        if file.parent.name != "proofs"
    )
    assert hidden.id.encode() not in text
    with pytest.raises(Denied):
        exported(world, tmp_path / "second", hidden.id)
    with pytest.raises(Refused, match="is sealed"):
        exported(world, tmp_path / "second", sealed.id)
    with pytest.raises(NotFound, match="no evidence nothing"):
        exported(world, tmp_path / "second", "nothing")
    assert not (tmp_path / "second").exists()
    assert len(world.acts(Kind.EXPORT_MADE)) == 1


def test_what_is_not_asked_for_is_counted(world: DeskWorld, tmp_path: Path) -> None:
    """What is not asked for is counted."""
    one, _ = deposited(world, b"one"), deposited(world, b"two")
    made = exported(world, tmp_path / "out", one.id, one.id)
    assert (dict(made.items), made.withheld) == ({one.id: one.digest}, 1)


def test_only_whom_a_role_lets_and_only_for_what_the_terms_cover(
    world: DeskWorld, tmp_path: Path
) -> None:
    """Only whom a role lets and only for what the terms cover."""
    deposited(world, b"a transcript")
    out = tmp_path / "out"
    for person in ("evaluator", "officer", "coordinator", "partner", "rival", "operator"):
        with pytest.raises(Denied):
            exported(world, out, person=person)
    for purpose in ("weapons", "joint-assessment", "whatever"):
        with pytest.raises(Refused):
            exported(world, out, purpose=purpose)
    assert len(world.acts(Kind.USE_REFUSED)) == 3
    with pytest.raises(Denied, match="two factors"):
        exports.export(world.at("official", assurance=1), world.on, (), "x", "evidence", out)
    world.after(days=61)
    with pytest.raises(Refused, match="expired"):
        exported(world, out)
    assert not out.exists()
    assert world.acts(Kind.EXPORT_MADE) == []


def test_a_developer_exports_its_own_without_terms(tmp_path: Path) -> None:
    """A developer exports its own without terms."""
    world = DeskWorld()
    deposited(world, b"a transcript")
    made = exported(world, tmp_path / "out", person="developer")
    assert made.terms == ""
    assert exports.verify(tmp_path / "out", world.signer.vkeys()).terms == ""
    assert not (tmp_path / "out" / "terms.json").exists()


def test_after_a_withdrawal_only_the_developer_exports_and_what_is_closed_is_counted(
    world: DeskWorld, tmp_path: Path
) -> None:
    """Its keys have ended: its own material opens for nobody here, and the agency's still does."""
    material = Material(world.on.id, world.on.developer, "developer")
    offer = Offer(material, Marking(Tlp.AMBER_STRICT), sealed=False, bytes_max=100)
    own = vaulting.deposit(world.at("developer"), offer, [b"the developer's"])
    kept = deposited(world, b"the agency's")
    desk.withdraw(world.at("developer"), world.on, world.vault._keys)
    with pytest.raises(Refused, match="withdrawn"):
        exported(world, tmp_path / "out")
    made = exported(world, tmp_path / "out", person="developer")
    assert (set(made.items), made.withheld) == ({kept.id}, 1)
    with pytest.raises(Refused):
        exported(world, tmp_path / "second", own.id, person="developer")


class Meanwhile(MemoryVault):
    """The same vault; something else happens while it is read."""

    def __init__(self, inner: MemoryVault, deed: Callable[[], object]) -> None:
        super().__init__()
        vars(self).update(vars(inner))
        self._deed = deed

    @override
    def get(self, digest: str) -> bytes:
        """As the vault, after the deed."""
        self._deed()
        return super().get(digest)


def test_a_withdrawal_while_evidence_is_gathered_stops_the_export(
    world: DeskWorld, tmp_path: Path
) -> None:
    """Refused and on record, and no folder; so are terms that others take the place of."""
    deposited(world, b"a transcript")
    newer = world.terms(purposes=("assessment", "evidence"), days=9)

    def agree() -> None:
        for person in ("developer", "official"):
            desk.agree_terms(world.at(person), world.on, newer)

    for deed, why in (
        (agree, "other terms came into effect"),
        (lambda: desk.withdraw(world.at("developer"), world.on), "withdrawn"),
    ):
        ctx = replace(world.at("official"), vault=Meanwhile(world.vault, deed))
        with pytest.raises(Refused, match=why):
            exports.export(ctx, world.on, (), "a court", "evidence", tmp_path / "out")
        assert why in terms.refusals(world.at("developer"), world.on)[-1].why
    assert not (tmp_path / "out").exists()
    assert not world.acts(Kind.EXPORT_MADE)


@pytest.mark.parametrize("to", ["", " ", "a\nb", "x" * 201])
def test_a_recipient_is_named_in_a_line(world: DeskWorld, tmp_path: Path, to: str) -> None:
    """A recipient is named in a line."""
    with pytest.raises(Invalid, match="to: "):
        exports.export(world.at("official"), world.on, (), to, "evidence", tmp_path / "out")


def test_nothing_is_written_over_or_half(world: DeskWorld, tmp_path: Path) -> None:
    """Nothing is written over or half."""
    with pytest.raises(Invalid, match="exists"):
        exported(world, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        exported(world, tmp_path / "file" / "out")
    broken = replace(world.at("official"), signer=Silent())
    with pytest.raises(LeadlineError):
        exports.export(broken, world.on, (), "x", "evidence", tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


class Silent:
    """A signer that has no key."""

    def vkeys(self) -> str:
        """None."""
        raise Refused("there is no key")

    def sign(self, text: str) -> str:
        """Never."""
        raise Refused("there is no key")


def test_one_altered_byte_anywhere_is_found(world: DeskWorld, tmp_path: Path) -> None:
    """One altered byte anywhere is found."""
    deposited(world, b"a transcript")
    exported(world, tmp_path / "out")
    keys = world.signer.vkeys()
    for file in sorted((tmp_path / "out").rglob("*")):
        if file.is_file():
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            copy = tmp_path / "copy"
            shutil.copytree(tmp_path / "out", copy)
            (copy / file.relative_to(tmp_path / "out")).write_bytes(content)
            with pytest.raises(Tampered):
                exports.verify(copy, keys)
            shutil.rmtree(copy)


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("export.json", b"[]", "an object is due"),
        ("export.json", b"{", "export.json"),
        ("export.json", b"{}", "not among the acts"),
        ("custody.json", b"[]", "does not follow from the acts"),
        ("terms.json", b"{}", "not the terms"),
        ("evidence/more", b"x", "other evidence than the act names"),
    ],
)
def test_a_signed_folder_that_tells_another_story_is_found(
    world: DeskWorld, tmp_path: Path, path: str, content: bytes, told: str
) -> None:
    """Even where the signature is good, what it says of itself has to follow from the acts."""
    from leadline.app.seal import seal

    deposited(world, b"a transcript")
    exported(world, tmp_path / "out")
    (tmp_path / "out" / path).write_bytes(content)
    seal(tmp_path / "out", world.signer, world.signer.vkeys().split("+")[0])
    with pytest.raises(Tampered, match=told):
        exports.verify(tmp_path / "out", world.signer.vkeys())


def test_evidence_under_another_name_is_found(world: DeskWorld, tmp_path: Path) -> None:
    """So is a paper that names other items, or other words, than its act."""
    from leadline.app.seal import seal

    artefact = deposited(world, b"a transcript")
    exported(world, tmp_path / "out")
    paper = tmp_path / "out" / "export.json"
    evidence = tmp_path / "out" / "evidence" / artefact.digest
    first, content = paper.read_bytes(), evidence.read_bytes()
    for file, changed, told in (
        (paper, first.replace(artefact.id.encode(), b"another"), "other items than its act"),
        (paper, first.replace(b'"a court"', b'"a bank"'), "other things than the act"),
        (evidence, b"another", "has another digest"),
    ):
        file.write_bytes(changed)
        seal(tmp_path / "out", world.signer, world.signer.vkeys().split("+")[0])
        with pytest.raises(Tampered, match=told):
            exports.verify(tmp_path / "out", world.signer.vkeys())
        paper.write_bytes(first)
        evidence.write_bytes(content)


def test_a_bare_log_is_no_export(world: DeskWorld, tmp_path: Path) -> None:
    """A bare log is no export."""
    exported(world, tmp_path / "out")
    bare = tmp_path / "bare"
    shutil.copytree(tmp_path / "out" / "tile", bare / "tile")
    shutil.copy(tmp_path / "out" / "checkpoint", bare / "checkpoint")
    with pytest.raises(Tampered, match="no export"):
        exports.verify(bare, world.signer.vkeys())


def signed(world: DeskWorld, facts: dict[str, str], person: str = "official") -> Granted:
    """The person's own signature under a referral."""
    return world.signed(person, Action.REFERRAL_MAKE, world.on.resource(), facts)


def test_a_referral_is_a_persons_own_signed_act_and_keeps_the_context(
    world: DeskWorld, tmp_path: Path
) -> None:
    """A referral is a persons own signed act and keeps the context."""
    made = exported(world, tmp_path / "out")
    facts = dict(exports.referral(made.id, "a prosecutor", "18 USC 1030", CONTEXT))
    act = exports.refer(world.at("official"), world.on, facts, CONTEXT, signed(world, facts))
    assert (act.kind, act.about, act.actor) == (Kind.REFERRAL_MADE, made.id, "official")
    assert world.vault.get(str(act.detail["context"])).decode() == CONTEXT
    assert [one.id for one in exports.around(world.at("official"), world.on).referrals] == [act.id]


def test_nobody_refers_without_signing_this_very_referral_once(
    world: DeskWorld, tmp_path: Path
) -> None:
    """Nobody refers without signing this very referral once."""
    made = exported(world, tmp_path / "out")
    facts = dict(exports.referral(made.id, "a prosecutor", "18 USC 1030", CONTEXT))
    granted, official = signed(world, facts), world.at("official")
    bare = replace(granted, asserted=False)
    with pytest.raises(Denied):
        exports.refer(official, world.on, facts, CONTEXT, bare)
    with pytest.raises(Denied):
        exports.refer(world.at("developer"), world.on, facts, CONTEXT, granted)
    with pytest.raises(Refused, match="another referral"):
        exports.refer(official, world.on, {**facts, "to": "a paper"}, CONTEXT, granted)
    with pytest.raises(Invalid, match="good-faith"):
        exports.refer(official, world.on, facts, " ", granted)
    with pytest.raises(Invalid, match="authority"):
        exports.refer(official, world.on, {**facts, "authority": ""}, CONTEXT, granted)
    nothing = dict(exports.referral("export-none", "a prosecutor", "18 USC 1030", CONTEXT))
    with pytest.raises(NotFound, match="no export export-none"):
        exports.refer(official, world.on, nothing, CONTEXT, signed(world, nothing))
    assert world.acts(Kind.REFERRAL_MADE) == []
    exports.refer(official, world.on, facts, CONTEXT, granted)
    with pytest.raises(Refused, match="used already"):
        exports.refer(official, world.on, facts, CONTEXT, granted)


def test_holds_stand_beside_exports(world: DeskWorld, tmp_path: Path) -> None:
    """A hold names its authority; the export carries it."""
    material = Material(world.on.id, world.on.developer, "agency")
    hold = Hold("", world.on.id, None, Basis.LEGAL_HOLD, "an order of 1 March", make.NOW, "")
    vaulting.place_hold(world.at("official"), material, hold)
    exported(world, tmp_path / "out")
    assert b"an order of 1 March" in (tmp_path / "out" / "holds.json").read_bytes()
    found = exports.around(world.at("developer"), world.on)
    assert (len(found.exports), found.holds[0].authority) == (1, "an order of 1 March")
    with pytest.raises(Denied):
        exports.around(world.at("rival"), world.on)
