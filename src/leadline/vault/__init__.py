"""Sealing and keys."""
