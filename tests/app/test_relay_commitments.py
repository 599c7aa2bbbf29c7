"""What a developer's relay committed to becomes an act; what is not its own, or goes back, does not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import make
from desk_world import DeskWorld
from leadline.app.relay_commitments import receive
from leadline.core.errors import Denied, Invalid, Refused, Tampered
from leadline.core.record.act import Kind
from leadline.formats.relay_journal import COUNTS, Statement
from leadline.vault.keys import FileSigner, open_signer

ORIGIN = "leadline.example/relay"
TOLD = Statement(
    ORIGIN,
    4,
    "a" * 64,
    make.NOW,
    (make.ENGAGEMENT,),
    dict.fromkeys(COUNTS, 2),
    keeps_bodies=False,
)


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    """A relay's keys."""
    return open_signer(tmp_path / "relay.key", ORIGIN)


def test_a_statement_is_an_act_of_the_developers(signer: FileSigner) -> None:
    """With size, root and sums; a later one of the same relay follows it, an equal one may too."""
    world = DeskWorld()
    developer = world.at("developer")
    for size in (4, 4, 9):
        signed = signer.sign(replace(TOLD, size=size).text)
        receive(developer, world.on, signed.encode(), signer.vkeys())
    acts = world.acts(Kind.RELAY_COMMITTED)
    assert [act.detail["size"] for act in acts] == [4, 4, 9]
    assert (acts[0].about, acts[0].detail["root"]) == (ORIGIN, "a" * 64)
    assert acts[0].detail["exchanges"] == 2


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"size": 3}, Refused),
        ({"root": "b" * 64}, Refused),
        ({"engagements": ("engagement-of-others",)}, Refused),
        ({"origin": "leadline.example/other"}, Tampered),
    ],
)
def test_what_does_not_follow_changes_nothing(
    signer: FileSigner, changed: dict[str, object], error: type[Exception]
) -> None:
    """Fewer entries, another journal of as many, other dealings, another relay's name."""
    world = DeskWorld()
    developer = world.at("developer")
    receive(developer, world.on, signer.sign(TOLD.text).encode(), signer.vkeys())
    text = replace(TOLD, **changed).text  # type: ignore[arg-type] # tests name real fields
    with pytest.raises(error):
        receive(developer, world.on, signer.sign(text).encode(), signer.vkeys())
    assert len(world.acts(Kind.RELAY_COMMITTED)) == 1


def test_other_keys_do_not_follow(signer: FileSigner, tmp_path: Path) -> None:
    """A journal that was begun anew under the same name is no continuation."""
    world = DeskWorld()
    developer = world.at("developer")
    receive(developer, world.on, signer.sign(TOLD.text).encode(), signer.vkeys())
    other = open_signer(tmp_path / "other.key", ORIGIN)
    later = other.sign(replace(TOLD, size=9).text).encode()
    with pytest.raises(Refused, match="other keys"):
        receive(developer, world.on, later, other.vkeys())
    turned = "\n".join(reversed(signer.vkeys().split("\n")))
    receive(developer, world.on, signer.sign(replace(TOLD, size=9).text).encode(), turned)
    assert [act.detail["size"] for act in world.acts(Kind.RELAY_COMMITTED)] == [4, 9]


def test_what_is_not_signed_so_is_refused(signer: FileSigner, tmp_path: Path) -> None:
    """One signature missing, a changed text, other keys, no statement, somebody else's developer."""
    world = DeskWorld()
    developer, later = world.at("developer"), replace(TOLD, at=TOLD.at + timedelta(days=1))
    signed, keys = signer.sign(TOLD.text), signer.vkeys()
    one_only = "\n".join(signed.split("\n")[:-2]) + "\n"
    other = open_signer(tmp_path / "other.key", ORIGIN).vkeys()
    cases: list[tuple[str, str, type[Exception]]] = [
        (one_only, keys, Tampered),
        (signed.replace(TOLD.text, later.text), keys, Tampered),
        (signed, other, Tampered),
        (signer.sign("a text\n"), keys, Invalid),
        ("no note", keys, Invalid),
        (signed, "no key", Invalid),
    ]
    for content, with_keys, error in cases:
        with pytest.raises(error):
            receive(developer, world.on, content.encode(), with_keys)
    for stranger in ("rival", "evaluator"):
        with pytest.raises(Denied):
            receive(world.at(stranger), world.on, signed.encode(), keys)
    assert world.acts(Kind.RELAY_COMMITTED) == []
