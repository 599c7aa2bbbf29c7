"""Estimates with stated error, from scored samples."""
