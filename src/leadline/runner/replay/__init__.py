"""Builds a project's commit in a box, and runs a finder's proof against it in others."""
