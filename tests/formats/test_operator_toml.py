"""Operators and sectors as data."""

import pytest

from leadline.core.errors import Invalid
from leadline.formats.operator_toml import load_operator, load_sector

OPERATOR = b'id = "o"\nname = "O (sample)"\nsector = "water"\ncontact = "Ask."\nsample = true\n'
SECTOR = b'id = "water"\ntitle = "Water"\ncare = "Mind."\nask = "Ask."\n'


def test_an_operator_reads_as_written() -> None:
    """Every entry has its place."""
    held = load_operator(OPERATOR, "o.toml")
    assert (held.id, held.sector, held.sample) == ("o", "water", True)
    assert load_sector(SECTOR, "s.toml").care == "Mind."


@pytest.mark.parametrize("more", [b'colour = "red"\n', b"sample = 1\n"])
def test_an_unknown_or_wrong_key_is_refused(more: bytes) -> None:
    """The error names the file."""
    content = OPERATOR.replace(b"sample = true\n", b"") if b"sample" in more else OPERATOR
    with pytest.raises(Invalid, match=r"o\.toml"):
        load_operator(content + more, "o.toml")
    with pytest.raises(Invalid, match=r"s\.toml"):
        load_sector(SECTOR + more, "s.toml")
