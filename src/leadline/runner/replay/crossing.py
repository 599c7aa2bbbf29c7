"""Tries one flaw's proof on another's fix; see `leadline.app.ports.CrossTester`."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.app.replay import silenced
from leadline.core.clearing.replaying import Bundle
from leadline.core.errors import Invalid
from leadline.runner.replay.build import Built
from leadline.runner.replay.lab import HEAD, HostLab
from leadline.runner.replay.runs import HostBench
from leadline.suites.patch.diff import apply

PATCH_BYTES_MAX = 1 << 20
_NAMED = re.compile(r"^--- a/(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HostCross:
    """One repository here, with the bundles of findings and the patches of fixes, by their ids.

    *problems* is told why something could not be tried.
    """

    lab: HostLab
    bundles: Mapping[str, Bundle]
    patches: Mapping[str, bytes]
    problems: Callable[[str], None]

    def silenced(self, finding: str, fix: str) -> bool | None:
        """See the port."""
        bundle = self.bundles[finding]
        built = self._built(bundle, fix)
        if built is None:
            return None
        return silenced(
            bundle, HostBench(bundle, built.folder, built.digest, self.lab.builder.tier)
        )

    def tests_pass(self, fix: str) -> bool | None:
        """See the port; the tests are those that any of the bundles names."""
        bundle = next(
            (one for one in self.bundles.values() if one.repair and one.repair.test), None
        )
        built = self._built(bundle, fix) if bundle else None
        if bundle is None or bundle.repair is None or built is None:
            return None
        done, why = self.lab.builder.ran(built, bundle.repair.test, bundle.build)
        if why:
            self.problems(f"tests with {fix}: {why}")
        return done

    def _built(self, bundle: Bundle, fix: str) -> Built | None:
        """The commit with the patch of *fix*, built as *bundle* says; quick where it was built before."""
        patch = self.patches[fix]
        with tempfile.TemporaryDirectory(prefix="leadline-cross-") as scratch:
            folder = Path(scratch)
            folder.chmod(0o755)
            commit = self.lab.commit(HEAD)
            self.lab.repository.lay_out(commit, folder / "tree")
            try:
                patched(folder / "tree", patch)
            except Invalid as error:
                self.problems(f"the patch of {fix} does not apply: {error}")
                return None
            tree = hashlib.sha256(commit.tree.encode() + patch).hexdigest()
            built = self.lab.builder.build(folder / "tree", tree, bundle.build)
        if built.problem:
            self.problems(f"does not build with the patch of {fix}: {built.problem}")
            return None
        return built


def patched(tree: Path, patch: bytes) -> None:
    """Apply a unified difference to the files below *tree*, exactly, and to no other.

    Raises: Invalid, if it is too long, is no text, or does not fit.
    """
    if len(patch) > PATCH_BYTES_MAX:
        raise Invalid("patch", f"longer than {PATCH_BYTES_MAX} bytes")
    try:
        text = patch.decode("utf-8")
        plain = {path for path in _NAMED.findall(text) if _inside(tree, path)}
        files = {path: (tree / path).read_bytes() for path in plain}
        changed = apply(text, files)
    except UnicodeDecodeError as error:
        raise Invalid("patch", f"no UTF-8 text: {error}") from error
    if not changed:
        raise Invalid("patch", "changes nothing")
    for path, data in changed.items():
        (tree / path).write_bytes(data)


def _inside(tree: Path, path: str) -> bool:
    """Whether *path* is a plain file of the tree, with no link on the way to it."""
    place = tree / path
    return place.resolve() == tree.resolve() / path and place.is_file()
