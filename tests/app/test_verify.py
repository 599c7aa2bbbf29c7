"""The offline verifier against every small change of a bundle, and against whole other bundles."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundles import ORIGIN, head_of, openings, write_acts, write_bundle, write_log
from leadline.app.seal import seal
from leadline.app.verify import verify_bundle
from leadline.core.errors import Invalid, NotFound, Tampered
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.formats import manifest, tiles
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.note import Note, parse
from leadline.vault.keys import FileSigner, open_signer

SMALL, LARGE = 5, 600


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    """The log's signer."""
    return open_signer(tmp_path_factory.mktemp("keys") / "signer.key", ORIGIN)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    """Someone else who calls himself by the same name."""
    return open_signer(tmp_path_factory.mktemp("others") / "signer.key", ORIGIN)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, signer: FileSigner) -> Path:
    """A bundle of five acts, one withheld. Tests put back what they change."""
    folder = tmp_path_factory.mktemp("small") / "bundle"
    write_bundle(folder, openings(SMALL), signer, withheld=[2])
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, signer: FileSigner) -> Path:
    """A bundle of 600 acts, every third withheld: full and partial tiles on two levels."""
    folder = tmp_path_factory.mktemp("large") / "bundle"
    write_bundle(folder, openings(LARGE), signer, withheld=range(0, LARGE, 3))
    return folder


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """A copy of the small bundle, to do with as one likes."""
    return shutil.copytree(small, tmp_path / "copy")


def refused(folder: Path, signer: FileSigner) -> str:
    """The place that the verifier names."""
    with pytest.raises(Tampered) as caught:
        verify_bundle(folder, signer.vkeys())
    return caught.value.place


def all_files(folder: Path) -> Iterator[Path]:
    """Every file of the bundle."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def test_an_intact_bundle_verifies(small: Path, large: Path, signer: FileSigner) -> None:
    """What is found: origin, size, root, opened and withheld acts, the files, the keys used."""
    found = verify_bundle(small, signer.vkeys())
    assert (
        found.kind,
        found.origin,
        found.size,
        found.acts,
        found.withheld,
        found.place,
    ) == ("bundle", ORIGIN, SMALL, 4, 1, "")
    assert found.files == len(list(all_files(small))) - 2
    assert len(found.keys) == 2
    found = verify_bundle(large, signer.vkeys())
    assert (found.size, found.acts, found.withheld) == (LARGE, 400, 200)


def flip_bytes(folder: Path, signer: FileSigner, step: int) -> int:
    """Change one bit of each byte in turn; of long files, every *step*-th byte after the 400th."""
    changed = 0
    for path in all_files(folder):
        content = path.read_bytes()
        with path.open("r+b", buffering=0) as file:
            for at in (*range(min(400, len(content))), *range(400, len(content), step)):
                os.pwrite(file.fileno(), bytes([content[at] ^ 1 << at % 8]), at)
                assert refused(folder, signer) == str(path.relative_to(folder))
                os.pwrite(file.fileno(), content[at : at + 1], at)
                changed += 1
    verify_bundle(folder, signer.vkeys())
    return changed


def test_a_changed_byte_of_a_bundle_is_found(small: Path, signer: FileSigner) -> None:
    """The first 400 bytes of each file in turn, and every seventh after them: the file is named."""
    assert flip_bytes(small, signer, 7) > 2_500


@pytest.mark.soak
def test_every_changed_byte_of_a_bundle_is_found(small: Path, signer: FileSigner) -> None:
    """Each byte of each file in turn, one bit changed: found, and the file named."""
    assert flip_bytes(small, signer, 1) > 8_000


@given(data=st.data())
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_byte_of_a_large_bundle_is_found(
    large: Path, signer: FileSigner, data: st.DataObject
) -> None:
    """Any byte of any file of a bundle with full tiles, changed to any other."""
    path = data.draw(st.sampled_from(sorted(all_files(large))))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(1, 255)) ^ content[at]
    path.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
    try:
        assert refused(large, signer) == str(path.relative_to(large))
    finally:
        path.write_bytes(content)


def replace_by_pipe(path: Path) -> None:
    """A pipe that nobody writes to: a reader that opened it would wait."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
        lambda path: path.write_bytes(path.read_bytes() * 2),
        lambda path: (path.unlink(), path.symlink_to("/etc/hostname")),
        lambda path: (path.unlink(), path.mkdir()),
        replace_by_pipe,
    ],
    ids=["removed", "emptied", "cut", "longer", "doubled", "linked", "a-folder", "a-pipe"],
)
def test_every_damaged_file_is_named(
    copy: Path, signer: FileSigner, damage: Callable[[Path], object]
) -> None:
    """Whichever file is removed, emptied, cut, lengthened or replaced: its path is named."""
    for path in list(all_files(copy)):
        content = path.read_bytes()
        damage(path)
        assert refused(copy, signer).removesuffix("/") == str(path.relative_to(copy))
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        path.write_bytes(content)
    verify_bundle(copy, signer.vkeys())


def test_every_renamed_file_is_found(copy: Path, signer: FileSigner) -> None:
    """A file under another name is named by its old or its new path."""
    for path in list(all_files(copy)):
        renamed = path.with_name(f"x{path.name}")
        path.rename(renamed)
        names = {str(one.relative_to(copy)) for one in (path, renamed)}
        assert refused(copy, signer) in names
        renamed.rename(path)
    verify_bundle(copy, signer.vkeys())


@pytest.mark.parametrize(
    "name",
    [
        "extra",
        "evidence/extra.json",
        ".hidden",
        "tile/0/000.p/4",
        "tile/0/001",
        "checkpoint.4",
        "acts.jsonl~",
        "new\nline",
        "\udcff",
        "CHECKPOINT",
        "folder/",
    ],
)
def test_an_added_file_is_named(copy: Path, signer: FileSigner, name: str) -> None:
    """Nothing may stand in a bundle that the manifest does not name, not even an empty folder."""
    if name.endswith("/"):
        (copy / name).mkdir()
    else:
        (copy / name).write_bytes(b"{}")
    place = refused(copy, signer)
    assert place == manifest.shown(name)
    assert place.isprintable()


def test_without_its_manifest_a_bundle_is_no_log(copy: Path, signer: FileSigner) -> None:
    """Taking away all that makes it a bundle does not leave a verified log beside loose files."""
    for name in (manifest.MANIFEST, manifest.STATEMENT, manifest.ACTS):
        (copy / name).unlink()
    assert refused(copy, signer) == "evidence/finding-0001.json"


def test_the_key_decides(small: Path, signer: FileSigner, stranger: FileSigner) -> None:
    """With another key of the same name, or one more key, the bundle does not verify."""
    assert refused(small, stranger) == "manifest.note"
    classic, quantum = signer.vkeys().splitlines()
    other = stranger.vkeys().splitlines()
    for keys in ((classic, other[1]), (other[0], quantum), (classic, quantum, other[0])):
        with pytest.raises(Tampered, match=r"manifest.note: no signature"):
            verify_bundle(small, "\n".join(keys))
    for key in (classic, quantum):
        assert len(verify_bundle(small, key).keys) == 1


def test_a_forger_with_his_own_keys_is_refused(
    tmp_path: Path, signer: FileSigner, stranger: FileSigner
) -> None:
    """A whole bundle signed by someone else under the log's name does not verify."""
    write_bundle(tmp_path / "forged", openings(3), stranger)
    assert refused(tmp_path / "forged", signer) == "manifest.note"


def test_each_of_the_two_signatures_is_needed(copy: Path, signer: FileSigner) -> None:
    """A note that lost one of its two signatures is refused where both keys are given."""
    for name in (manifest.STATEMENT, manifest.CHECKPOINT):
        path = copy / name
        content = path.read_bytes()
        signed = parse(content)
        for kept in signed.signatures:
            path.write_bytes(Note(signed.text, (kept,)).document.encode())
            assert name == refused(copy, signer)
        path.write_bytes(content)


def test_signatures_cannot_move_between_notes(copy: Path, signer: FileSigner) -> None:
    """The signatures of the statement do not verify under the checkpoint, nor the other way."""
    paths = [copy / manifest.STATEMENT, copy / manifest.CHECKPOINT]
    first, second = (parse(path.read_bytes()) for path in paths)
    paths[0].write_bytes(Note(first.text, second.signatures).document.encode())
    assert refused(copy, signer) == manifest.STATEMENT


def test_a_rolled_back_checkpoint_is_found(copy: Path, signer: FileSigner) -> None:
    """An older checkpoint that the log did sign is not the one that the manifest belongs to."""
    older = head_of(act.entry for act in openings(SMALL)[:3])
    (copy / manifest.CHECKPOINT).write_text(signer.sign(older.text), encoding="utf-8")
    assert refused(copy, signer) == "checkpoint"


def test_a_resealed_manifest_does_not_hide_another_head(copy: Path, signer: FileSigner) -> None:
    """Even sealed by the log itself, a statement about one head and a checkpoint of another."""
    path = copy / manifest.CHECKPOINT
    right = path.read_bytes()
    write_log(copy, [act.entry for act in openings(3)], signer)
    older = path.read_bytes()
    seal(copy, signer, ORIGIN)
    statement = (copy / manifest.STATEMENT).read_text("utf-8")
    head = parse(right).text.split("\n")
    lines = statement.partition("\n\n")[0].split("\n")
    text = "\n".join([lines[0], *head[:3], lines[4]]) + "\n"
    (copy / manifest.STATEMENT).write_text(signer.sign(text), encoding="utf-8")
    path.write_bytes(older)
    with pytest.raises(Tampered, match=r"checkpoint: size 3, while .* of size 5"):
        verify_bundle(copy, signer.vkeys())


def reseal(folder: Path, signer: FileSigner) -> None:
    """What a log would have to sign itself: the deepest checks are behind the manifest."""
    seal(folder, signer, ORIGIN)


def test_acts_out_of_order_are_found(copy: Path, signer: FileSigner) -> None:
    """Two lines exchanged, or one twice, are found even under a fresh seal."""
    acts = openings(SMALL)
    for order in ((1, 0, 3), (0, 1, 1), (4, 0)):
        write_acts(copy, [acts[n] for n in order])
        reseal(copy, signer)
        assert refused(copy, signer).startswith("acts.jsonl line ")


def test_an_act_that_opens_nothing_is_found(copy: Path, signer: FileSigner) -> None:
    """Another record, another blinder, another place, or no such place: the line is named."""
    acts = openings(SMALL)
    good, other = acts[1], acts[3]
    for bad, line in (
        ([acts[0], manifest.Opening(1, good.blinder, other.record)], 2),
        ([acts[0], manifest.Opening(1, other.blinder, good.record)], 2),
        ([manifest.Opening(0, good.blinder, good.record)], 1),
        ([acts[0], manifest.Opening(SMALL, good.blinder, good.record)], 2),
    ):
        write_acts(copy, bad)
        reseal(copy, signer)
        assert f"acts.jsonl line {line}" == refused(copy, signer)
    (copy / manifest.ACTS).write_bytes(b"{}\n")
    reseal(copy, signer)
    assert refused(copy, signer) == "acts.jsonl line 1"


def test_an_act_too_large_for_the_verifier_is_named(copy: Path, signer: FileSigner) -> None:
    """Memory is bounded: a line, or a record in it, above a MiB is refused."""
    for content in (b"x" * (3 << 20), b"x" * (3 << 20) + b"\n"):
        (copy / manifest.ACTS).write_bytes(content)
        reseal(copy, signer)
        assert refused(copy, signer).startswith("acts.jsonl")


def test_acts_may_all_be_withheld(copy: Path, signer: FileSigner) -> None:
    """A bundle that opens nothing still verifies, and says so."""
    write_acts(copy, [])
    reseal(copy, signer)
    found = verify_bundle(copy, signer.vkeys())
    assert (found.acts, found.withheld) == (0, SMALL)


def test_entries_of_another_form_are_found(tmp_path: Path, signer: FileSigner) -> None:
    """A bundle's log holds commitments only; anything else in it is named by its index."""
    folder = tmp_path / "bundle"
    write_log(folder, [openings(1)[0].entry, b"plain words"], signer)
    write_acts(folder, [])
    reseal(folder, signer)
    assert refused(folder, signer) == "entry 1"


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("tile/entries/000", lambda old: old[:35] + old[:35] + old[70:]),
        ("tile/entries/000", lambda old: old[:-35]),
        ("tile/entries/000", lambda old: old[:-1]),
        ("tile/entries/002.p/88", lambda old: old + old[:35]),
        ("tile/0/001", lambda old: old[32:64] + old[:32] + old[64:]),
        ("tile/0/001", lambda old: old[:-32]),
        ("tile/0/002.p/88", lambda old: old[:-32]),
        ("tile/0/002.p/88", lambda old: old * 120),
        ("tile/1/000.p/2", lambda old: bytes(len(old))),
    ],
)
def test_a_log_that_does_not_hash_together_is_found(
    large: Path, tmp_path: Path, signer: FileSigner, path: str, change: Callable[[bytes], bytes]
) -> None:
    """Under a fresh seal, each wrong tile or entry bundle is found by hashing the whole log."""
    folder = shutil.copytree(large, tmp_path / "large")
    file = folder / path
    file.write_bytes(change(file.read_bytes()))
    reseal(folder, signer)
    place = refused(folder, signer)
    assert place == path or place.startswith(("tile/0/000", "acts.jsonl line", "entry "))


def test_a_log_of_other_entries_is_found(copy: Path, signer: FileSigner) -> None:
    """Tiles that agree with each other but not with the signed root: the checkpoint is named."""
    acts = openings(SMALL + 1)
    for path, content in tiles.tree_files([act.entry for act in acts[1:]]):
        (copy / path).write_bytes(content)
    write_acts(copy, [])
    reseal(copy, signer)
    assert refused(copy, signer) == "checkpoint"


@pytest.mark.parametrize("name", [manifest.MANIFEST, manifest.STATEMENT, manifest.CHECKPOINT])
def test_signed_nonsense_is_named(copy: Path, signer: FileSigner, name: str) -> None:
    """What the log signed by mistake is not taken for a bundle."""
    if name == manifest.MANIFEST:
        listing = b'{"a":1}'
        (copy / name).write_bytes(listing)
        head = parse((copy / manifest.CHECKPOINT).read_bytes()).text.split("\n")
        lines = [manifest.HEADER, *head[:3], manifest.digest(listing)]
        text = "".join(f"{line}\n" for line in lines)
        (copy / manifest.STATEMENT).write_text(signer.sign(text), encoding="utf-8")
    else:
        (copy / name).write_text(signer.sign("a text\n"), encoding="utf-8")
        if name == manifest.CHECKPOINT:
            for own in (manifest.MANIFEST, manifest.STATEMENT, manifest.ACTS, "plan.txt"):
                (copy / own).unlink()
            shutil.rmtree(copy / "evidence")
            with pytest.raises(Tampered, match="checkpoint: checkpoint: origin, size and root"):
                verify_bundle(copy, signer.vkeys().splitlines()[0])
    assert name == refused(copy, signer)


@pytest.mark.parametrize("name", [manifest.CHECKPOINT, manifest.ACTS])
def test_a_manifest_without_the_record_is_named(copy: Path, signer: FileSigner, name: str) -> None:
    """A validly signed manifest that leaves out the checkpoint or the acts is no bundle's."""
    listing = manifest.decode((copy / manifest.MANIFEST).read_bytes())
    head = parse((copy / manifest.CHECKPOINT).read_bytes()).text.split("\n")
    del listing[name]
    (copy / name).unlink()
    data = manifest.encode(listing)
    (copy / manifest.MANIFEST).write_bytes(data)
    text = "".join(f"{line}\n" for line in [manifest.HEADER, *head[:3], manifest.digest(data)])
    (copy / manifest.STATEMENT).write_text(signer.sign(text), encoding="utf-8")
    assert name == refused(copy, signer)


def test_a_key_that_signs_checkpoints_only_is_not_enough(
    small: Path, signer: FileSigner, stranger: FileSigner
) -> None:
    """A key file without a key of the log's own name cannot verify its manifest."""
    witness = open_signer(small.parent / "witness.key", "witness.example")
    with pytest.raises(Tampered, match="no key in the key file is a key of the log"):
        verify_bundle(small, witness.vkeys())


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
def test_a_bare_tile_folder_verifies(tmp_path: Path, signer: FileSigner, size: int) -> None:
    """A C2SP tile folder of any size verifies alone, and is reported as no bundle."""
    head = write_log(tmp_path, [b"entry %d" % n for n in range(size)], signer)
    found = verify_bundle(tmp_path, signer.vkeys())
    assert ("tiles", head.origin, size, head.root) == (
        found.kind,
        found.origin,
        found.size,
        found.root,
    )
    assert (found.acts, found.withheld, found.files) == (0, 0, 0)


def test_every_changed_byte_of_a_tree_is_found(tmp_path: Path, signer: FileSigner) -> None:
    """Without a manifest, the hashes alone find each changed byte of a small log's tree."""
    write_log(tmp_path, [b"entry %d" % n for n in range(20)], signer)
    for path in list(all_files(tmp_path / "tile")):
        content = path.read_bytes()
        for at in range(len(content)):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert refused(tmp_path, signer) in {
                str(path.relative_to(tmp_path)),
                "tile/0/000.p/20",  # a changed entry shows in the hash above it
            }
        path.write_bytes(content)
    verify_bundle(tmp_path, signer.vkeys())


def test_the_checkpoint_of_a_bare_log_is_verified(
    tmp_path: Path, signer: FileSigner, stranger: FileSigner
) -> None:
    """Here the checkpoint's signatures are all there is: another signer or a changed byte is found."""
    entries = [b"entry %d" % n for n in range(3)]
    write_log(tmp_path, entries, stranger)
    assert refused(tmp_path, signer) == "checkpoint"
    write_log(tmp_path, entries, signer)
    path = tmp_path / "checkpoint"
    content = path.read_bytes()
    for at in (*range(220), *range(220, len(content), 29)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert refused(tmp_path, signer) == "checkpoint"
    path.write_bytes(content)
    verify_bundle(tmp_path, signer.vkeys())


def grow(folder: Path, signer: FileSigner, size: int) -> None:
    """The log as it was published at *size*, over what is there."""
    write_log(folder, [b"entry %d" % n for n in range(size)], signer)


def test_what_a_running_log_leaves_behind_is_taken(tmp_path: Path, signer: FileSigner) -> None:
    """Partial tiles of smaller sizes, older checkpoints and hidden state do not disturb."""
    for size in (1, 8, 15, 200, 300):
        grow(tmp_path, signer, size)
    (tmp_path / ".state").mkdir()
    (tmp_path / ".state" / "treeState").write_bytes(b"{}")
    (tmp_path / "checkpoint.14").write_bytes(b"older")
    assert verify_bundle(tmp_path, signer.vkeys()).size == 300


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("tile/0/000.p/8", bytes(256)),
        ("tile/0/000.p/8", b"short"),
        ("tile/entries/000.p/8", b"\0\1x" * 8),
        ("tile/entries/000.p/8", b"\0"),
        ("tile/0/001.p/45", bytes(45 * 32)),
        ("tile/0/001", bytes(8192)),
        ("tile/0/002.p/1", bytes(32)),
        ("tile/1/000.p/2", bytes(64)),
        ("tile/2/000.p/1", bytes(32)),
        ("tile/odd", b""),
        ("odd", b""),
        ("checkpoint.old", b""),
    ],
)
def test_a_stray_file_in_a_tile_folder_is_named(
    tmp_path: Path, signer: FileSigner, path: str, content: bytes
) -> None:
    """What the checkpoint does not cover is named, a wrong older partial tile included."""
    grow(tmp_path, signer, 8)
    grow(tmp_path, signer, 300)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(content)
    assert path == refused(tmp_path, signer)


def test_a_full_tile_stands_in_for_a_partial_one(tmp_path: Path, signer: FileSigner) -> None:
    """Where a log has dropped its partial tiles, the first hashes of the full ones serve."""
    entries = [b"entry %d" % n for n in range(256)]
    write_log(tmp_path, entries, signer)
    shutil.rmtree(tmp_path / "tile" / "1")
    write_log(tmp_path / "older", entries[:200], signer)
    shutil.move(tmp_path / "older" / "checkpoint", tmp_path / "checkpoint")
    shutil.rmtree(tmp_path / "older")
    assert verify_bundle(tmp_path, signer.vkeys()).size == 200
    tile = tmp_path / "tile" / "0" / "000"
    tile.write_bytes(tile.read_bytes()[:-32])
    assert refused(tmp_path, signer) == "tile/0/000"
    (tmp_path / "tile" / "entries" / "000").write_bytes(tiles.encode_bundle(entries[:200]))
    assert refused(tmp_path, signer) == "tile/entries/000"


def test_the_empty_log_must_be_empty(tmp_path: Path, signer: FileSigner) -> None:
    """A tile beside a checkpoint of size 0 is not covered by it."""
    write_log(tmp_path, [b"entry"], signer)
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    (tmp_path / "checkpoint").write_text(signer.sign(empty.text), encoding="utf-8")
    assert refused(tmp_path, signer) == "tile/0/000.p/1"


def test_a_folder_without_a_log_is_named(tmp_path: Path, signer: FileSigner) -> None:
    """An empty folder lacks its checkpoint; a path that is no folder is not found."""
    assert refused(tmp_path, signer) == "checkpoint"
    with pytest.raises(NotFound, match="is no folder"):
        verify_bundle(tmp_path / "absent", signer.vkeys())
    with pytest.raises(Invalid, match="key file"):
        verify_bundle(tmp_path, "")
