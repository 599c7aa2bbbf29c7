"""Commits of one repository, built in boxes, ready to be asked; see `leadline.app.checking.Lab`."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leadline.core.clearing.replaying import Bundle
from leadline.runner.replay.build import Builder, Built
from leadline.runner.replay.runs import HostBench
from leadline.runner.replay.source import Commit, Repository

HEAD = "head"


@dataclass(frozen=True, slots=True)
class HostLab:
    """Builds here. *at* is the commit that ``head`` stands for; *dirty* takes the working tree."""

    repository: Repository
    builder: Builder
    say: Callable[[str], None]
    at: str = "HEAD"
    dirty: bool = False

    def commit(self, which: str) -> Commit:
        """The commit that *which* stands for.

        Raises: NotFound, if there is none.
        """
        found = self.repository.commit(self.at if which == HEAD else which)
        return self.repository.dirty(found) if self.dirty and which == HEAD else found

    def built(self, bundle: Bundle, commit: Commit) -> Built:
        """That commit, built as the bundle says; quick where it was built before.

        Raises: Unavailable, if no box could be had.
        """
        with tempfile.TemporaryDirectory(prefix="leadline-source-") as scratch:
            folder = Path(scratch)
            folder.chmod(0o755)
            tree = folder / "tree"
            self.repository.lay_out(commit, tree)
            done = self.builder.build(tree, commit.tree, bundle.build)
        if done.reused:
            self.say("built before; taken from the cache")
        if done.left_out:
            self.say(f"not taken from the build: {', '.join(done.left_out[:5])}")
        return done

    def bench(self, bundle: Bundle, which: str) -> tuple[HostBench | None, str, str]:
        """See the protocol."""
        commit = self.commit(which)
        done = self.built(bundle, commit)
        if done.problem:
            more = ""
            if self.repository.submodules(commit):
                more = "; the tree has submodules, which are not fetched: there is no network here"
            return None, commit.id, done.problem + more
        bench = HostBench(bundle, done.folder, done.digest, self.builder.tier)
        return bench, commit.id, ""
