"""Signing, publishing, proving: what is signed continues what was, and power waits for proof."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

import make
from bundles import openings, write_bundle
from fake_log import MemoryMemory, MemoryOutlet, context, empty_head, grow, witness, witnessed
from fakes import MemorySigner, MemoryStore
from leadline.app import log
from leadline.app.context import Context
from leadline.app.log import Published
from leadline.app.ports import Reply
from leadline.app.register import public_register
from leadline.app.verify import verify_bundle
from leadline.core.access import Action
from leadline.core.alert import Alert
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Tampered, Unavailable
from leadline.core.record.act import Kind
from leadline.formats import checkpoint, note, tiles
from leadline.formats.tlog_policy import NOT_WITNESSED
from leadline.formats.tlog_witness import SIZE_TYPE
from leadline.vault.keys import open_signer


def size_kept(outlet: MemoryOutlet) -> int:
    """The size of the checkpoint beside the keys."""
    return checkpoint.parse(note.parse(outlet.kept).text).size


def test_a_published_log_is_a_tile_folder_that_verifies(tmp_path: Path) -> None:
    """What an outlet was shown is the log, byte for byte, at every size; the checkpoint comes last."""
    outlet = MemoryOutlet()
    ctx = context(outlet, signer=open_signer(tmp_path / "log.key", "log.example/demonstration"))
    sizes = (0, 1, 255, 256, 257, 600)
    for before, size in zip((0, *sizes), sizes, strict=False):
        grow(ctx, size - before, before)
        head = log.publish(ctx)
        assert head.size == size == size_kept(outlet)
        assert list(outlet.files)[-1] == "checkpoint" or size > 0
        folder = tmp_path / str(size)
        for path, content in outlet.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        found = verify_bundle(folder, ctx.signer.vkeys())
        assert (found.kind, found.size, found.root) == ("tiles", size, head.root)


def test_a_proof_shows_what_is_new_only_unless_the_folder_is_not_as_it_was_left() -> None:
    """Two leaves later two files change; after a foreign checkpoint, and when asked, all are shown."""
    shown = list[int]()

    class Counting(MemoryOutlet):
        @override
        def show(self, files: Mapping[str, bytes], signed: bytes) -> None:
            shown.append(len(files))
            super().show(files, signed)

    outlet = Counting()
    ctx = context(outlet)
    grow(ctx, 600)
    log.publish(ctx)
    grow(ctx, 2, 600)
    log.require_proof(ctx, make.act(9601).id)
    outlet.files["checkpoint"] = b"something else"
    grow(ctx, 2, 602)
    log.require_proof(ctx, make.act(9603).id)
    log.publish(ctx)
    assert shown == [7, 2, 7, 7]


def test_the_size_is_stored_before_anything_is_shown() -> None:
    """State and keys both know the head when the first file appears."""
    seen = list[tuple[int | None, int]]()

    class Looking(MemoryOutlet):
        @override
        def show(self, files: object, signed: bytes) -> None:
            with ctx.store.read() as view:
                stored = view.signed()
            seen.append((stored.size if stored else None, size_kept(self)))

    ctx = context(Looking())
    grow(ctx, 3)
    log.publish(ctx)
    assert seen == [(3, 3)]


def test_nothing_new_is_signed_where_nothing_changed() -> None:
    """The same head keeps its signature; a missing cosignature is asked for again."""
    ctx, outlet = witnessed()
    log.publish(ctx)
    grow(ctx, 3)
    outlet.down.add("http://w1.example")
    first = log.announce(ctx)
    assert first.witnesses == ("w0", "w2")
    assert set(first.silent) == {"w1"}
    outlet.down.clear()
    again = log.announce(ctx)
    assert first.signed.signatures[0] in again.signed.signatures
    assert again.witnesses == ("w0", "w1", "w2")
    assert again.silent == {}


def test_publishing_is_for_those_who_may() -> None:
    """A denial is an act, and nothing is signed."""
    outlet = MemoryOutlet()
    ctx = context(outlet, denied=[Action.LOG_SIGN])
    with pytest.raises(Denied):
        log.publish(ctx)
    assert outlet.kept == b""
    unread = context(denied=[Action.RECORD_READ])
    grow(unread, 1)
    with pytest.raises(Denied):
        log.prove(unread, "act-9000")


def test_a_proof_waits_for_a_checkpoint() -> None:
    """`prove` signs nothing; `require_proof` publishes where the leaf is not covered yet."""
    ctx, outlet = witnessed()
    grow(ctx, 2)
    with pytest.raises(Refused, match="leadline log publish"):
        log.prove(ctx, "act-9001")
    proof = log.require_proof(ctx, "act-9001")
    assert proof.text == log.prove(ctx, "act-9001").text
    posted = len(outlet.posted)
    assert log.require_proof(ctx, "act-9000").opening.index == 0
    assert posted == len(outlet.posted)
    grow(ctx, 1, 2)
    assert log.require_proof(ctx, "act-9002").proof.index == 2
    with pytest.raises(NotFound):
        log.require_proof(ctx, "act-none")


@pytest.mark.parametrize(
    ("down", "allowed"),
    [
        (set[str](), {"policy", "any", "none"}),
        ({"w0"}, {"policy", "any", "none"}),
        ({"w0", "w1"}, {"any", "none"}),
        ({"w0", "w1", "w2"}, {"none"}),
    ],
)
def test_each_act_waits_for_its_own_quorum(down: set[str], allowed: set[str]) -> None:
    """Two of three for unsealing and determination, one for disclosure, none for the rest."""
    ctx, outlet = witnessed()
    grow(ctx, 1)
    log.publish(ctx)
    grow(ctx, 1, 1)
    outlet.down = {f"http://{name}.example" for name in down}
    for quorum in log.Quorum:
        if quorum.value in allowed:
            log.require_proof(ctx, "act-9001", quorum)
        else:
            with pytest.raises(Unavailable, match="acts that end access need none"):
                log.require_proof(ctx, "act-9001", quorum)
    assert log.UNSEALING is log.DETERMINATION is log.Quorum.POLICY
    assert log.DISCLOSURE is log.Quorum.ANY


def test_without_an_outlet_the_operator_alone_vouches() -> None:
    """The log is signed, nothing is shown, and the words say so; the state still remembers."""
    ctx = context()
    grow(ctx, 4)
    done = log.announce(ctx)
    assert (done.head.size, done.words, done.witnesses) == (4, NOT_WITNESSED, ())
    assert log.latest(ctx) is None
    assert log.check(log.require_proof(ctx, "act-9000"), log.policy_of(ctx)).words == NOT_WITNESSED
    with ctx.store.read() as view:
        assert view.signed() is not None


def test_a_quorum_file_of_another_log_is_refused() -> None:
    """It would make every proof worthless."""
    other = context(MemoryOutlet(b"quorum none\n"))
    with pytest.raises(Invalid, match="does not name this log"):
        log.publish(other)


def set_back(ctx: Context, size: int) -> Context:
    """The installation with an older state restored: the same keys, fewer acts."""
    assert isinstance(ctx.outlet, MemoryOutlet)
    older = context(ctx.outlet, signer=ctx.signer)
    grow(older, size)
    return older


@pytest.mark.parametrize("left", [0, 1, 4])
def test_a_state_set_back_is_not_signed(left: int) -> None:
    """An older backup restored: refused, an incident beside the keys, and nothing new shown."""
    ctx, outlet = witnessed()
    grow(ctx, 5)
    log.publish(ctx)
    kept, files = outlet.kept, dict(outlet.files)
    older = set_back(ctx, left)
    with pytest.raises(Tampered, match=f"5 entries were signed and {left} stand here"):
        log.publish(older)
    if left:
        with pytest.raises(Tampered, match="5 entries were signed"):
            log.require_proof(older, "act-9000")
        with pytest.raises(Tampered, match="fewer entries stand here"):
            log.prove(older, "act-9000")
    assert (kept, files) == (outlet.kept, outlet.files)
    assert len(outlet.told) >= 1
    assert '"place":"log"' in outlet.told[0]
    with older.store.read() as view:
        assert view.log_size() == left


def test_a_log_that_went_another_way_is_not_signed() -> None:
    """As many acts or more, but others."""
    ctx, outlet = witnessed()
    grow(ctx, 5)
    log.publish(ctx)
    for size in (5, 9):
        forked = context(outlet, store=None, signer=ctx.signer)
        grow(forked, size, start=100)
        with pytest.raises(Tampered, match="consistency proof"):
            log.publish(forked)


def test_a_state_and_keys_both_set_back_are_told_on_by_a_witness() -> None:
    """The witness has seen more than this log has; it is asked before anything is signed."""
    ctx, outlet = witnessed()
    grow(ctx, 3)
    log.publish(ctx)
    old = outlet.kept
    grow(ctx, 4, 3)
    log.publish(ctx)
    outlet.kept = old
    older = set_back(ctx, 3)
    grow(older, 2, 50)
    with pytest.raises(Tampered, match="has seen 7 entries where 5 stand"):
        log.publish(older)
    assert outlet.kept == old
    outlet.kept = b""
    with pytest.raises(Tampered, match="has seen 7 entries where 5 stand"):
        log.publish(older)
    assert outlet.kept == b""


def test_where_nothing_is_kept_every_witness_must_answer_first() -> None:
    """The memory beside the keys is lost: who might know better is asked, and waited for."""
    ctx, outlet = witnessed()
    grow(ctx, 3)
    outlet.down.add("http://w2.example")
    with pytest.raises(Unavailable, match="nothing is kept here"):
        log.publish(ctx)
    outlet.down.clear()
    assert log.publish(ctx).size == 3


def test_once_the_log_is_whole_again_the_refusal_is_an_act_and_an_alert() -> None:
    """It waited beside the keys; now an auditor finds it."""
    ctx, outlet = witnessed()
    grow(ctx, 5)
    log.publish(ctx)
    older = set_back(ctx, 2)
    with pytest.raises(Tampered):
        log.publish(older)
    with ctx.store.read() as view:
        assert not view.acts(kind=Kind.LOG_SIGNING_REFUSED)
    log.publish(ctx)
    with ctx.store.read() as view:
        (act,) = (opened.act for opened in view.acts(kind=Kind.LOG_SIGNING_REFUSED))
        (alert,) = view.find(Alert)
    assert (act.detail["size"], act.detail["place"]) == (2, "log")
    assert alert.value.kind == "log"
    assert outlet.told == []
    assert log.publish(ctx).size == 7


def test_a_changed_memory_beside_the_keys_is_not_believed() -> None:
    """It must be signed by the log's own keys."""
    ctx, outlet = witnessed()
    grow(ctx, 2)
    log.publish(ctx)
    outlet.kept = outlet.kept.replace(b"\n2\n", b"\n1\n")
    for attempt in (log.publish, log.latest):
        with pytest.raises(Tampered, match="last checkpoint"):
            attempt(ctx)
    outlet.kept = b"no note"
    with pytest.raises(Tampered, match="last checkpoint"):
        log.publish(ctx)


def test_a_witness_that_lies_only_loses_its_own_line() -> None:
    """Wrong size, false cosignature, another status, no text: told, and the others count."""
    ctx, outlet = witnessed()
    grow(ctx, 3)
    log.publish(ctx)
    grow(ctx, 3, 3)
    liar = witness("liar.example/witness", ctx.signer.vkeys())
    seen = outlet.witnesses["http://w0.example"].memory
    assert isinstance(seen, MemoryMemory)
    outlet.witnesses["http://w0.example"] = replace(liar, memory=seen)
    broken = outlet.witnesses["http://w1.example"].memory
    assert isinstance(broken, MemoryMemory)
    broken.heads.clear()
    done = log.announce(ctx)
    # w0 signs with another key; w1 has forgotten, so that it sees the whole for the first time.
    assert done.witnesses == ("w1", "w2")
    assert "no signature by the key body0" in done.silent["w0"]


def test_a_witness_that_refuses_is_told_with_its_status() -> None:
    """A lost memory answers nothing that counts."""
    ctx, outlet = witnessed()
    outlet.witnesses["http://w0.example"] = replace(
        outlet.witnesses["http://w0.example"], logs={"other.example/log": []}
    )
    grow(ctx, 1)
    outlet.kept = empty_head(ctx)
    done = log.announce(ctx)
    assert done.silent["w0"] == "answered 404"


def test_a_witness_without_an_address_is_told() -> None:
    """It can be believed in proofs of others, but not asked."""
    ctx, outlet = witnessed(1, "all")
    outlet.text = outlet.text.replace(b" http://w0.example", b"")
    grow(ctx, 1)
    assert log.announce(ctx).silent == {"w0": "the policy gives no URL"}


def test_two_publications_at_once_do_not_cross() -> None:
    """Threads that record and publish at once: each head continues the last."""
    ctx, outlet = witnessed()
    failures = list[BaseException]()

    def run(number: int) -> None:
        try:
            for step in range(5):
                grow(ctx, 1, 1000 * number + step)
                log.publish(ctx)
        except BaseException as error:  # noqa: BLE001 -- shown by the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert size_kept(outlet) == 20
    assert log.announce(ctx).witnesses == ("w0", "w1", "w2")


def test_a_failed_write_leaves_nothing_signed() -> None:
    """Where the size cannot be stored, there is no signature."""
    signer = MemorySigner("log.example/demonstration")
    store = MemoryStore(make.blinders(), {Alert: "alert"})
    outlet = MemoryOutlet()
    ctx = context(outlet, store=store, signer=signer)
    grow(ctx, 2)

    class Failing:
        read = store.read

        def write(self) -> object:
            raise Unavailable("disk full")

    failing = replace(ctx, store=Failing())  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="disk full"):
        log.publish(failing)
    assert outlet.kept == b""
    assert outlet.files == {}


def test_a_bundle_handed_in_with_a_byte_changed_is_an_act_and_an_alert(tmp_path: Path) -> None:
    """And it stays refused; one that verifies leaves nothing behind."""
    signer = open_signer(tmp_path / "log.key", "log.example/demonstration")
    write_bundle(tmp_path / "bundle", openings(3), signer)
    ctx = context()
    assert log.receive_bundle(ctx, tmp_path / "bundle", signer.vkeys()).acts == 3
    with ctx.store.read() as view:
        assert view.log_size() == 0
    (tmp_path / "bundle" / "plan.txt").write_bytes(b"21 items, 2 epochs\n")
    with pytest.raises(Tampered):
        log.receive_bundle(ctx, tmp_path / "bundle", signer.vkeys())
    with ctx.store.read() as view:
        (act,) = (opened.act for opened in view.acts(kind=Kind.BUNDLE_REFUSED))
        (alert,) = view.find(Alert)
    assert act.detail["place"] == "plan.txt"
    assert "plan.txt" in alert.value.what
    (tmp_path / "bundle" / "caf\u0065\u0301\n").write_bytes(b"")
    with pytest.raises(Tampered):
        log.receive_bundle(ctx, tmp_path / "bundle", signer.vkeys())


def test_the_register_adds_up_to_the_signed_head() -> None:
    """Acts after the last checkpoint are not in it; before the first there is none."""
    ctx, _ = witnessed()
    grow(ctx, 3)
    with pytest.raises(Refused, match="never signed"):
        public_register(ctx)
    log.publish(ctx)
    grow(ctx, 2, 3)
    found = public_register(ctx)
    assert (found.counts.size, found.counts.opened) == (3, 3)
    document = found.document
    assert isinstance(document, dict)
    assert document["months"] == (
        {"month": "2027-03", "acts": {"inquiry.lodged": 3}, "withheld": 0, "cover": 0, "total": 3},
    )
    assert isinstance(found.under, Published)
    assert tiles.ENTRIES not in str(document)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(409, SIZE_TYPE, b"many\n"), "size"),
        (Reply(409, "text/html", b"7\n"), "answered 409"),
        (Reply(500, "", b""), "answered 500"),
    ],
)
def test_an_answer_that_makes_no_sense_is_told(reply: Reply, told: str) -> None:
    """Of a proxy before the witness, say."""
    ctx, outlet = witnessed()
    grow(ctx, 1)
    log.publish(ctx)
    grow(ctx, 1, 1)

    class Strange(MemoryOutlet):
        @override
        def post(self, url: str, body: bytes) -> Reply:
            return reply if "w0" in url else super().post(url, body)

    strange = Strange(outlet.text, outlet.witnesses, kept=outlet.kept)
    done = log.announce(replace(ctx, outlet=strange))
    assert done.witnesses == ("w1", "w2")
    assert told in done.silent["w0"]


def test_a_cosignature_that_is_refused_or_garbled_is_told() -> None:
    """The witness told its size and then did not cosign."""
    ctx, outlet = witnessed()
    grow(ctx, 1)
    for reply, told in ((Reply(422, "", b""), "answered 422"), (Reply(200, "", b"x\n"), "em dash")):

        class Strange(MemoryOutlet):
            @override
            def post(self, url: str, body: bytes) -> Reply:
                asking = body.startswith(b"old 0\n\n") and b"\n0\n" in body
                answer = super().post(url, body)
                return answer if asking or "w0" not in url else reply  # noqa: B023 -- used at once

        strange = Strange(outlet.text, outlet.witnesses)
        done = log.announce(replace(ctx, outlet=strange))
        assert told in done.silent["w0"]
        for one in outlet.witnesses.values():
            assert isinstance(one.memory, MemoryMemory)
            one.memory.heads.clear()


def test_a_state_that_lost_acts_it_knows_as_signed_is_not_signed() -> None:
    """The memory beside the keys is gone; the state's own still refuses."""
    ctx, outlet = witnessed(0)
    grow(ctx, 3)
    log.publish(ctx)
    outlet.kept = b""
    assert isinstance(ctx.store, MemoryStore)
    ctx.store._state.opened.pop()
    with pytest.raises(Tampered, match="log: "):
        log.publish(ctx)
    assert outlet.kept == b""
    assert len(outlet.told) == 1
