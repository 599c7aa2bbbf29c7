"""Orders of tiers as data."""

from pathlib import Path

import pytest

import leadline
from leadline.core.errors import Invalid
from leadline.formats.tiers_toml import load_tiers

SHIPPED = sorted((Path(leadline.__file__).parent / "data" / "tiers").glob("*.toml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda one: one.stem)
def test_shipped_orders_load(file: Path) -> None:
    """Each says in its name what it is; the last tier takes everybody."""
    held = load_tiers(file.read_bytes(), file.name)
    assert held.id == file.stem
    assert held.tiers[-1].sectors == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("inventory_days = 90", "inventory_days = 0"), "inventory_days"),
        (("details_days = 45", ""), "details_days"),
        (('id = "2"', 'id = "1"'), "tier"),
        (("serves = 100000", 'serves = "many"'), "tier[2].serves"),
        (("advance_days = 3", "advance_days = 3\nprice = 5"), "tier[1].price"),
        (('id = "leadline-default"', 'id = "x"\nmembers = true'), "members"),
    ],
)
def test_faults_name_file_and_key(change: tuple[str, str], named: str) -> None:
    """Also for what breaks a rule of the whole."""
    text = SHIPPED[0].read_text().replace(*change, 1)
    with pytest.raises(Invalid) as error:
        load_tiers(text.encode(), "tiers.toml")
    assert named in error.value.field
    assert "tiers.toml" in error.value.field
