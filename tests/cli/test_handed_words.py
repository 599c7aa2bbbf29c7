"""What a person hands a command in files: words, and criteria packs from outside the package."""

from pathlib import Path

import pytest

from leadline.cli.words import content_of, words_of
from leadline.core.errors import Invalid, NotFound
from leadline.wiring.assess import criteria_pack


def test_words_come_from_a_file_and_are_bounded(tmp_path: Path) -> None:
    """Absent, a folder, too large, no text: each named; a byte order mark is no word."""
    file = tmp_path / "words"
    file.write_bytes(b"\xef\xbb\xbfgood morning")
    assert words_of(file) == "good morning"
    with pytest.raises(NotFound, match="not there"):
        words_of(tmp_path / "absent")
    with pytest.raises(Invalid, match="cannot be read"):
        words_of(tmp_path)
    file.write_bytes(b"x" * ((1 << 16) + 1))
    with pytest.raises(Invalid, match="larger than 65536 bytes"):
        content_of(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="no UTF-8"):
        words_of(file)


def test_a_criteria_pack_is_found_by_name_in_the_installation_or_by_its_file(
    tmp_path: Path,
) -> None:
    """An installation's own pack counts beside the synthetic ones; any file does by its path."""
    name, shipped = criteria_pack("demonstration")
    assert name == "demonstration.toml"
    with pytest.raises(Invalid, match="--criteria"):
        criteria_pack("own")
    (tmp_path / "criteria").mkdir()
    own = tmp_path / "criteria" / "own.toml"
    own.write_bytes(shipped.replace(b'id = "demonstration"', b'id = "own"', 1))
    assert criteria_pack("own", str(tmp_path)) == ("own.toml", own.read_bytes())
    assert criteria_pack(str(own)) == ("own.toml", own.read_bytes())
    assert criteria_pack("demonstration", str(tmp_path))[1] == shipped
