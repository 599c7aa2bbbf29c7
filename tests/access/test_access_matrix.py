"""Every role, every action, every kind of thing: the answer is the one written by hand in its matrix."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

import make
from leadline.access import cedar
from leadline.core.access import Action, Circumstances, Principal, Resource
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.formats import matrix_toml
from leadline.formats.roles_toml import KIND_ORDER, Reach

FOLDER = Path(str(files("leadline") / "data" / "roles"))
ROLES = sorted(cedar.shipped().roles)
# Everything in favour: signed by two others and the requester, proved, two factors and more.
READY = Circumstances(make.NOW, frozenset({"q", "r"}), asserted=True, proved=True, assurance=3)
NEVER_FOR_ONESELF = {
    Action.PRINCIPAL_ENROL,
    Action.PRINCIPAL_RESTORE,
    Action.PRINCIPAL_RECOVER,
    Action.PRINCIPAL_APPOINT,
    Action.GRANT_GIVE,
    Action.DELEGATION_GIVE,
}


def situation(role: str, kind: str, reach: Reach | None) -> tuple[Principal, Resource]:
    """A holder of the role, and a thing with which it has to do in one way only."""
    person = make.principal(role, id_="p", org="own", engagements=("e1",), cases=("c1",))
    # An entry of another organisation is what its own people keep for themselves: `own-log`
    org = "" if kind == "entry" else "other"
    far = make.resource(kind, engagement="e2", org=org, case="c2", owner="q", tlp=Tlp.CLEAR)
    near = {
        None: far,
        Reach.OWN: replace(far, org="own"),
        Reach.NAMED: replace(far, engagement="e1"),
        Reach.SELF: replace(far, owner="p"),
    }
    return person, near[reach]


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_the_one_written_by_hand(role: str) -> None:
    """Every action on every kind, each as a stranger, as one named, of the own organisation, and as owner."""
    file = f"{role}.examples.toml"
    expected = matrix_toml.parse(file, (FOLDER / file).read_bytes())
    assert set(expected) == {(action, kind) for action in Action for kind in KIND_ORDER}
    for (action, kind), reach in expected.items():
        for relation in (None, Reach.OWN, Reach.NAMED, Reach.SELF):
            person, thing = situation(role, kind, relation)
            allowed = cedar.shipped().decide(person, action, thing, READY).allowed
            due = reach is Reach.ANY or (reach is not None and reach is relation)
            if relation is Reach.SELF and action in NEVER_FOR_ONESELF:
                due = False
            assert allowed is due, (role, action, kind, relation)


@pytest.mark.parametrize("role", ROLES)
def test_being_named_for_the_case_is_being_named(role: str) -> None:
    """Where the matrix says "named", the case serves as well as the engagement."""
    file = f"{role}.examples.toml"
    for (action, kind), reach in matrix_toml.parse(file, (FOLDER / file).read_bytes()).items():
        if reach is Reach.NAMED:
            person, thing = situation(role, kind, None)
            thing = replace(thing, case="c1")
            assert cedar.shipped().decide(person, action, thing, READY).allowed


def test_no_matrix_stands_without_its_role() -> None:
    """And no role without its matrix."""
    found = {file.name.removesuffix(".examples.toml") for file in FOLDER.glob("*.examples.toml")}
    assert found == set(ROLES)


TEXT = (FOLDER / "public.examples.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("[rows]", "[rows", "f.toml"),
        ("[rows]", "[cells]", "f.toml"),
        ("[rows]", "x = 1\n[rows]", "f.toml"),
        ('"log:sign"', '"log:burn"', "f.toml log:burn"),
        ('"log:sign" ', '# "log:sign" ', "f.toml log:sign"),
        (
            '"------ ---- ------ ---- -----"',
            '"------ ---- ------ ---- ----"',
            "f.toml inquiry:lodge",
        ),
        (
            '"------ ---- ------ ---- -----"',
            '"------ ---- ------ ---- ----x"',
            "f.toml inquiry:lodge",
        ),
        ('"------ ---- ------ ---- -----"', "3", "f.toml inquiry:lodge"),
    ],
)
def test_a_mistake_in_a_matrix_is_named(old: str, new: str, field: str) -> None:
    """File and action stand in the error; an action without a row is a mistake."""
    assert old in TEXT
    with pytest.raises(Invalid) as caught:
        matrix_toml.parse("f.toml", TEXT.replace(old, new, 1).encode())
    assert caught.value.field == field


def copied(folder: Path) -> Path:
    """The shipped roles in another folder."""
    for file in FOLDER.glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_a_role_without_a_matrix_stops_start_up(tmp_path: Path) -> None:
    """Nobody has said what is expected of it."""
    (copied(tmp_path) / "auditor.examples.toml").unlink()
    with pytest.raises(Invalid, match=r"auditor\.examples\.toml"):
        cedar.load(FOLDER.parent / "access", tmp_path)


def test_a_role_that_grew_stops_start_up(tmp_path: Path) -> None:
    """A grant that its matrix does not expect is named, and so is one that is gone."""
    file = copied(tmp_path) / "auditor.toml"
    file.write_text(file.read_text().replace('["alert:read"]', '["alert:read"]', 1))
    grown = file.read_text().replace(
        'actions = ["engagement:read"]', 'actions = ["inquiry:answer"]'
    )
    file.write_text(grown)
    with pytest.raises(Invalid, match=r"auditor\.examples\.toml (inquiry:answer|engagement:read)"):
        cedar.load(FOLDER.parent / "access", tmp_path)


def test_what_is_shipped_holds_in_every_way_that_is_checked() -> None:
    """Grants, lists and matrices, which are not checked again at every start."""
    checked = cedar.load(*cedar.shipped_folders())
    assert checked.roles == cedar.shipped().roles
    assert checked.rules.digest == cedar.shipped().rules.digest
