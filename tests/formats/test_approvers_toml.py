"""Which roles' signatures count as approvals: the file, and what is refused of others."""

import pytest

from leadline.access import cedar
from leadline.app.approval import approvers
from leadline.core.access import Action
from leadline.core.errors import Invalid
from leadline.formats import approvers_toml

TWO_PERSONS = {
    Action.ARTEFACT_UNSEAL,
    Action.ARTEFACT_PUBLISH,
    Action.ARTEFACT_SHRED,
    Action.PACK_UNSEAL,
}


def test_every_act_of_two_persons_has_approvers_and_every_role_exists() -> None:
    """No act waits for signatures that nobody could give, and no role is misspelt."""
    table = approvers()
    assert set(table) >= TWO_PERSONS
    assert frozenset().union(*table.values()) <= set(cedar.shipped().roles)


def test_no_developer_signs_under_sealed_government_items() -> None:
    """Packs are approved on the government's side alone."""
    for action in (Action.PACK_UNSEAL, Action.PACK_REVEAL, Action.SCORE_RELEASE):
        sides = {cedar.shipped().roles[role].side.value for role in approvers()[action]}
        assert "developer" not in sides


@pytest.mark.parametrize(
    "text",
    [
        "approvers = ",
        "other = 1",
        "approvers = 1",
        "[[approvers]]\nactions = ['pack:unseal']\n",
        "[[approvers]]\nactions = ['pack:eat']\nroles = ['auditor']\n",
        "[[approvers]]\nactions = ['pack:unseal', 'pack:unseal']\nroles = ['auditor']\n",
        "[[approvers]]\nactions = []\nroles = ['auditor']\n",
        "[[approvers]]\nactions = ['pack:unseal']\nroles = [1]\n",
        "[[approvers]]\nactions = 'pack:unseal'\nroles = ['auditor']\n",
        "approvers = ['pack:unseal']\n",
        "\xff",
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_by_name(text: str) -> None:
    """No TOML, other keys, unknown or doubled actions, empty lists."""
    with pytest.raises(Invalid, match="approvers"):
        approvers_toml.parse("approvers.toml", text.encode("latin-1"))


def test_a_file_as_it_should_be_is_read() -> None:
    """Each action of a table has its roles."""
    text = b"[[approvers]]\nactions = ['pack:unseal', 'hold:lift']\nroles = ['a', 'b']\n"
    found = approvers_toml.parse("approvers.toml", text)
    assert found == {
        Action.PACK_UNSEAL: frozenset({"a", "b"}),
        Action.HOLD_LIFT: frozenset({"a", "b"}),
    }
