"""A pack as a file, and the texts about it."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
import sealed_world as sw
from leadline.core.errors import Invalid, LeadlineError, Tampered
from leadline.core.record.act import Kind, Value, to_record
from leadline.core.sealed.pack import Commitment, Opening, Reveal
from leadline.core.sealed.session import RunSession, Stage
from leadline.core.sealed.verdict import RunRequest
from leadline.formats import canonical, pack
from leadline.formats.manifest import Opening as ActOpening
from leadline.formats.pack import MAGIC, Committed, PackedFile, PackedItem
from leadline.formats.tlog_proof import ActProof
from leadline.formats.values import plain

D = sha256(b"d").hexdigest()
SALT = bytes(32)
NAMES = st.sampled_from(["a", "subject/b.c", "subject/deep/er", "fixed/program"])
ITEMS = st.lists(
    st.dictionaries(
        NAMES, st.builds(PackedFile, st.binary(max_size=40), st.booleans()), min_size=1
    ),
    min_size=1,
    max_size=4,
).map(lambda all_: [PackedItem(f"item-{n}", bytes([n]) * 32, one) for n, one in enumerate(all_)])


@given(items=ITEMS)
def test_a_pack_reads_back_as_it_was(items: list[PackedItem]) -> None:
    """Items in their order, files by path, and commitments that follow from content and salt."""
    data = pack.encode(items)
    back = pack.decode(data)
    assert [(one.id, one.salt, dict(one.files)) for one in items] == [
        (one.id, one.salt, dict(one.files)) for one in back
    ]
    assert [one.commitment for one in items] == [one.commitment for one in back]


def commitments(items: Sequence[PackedItem]) -> list[bytes]:
    """Of each item, in order."""
    return [one.commitment for one in items]


@given(items=ITEMS, data=st.data())
def test_no_byte_of_a_pack_can_change_unseen(items: list[PackedItem], data: st.DataObject) -> None:
    """Flipped, cut or lengthened, it is refused or gives another commitment."""
    whole = pack.encode(items)
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    for changed in (bytes(flipped), whole[:place], whole + b"\0"):
        with pytest.raises((LeadlineError, AssertionError)):
            assert commitments(pack.decode(changed)) == commitments(items)


def crafted(head: Value, blobs: bytes = b"") -> bytes:
    """A pack whose index says *head*."""
    index = canonical.encode(head)
    return MAGIC + len(index).to_bytes(8, "big") + index + blobs


def listed(*files: Value, id_: str = "i", salt: str = SALT.hex()) -> Value:
    """An index of one item."""
    return {"items": ({"id": id_, "salt": salt, "files": tuple(files)},)}


def entry(path: str = "a", size: int = 1, content: bytes = b"x") -> Value:
    """One file as listed."""
    return (path, size, sha256(content).hexdigest(), False)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up", "a/../b", "a//b", "./a", "", ".", "a\\b", "a\nb", "..", "a/"]
)
def test_a_path_that_could_leave_its_item_is_refused(path: str) -> None:
    """When packing and when unpacking."""
    with pytest.raises(Invalid, match="path"):
        pack.encode([PackedItem("i", SALT, {path: PackedFile(b"x")})])
    with pytest.raises(Invalid, match="path"):
        pack.decode(crafted(listed(entry(path)), b"x"))


def test_what_is_not_exactly_a_pack_is_refused() -> None:
    """Every lie of an index, each with the words for it."""
    two = {"items": (listed(entry())["items"][0],) * 2}  # type: ignore[index, call-overload]
    cases: list[tuple[bytes, str]] = [
        (b"zip", "no pack"),
        (MAGIC + (1 << 40).to_bytes(8, "big"), "longer than the pack"),
        (crafted({"items": "x"}), "lists no items"),
        (crafted({"other": ()}), "lists no items"),
        (crafted(()), "lists no items"),
        (crafted({"items": ("x",)}), "no item"),
        (crafted({"items": ({"id": "i"},)}), "no item"),
        (crafted({"items": ()}), "no item"),
        (crafted(two, b"xx"), "one id twice"),
        (crafted(listed()), "without files"),
        (crafted({"items": ({"id": "i", "salt": SALT.hex(), "files": "x"},)}), "without files"),
        (crafted(listed("x")), "listed by path"),
        (crafted(listed(("a", True, D, False))), "listed by path"),
        (crafted(listed(entry(size=-1))), "negative"),
        (crafted(listed(entry(size=2)), b"x"), "longer than the pack"),
        (crafted(listed(entry(), id_=""), b"x"), "text is due"),
        (crafted(listed(entry(), salt="00"), b"x"), "32 bytes"),
        (crafted(listed(entry(), salt="Z" * 64), b"x"), "32 bytes"),
        (crafted(listed(entry()), b"xy"), "after the last"),
        (crafted(listed(entry(), entry()), b"xx"), "one path twice"),
    ]
    for data, words in cases:
        with pytest.raises(Invalid, match=words):
            pack.decode(data)
    with pytest.raises(Tampered, match="digest"):
        pack.decode(crafted(listed(entry()), b"y"))
    with pytest.raises(Invalid, match="at most 10"):
        pack.encode([PackedItem("i", SALT, {"a": PackedFile(b"x")})], bytes_max=10)


COMMITMENT = Commitment("commitment-1", "pack-1", D, 6, D, D, D, D)


def committed(**detail: Value) -> Committed:
    """A commitment with an act that tells of it, and a proof that nobody looked at."""
    told = {"commitment": pack.commitment_digest(COMMITMENT), **detail}
    act = replace(make.act(1, Kind.PACK_COMMITTED), detail=told)
    return Committed(COMMITMENT, ActProof(ActOpening(3, SALT, to_record(act)), "proof\n"))


def test_a_commitment_reads_back_with_its_act() -> None:
    """And one whose act logged another commitment is refused."""
    text = pack.encode_commitment(committed())
    assert pack.decode_commitment(text) == committed()
    with pytest.raises(Tampered, match="did not log"):
        pack.decode_commitment(pack.encode_commitment(committed(commitment=D)))
    other = replace(committed(), commitment=replace(COMMITMENT, items=7))
    with pytest.raises(Tampered, match="did not log"):
        pack.decode_commitment(pack.encode_commitment(other))


@pytest.mark.parametrize(
    "changed", [{"act": "x"}, {"index": "1"}, {"proof": 1}, {"blinder": "00"}, {"more": 1}]
)
def test_a_commitment_of_another_form_is_refused(changed: dict[str, Value]) -> None:
    """Each part has its type."""
    whole = pack.read_text(pack.COMMITMENT, pack.encode_commitment(committed()))
    assert isinstance(whole, dict)
    with pytest.raises(Invalid):
        pack.decode_commitment(pack.text(pack.COMMITMENT, {**whole, **changed}))


def test_texts_are_two_lines_under_their_title() -> None:
    """Another title, a third line or a missing end is refused."""
    reveal = Reveal(D, 3, 6, D, 40, 50, 10, 90, D, D)
    text = pack.encode_reveal(reveal)
    assert pack.decode_reveal(text) == reveal
    for wrong in (text[:-1], text + "\n", text.replace("reveal", "other", 1), "x"):
        with pytest.raises(Invalid):
            pack.decode_reveal(wrong)
    with pytest.raises(Invalid, match="fields"):
        pack.decode_reveal(pack.text(pack.REVEAL, {}))
    told = plain(reveal)
    assert isinstance(told, dict)
    with pytest.raises(Invalid, match=r"reveal\.items"):
        pack.decode_reveal(pack.text(pack.REVEAL, {**told, "items": True}))


def test_openings_read_back() -> None:
    """And are hexadecimal throughout, a list, text, and not too many."""
    openings = (Opening("item", 1, "00", "11", ("22",)), Opening("outcome", 2, "00", "11", ()))
    data = pack.encode_openings(openings)
    assert pack.decode_openings(data) == openings
    for part in ({"salt": "x"}, {"record": "0"}, {"proof": ("A0",)}):
        wrong = pack.encode_openings([replace(openings[0], **part)])
        with pytest.raises(Invalid, match="hexadecimal"):
            pack.decode_openings(wrong)
    with pytest.raises(Invalid, match="list"):
        pack.decode_openings(pack.text(pack.OPENINGS, "x").encode())
    with pytest.raises(Invalid, match="no text"):
        pack.decode_openings(b"\xff")
    with pytest.raises(Invalid, match="larger"):
        pack.decode_openings(bytes(pack.LIST_BYTES_MAX + 1))
    with pytest.raises(Invalid, match=r"opening\.kind"):
        pack.decode_openings(data.replace(b'"item"', b'"else"', 1))
    with pytest.raises(Invalid, match=r"opening\.proof"):
        pack.decode_openings(data.replace(b'["22"]', b'"2222"', 1))


def test_flat_records_read_times_and_stages() -> None:
    """A session and a request come back equal; a time in another spelling is refused."""
    session = RunSession(
        "s", "p", D, D, D, "f", D, D, "api", "local-process", D, make.NOW, stage=Stage.KEYED
    )
    assert pack.flat(RunSession, "session", plain(session)) == session
    request = RunRequest("r", "p", D, "f", D, D, make.NOW)
    told = plain(request)
    assert isinstance(told, dict)
    assert pack.flat(RunRequest, "request", told) == request
    for wrong in ("yesterday", 5, "2027-03-01T09:30:00+00:00"):
        with pytest.raises(Invalid, match=r"request\.expires"):
            pack.flat(RunRequest, "request", {**told, "expires": wrong})


def test_the_numbers_shipped_are_read() -> None:
    """As trust.md gives them: five runs, three exposures, one leak, a third, ten percent."""
    limits = sw.limits()
    assert (limits.runs_max, limits.exposures_max, limits.leaks_max) == (5, 3, 1)
    assert (limits.rotated_percent, limits.band_percent) == (34, 10)
