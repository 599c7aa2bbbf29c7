"""The matrix of a role: for every action on every kind of thing, the answer expected by hand.

One TOML file a role, one row an action, one letter a kind, in the order of `roles_toml.KIND_ORDER`
(blanks group the columns). A row that is missing is an error, so that a new action, kind or role does
not come into being without somebody having said what is expected of it.
"""

import tomllib
from collections.abc import Mapping

from leadline.core.access import Action
from leadline.core.errors import Invalid
from leadline.formats.roles_toml import KIND_ORDER, Reach, Role, deed

LETTERS: Mapping[str, Reach | None] = {
    "a": Reach.ANY,
    "n": Reach.NAMED,
    "o": Reach.OWN,
    "s": Reach.SELF,
    "-": None,
}

Matrix = Mapping[tuple[Action, str], Reach | None]


def parse(file: str, text: bytes) -> Matrix:
    """The expected reach of every action on every kind.

    Raises: Invalid, naming file and row, for what is no TOML, a row too many or too few, or a row
    that has not one known letter for each kind.
    """
    try:
        data: Mapping[str, object] = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise Invalid(file, f"not TOML: {error}") from None
    rows = data.get("rows")
    if not isinstance(rows, dict) or set(data) != {"rows"}:
        raise Invalid(file, "one table [rows] is due")
    for name in sorted(set(rows) - set(Action)):
        raise Invalid(f"{file} {name}", "no action has this name")
    expected = dict[tuple[Action, str], Reach | None]()
    for action in Action:
        if action not in rows:
            raise Invalid(f"{file} {action.value}", "missing: say what is expected of this action")
        for kind, letter in zip(KIND_ORDER, _letters(file, action, rows[action]), strict=True):
            expected[action, kind] = LETTERS[letter]
    return expected


def _letters(file: str, action: Action, row: object) -> str:
    letters = row.replace(" ", "") if isinstance(row, str) else ""
    if len(letters) != len(KIND_ORDER) or set(letters) - set(LETTERS):
        wanted = f"{len(KIND_ORDER)} letters of {''.join(LETTERS)} are due"
        raise Invalid(f"{file} {action.value}", wanted)
    return letters


def check(role: Role, expected: Matrix) -> None:
    """Return if what the role grants is what its matrix expects; a wider reach covers the others.

    Raises: Invalid, naming the role's matrix and the action.
    """
    deeds = {one: role.deeds(one) for one in Reach}
    for (action, kind), reach in expected.items():
        wanted = deed(action, kind)
        granted = {one for one in Reach if wanted in deeds[one]}
        widest = {Reach.ANY} if Reach.ANY in granted else granted
        if widest != ({reach} if reach else set()):
            told = ", ".join(sorted(granted)) or "nothing"
            raise Invalid(
                f"{role.id}.examples.toml {action.value}", f"the role grants {told} on {kind}"
            )
