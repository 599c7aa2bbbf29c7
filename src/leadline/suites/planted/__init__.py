"""Planted: C programs with one memory error each, generated from a seed."""

from leadline.suites.planted.suite import SUITE, Planted

__all__ = ["SUITE", "Planted"]
