"""Every disclosure policy holds its examples, and no number in it can change without one that notices."""

from pathlib import Path

import pytest

from law_mutants import Mutant, mutants
from leadline.formats.disclosure_toml import faults, load_disclosure, load_examples
from leadline.wiring.regimes import DATA, EXAMPLES

FILES = [
    one for one in sorted((DATA / "disclosure").glob("*.toml")) if not one.name.endswith(EXAMPLES)
]


def found(file: Path, text: str) -> tuple[str, ...]:
    """What the examples beside *file* find wrong with this text of it."""
    policy = load_disclosure(text.encode(), file.name)
    beside = file.with_name(file.stem + EXAMPLES)
    examples = load_examples(beside.read_bytes(), beside.name, policy.digest, policy.id)
    return tuple(one for example in examples for one in faults(policy, example))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_hold(file: Path) -> None:
    """Acts in, clocks and dates out."""
    assert found(file, file.read_text("utf-8")) == ()


def test_no_changed_number_goes_unnoticed(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints killed/total; a survivor is named with its file and line."""

    def survives(file: Path, mutant: Mutant) -> bool:
        from leadline.core.errors import Invalid

        try:
            noticed = bool(found(file, mutant.text))
        except Invalid:
            noticed = True  # a file that is refused
        return not noticed

    all_ = [(file, one) for file in FILES for one in mutants(file.read_text("utf-8"))]
    alive = [f"{file.name}, {one.where}" for file, one in all_ if survives(file, one)]
    with capsys.disabled():
        print(f"\ndisclosure: mutants killed: {len(all_) - len(alive)}/{len(all_)}")  # noqa: T201
    assert alive == []
    assert len(all_) >= 30


def test_ids_are_file_names_and_secrecy_is_said() -> None:
    """A disclosure policy is found by its file's name; only one of those shipped has no embargo."""
    held = {file.stem: load_disclosure(file.read_bytes(), file.name) for file in FILES}
    assert {name: one.id for name, one in held.items()} == {name: name for name in held}
    assert [name for name, one in held.items() if not one.embargo] == ["linux-kernel-ai-found"]
    assert held["cert-cc-45"].confirmed == "unconfirmed"
