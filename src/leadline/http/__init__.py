"""The edges that speak HTTP."""
