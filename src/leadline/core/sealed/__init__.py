"""Sealed suites: commitments, exposure, the budget of what leaves, sessions, verdicts."""
