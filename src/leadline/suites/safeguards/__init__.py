"""Whether a model's safeguards hold: refusal by policy, and instructions planted in what it reads."""

from leadline.suites.safeguards.suite import SUITE

__all__ = ["SUITE"]
