"""Evaluation suites, one module or folder each."""
