"""What every vault promises; see `leadline.app.ports.Vault`."""

from hashlib import sha256
from pathlib import Path

import pytest

import make
import vault_world
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.core.marking import Tlp
from leadline.core.vaulting import Protection
from vault_world import VaultUnderTest, World

ABSENT = sha256(b"absent").hexdigest()
LARGE = bytes(range(256)) * 12_000  # three segments, three shards


@pytest.fixture(params=["memory", "files"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> VaultUnderTest:
    """An empty vault of each kind."""
    return vault_world.vault(request.param, World(), tmp_path)


def sealed(held: VaultUnderTest, content: bytes = LARGE) -> str:
    """*content* received from the developer, sealed."""
    pieces = [content[at : at + 70_000] for at in range(0, len(content), 70_000)]
    return held.vault.receive(
        pieces,
        marking=make.marking(Tlp.RED),
        engagement=make.ENGAGEMENT,
        owner="developer",
        sealed=True,
        terms="terms-1",
        bytes_max=len(content),
    ).digest


@pytest.mark.parametrize("content", [b"", b"evidence", LARGE])
def test_content_comes_back_by_its_digest(held: VaultUnderTest, content: bytes) -> None:
    """The answer of a put is the SHA-256 in hex, and get and open give the same bytes."""
    digest = held.vault.put(content, marking=make.marking())
    assert digest == sha256(content).hexdigest()
    assert held.vault.get(digest) == content
    with held.vault.open(digest) as file:
        assert file.read() == content


def test_absent_content_is_not_found(held: VaultUnderTest) -> None:
    """Neither content nor marking."""
    with pytest.raises(NotFound):
        held.vault.get(ABSENT)
    with pytest.raises(NotFound):
        held.vault.marking(ABSENT)
    with pytest.raises(NotFound), held.vault.open(ABSENT):
        pass


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
    assert len(held.vault.holdings()) == 2


def test_the_same_bytes_of_two_engagements_are_two_copies(held: VaultUnderTest) -> None:
    """Under the strictest marking of both; erasing one leaves the other."""
    for engagement, label in (("first", Tlp.GREEN), ("second", Tlp.RED)):
        held.vault.put(b"same", marking=make.marking(label), engagement=engagement)
    (copy,) = held.vault.holdings("first")
    assert held.vault.marking(copy.digest) == make.marking(Tlp.RED)
    assert held.vault.erase("first", "agency") == [copy]
    assert held.vault.get(copy.digest) == b"same"
    assert held.vault.erase("second", "agency")
    with pytest.raises(NotFound):
        held.vault.get(copy.digest)


def test_damaged_content_is_never_given_out(held: VaultUnderTest) -> None:
    """A changed byte is Tampered on get, on open and on the next put of the right bytes."""
    digest = held.vault.put(LARGE, marking=make.marking())
    held.damage(digest)
    with pytest.raises(Tampered):
        held.vault.get(digest)
    with pytest.raises(Tampered), held.vault.open(digest):
        pytest.fail("a file was handed out")
    with pytest.raises(Tampered):
        held.vault.put(LARGE, marking=make.marking())


def test_more_than_agreed_is_refused_and_leaves_nothing(held: VaultUnderTest) -> None:
    """The count is of what came, not of what was said; an endless stream ends."""

    def endless() -> "list[bytes]":
        return [bytes(1 << 16)] * 1000

    with pytest.raises(Invalid, match="more than"):
        held.vault.receive(
            endless(),
            marking=make.marking(),
            engagement=make.ENGAGEMENT,
            owner="developer",
            sealed=True,
            bytes_max=1 << 20,
        )
    assert held.vault.holdings() == []


def test_what_is_sealed_opens_for_a_release_only(held: VaultUnderTest) -> None:
    """Neither get nor open without one; with it, once."""
    digest = sealed(held)
    with pytest.raises(Refused):
        held.vault.get(digest)
    with pytest.raises(Refused), held.vault.open(digest):
        pytest.fail("a file was handed out")
    release = held.world.release(digest)
    with held.vault.open(digest, release) as file:
        assert file.read() == LARGE
    with pytest.raises(Refused), held.vault.open(digest, release):
        pytest.fail("a file was handed out")


def test_a_release_does_not_open_another_engagement(held: VaultUnderTest) -> None:
    """The same digest, sealed for somebody else."""
    held.vault.receive(
        (b"theirs",),
        marking=make.marking(),
        engagement="another",
        owner="developer",
        sealed=True,
        bytes_max=6,
    )
    digest = sha256(b"theirs").hexdigest()
    with pytest.raises(NotFound), held.vault.open(digest, held.world.release(digest)):
        pytest.fail("a file was handed out")


def test_a_holding_tells_what_a_copy_is(held: VaultUnderTest) -> None:
    """Whose, how protected, how large, under which terms and marking; by engagement."""
    digest = sealed(held)
    held.vault.put(b"plan", marking=make.marking(), engagement="another")
    (one,) = held.vault.holdings(make.ENGAGEMENT)
    assert (one.digest, one.size, one.owner, one.protection, one.recipient.epoch) == (
        digest,
        len(LARGE),
        "developer",
        Protection.SEALED,
        1,
    )
    assert (one.terms, one.marking) == ("terms-1", make.marking(Tlp.RED))
    assert len(held.vault.holdings()) == 2


def test_rotation_moves_every_key_and_opens_as_before(held: VaultUnderTest) -> None:
    """Epoch 2, the same content; a second re-wrapping moves nothing."""
    digest = sealed(held)
    working = held.vault.put(b"x", marking=make.marking(), engagement=make.ENGAGEMENT)
    held.world.now = make.NOW.replace(minute=31)
    assert held.keys.rotate(make.ENGAGEMENT, "developer") == 2
    assert held.vault.rewrap(make.ENGAGEMENT, "developer") >= 1
    assert held.vault.rewrap(make.ENGAGEMENT, "developer") == 0
    epochs = {one.digest: one.recipient.epoch for one in held.vault.holdings()}
    assert epochs == {digest: 2, working: 1}
    with held.vault.open(digest, held.world.release(digest)) as file:
        assert file.read() == LARGE
    assert held.vault.get(working) == b"x"


def test_destroyed_keys_open_nothing_and_take_nothing(held: VaultUnderTest) -> None:
    """Ciphertext that is still there stays shut, and nothing more is sealed to them."""
    digest = held.vault.put(b"x", marking=make.marking(), engagement="one", owner="developer")
    held.keys.destroy("one", "developer", authority="request-1")
    with pytest.raises(Refused):
        held.vault.get(digest)
    with pytest.raises(Refused):
        held.vault.put(b"y", marking=make.marking(), engagement="one", owner="developer")
    held.vault.put(b"y", marking=make.marking(), engagement="one", owner="agency")
