"""What every vault promises; see `leadline.app.ports.Vault`."""

from hashlib import sha256

import pytest

import make
from conformance.conftest import VaultUnderTest
from leadline.core.errors import NotFound, Tampered
from leadline.core.marking import Tlp

ABSENT = sha256(b"absent").hexdigest()


@pytest.mark.parametrize("content", [b"", b"evidence", bytes(range(256)) * 5000])
def test_content_comes_back_by_its_digest(held: VaultUnderTest, content: bytes) -> None:
    """The answer of a put is the SHA-256 in hex, and get gives the same bytes."""
    digest = held.vault.put(content, marking=make.marking())
    assert digest == sha256(content).hexdigest()
    assert held.vault.get(digest) == content


def test_absent_content_is_not_found(held: VaultUnderTest) -> None:
    """Neither content nor marking."""
    with pytest.raises(NotFound):
        held.vault.get(ABSENT)
    with pytest.raises(NotFound):
        held.vault.marking(ABSENT)


def test_a_marking_is_kept_beside(held: VaultUnderTest) -> None:
    """Label and compartments."""
    marking = make.marking(Tlp.GREEN, "alpha", "beta gamma")
    assert held.vault.marking(held.vault.put(b"x", marking=marking)) == marking


def test_a_second_put_is_the_same_object_under_the_strictest_marking(held: VaultUnderTest) -> None:
    """Whichever comes first, the label is the stricter and no compartment is lost."""
    loose, strict = make.marking(Tlp.CLEAR, "alpha"), make.marking(Tlp.RED, "beta")
    for content, order in ((b"1", (loose, strict)), (b"2", (strict, loose))):
        digests = {held.vault.put(content, marking=one) for one in order}
        assert len(digests) == 1
        assert held.vault.marking(digests.pop()) == loose.join(strict)


def test_damaged_content_is_never_given_out(held: VaultUnderTest) -> None:
    """A changed byte is Tampered on get and on the next put of the right bytes."""
    digest = held.vault.put(b"evidence", marking=make.marking())
    held.damage(digest, b"evidencf")
    with pytest.raises(Tampered):
        held.vault.get(digest)
    with pytest.raises(Tampered):
        held.vault.put(b"evidence", marking=make.marking())
