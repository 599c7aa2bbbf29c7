"""Real flaws of the package registry, fetched at set-up and never shipped."""

from leadline.suites.registry.suite import SUITE

__all__ = ["SUITE"]
