"""What every sealed runner promises; see `leadline.app.ports.SealedRunner`.

A driver is added to `DRIVERS`. The inner side runs in this process and measures what a test says.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import sealed_world as sw
from leadline.app import log, sealed
from leadline.app.ports import Material, SealedRunner
from leadline.core.errors import Refused, Tampered
from leadline.core.record.act import Kind
from leadline.core.sealed import pack as sealed_pack
from leadline.core.sealed.pack import Pack, Scheme
from leadline.core.sealed.session import LABELS, Driver, Quote, RunSession
from leadline.formats import canonical, pack
from leadline.formats.sealed_report import measured, read_report
from leadline.formats.tlog_proof import ActProof
from leadline.runner import custody
from leadline.runner.sealed import (
    EVIDENCE,
    OUTCOMES,
    Inside,
    LocalProcess,
    Platform,
    SimulatedTee,
    check_signature,
)
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World

DRIVERS: tuple[Driver, ...] = ("local-process", "simulated-tee")
PLATFORM = Platform(Ed25519PrivateKey.generate(), 7)


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


def started(
    world: World, driver: Driver, measure: Measure, platform: Platform = PLATFORM
) -> SealedRunner:
    """A runner of one kind."""
    inside, policy = Inside(measure, sw.CODE), log.policy_of(world.ctx("lead"))
    if driver == "local-process":
        return LocalProcess(inside, policy)
    return SimulatedTee(inside, policy, platform)


@dataclass
class Bench:
    """One session with its runner, and everything a release of keys needs."""

    world: World
    runner: SealedRunner
    measure: Measure
    pack: Pack
    session: RunSession

    def quote(self) -> Quote:
        """Prepare and quote."""
        self.runner.prepare(self.session)
        return self.runner.quote(self.session.nonce)

    def proof(self, quote: Quote) -> ActProof:
        """Authorised and logged."""
        ctx, told = self.world.ctx("keeper"), measured(quote)
        granted = self.world.granted(self.session, quote)
        return sealed.authorise(ctx, self.session.id, told, granted, sw.limits())

    def material(self, quote: Quote, places: tuple[int, ...] = (0, 1)) -> Material:
        """Shares at *places*, passed on to the quote's channel."""
        passed = self.world.passed(self.pack, self.session, quote, places)
        return sw.material(self.world, self.pack, self.session, passed)

    def keyed(self) -> SealedRunner:
        """With the pack open."""
        quote = self.quote()
        self.runner.release_keys(quote, self.proof(quote), self.material(quote))
        return self.runner


@pytest.fixture(params=DRIVERS)
def bench(request: pytest.FixtureRequest, world: World) -> Bench:
    """A committed session of each kind."""
    found, measure = world.pack(6), Measure(4, ours=1)
    plan = world.plan(driver=request.param)
    session = sealed.commit(world.ctx("lead"), found.id, plan, sw.limits())
    return Bench(world, started(world, request.param, measure), measure, found, session)


def test_a_session_in_order_gives_a_bounded_report(bench: Bench) -> None:
    """Every item shown once, counts that fit, the label, and no word of an item."""
    runner = bench.keyed()
    ran = runner.run()
    assert (ran.items, ran.ours) == (6, 1)
    assert sorted(bench.measure.shown) == [item.id for item in sw.items(6)]
    told = runner.report()
    report = read_report(told.text)
    assert (report.items, report.ours, report.solved) == (6, 1, 4)
    assert LABELS[runner.driver] in report.says
    for leak in (sw.CANARY, *(item.id.encode() for item in sw.items(6))):
        assert leak not in told.text
        assert leak not in told.evidence


def test_evidence_opens_with_the_packs_key_and_fits_the_report(bench: Bench) -> None:
    """Outcomes stand in it with their salts, under the root that the report names."""
    runner = bench.keyed()
    runner.run()
    told = runner.report()
    key = _key(bench)
    name = f"{bench.session.pack}/{bench.session.id}"
    [item] = pack.decode(custody.decrypt(key, name, told.evidence))
    assert item.id == EVIDENCE
    listed = canonical.decode(item.files[OUTCOMES].content)
    assert isinstance(listed, tuple)
    leaves = []
    for one in listed:
        assert isinstance(one, dict)
        record = canonical.encode({"item": one["item"], "outcome": one["outcome"]})
        leaves.append(sealed_pack.outcome_commitment(bytes.fromhex(str(one["salt"])), record))
    assert sealed_pack.root(leaves).hex() == read_report(told.text).outcomes
    assert item.files["logs/one.eval"].content == sw.CANARY


def _key(bench: Bench) -> bytes:
    """The pack's key, as its custodians could assemble it again."""
    holder = custody.new_key()
    channel = custody.Channel("again", "again", holder.public)
    digest = sha256(bench.world.vault.get(bench.pack.artefact)).hexdigest()
    passed = {
        place: custody.pass_on(
            bench.world.holders[place], bench.pack.id, digest, bench.pack.shares[place], channel
        )
        for place in (1, 2)
    }
    shares = custody.receive(holder, bench.pack.id, digest, passed, channel)
    return custody.assemble(shares, Scheme())


STEPS = ("prepare", "quote", "release_keys", "run", "report")


@pytest.mark.parametrize("done", range(len(STEPS) + 1))
def test_any_step_out_of_order_is_refused(bench: Bench, done: int) -> None:
    """After each prefix of the order, every step but the next one is refused and changes nothing."""
    runner, quote, proof, material = bench.runner, None, None, None
    if done >= 2:
        quote = bench.quote()
        proof, material = bench.proof(quote), bench.material(quote)
    elif done == 1:
        runner.prepare(bench.session)
    if done >= 3:
        assert quote is not None
        assert proof is not None
        assert material is not None
        runner.release_keys(quote, proof, material)
    if done >= 4:
        runner.run()
    if done >= 5:
        runner.report()
    spare = quote or Quote(runner.driver, "", False, 0, "", "", "", "")  # noqa: FBT003
    steps: dict[str, Callable[[], object]] = {
        "prepare": lambda: runner.prepare(bench.session),
        "quote": lambda: runner.quote(bench.session.nonce),
        "release_keys": lambda: runner.release_keys(spare, proof, material),  # type: ignore[arg-type]
        "run": runner.run,
        "report": runner.report,
    }
    for name, step in steps.items():
        if STEPS[done : done + 1] != (name,):
            with pytest.raises(Refused):
                step()


def test_a_session_agreed_for_another_driver_is_refused(bench: Bench) -> None:
    """What was committed to is what runs."""
    other = next(one for one in DRIVERS if one != bench.runner.driver)
    with pytest.raises(Refused, match="agreed for"):
        bench.runner.prepare(replace(bench.session, driver=other))


def test_no_key_without_the_proof_of_this_very_unsealing(bench: Bench) -> None:
    """The proof of another act, of another session, or one with a changed byte opens nothing."""
    quote = bench.quote()
    proof, material = bench.proof(quote), bench.material(quote)
    other = log.require_proof(bench.world.ctx("lead"), bench.session.committed)
    with pytest.raises(Refused, match="something else"):
        bench.runner.release_keys(quote, other, material)
    record = proof.opening.record
    assert isinstance(record, dict)
    detail = record["detail"]
    assert isinstance(detail, dict)
    changed = {**record, "detail": {**detail, "session": "session-0000"}}
    forged = replace(proof, opening=replace(proof.opening, record=changed))
    with pytest.raises(Tampered):
        bench.runner.release_keys(quote, forged, material)
    with pytest.raises(Tampered):
        bench.runner.release_keys(quote, replace(proof, text=proof.text[:-9]), material)
    with pytest.raises(Refused, match="not the quote"):
        bench.runner.release_keys(replace(quote, nonce="0" * 64), proof, material)
    bench.runner.release_keys(quote, proof, material)


def test_no_key_from_fewer_or_foreign_shares_or_another_pack(bench: Bench) -> None:
    """One share, shares for another channel, another ciphertext, other items: nothing opens."""
    quote = bench.quote()
    proof, material = bench.proof(quote), bench.material(quote)
    with pytest.raises(Refused, match="1 of the 2"):
        bench.runner.release_keys(quote, proof, bench.material(quote, (0,)))
    elsewhere = replace(quote, channel=custody.new_key().public.hex())
    with pytest.raises(Tampered, match="share 0"):
        bench.runner.release_keys(quote, proof, bench.material(elsewhere))
    changed = replace(material, ciphertext=material.ciphertext[:-1] + b"\0")
    with pytest.raises(Tampered):
        bench.runner.release_keys(quote, proof, changed)
    with pytest.raises(Tampered, match="not those committed to"):
        bench.runner.release_keys(quote, proof, replace(material, shown=material.shown[:-1]))
    bench.runner.release_keys(quote, proof, material)
    assert len(bench.world.acts(Kind.UNSEALING_AUTHORISED)) == 1


def test_a_closed_session_forgets_the_pack(bench: Bench) -> None:
    """Closed after the keys arrived, it runs nothing."""
    runner = bench.keyed()
    runner.close()
    with pytest.raises(Refused):
        runner.run()
    assert bench.measure.shown == []


def test_a_simulated_quote_counts_by_its_platforms_signature(bench: Bench) -> None:
    """Another platform's key, or a quote changed after signing, is refused; a local one has none."""
    quote = bench.quote()
    public = PLATFORM.key.public_key().public_bytes_raw()
    check_signature(quote, public)
    if quote.driver == "local-process":
        assert quote.signature == ""
        return
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for changed, key in (
        (quote, other),
        (replace(quote, tcb=9), public),
        (replace(quote, signature=""), public),
        (replace(quote, signature="zz"), public),
    ):
        with pytest.raises(Tampered, match="did not sign"):
            check_signature(changed, key)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(PLATFORM, debug=True), "debugging is off"),
        (replace(PLATFORM, tcb=6), "level is high enough"),
        (replace(PLATFORM, measurement="0" * 64), "measurement is in the log"),
        (replace(PLATFORM, bound="0" * 64), "channel key is bound"),
        (replace(PLATFORM, commitments="0" * 64), "commitments are those logged"),
    ],
)
def test_a_platform_in_the_wrong_state_gets_no_key(
    world: World, wrong: Platform, words: str
) -> None:
    """Each refusal of a quote, through the approved and signed way; nothing is authorised."""
    found = world.pack(6)
    plan = world.plan(driver="simulated-tee")
    session = sealed.commit(world.ctx("lead"), found.id, plan, sw.limits())
    runner = started(world, "simulated-tee", Measure(1), wrong)
    runner.prepare(session)
    quote = runner.quote(session.nonce)
    check_signature(quote, wrong.key.public_key().public_bytes_raw())
    with pytest.raises(Refused, match=words):
        sealed.authorise(
            world.ctx("keeper"),
            session.id,
            measured(quote),
            world.granted(session, quote),
            sw.limits(),
        )
    assert world.acts(Kind.UNSEALING_AUTHORISED) == []


def test_a_stale_or_foreign_nonce_gets_no_key(world: World) -> None:
    """Answered to another nonce, or after its five minutes."""
    found = world.pack(6)
    session = sealed.commit(world.ctx("lead"), found.id, world.plan(), sw.limits())
    runner = world.runner(Measure(1))
    runner.prepare(session)
    quote = runner.quote("0" * 64)
    with pytest.raises(Refused, match="nonce is ours"):
        sealed.authorise(
            world.ctx("keeper"),
            session.id,
            measured(quote),
            world.granted(session, quote),
            sw.limits(),
        )
    later = world.runner(Measure(1))
    later.prepare(session)
    quote = later.quote(session.nonce)
    world.later(seconds=301)
    with pytest.raises(Refused, match="nonce is fresh"):
        sealed.authorise(
            world.ctx("keeper"),
            session.id,
            measured(quote),
            world.granted(session, quote),
            sw.limits(),
        )
