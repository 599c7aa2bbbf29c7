"""The schema changes, in one line from the first."""
