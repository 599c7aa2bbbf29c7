"""What a checkout with git shows of a commit. Nothing is fetched and nothing of it is run."""

import subprocess
from pathlib import Path

from leadline.core.clearing.lease import Target, Tree, blocks, token
from leadline.core.errors import Invalid, Unavailable

SECONDS_MAX = 60
KEY_BYTES = 32


def tree_of(folder: Path, target: Target) -> Tree:
    """The paths of the target's commit in a checkout, and whether its base leads there.

    Raises: Invalid, naming what resolves instead, if the commit is not there; Unavailable, without git.
    """
    asked = target.commit or "HEAD"
    found = _git(folder, "rev-parse", "--verify", "--quiet", f"{asked}^{{commit}}")
    if found is None:
        head = _git(folder, "rev-parse", "--verify", "HEAD^{commit}") or "nothing"
        problem = f"{asked} is not in {folder}; HEAD resolves to {head.strip()}"
        raise Invalid("/target/commit", problem)
    commit = found.strip()
    listed = _git(folder, "ls-tree", "-r", "-z", "--name-only", commit) or ""
    ancestor = (
        not target.base
        or _git(folder, "merge-base", "--is-ancestor", target.base, commit) is not None
    )
    return Tree(commit, tuple(path for path in listed.split("\0") if path), ancestor)


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None if it ends with an error."""
    argv = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=SECONDS_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(
            f"git gave no answer ({error}); install it, or leave --checkout out"
        ) from None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def target_from(
    said: str, commits: str, paths: tuple[str, ...], weaknesses: tuple[str, ...]
) -> Target:
    """A target as a person names it: a purl, or an address with a range of commits."""
    if said.startswith("pkg:"):
        return Target(purl=said, paths=paths, weaknesses=weaknesses)
    base, _, commit = commits.partition("..")
    return Target("", said, base, commit, paths, weaknesses)


def target_of(
    named: Target, checkout: Path | None, blind_key: Path | None
) -> tuple[Target, Tree | None]:
    """The target as it is handed in, and its checkout: with a key only tokens of its blocks go out.

    Raises: as `tree_of`; Invalid, for a key that is none, or a blind target without a checkout.
    """
    tree = tree_of(checkout, named) if checkout else None
    if blind_key is None:
        return named, tree
    if tree is None:
        raise Invalid("--checkout", "tokens are made of a checkout's blocks; name one")
    try:
        key = bytes.fromhex(blind_key.read_text().strip())
    except (OSError, ValueError):
        raise Invalid("--blind-key", "a file of 64 hexadecimal digits, from the registry") from None
    if len(key) != KEY_BYTES:
        raise Invalid("--blind-key", "a file of 64 hexadecimal digits, from the registry")
    found, _ = blocks(named, tree)
    made = tuple(token(key, named.of, tree.commit, block) for block in found)
    return Target(paths=(), weaknesses=named.weaknesses, blind=made), None
