"""Planted: C programs with one flaw each, generated from a seed."""
