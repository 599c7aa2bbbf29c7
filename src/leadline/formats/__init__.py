"""Bytes to values and back, one module per standard; pure."""
