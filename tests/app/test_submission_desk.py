"""A pack on its way into the vault: terms first, unchanged, once the engagement still goes on."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from desk_world import DeskWorld
from leadline.app import engagement as desk
from leadline.app import submission as use
from leadline.core.engagement.submission import Fact, Origin, Part, Piece, Presence, Submission
from leadline.core.errors import Denied, Invalid, Refused
from leadline.core.record.act import Kind
from leadline.core.vaulting import Artefact

CARD = b"---\nlicense: mit\n---\n# small-model\n"
PIECE = Piece(
    Part.MODEL_CARD, "card.md", sha256(CARD).hexdigest(), len(CARD), Origin.HUGGING_FACE_CARD
)
PACK = Submission({Fact.MODEL: "small-model", Fact.RETENTION_DAYS: "90"}, (PIECE,))


@pytest.fixture
def world() -> DeskWorld:
    """Everybody, and terms that both sides signed."""
    made = DeskWorld()
    terms = made.terms()
    for person in ("developer", "official"):
        desk.agree_terms(made.at(person), made.on, terms)
    return made


def content(piece: Piece) -> Iterator[bytes]:
    """What the folder has."""
    assert piece == PIECE
    yield CARD[:9]
    yield CARD[9:]


def test_what_is_offered_comes_under_the_terms_and_is_the_developers(world: DeskWorld) -> None:
    """Each file and the manifest are artefacts under the terms' digest; one act names the manifest."""
    done = use.offer(world.at("developer"), world.on, PACK, content)
    (file,) = done.files
    assert (file.digest, file.owner, file.terms) == (PIECE.digest, "developer", done.terms)
    (act,) = world.acts(Kind.SUBMISSION_OFFERED)
    assert (act.detail["manifest"], act.detail["terms"]) == (done.manifest.digest, done.terms)
    manifest = world.vault.get(done.manifest.digest)
    assert file.id.encode() in manifest
    assert b"small-model" in manifest
    assert "small-model" not in str(act.detail)
    use.offer(world.at("developer"), world.on, PACK, content)
    assert len(world.acts(Kind.SUBMISSION_OFFERED)) == 2


def test_what_is_absent_is_named_and_never_a_reason_not_to_offer(world: DeskWorld) -> None:
    """A fact alone is a pack; every part that the text speaks of is in the rows."""
    little = Submission({Fact.MODEL: "small-model"})
    rows, note = use.checked(world.at("developer"), world.on, little)
    assert {row.presence for row in rows} == {Presence.ABSENT}
    assert len(rows) == len(world.on.regime.pack)
    assert "names no days of retention; the terms say 90" in note
    assert use.checked(world.at("developer"), world.on, PACK)[1] == ""
    assert use.offer(world.at("developer"), world.on, little, content).files == ()


def test_without_terms_in_effect_nothing_is_offered(world: DeskWorld) -> None:
    """None signed, or expired a moment ago."""
    fresh = DeskWorld()
    assert use.checked(fresh.at("developer"), fresh.on, PACK)[1] == ""
    with pytest.raises(Refused, match="no terms are in effect"):
        use.offer(fresh.at("developer"), fresh.on, PACK, content)
    world.after(days=60)
    with pytest.raises(Refused, match="expired"):
        use.offer(world.at("developer"), world.on, PACK, content)
    for one in (fresh, world):
        assert not one.acts(Kind.ARTEFACT_RECEIVED, Kind.SUBMISSION_OFFERED)


def test_what_cannot_be_offered_changes_nothing(world: DeskWorld) -> None:
    """An empty pack, a changed file, somebody else's, after an end and after a withdrawal."""
    with pytest.raises(Invalid, match="is empty"):
        use.offer(world.at("developer"), world.on, Submission(), content)
    with pytest.raises(Invalid, match=r"card\.md.*changed"):
        use.offer(world.at("developer"), world.on, PACK, lambda _: [CARD, b"more"])
    for person in ("official", "rival", "partner"):
        with pytest.raises(Denied):
            use.offer(world.at(person), world.on, PACK, content)
    assert not world.acts(Kind.ARTEFACT_RECEIVED, Kind.SUBMISSION_OFFERED)
    desk.end(world.at("developer"), world.on)
    with pytest.raises(Refused, match="may begin a new one"):
        use.offer(world.at("developer"), world.on, PACK, content)


def test_an_end_while_it_is_being_offered_leaves_no_offer(world: DeskWorld) -> None:
    """Files that came before are on record; what came after is not, and no offer stands."""
    readings = list[Piece]()

    def ended(piece: Piece) -> Iterator[bytes]:
        readings.append(piece)
        if len(readings) == 2:
            desk.end(world.at("official"), world.on)
        return content(piece)

    with pytest.raises(Refused, match="may begin a new one"):
        use.offer(world.at("developer"), world.on, PACK, ended)
    assert not world.acts(Kind.SUBMISSION_OFFERED)
    with world.store.read() as view:
        assert len(view.find(Artefact)) == 1
