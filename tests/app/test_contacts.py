"""The contact directory: what is known is kept, with where it stood and how old it is."""

from datetime import timedelta

import pytest

from case_world import CaseWorld
from leadline.app import cases, contacts, contracts
from leadline.app.cases import NewParty
from leadline.core.clearing.case_words import Role
from leadline.core.clearing.directory import (
    ADDRESSES_MAX,
    CONTRACT,
    DIRECTORY,
    STALE,
    Address,
    Channel,
    Project,
    Proposed,
    for_package,
    merged,
)
from leadline.core.errors import Denied, Invalid, NotFound
from leadline.formats.contract_toml import load_contract


def address(world: CaseWorld, to: str = "a@b.example", **more: object) -> Address:
    """An address seen now."""
    return Address(Channel.MAIL, to, "its site", world.now, **more)  # type: ignore[arg-type] # fields


def test_added_merged_listed_and_answered() -> None:
    """Everybody of the community reads it; a second file adds to the first."""
    world = CaseWorld()
    ctx = world.at("screener")
    contacts.add(ctx, [Project("one", ("pkg:pypi/one",), ("A",), (address(world),))])
    world.world.after(days=1)
    ctx = world.at("screener")
    contacts.add(ctx, [Project("one", (), ("B",), (address(world), address(world, "c@d.example")))])
    contacts.answered(ctx, "one", world.now)
    found = contacts.listed(world.at("hospital"))
    assert [one.owners for one in found] == [("A", "B")]
    assert [one.seen for one in found[0].addresses] == [world.now, world.now]
    assert found[0].answered == world.now
    assert for_package(found, "pkg:pypi/one@1.0") == found
    with pytest.raises(NotFound):
        contacts.shown(ctx, "two")
    with pytest.raises(Denied):
        contacts.add(world.at("hospital"), [Project("one")])


def test_makers_of_what_a_case_is_about_are_proposed_until_they_take_part() -> None:
    """By exact package, from contracts and the directory, each once; nobody is added by it."""
    world = CaseWorld()
    case = world.open()  # about pkg:generic/canary-package-0@1.0
    ctx = world.at("screener")
    text = b'project = "maker"\ncontact = "security@maker.example"\npackages = ["pkg:generic/canary-package-0"]\n'
    contracts.add(ctx, load_contract(text), text)
    purl = "pkg:generic/canary-package-0@2.0"
    contacts.add(ctx, [Project("Maker's fork", (purl,)), Project("maker", (purl,), (), (address(world),)),
                       Project("other", ("pkg:generic/canary-package-00",))])  # fmt: skip
    before = len(world.world.acts())
    found = contacts.proposed(world.at("screener"), case)
    about = ("pkg:generic/canary-package-0@1.0",)
    assert found == (
        Proposed("Maker's fork", about, "", DIRECTORY),
        Proposed("maker", about, "security@maker.example", CONTRACT),
    )
    assert len(world.world.acts()) == before
    new = NewParty(Role.OWNER, "The maker", project="maker")
    party = cases.add_party(world.at("screener"), case, new)
    assert [one.project for one in contacts.proposed(world.at("screener"), case)] == [
        "Maker's fork"
    ]
    cases.remove_party(world.at("screener"), case, party, "it asked to")
    assert len(contacts.proposed(world.at("screener"), case)) == 2
    for other in ("maintainer", "finder", "hospital"):
        with pytest.raises(Denied):
            contacts.proposed(world.at(other), case)


def test_a_maintainer_enters_its_own_project_and_no_other() -> None:
    """What an organisation entered is its own; coordinators may add to it."""
    world = CaseWorld()
    contacts.add(world.at("maintainer"), [Project("mine")])
    with pytest.raises(Denied):
        contacts.add(world.at("downstream"), [Project("mine", (), ("X",))])
    assert contacts.add(world.at("screener"), [Project("mine", (), ("Y",))])[0].owners == ("Y",)


def test_doubts_are_shown_and_the_sound_address_comes_first() -> None:
    """Expired or long unseen says so; an old address is better than none."""
    world = CaseWorld()
    old = Address(Channel.MAIL, "old@b.example", "its site", world.now - STALE - timedelta(days=1))
    over = address(world, "over@b.example", expires=world.now)
    good = address(world, "good@b.example")
    assert old.doubt(world.now) == "seen 366 days ago"
    assert over.doubt(world.now).startswith("expired ")
    assert Project("p", addresses=(old, over, good)).best(world.now) == good
    assert Project("p", addresses=(old, over)).best(world.now) == old
    assert Project("p").best(world.now) is None


def test_addresses_nobody_could_write_to_are_refused() -> None:
    """Each channel has its form; a source and an offset are due."""
    world = CaseWorld()
    for channel, to in (
        (Channel.MAIL, "nobody"),
        (Channel.GITHUB, "just-a-name"),
        (Channel.GITLAB, "http://gitlab.example/a/b"),
        (Channel.WEB, "ftp://b.example"),
    ):
        with pytest.raises(Invalid, match="give "):
            Address(channel, to, "s", world.now)
    with pytest.raises(Invalid, match="where this address stands"):
        Address(Channel.MAIL, "a@b.example", " ", world.now)
    with pytest.raises(Invalid, match="offset"):
        Address(Channel.MAIL, "a@b.example", "s", world.now.replace(tzinfo=None))
    many = tuple(address(world, f"a{n}@b.example") for n in range(ADDRESSES_MAX + 1))
    with pytest.raises(Invalid, match="keep at most"):
        merged(Project("p"), Project("p", addresses=many))
    older = Address(Channel.MAIL, "A@b.example", "elsewhere", world.now - timedelta(days=9))
    kept = merged(Project("p", addresses=(address(world),)), Project("p", addresses=(older,)))
    assert kept.addresses == (address(world),)
    assert for_package([Project("s", ("pkg:npm/%40a/b",))], "pkg:npm/%40a/b@2") != ()
    assert for_package([Project("s", ("pkg:npm/x",))], "pkg:npm/@a/b") == ()
    for held, asked in (
        ("pkg:npm/@a/b", "pkg:npm/%40a/b@2"),
        ("pkg:pypi/Two_Words", "pkg:pypi/two-words@1"),
        ("pkg:deb/debian/curl", "pkg:deb/debian/curl@7.1?arch=amd64"),
    ):
        assert for_package([Project("s", (held,))], asked) != ()
    assert for_package([Project("s", ("no purl",))], "no purl") == ()
