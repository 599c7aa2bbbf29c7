"""What an official run rests on: only whole records that this installation signed, of this item, here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from leadline.app.laboratory import Standing, qualified
from leadline.core.assessment import PlannedItem, PlannedSuite
from leadline.core.qualification import QUICK, Check, Extent, Record
from leadline.formats import qualification as form
from leadline.formats.note import parse_vkeys
from leadline.runner.qualified import Records
from leadline.vault.keys import FileSigner, open_signer

AROUND = {"kernel": "6", "tier": "own-kernel"}
OTHER = {"kernel": "7", "tier": "own-kernel"}
ITEM = PlannedItem("p-1", "heap-overflow", "aa")
ORIGIN = "institute.example/log"


def record(**changed: object) -> Record:
    """A whole record of the item in this environment."""
    made = Record(
        suite="planted",
        item="p-1",
        digest="aa",
        environment=AROUND,
        environment_digest=form.environment_digest(AROUND),
        extent=Extent(),
        checks=(Check("reference_solution", held=True),),
        counts={"reference": (10, 10)},
        shown={"reference": "solved"},
        at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def signer(folder: Path, name: str = ORIGIN) -> FileSigner:
    """An installation's signer."""
    folder.mkdir(parents=True, exist_ok=True)
    return open_signer(folder / "log.key", name)


def written(folder: Path, by: FileSigner, held: Record, origin: str = ORIGIN) -> bytes:
    """The record and its note, as `leadline suite qualify` leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    data = form.encode(held)
    (folder / "p-1.json").write_bytes(data)
    (folder / "p-1.note").write_text(by.sign(form.statement(data, origin)), encoding="utf-8")
    return data


def standing(own: FileSigner, *folders: Path) -> Standing:
    """Whether the records in *folders* carry the item, for the installation *own*."""
    return Records(folders, parse_vkeys(own.vkeys()), AROUND).standing(ITEM)


def test_a_whole_signed_record_carries_its_item(tmp_path: Path) -> None:
    """The plan then holds the record by digest."""
    own = signer(tmp_path / "keys")
    data = written(tmp_path / "records", own, record())
    assert standing(own, tmp_path / "records") == Standing(record=sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (record(digest="ab"), "the item has changed"),
        (
            record(environment=OTHER, environment_digest=form.environment_digest(OTHER)),
            "the environment has changed since the item was examined (kernel)",
        ),
        (record(extent=QUICK), "quick check only"),
        (record(checks=(Check("leak_scan", held=False, reason="told"),)), "unqualified, leak_scan"),
        (record(item="p-2"), "of another item (p-2)"),
    ],
    ids=["expired by item", "expired by environment", "quick", "unqualified", "another item"],
)
def test_a_signed_record_of_something_else_carries_nothing(
    held: Record, why: str, tmp_path: Path
) -> None:
    """Expired with either digest, quick, unqualified, misplaced: the reason is told."""
    own = signer(tmp_path / "keys")
    written(tmp_path / "records", own, held)
    found = standing(own, tmp_path / "records")
    assert found.record == ""
    assert why in found.reason


def _unsigned(folder: Path, own: FileSigner) -> None:
    written(folder, own, record())
    (folder / "p-1.note").unlink()


def _foreign(folder: Path, own: FileSigner) -> None:
    """Signed on another host, by an installation of the same name with other keys."""
    del own
    written(folder, signer(folder / "elsewhere"), record())


def _renamed(folder: Path, own: FileSigner) -> None:
    """Signed by an installation that calls itself something else."""
    del own
    written(folder, signer(folder / "else", "other.example/log"), record(), "other.example/log")


def _tampered(folder: Path, own: FileSigner) -> None:
    """A failed check made to hold, the note left as it was."""
    bad = record(checks=(Check("leak_scan", held=False, reason="told"),))
    data = written(folder, own, bad)
    good = data.replace(b'["leak_scan",false,"told"]', b'["leak_scan",true,"told"]')
    good = good.replace(b'"qualified":false', b'"qualified":true')
    assert form.decode(good).qualified
    (folder / "p-1.json").write_bytes(good)


def _half_signed(folder: Path, own: FileSigner) -> None:
    """One of the installation's two signatures is gone."""
    written(folder, own, record())
    note = (folder / "p-1.note").read_text(encoding="utf-8")
    (folder / "p-1.note").write_text("\n".join(note.split("\n")[:-2]) + "\n", encoding="utf-8")


def _spoilt(folder: Path, own: FileSigner) -> None:
    written(folder, own, record())
    (folder / "p-1.json").write_bytes(b"{}")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_unsigned, "it is not signed"),
        (_foreign, "no signature by the key"),
        (_renamed, "of another installation"),
        (_tampered, "of another record"),
        (_half_signed, "no signature by the key"),
        (_spoilt, "qualification: a record of version 1"),
    ],
)
def test_a_record_that_this_installation_did_not_sign_is_no_evidence(
    spoil: Callable[[Path, FileSigner], None], why: str, tmp_path: Path
) -> None:
    """Unsigned, signed elsewhere, altered, half signed or spoilt: its item is left out, and nothing raised."""
    own = signer(tmp_path / "keys")
    spoil(tmp_path / "records", own)
    found = standing(own, tmp_path / "records")
    assert found.record == ""
    assert found.reason.startswith("its record is no evidence")
    assert why in found.reason


def test_a_record_that_holds_is_found_behind_one_that_does_not(tmp_path: Path) -> None:
    """Several campaigns of one installation: a whole record in any of them carries the item."""
    own = signer(tmp_path / "keys")
    written(tmp_path / "a", own, record(extent=QUICK))
    data = written(tmp_path / "b", own, record())
    assert standing(own, tmp_path / "a", tmp_path / "b").record == sha256(data).hexdigest()
    assert standing(own).reason == "it has no record of qualification in this installation"


def test_items_without_a_record_are_named_and_the_others_stay_in_order() -> None:
    """Nothing is dropped in silence; a suite that had no items keeps its own reason."""
    two = replace(ITEM, id="p-2")
    suite = PlannedSuite(
        "planted", "t", "1", "cyber", "c", "shared-kernel", (ITEM, two), missing=("x: y",)
    )
    told = {"p-1": Standing(reason="expired"), "p-2": Standing(record="cc")}
    left = qualified(suite, told)
    assert [(item.id, item.record) for item in left.items] == [("p-2", "cc")]
    assert left.missing == ("x: y", "p-1: not qualified: expired")
    assert left.unavailable == ""
    closed = replace(suite, items=(), unavailable="no index")
    assert qualified(closed, {}).unavailable == "no index"
