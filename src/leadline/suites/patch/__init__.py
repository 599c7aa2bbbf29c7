"""Suite `patch`: the flaws of other suites, to be repaired."""

from leadline.suites.patch.suite import SUITE, Patch

__all__ = ["SUITE", "Patch"]
