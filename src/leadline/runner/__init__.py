"""Runs suites through Inspect and reads its logs."""
