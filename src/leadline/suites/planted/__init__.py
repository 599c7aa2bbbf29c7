"""Planted: programs in C and Python with one flaw each, generated from a seed."""

from leadline.suites.planted.suite import SUITE, Planted

__all__ = ["SUITE", "Planted"]
