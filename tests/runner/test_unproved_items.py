"""Items whose boxes the egress proof of a run does not cover: left out before the run, with the cure."""

from pathlib import Path

import pytest
from typing_extensions import override

from leadline.runner.laboratory import planned
from leadline.suites.imported.collection import ITEMS, Imported, Manifest
from leadline.suites.imported.setting import Setting, save_setting
from leadline.suites.item import Item
from runner.scripted import SEED, Chosen


class Rooted(Chosen):
    """A suite of which the named items, or all, have a root of their own."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.names = names

    def unproved(self, item: Item) -> str:
        """The reason, for the items named; for every item where none is."""
        return "its box has an image as its root" if item.id in (self.names or item.id) else ""


def test_an_item_in_an_image_is_left_out_by_name() -> None:
    """The others are planned as before, and the reason stands beside the one that is not."""
    first, *others = [item.id for item in Chosen().items(SEED)]
    suite = planned(Rooted((first,)), SEED)
    assert [item.id for item in suite.items] == others
    assert suite.missing == (f"{first}: its box has an image as its root",)
    assert suite.unavailable == ""


def test_a_suite_of_images_alone_cannot_run() -> None:
    """It says so, and says why: such a run is refused before anything is measured."""
    suite = planned(Rooted(), SEED)
    assert suite.items == ()
    assert suite.unavailable.startswith(
        "no item of it can run here, the first its box has an image"
    )
    assert len(suite.missing) == len(Chosen().items(SEED))


class Placed(Imported):
    """An imported suite whose item lies where a test put it."""

    @override
    def place(self, item: Item) -> Path:
        """The folder of the test."""
        return self.folder / ITEMS / "f-1"


@pytest.mark.parametrize(
    ("setting", "cure"),
    [
        (Setting(image="tools:1", root="/images/tools_1"), "import it without --images"),
        (Setting(image="tools:1"), ""),
        (None, ""),
    ],
    ids=["unpacked image", "image not here", "no setting"],
)
def test_an_imported_item_knows_whether_its_box_is_proved(
    setting: Setting | None, cure: str, tmp_path: Path
) -> None:
    """Only a root of its own makes a box that no run proves; the cure is named."""
    manifest = Manifest("mine", "cybench", "s", "d", "MIT", redistributable=True, quick=False)
    place = tmp_path / ITEMS / "f-1"
    place.mkdir(parents=True)
    if setting is not None:
        save_setting(setting, place)
    why = Placed(tmp_path, manifest).unproved(Chosen().items(SEED)[0])
    assert cure in why
    assert bool(why) == bool(cure)
