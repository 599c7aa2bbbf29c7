"""Leases from a checkout: what git shows, and what goes out in blind mode."""

import subprocess
from pathlib import Path

import pytest

from leadline.core.clearing.lease import Target
from leadline.core.errors import Invalid, Unavailable
from leadline.wiring.checkout import target_from, target_of, tree_of

REPOSITORY = "https://example.org/owner/name"


@pytest.fixture
def checkout(tmp_path: Path) -> tuple[Path, str, str]:
    """A checkout with two commits."""
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    commits = []
    for n in range(2):
        (folder / "src" / f"{n}.c").write_text(str(n))
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
            subprocess.run(["/usr/bin/git", "-C", str(folder), *who, *words], check=True)
        argv = ["/usr/bin/git", "-C", str(folder), "rev-parse", "HEAD"]
        commits.append(
            subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
        )
    return folder, commits[0], commits[1]


def test_a_checkout_shows_the_files_of_the_commit(checkout: tuple[Path, str, str]) -> None:
    """And whether the base leads there."""
    folder, first, second = checkout
    target = target_from(REPOSITORY, f"{first}..{second}", ("**",), ())
    tree = tree_of(folder, target)
    assert (tree.commit, tree.paths, tree.base_is_ancestor) == (
        second,
        ("src/0.c", "src/1.c"),
        True,
    )
    back = target_from(REPOSITORY, f"{second}..{first}", ("**",), ())
    assert not tree_of(folder, back).base_is_ancestor
    with pytest.raises(Invalid, match="HEAD resolves to"):
        tree_of(folder, Target("", REPOSITORY, first, "f" * 40))
    assert target_from("pkg:pypi/x", "", ("**",), ()).purl == "pkg:pypi/x"


def test_blind_mode_hands_in_tokens_alone(checkout: tuple[Path, str, str], tmp_path: Path) -> None:
    """No name, no path; a key that is none, and tokens of nothing, are refused."""
    folder, first, second = checkout
    named = target_from(REPOSITORY, f"{first}..{second}", ("**",), ("CWE-787",))
    key = tmp_path / "epoch.key"
    key.write_text("ab" * 32)
    made, tree = target_of(named, folder, key)
    assert (made.of, made.paths, tree, len(made.blind)) == ("", (), None, 1)
    assert target_of(named, folder, None)[0] == named
    assert target_of(named, None, None) == (named, None)
    for bad in ("zz", "ab"):
        key.write_text(bad)
        with pytest.raises(Invalid, match="64 hexadecimal"):
            target_of(named, folder, key)
    with pytest.raises(Invalid, match="checkout"):
        target_of(named, None, key)


def test_without_git_the_cure_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than an empty tree."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="install it"):
        tree_of(tmp_path, Target("", REPOSITORY, "", "a" * 40))
