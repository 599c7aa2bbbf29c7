"""A project's files at one commit, without touching its working tree, its index or its hooks."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import Invalid, NotFound, Unavailable

FILES_MAX = 200_000
TREE_BYTES_MAX = 1 << 30
_SECONDS = 120
_SHOWN_CHARS = 300


@dataclass(frozen=True, slots=True)
class Commit:
    """A tree of a repository. *name* is what was asked for, *id* the commit, *tree* its content's digest.

    A dirty tree has the commit it stands on, and a digest of its own.
    """

    name: str
    id: str
    tree: str
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository of the maintainer's own, in *folder*."""

    folder: Path

    def commit(self, name: str) -> Commit:
        """The commit that *name* stands for.

        Raises: NotFound, if there is none; Unavailable, if git is not installed or refuses.
        """
        if not (self.folder / ".git").exists():
            raise NotFound(f"{self.folder} is no git repository; name one with --repo")
        if name.startswith("-"):
            raise Invalid("commit", f"{name!r} is no name of a commit")
        try:
            id_ = self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
        except Invalid as error:
            told = error.problem or "no such commit"
            raise NotFound(f"{name!r} names no commit of {self.folder}: {told}") from None
        return Commit(name, id_, self._git("rev-parse", f"{id_}^{{tree}}").strip())

    def newest_tag(self, commit: Commit) -> str:
        """The last tag before or at *commit*; empty if there is none."""
        order = ("--sort=-creatordate", "--count=1", "--format=%(refname:short)")
        return self._git("for-each-ref", f"--merged={commit.id}", *order, "refs/tags").strip()

    def file(self, commit: Commit, path: str) -> bytes | None:
        """One file of a commit; None if it has none of that name."""
        if not self._git("ls-tree", "--name-only", commit.id, "--", path).strip():
            return None
        return self._git("show", f"{commit.id}:{path}").encode("utf-8", "surrogateescape")

    def lay_out(self, commit: Commit, place: Path) -> None:
        """Write every file of *commit* below *place*, or of the working tree where it is dirty.

        Submodules and large-file pointers stay as they are.

        Raises: Invalid, if the tree is too large.
        """
        place.mkdir(parents=True, exist_ok=True)
        if commit.dirty:
            self._copy(place)
        else:
            with tempfile.TemporaryDirectory(prefix="leadline-index-") as scratch:
                index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
                self._git("read-tree", commit.id, more=index)
                self._git("checkout-index", "--all", "--force", f"--prefix={place}/", more=index)
        _check_size(place)

    def dirty(self, head: Commit) -> Commit:
        """The working tree as it is, with files that are not ignored; the digest is over all of them."""
        told = hashlib.sha256()
        for name in self._listed():
            told.update(name.encode("utf-8", "surrogateescape") + b"\0")
            path = self.folder / name
            if path.is_file() and not path.is_symlink():
                told.update(hashlib.sha256(path.read_bytes()).digest())
        return Commit("the working tree", head.id, told.hexdigest(), dirty=True)

    def submodules(self, commit: Commit) -> bool:
        """Whether the tree has parts that stand in other repositories."""
        return self.file(commit, ".gitmodules") is not None

    def _listed(self) -> list[str]:
        found = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return sorted({name for name in found.split("\0") if name})

    def _copy(self, place: Path) -> None:
        for name in self._listed():
            source, target = self.folder / name, place / name
            if not source.is_file() and not source.is_symlink():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)

    def _git(self, *words: str, more: dict[str, str] | None = None) -> str:
        """What git prints.

        Raises: Invalid, with git's own words; Unavailable, if it is not installed or not in time.
        """
        git = shutil.which("git", path=os.defpath + ":/usr/bin:/usr/local/bin")
        if git is None:
            raise Unavailable("git is not installed; install it, it is how a commit is read")
        argv = [git, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]
        # The person's own settings count, such as which folders git trusts; nothing is fetched.
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home()), **(more or {})}
        env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
        env |= {"GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_LAZY_FETCH": "1"}
        try:
            done = subprocess.run(
                [*argv, *words],
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"git {words[0]} did not end within {_SECONDS} s") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            if "dubious ownership" in said:
                cure = f"git config --global --add safe.directory {self.folder}"
                raise Unavailable(f"git takes {self.folder} for another person's; run `{cure}`")
            raise Invalid("repository", said[:_SHOWN_CHARS])
        return done.stdout.decode("utf-8", "surrogateescape")


def _check_size(place: Path) -> None:
    """Return if the tree is one that is built here.

    Raises: Invalid, saying how large it is.
    """
    size = 0
    for files, path in enumerate(place.rglob("*"), 1):
        size += path.lstat().st_size if not path.is_dir() else 0
        if files > FILES_MAX or size > TREE_BYTES_MAX:
            raise Invalid(
                "repository", f"more than {FILES_MAX} files or {TREE_BYTES_MAX >> 20} MiB of them"
            )
